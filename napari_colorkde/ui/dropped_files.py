"""What becomes of files that are dropped on our docks and on napari's canvas, by their suffix."""

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QMainWindow, QWidget

from napari_colorkde.app.layers.looks import Looks
from napari_colorkde.app.results.region_files import SUFFIX as REGIONS_SUFFIX
from napari_colorkde.app.session_file import SUFFIX as SESSION_SUFFIX
from napari_colorkde.io.formats.color_space.cube_reader import LOOK_SUFFIX
from napari_colorkde.ui.image.image_chooser import ImageChooser
from napari_colorkde.ui.kernels.set_chooser import KernelSetChooser
from napari_colorkde.ui.results.dock import ResultsDock
from napari_colorkde.ui.window.file_drops import FileDrops
from napari_colorkde.ui.window.restore_offer import RestoreOffer

if TYPE_CHECKING:
    from napari.layers import Layer


class DroppedFiles:
    """Opens kernels, sessions, looks, regions and images that are dropped.

    Parameters
    ----------
    images, kernels, looks, results, sessions
        Who opens a file of each kind.
    dock
        Takes all files; napari's canvas those that napari cannot open.
    """

    def __init__(
        self,
        images: ImageChooser,
        kernels: KernelSetChooser,
        looks: Looks,
        results: ResultsDock,
        sessions: RestoreOffer,
        dock: QWidget,
    ) -> None:
        self._images, self._kernels, self._looks = images, kernels, looks
        self._results, self._sessions = results, sessions
        self._on_docks = FileDrops(takes_all=True, parent=dock)
        self._on_canvas = FileDrops(parent=dock)
        for drops in (self._on_docks, self._on_canvas):
            drops.kernels_dropped.connect(self._open_kernels)
            drops.others_dropped.connect(self.open_files)
        self.watch(dock)

    def watch(self, widget: QWidget) -> None:
        """Take all files that are dropped on a widget."""
        self._on_docks.watch(widget)

    def watch_canvas(self, window: QMainWindow) -> None:
        """Take what napari cannot open of what is dropped on the canvas of its window."""
        self._on_canvas.watch_canvas(window)

    def has_awaited(self, layer: "Layer") -> bool:
        """Whether a layer is of a file that was dropped on the canvas; true once."""
        return self._on_canvas.has_awaited(layer)

    def close(self) -> None:
        """Take nothing more."""
        self._on_docks.close()
        self._on_canvas.close()

    def _open_kernels(self, paths: list[str]) -> None:
        for path in paths:
            if path.endswith(SESSION_SUFFIX):
                self._sessions.open_file(path)
            else:
                self._kernels.open_file(path)

    def open_files(self, paths: list[str]) -> None:
        """Open looks, regions and images."""
        for path in paths:
            suffix = Path(path).suffix.lower()
            if suffix == LOOK_SUFFIX:
                self._looks.apply(path)
            elif suffix == REGIONS_SUFFIX:
                self._results.open_regions(path)
            else:
                self._images.open_image(path)
