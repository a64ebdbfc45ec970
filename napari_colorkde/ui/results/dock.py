"""Opens the results table in its own dock, and owns what fills it."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal
from qtpy.QtCore import QObject, Qt, QTimer
from qtpy.QtWidgets import QDialog, QDockWidget

from napari_colorkde.app.image.layer_files import file_of
from napari_colorkde.app.image.source import is_labels, unwrap_proxy
from napari_colorkde.app.layers.overlay import Overlay
from napari_colorkde.app.results.batch import Batch
from napari_colorkde.app.results.export_everything import export_items, write_everything
from napari_colorkde.app.results.export_pixels import ExportItem
from napari_colorkde.app.results.layer_regions import CLASS, NAME
from napari_colorkde.app.results.measuring import Measuring
from napari_colorkde.app.results.region_files import RegionLayer, read_region_layer
from napari_colorkde.app.results.results_table import ResultsTable
from napari_colorkde.app.session import Session
from napari_colorkde.connections import Connections
from napari_colorkde.core.number_text import counted
from napari_colorkde.ui.report_errors import report_errors, sentence
from napari_colorkde.ui.results.batch_dialog import BatchDialog
from napari_colorkde.ui.results.export_dialog import ExportDialog
from napari_colorkde.ui.results.panel import ResultsPanel
from napari_colorkde.ui.widgets.focus_ring import focus_ring
from napari_colorkde.ui.window.background_thread import QtExecutor
from napari_colorkde.ui.window.dock_cleanup import TitleOverride, delete_later, window_of
from napari_colorkde.ui.window.open_files import refuse_open_file

if TYPE_CHECKING:
    from napari import Viewer

TITLE = "Results"
DOCK_NAME = "Results (Color KDE)"
"""As napari names the dock when it is opened from the menu, which then knows that it is open."""


_left: "WeakKeyDictionary[Viewer, ResultsTable]" = WeakKeyDictionary()
"""The tables of plugins that were closed, by the window they were in."""


class ResultsDock(QObject):
    """Opens and closes the table of results.

    Parameters
    ----------
    viewer
        In whose window.
    session, overlay
        What is measured, and how it looks.

    Attributes
    ----------
    table, measuring, batch
        What is shown, and what fills it; they are there whether it is open or not. The table is
        that of the plugin that was closed last in this window, if there was one.
    panel
        None while it is closed.
    """

    failed = Signal(str, description="What the user asked for cannot be done; a sentence.")
    saved = Signal(Path, description="A file was written.")

    def __init__(
        self, viewer: "Viewer", session: Session, overlay: Overlay, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer, self._session, self._overlay = viewer, session, overlay
        self.table = _left.pop(viewer, ResultsTable())
        self.measuring = Measuring(viewer, session, overlay, self.table, QtExecutor())
        self.batch = Batch(self.table, QtExecutor())
        self._connections = Connections()
        self._connections.add(self.measuring.failed, self._on_failed)
        self.panel: ResultsPanel | None = None
        self.batch_dialog: BatchDialog | None = None
        self.export_dialog: ExportDialog | None = None
        self._dock: QDockWidget | None = None

    def open(self) -> None:
        """Open the table below the image, or bring it to the front."""
        if self._dock is not None:
            self._dock.show()
            self._dock.raise_()
        elif self.panel is None:
            self._viewer.window.add_dock_widget(
                self.make_panel(), name=DOCK_NAME, area="bottom", add_vertical_stretch=False
            )

    def add(self) -> None:
        """Open the table and add the image at hand."""
        self.open()
        if self.panel is not None:
            self.panel.reset_choices()
            self.panel.add()

    def open_regions(self, path: str | Path) -> None:
        """Read polygons as a layer in the background, and measure them; say if it fails."""
        path = Path(path)
        image, source, channels = self._overlay.image, self._session.source, self._session.channels
        if image is None or source is None or channels is None:
            self.failed.emit("Regions belong to an image; open one first.")
            return
        steps = partial(read_region_layer, path, image, source, channels)
        self._session.run("file", steps, self._on_region_layer, self._on_work_end, keep=True)

    def _on_region_layer(self, found: RegionLayer) -> None:
        layer = found.layer
        self._viewer.add_layer(layer)
        self.measuring.regions = layer
        self.add()
        n_regions = len(set(filter(None, layer.features[NAME])))
        classes = ", ".join(dict.fromkeys(filter(None, layer.features[CLASS])))
        text = f"{layer.name}: {counted(n_regions, 'region')}"
        text = f"{text}, classes {classes}." if classes else f"{text}."
        self._session.say(f"{text} {found.remark}".strip())

    def open_batch(self) -> None:
        """Show the dialog for many images."""
        if self.batch_dialog is None:
            parent = window_of(self._dock) or self.panel
            self.batch_dialog = BatchDialog(self._viewer, self._session, self.batch, parent)
            self.batch_dialog.form.frames_box.setChecked(self._overlay.per_frame)
        self.batch_dialog.setStyleSheet(focus_ring(self._viewer.theme))
        self.batch_dialog.reset_choices()
        self.batch_dialog.show()
        self.batch_dialog.raise_()

    def open_export(self) -> None:
        """Show what can be written of the session, as soon as it is what the state asks for."""
        if self._session.source is None:
            self._show_export()
        else:
            report_errors(lambda: self._session.when_ready(self._show_export), self.failed.emit)

    def _show_export(self) -> None:
        image, layer = self._overlay.image, self._overlay.layer
        limits: tuple[float, float] | None = None
        if layer is not None:
            low, high = map(float, layer.contrast_limits)
            limits = low, high
        items = export_items(self._session, self.table, self._labels(), limits)
        file = None if image is None else file_of(image)
        folder = Path.cwd() if file is None else file.absolute().parent
        self._close_dialog(self.export_dialog)
        parent = window_of(self._dock) or self.panel
        self.export_dialog = dialog = ExportDialog(items, folder, parent)
        dialog.setStyleSheet(focus_ring(self._viewer.theme))
        dialog.chosen.connect(self._on_export)
        dialog.show()

    def _labels(self) -> dict[str, NDArray[np.integer]]:
        """Return the Labels layers of the image's shape, by name."""
        index = self._session.index
        if index is None:
            return {}
        layers = {layer.name: layer for layer in map(unwrap_proxy, self._viewer.layers)}
        return {
            name: np.asarray(layer.data)
            for name, layer in layers.items()
            if is_labels(layer) and not layer.multiscale and layer.data.shape == index.shape
        }

    def _on_export(self, files: list[tuple[ExportItem, str]], folder: Path) -> None:
        report_errors(lambda: self._export(files, folder), self.failed.emit)

    def _export(self, files: list[tuple[ExportItem, str]], folder: Path) -> None:
        for _, name in files:
            refuse_open_file(self._viewer, folder / name)
        self._session.run(
            "export",
            lambda: write_everything(files, folder),
            self._on_saved,
            self._on_work_end,
            keep=True,
        )

    def _on_work_end(self, problem: str | None) -> None:
        if problem is not None:
            self.failed.emit(sentence(problem))

    def make_panel(self) -> ResultsPanel:
        """Return the one panel, for whoever docks it."""
        if self.panel is None:
            self.panel = panel = ResultsPanel(self._viewer, self.table, self.measuring)
            self.set_theme(self._viewer.theme)
            panel.failed.connect(self._on_failed)
            panel.saved.connect(self._on_saved)
            panel.docked.connect(self._on_docked)
            panel.batch_asked.connect(self.open_batch)
            panel.regions_asked.connect(self.open_regions)
            panel.export_asked.connect(self.open_export)
        return self.panel

    def set_theme(self, theme: str) -> None:
        """Follow napari's theme and font size."""
        for part in (self.panel, self.batch_dialog, self.export_dialog):
            if part is not None:
                part.setStyleSheet(focus_ring(theme))

    def leave_window(self) -> None:
        """Know that the window is closing: it takes the dock along."""
        dock, self._dock = self._dock, None
        if dock is not None:
            dock.destroyed.disconnect(self._on_gone)

    def close(self) -> None:
        """Close the table and its dock, and stop all work. May be called twice."""
        self._close_panel()
        if self.batch_dialog is not None:
            self.batch_dialog.close_session()
        self._close_dialog(self.batch_dialog)
        self._close_dialog(self.export_dialog)
        self.batch_dialog = self.export_dialog = None
        self._connections.close()
        self.batch.close()
        self.measuring.close()
        self._leave_table()
        dock, self._dock = self._dock, None
        if dock is not None:
            dock.destroyed.disconnect(self._on_gone)
            self._viewer.window.remove_dock_widget(dock)

    def _leave_table(self) -> None:
        """Leave the rows, and those that were removed, to the next one in this window."""
        if self.table.rows or self.table.can_undo:
            earlier = _left.setdefault(self._viewer, self.table)
            if earlier is not self.table:
                earlier.put(self.table.rows)

    @staticmethod
    def _close_dialog(dialog: QDialog | None) -> None:
        if dialog is not None:
            dialog.hide()
            delete_later(dialog)

    def _on_docked(self, dock: QDockWidget) -> None:
        self._dock = dock
        dock.destroyed.connect(self._on_gone)
        TitleOverride(dock, TITLE)
        window, below = window_of(dock), Qt.DockWidgetArea.BottomDockWidgetArea
        if window is not None and window.dockWidgetArea(dock) != below:
            window.addDockWidget(below, dock)  # napari's menu puts it beside the others

    def _on_gone(self, *args: object) -> None:
        self._dock = None
        # Not within Qt's own destroying.
        QTimer.singleShot(0, self._close_panel)

    def _close_panel(self) -> None:
        panel, self.panel = self.panel, None
        if panel is not None:
            panel.close_view()
            delete_later(panel)

    def _on_failed(self, problem: str) -> None:
        self.failed.emit(sentence(problem))

    def _on_saved(self, path: Path) -> None:
        self.saved.emit(path)
