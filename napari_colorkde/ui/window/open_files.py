"""Files that the viewer's layers came from: nothing may be written over them."""

from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from napari_colorkde.app.image.source import unwrap_proxy

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Layer

_opened: "WeakKeyDictionary[Layer, Path]" = WeakKeyDictionary()


def remember_file(layer: "Layer", path: str | Path) -> None:
    """Remember the file that a layer was read from: napari knows only of those that it read."""
    _opened[layer] = Path(path)


def file_of(layer: "Layer") -> Path | None:
    """Return the file that a layer was read from, if it is known."""
    if layer in _opened:
        return _opened[layer]
    known = getattr(layer.source, "path", None)
    return Path(known) if isinstance(known, str | Path) and str(known) else None


def refuse_open_file(viewer: "Viewer", path: str | Path) -> None:
    """Refuse to write over a file that is open as a layer.

    Raises
    ------
    ValueError
        If it is; it may be named by another path that leads to the same file.
    """
    target = Path(path)
    if not target.exists():
        return
    for layer in map(unwrap_proxy, viewer.layers):
        source = file_of(layer)
        if source is not None and source.exists() and source.samefile(target):
            raise ValueError(
                f"{str(path)!r} is open as the layer {layer.name!r}; choose another file name."
            )
