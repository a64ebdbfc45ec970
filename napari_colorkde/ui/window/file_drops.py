"""Files dropped on napari's canvas or on our docks: kernels and images."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import QMainWindow, QWidget

from napari_colorkde.io.formats.color_space.cube_reader import LOOK_SUFFIX
from napari_colorkde.io.kernels.kernel_files import KERNEL_SUFFIXES

if TYPE_CHECKING:
    from napari.layers import Layer

DROPS = (QEvent.Type.DragEnter, QEvent.Type.DragMove, QEvent.Type.Drop)

CANVAS = "QtViewer"
"""The widget that napari has drops opened by."""


class FileDrops(QObject):
    """Takes the kernel files and looks that are dropped on a widget.

    napari has no reader for these, and would show a traceback.

    Parameters
    ----------
    takes_all
        Whether all other files are taken, too; otherwise the widget opens them, and
        `has_awaited` tells which layers come of them.
    """

    kernels_dropped = Signal(list, description="Paths of kernel files.")
    others_dropped = Signal(list, description="Paths of looks and other files.")

    def __init__(self, *, takes_all: bool = False, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._takes_all = takes_all
        self._watched: list[QWidget] = []
        self._awaited: set[Path] = set()

    def watch(self, widget: QWidget) -> None:
        """Take what is dropped on a widget."""
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)
        self._watched = [known for known in self._watched if isalive(known)] + [widget]

    def watch_canvas(self, window: QMainWindow) -> None:
        """Take what is dropped on the canvas of napari's window."""
        for widget in window.findChildren(QWidget):
            if type(widget).__name__ == CANVAS:
                self.watch(widget)

    def has_awaited(self, layer: "Layer") -> bool:
        """Whether a layer is of a file that was dropped; true once."""
        path = getattr(getattr(layer, "source", None), "path", None)
        if path is None or Path(path) not in self._awaited:
            return False
        self._awaited.discard(Path(path))
        return True

    def close(self) -> None:
        """Take nothing any more."""
        while self._watched:
            widget = self._watched.pop()
            if isalive(widget):
                widget.removeEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Take what is ours of what is dragged and dropped."""
        if event is None or event.type() not in DROPS or not isinstance(event, QDropEvent):
            return False
        kernels, looks, others = _sorted(dropped_paths(event))
        is_drop = event.type() == QEvent.Type.Drop
        if others and not self._takes_all:
            if is_drop:
                self._awaited = set(map(Path, others))
            return False
        others = looks + others
        if not kernels and not others:
            return False
        event.acceptProposedAction()
        if is_drop and kernels:
            self.kernels_dropped.emit(kernels)
        if is_drop and others:
            self.others_dropped.emit(others)
        return True


def dropped_paths(event: QDropEvent) -> list[str]:
    """Return the files that are dragged or dropped."""
    data = event.mimeData()
    urls = data.urls() if data is not None else []
    return [url.toLocalFile() for url in urls if url.isLocalFile()]


def _sorted(paths: Iterable[str]) -> tuple[list[str], list[str], list[str]]:
    """Return the kernel files, the looks, and all others."""
    kernels: list[str] = []
    looks: list[str] = []
    others: list[str] = []
    for path in paths:
        suffix = Path(path).suffix.lower()
        found = kernels if suffix in KERNEL_SUFFIXES else looks if suffix == LOOK_SUFFIX else others
        found.append(path)
    return kernels, looks, others
