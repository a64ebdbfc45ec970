"""The files that layers were read from: napari knows only of those that it read itself."""

from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from napari_colorkde.io.formats.addresses import path_or_address

if TYPE_CHECKING:
    from napari.layers import Layer

_opened: "WeakKeyDictionary[Layer, Path]" = WeakKeyDictionary()


def remember_file(layer: "Layer", path: str | Path) -> None:
    """Remember the file that a layer was read from."""
    _opened[layer] = path_or_address(path)


def file_of(layer: "Layer") -> Path | None:
    """Return the file that a layer was read from, if it is known."""
    if layer in _opened:
        return _opened[layer]
    known = getattr(layer.source, "path", None)
    return Path(known) if isinstance(known, str | Path) and str(known) else None
