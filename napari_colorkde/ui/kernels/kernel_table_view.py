"""The kernel table: cells that refuse invalid values, and full keyboard control."""

from psygnal import Signal
from qtpy.QtCore import (
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QSize,
    Qt,
)
from qtpy.QtGui import QKeyEvent, QKeySequence
from qtpy.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QStyle,
    QTableView,
    QWidget,
)

from napari_colorkde.app.background.error_sentences import user_message
from napari_colorkde.app.kernels import clipboard
from napari_colorkde.core.checks.channels import MAX_GRID_CHANNELS
from napari_colorkde.ui.kernels.cell_delegate import CellDelegate
from napari_colorkde.ui.kernels.kernel_table_model import (
    SWATCH_PIXELS,
    KernelTableModel,
    SortedKernels,
)

ROW_MARGIN = 5
MAX_NAME_PIXELS = 110
MIN_ROWS = 6
"""Rows that are seen in any case."""

CONTROL = Qt.KeyboardModifier.ControlModifier

Flag = QItemSelectionModel.SelectionFlag


class KernelTableView(QTableView):
    """Shows a `KernelTableModel`.

    Keys: typing or F2 edits, in all rows whose cell is selected; Space shows and hides; Ctrl+C and
    Ctrl+V copy and paste cells or, with whole rows, kernels; Delete deletes, Insert adds, Ctrl+D
    duplicates the selected kernels.
    """

    refused = Signal(str, description="Why a paste was refused; a sentence.")
    pasted = Signal(object, description="A KernelSet to be added.")
    add_asked = Signal()
    duplicate_asked = Signal()
    delete_asked = Signal()

    def __init__(self, model: KernelTableModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kernel_model = model
        self.sorted_model = SortedKernels(model, self)
        self.setModel(self.sorted_model)
        self.setItemDelegate(CellDelegate(self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectItems)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        trigger = QAbstractItemView.EditTrigger
        self.setEditTriggers(trigger.AnyKeyPressed | trigger.EditKeyPressed | trigger.DoubleClicked)
        header = self.horizontalHeader()
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setMinimumSectionSize(26)
        self._fit_rows()
        self.setWordWrap(False)
        self.setAccessibleName("Kernels")
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        model.modelReset.connect(self.fit_columns)
        self.fit_columns()

    def sizeHint(self) -> QSize:
        """Ask for no more than the least: the table takes what room is left."""
        return QSize(400, self.minimumHeight())

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow the application's font."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.FontChange and self.model():
            self._fit_rows()
            self.fit_columns()

    def _fit_rows(self) -> None:
        height = self.fontMetrics().height() + ROW_MARGIN
        self.verticalHeader().setDefaultSectionSize(height)
        self.verticalHeader().setMinimumWidth(height)
        around = self.horizontalHeader().sizeHint().height() + 2 * self.frameWidth()
        around += self.horizontalScrollBar().sizeHint().height()  # it would hide the last row
        self.setMinimumHeight(around + MIN_ROWS * height)

    # --- the selection

    def rows(self) -> list[int]:
        """Rows with a selected cell, from top to bottom."""
        return sorted({index.row() for index in self.selectedIndexes()})

    def chosen(self) -> list[int]:
        """Return the kernels of those rows, as positions in the set."""
        return self.sorted_model.kernels_at(self.rows())

    def kernels_for(self, index: QModelIndex) -> list[int]:
        """Return the kernels that an edit of this cell goes to.

        All whose cell in its column is selected, as positions in the set.
        """
        selected = self.selectedIndexes()
        rows = sorted({i.row() for i in selected if i.column() == index.column()})
        return self.sorted_model.kernels_at(rows if index.row() in rows else [index.row()])

    def choose(self, kernels: list[int]) -> None:
        """Select the rows of these kernels."""
        selection = self.selectionModel()
        selection.clearSelection()
        for number, kernel in enumerate(kernels):
            index = self.sorted_model.index(self.sorted_model.row_of(kernel), 1)
            selection.select(index, Flag.Select | Flag.Rows)
            if number == 0:
                selection.setCurrentIndex(index, Flag.NoUpdate)
                self.scrollTo(index)

    def fit_columns(self) -> None:
        """Make the columns as wide as four digits, and names as wide as they are.

        Of more than three channels also as wide as their names, which tell them apart.
        """
        digits = self.fontMetrics().horizontalAdvance("255.5") + 8
        box = self.style().pixelMetric(QStyle.PixelMetric.PM_IndicatorWidth)
        widths = {"visible": box + SWATCH_PIXELS + 14, "weight": digits + 10}
        for kind in ("cls", "name"):
            names = [str(getattr(kernel, kind)) for kernel in self.kernel_model.kernels]
            longest = max(names, key=len, default="")
            longest_pixels = self.fontMetrics().horizontalAdvance(longest) + 12
            widths[kind] = max(digits, min(longest_pixels, MAX_NAME_PIXELS))
        kinds = [column.kind for column in self.kernel_model.columns]
        has_many = kinds.count("mean") > MAX_GRID_CHANNELS
        header = self.horizontalHeader()
        for section, column in enumerate(self.kernel_model.columns):
            width = widths.get(column.kind, digits)
            named = 0
            if has_many and column.kind in ("mean", "spread"):
                named = min(header.sectionSizeHint(section), MAX_NAME_PIXELS)
            self.setColumnWidth(section, max(width, named))

    # --- the keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys of the table; none but undo goes on: the viewer's keys change layers."""
        actions = {
            Qt.Key.Key_Delete: self.delete_asked.emit,
            Qt.Key.Key_Backspace: self.delete_asked.emit,
            Qt.Key.Key_Insert: self.add_asked.emit,
            Qt.Key.Key_Space: self.toggle_visible,
            Qt.Key.Key_Return: self._edit_current,
            Qt.Key.Key_Enter: self._edit_current,
        }
        if event.key() in (Qt.Key.Key_Z, Qt.Key.Key_Y) and event.modifiers() & CONTROL:
            event.ignore()  # undo and redo are the dock's
            return
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif event.matches(QKeySequence.StandardKey.Paste):
            self.paste()
        elif _is_control_d(event):
            self.duplicate_asked.emit()
        elif event.key() in actions and not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            # While a cell is open, its editor has had the key already.
            if self.state() != QAbstractItemView.State.EditingState:
                actions[event.key()]()
        else:
            super().keyPressEvent(event)
        event.accept()

    def toggle_visible(self) -> None:
        """Show or hide the selected kernels in the color space, all alike."""
        if chosen := self.chosen():
            model = self.kernel_model
            shown = all(model.kernels[kernel].visible for kernel in chosen)
            model.write(chosen, 0, "false" if shown else "true")

    def copy(self) -> None:
        """Copy the selected cells; whole rows with a header, as kernels."""
        kernels, model = self.chosen(), self.kernel_model
        if not kernels:
            return
        at = sorted({index.column() for index in self.selectedIndexes()})
        try:
            if len(at) == len(model.columns):
                copied = clipboard.rows_text(model.kernels, kernels)
            else:
                copied = clipboard.block_text(model.kernels, kernels, at, variances=model.variances)
        except ValueError as error:
            self.refused.emit(user_message(error))
            return
        QApplication.clipboard().setText(copied)

    def paste(self) -> None:
        """Paste kernels as new rows, or cells over those from the current one on."""
        given = QApplication.clipboard().text()
        if not given.strip():
            return
        try:
            self._paste(given)
        except ValueError as error:
            self.refused.emit(user_message(error))

    def _paste(self, given: str) -> None:
        model, corner = self.kernel_model, self.currentIndex()
        if (kernels := clipboard.pasted_kernels(given)) is not None:
            self.pasted.emit(kernels)
            return
        is_text = corner.isValid() and not model.columns[corner.column()].is_number
        block = clipboard.cells_of(given, is_text=is_text)
        rows = range(max(corner.row(), 0), model.rowCount())
        if corner.isValid() and block == [block[0][:1]]:
            model.write(self.kernels_for(corner), corner.column(), block[0][0])
        elif corner.isValid() and _fits(block, len(rows), len(model.columns) - corner.column()):
            model.write_block(self.sorted_model.kernels_at(rows), corner.column(), block)
        elif (kernels := model.kernels_without_header(given)) is not None:
            self.pasted.emit(kernels)
        elif corner.isValid():
            model.write_block(self.sorted_model.kernels_at(rows), corner.column(), block)
        else:
            self.refused.emit(
                "Select the cell to paste to first, or copy whole rows to add kernels."
            )

    def _edit_current(self) -> None:
        index = self.currentIndex()
        if index.isValid() and index.column() == 0:
            self.toggle_visible()
        elif index.isValid():
            self.edit(index)


def _fits(block: list[list[str]], n_rows: int, n_columns: int) -> bool:
    return len(block) <= n_rows and max(map(len, block)) <= n_columns


def _is_control_d(event: QKeyEvent) -> bool:
    return bool(event.key() == Qt.Key.Key_D and event.modifiers() == CONTROL)
