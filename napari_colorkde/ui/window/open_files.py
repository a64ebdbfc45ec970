"""The files of the viewer's layers, which must not be overwritten."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from napari_colorkde.app.image.layer_files import file_of
from napari_colorkde.app.image.source import unwrap_proxy

if TYPE_CHECKING:
    from napari import Viewer

TargetCheck = Callable[[str | Path], None]
"""Raises ValueError for a file that may not be written."""


def allow_all(path: str | Path) -> None:
    """Refuse no file: without a viewer none is open."""


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
