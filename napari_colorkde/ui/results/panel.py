"""The dock "Results": one row for each image, region and class, filled as you work."""

from pathlib import Path
from typing import TYPE_CHECKING

from magicgui.widgets import CheckBox, PushButton
from psygnal import Signal
from qtpy.QtCore import QSize, QSortFilterProxyModel, Qt, QTimer
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import (
    QApplication,
    QDockWidget,
    QFileDialog,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from napari_colorkde.app.image.source import unwrap_proxy
from napari_colorkde.app.results.measuring import Measuring
from napari_colorkde.app.results.results_table import ResultsTable
from napari_colorkde.connections import Connections
from napari_colorkde.core.number_text import counted
from napari_colorkde.ui.report_errors import report_errors
from napari_colorkde.ui.results.region_chooser import RegionChooser
from napari_colorkde.ui.results.results_table_model import ResultsModel
from napari_colorkde.ui.results.results_table_view import ResultsTableView
from napari_colorkde.ui.widgets.flow_layout import FlowLayout
from napari_colorkde.ui.window.open_files import refuse_open_file

if TYPE_CHECKING:
    from napari import Viewer
    from napari.utils.events import Event

ROWS_LOOKED_AT = 50
"""Rows that widths of columns suit: looking at all of a long table takes too long."""

HINT = (
    "Add to table measures the image: one row for each class of the kernels shown, or one for the "
    "whole image. With regions, each label or shape gets such rows."
)


class ResultsPanel(QWidget):
    """The table of results, and what is done with it.

    Parameters
    ----------
    viewer
        Whose Labels and Shapes layers can be regions.
    table, measuring
        What is shown, and what fills it.

    Attributes
    ----------
    view
        Qt's table.
    """

    failed = Signal(str, description="Why a request was refused; a sentence.")
    saved = Signal(Path, description="The table was written.")
    docked = Signal(QDockWidget, description="The dock that it was put into.")
    batch_asked = Signal(description="The user wants many images to be measured.")
    regions_asked = Signal(Path, description="The user wants regions to be read from a file.")
    export_asked = Signal(description="The user wants everything of the session to be written.")

    def __init__(
        self,
        viewer: "Viewer",
        table: ResultsTable,
        measuring: Measuring,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer: Viewer = unwrap_proxy(viewer)
        self._is_docked = self._is_closed = False
        self.table, self._measuring = table, measuring
        self.model = ResultsModel(table, self)
        self.view = ResultsTableView(self.copy, self)
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSourceModel(self.model)
        self._sorted.setSortRole(Qt.ItemDataRole.UserRole)
        self.view.setModel(self._sorted)
        self.view.setSortingEnabled(True)
        # In the order of the table until a header is clicked; a third click goes back to it.
        header = self.view.horizontalHeader()
        header.setResizeContentsPrecision(ROWS_LOOKED_AT)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        if hasattr(header, "setSortIndicatorClearable"):  # not in Qt 5
            header.setSortIndicatorClearable(True)
        self._make_controls()
        self._lay_out()
        self._connections = Connections()
        self._connect()
        self.reset_choices()
        self.view.resizeColumnsToContents()
        self._on_rows()

    def sizeHint(self) -> QSize:
        """Ask for the room of some rows."""
        return QSize(700, 260)

    def close_view(self) -> None:
        """Let go of everything, before the widget is deleted. May be called twice."""
        if self._is_closed:
            return
        self._is_closed = True
        events = self._viewer.layers.events
        for name in ("inserted", "removed", "reordered", "renamed"):
            # napari connects these when it docks a widget, and never disconnects them.
            getattr(events, name).disconnect(self.reset_choices)
        self._connections.close()
        self.model.close()

    def showEvent(self, event: QShowEvent | None) -> None:
        """On the first show inside a window, say where that is."""
        super().showEvent(event)
        if not self._is_docked:
            # Not within Qt's own showing.
            QTimer.singleShot(0, self._on_docked)

    def _on_docked(self) -> None:
        dock = self.parent()
        if isinstance(dock, QDockWidget) and not (self._is_docked or self._is_closed):
            self._is_docked = True
            self.docked.emit(dock)

    def reset_choices(self, event: "Event | None" = None) -> None:
        """Follow the layer list. napari calls it when layers come, go, move or are renamed."""
        if self._is_closed:
            return
        self.region_chooser.reset_choices()

    # --- its parts

    def _make_controls(self) -> None:
        self.add_button = PushButton(
            name="add",
            text="Add to table",
            tooltip="Measure the image with the kernels and priors shown, and add its rows.",
        )
        self.follow = CheckBox(
            name="follow",
            text="follow",
            value=self._measuring.follows,
            tooltip="Keep this image's rows in the table up to date as kernels, priors and regions "
            "change.",
        )
        self.region_chooser = RegionChooser(self._viewer, self._measuring)
        self.copy_button = PushButton(
            name="copy",
            text="Copy",
            tooltip="Copy the selected rows, or all of them, for a spreadsheet.",
        )
        self.save_button = PushButton(
            name="save", text="Save…", tooltip="Write the table to a CSV file."
        )
        self.remove_button = PushButton(
            name="remove",
            text="Remove",
            tooltip="Remove the selected rows, or all of them, from the table.",
        )
        self.undo_button = PushButton(
            name="undo", text="Undo", tooltip="Restore the rows removed last."
        )
        self.batch_button = PushButton(
            name="batch",
            text="Batch…",
            tooltip="Measure many layers or a folder of images in the same way, and write their "
            "densities or classes.",
        )
        self.export_button = PushButton(
            name="everything",
            text="Export all…",
            tooltip="Write everything in this session: density, classes, volume, kernels, table.",
        )
        self.count = QLabel()
        self.hint = QLabel(HINT)
        self.hint.setWordWrap(True)

    def _lay_out(self) -> None:
        controls = [self.add_button.native, self.follow.native, self.region_chooser]
        buttons = (
            self.copy_button,
            self.save_button,
            self.remove_button,
            self.undo_button,
            self.batch_button,
            self.export_button,
        )
        lines = QVBoxLayout(self)
        lines.setContentsMargins(6, 4, 6, 4)
        lines.setSpacing(6)
        lines.addLayout(FlowLayout([*controls, *(b.native for b in buttons)], spacing=6))
        lines.addWidget(self.hint)
        lines.addWidget(self.view, 1)
        lines.addWidget(self.count)

    def _connect(self) -> None:
        self.add_button.changed.connect(self.add)
        self.follow.changed.connect(self._on_follow)
        self.region_chooser.open_button.changed.connect(self._on_open)
        self.copy_button.changed.connect(self.copy)
        self.save_button.changed.connect(self._on_save)
        self.remove_button.changed.connect(self._on_remove)
        self.undo_button.changed.connect(self._on_undo)
        self.batch_button.changed.connect(self._on_batch)
        self.export_button.changed.connect(self._on_export)
        self._connections.add(self.table.changed, self._on_rows)
        self.model.modelReset.connect(self.view.resizeColumnsToContents)

    # --- what the user does

    def add(self) -> None:
        """Measure the image at hand and add its rows."""
        report_errors(self._measuring.add, self.failed.emit)

    def copy(self) -> None:
        """Put the selected rows, or all, on the clipboard, separated by tabs."""
        QApplication.clipboard().setText(self.table.text(self._selected() or None))

    def save(self, path: str | Path) -> None:
        """Write the table as CSV; say so if that fails."""
        if report_errors(lambda: self._save(path), self.failed.emit):
            self.saved.emit(Path(path))

    def _save(self, path: str | Path) -> None:
        refuse_open_file(self._viewer, path)
        self.table.save(path)

    def _on_save(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save table", "results.csv", "CSV (*.csv)")
        if path:
            self.save(path if Path(path).suffix else f"{path}.csv")

    def _on_remove(self) -> None:
        self.table.remove(self._selected() or range(len(self.table.rows)))

    def _on_undo(self) -> None:
        self.table.undo()

    def _on_follow(self, follows: bool) -> None:
        self._measuring.follows = follows

    def _on_open(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Open regions", "", "GeoJSON (*.geojson *.json);;All files (*)"
        )
        if path:
            self.regions_asked.emit(Path(path))

    def _on_batch(self) -> None:
        self.batch_asked.emit()

    def _on_export(self) -> None:
        self.export_asked.emit()

    # --- what the table says

    def _on_rows(self) -> None:
        rows = self.table.rows
        n_images = len({row["image"] for row in rows})
        self.count.setText(f"{counted(len(rows), 'row')} of {counted(n_images, 'image')}")
        self.count.setVisible(bool(rows))
        self.view.setVisible(bool(rows))
        self.hint.setVisible(not rows)
        for button in (self.copy_button, self.save_button, self.remove_button):
            button.enabled = bool(rows)
        self.undo_button.native.setVisible(self.table.can_undo)

    def _selected(self) -> list[int]:
        chosen = self.view.selectionModel().selectedRows()
        return sorted(self._sorted.mapToSource(index).row() for index in chosen)
