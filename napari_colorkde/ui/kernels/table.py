"""The kernel table: cells that refuse what cannot be, and a keyboard that does everything."""

from typing import Any

from psygnal import Signal
from qtpy.QtCore import QEvent, QItemSelectionModel, QModelIndex, QObject, QPoint, QSize, Qt
from qtpy.QtGui import QKeyEvent, QKeySequence
from qtpy.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QLineEdit,
    QStyledItemDelegate,
    QTableView,
    QToolTip,
    QWidget,
)

from napari_colorkde.app.errors import sentence
from napari_colorkde.app.kernels import edits as kernel_edits
from napari_colorkde.ui.kernels.table_model import KernelTableModel

REFUSED_STYLE = "background: #802020; color: white;"

COMMIT_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab, Qt.Key.Key_Backtab)

CONTROL = Qt.KeyboardModifier.ControlModifier

Flag = QItemSelectionModel.SelectionFlag


class CellDelegate(QStyledItemDelegate):
    """An editor that says why a text cannot be, and does not let it in.

    Parameters
    ----------
    table
        Whose selected rows are written together.
    """

    def __init__(self, table: "KernelTable") -> None:
        super().__init__(table)
        self._table = table

    def createEditor(self, parent: QWidget, option: Any, index: QModelIndex) -> QLineEdit:
        """A line that checks each text as it is typed."""
        editor = QLineEdit(parent)
        editor.setFrame(False)
        editor.textEdited.connect(lambda: self._check(editor, index.column()))
        return editor

    def setEditorData(self, editor: QWidget, index: QModelIndex) -> None:
        """Begin with the number in full; leave a text alone that is being typed."""
        if isinstance(editor, QLineEdit) and not editor.isModified():
            editor.setText(index.data(Qt.ItemDataRole.EditRole))
            editor.selectAll()

    def setModelData(self, editor: QWidget, model: Any, index: QModelIndex) -> None:
        """Write the text into all selected rows; what cannot be is left out."""
        if not isinstance(editor, QLineEdit) or not editor.isModified():
            return
        if not self.refusal(editor.text(), index.column()):
            self._table.write(index, editor.text())

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Keep the editor open while its text cannot be; Escape gives up."""
        if (
            isinstance(watched, QLineEdit)
            and isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyPress
            and event.key() in COMMIT_KEYS
            and watched.isModified()
            and not self._check(watched, self._table.currentIndex().column())
        ):
            return True
        return bool(super().eventFilter(watched, event))

    def refusal(self, given: str, column: int) -> str:
        """Why a text cannot be in this column; empty if it can."""
        table = self._table
        try:
            table.kernel_model.attempt(table.rows_for(table.currentIndex()), column, given)
        except ValueError as error:
            reason = sentence(error)
            return reason[:1].upper() + reason[1:]
        return ""

    def _check(self, editor: QLineEdit, column: int) -> bool:
        reason = self.refusal(editor.text(), column)
        editor.setStyleSheet(REFUSED_STYLE if reason else "")
        editor.setToolTip(reason)
        place = editor.mapToGlobal(QPoint(0, editor.height()))
        if reason:
            QToolTip.showText(place, reason, editor)
        else:
            QToolTip.hideText()
        return not reason


class KernelTable(QTableView):
    """Shows a `KernelTableModel`.

    Keys: typing or F2 edits, in all rows whose cell is selected; Space shows and hides; Ctrl+C and
    Ctrl+V copy and paste cells or, with whole rows, kernels; Delete deletes, Insert adds, Ctrl+D
    duplicates the selected kernels.
    """

    refused = Signal(str, description="A paste cannot be; a sentence.")
    pasted = Signal(object, description="A KernelSet to be added.")
    add_asked = Signal()
    duplicate_asked = Signal()
    delete_asked = Signal()

    def __init__(self, model: KernelTableModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kernel_model = model
        self.setModel(model)
        self.setItemDelegate(CellDelegate(self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectItems)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        trigger = QAbstractItemView.EditTrigger
        self.setEditTriggers(trigger.AnyKeyPressed | trigger.EditKeyPressed | trigger.DoubleClicked)
        self.setSortingEnabled(True)
        header = self.horizontalHeader()
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setMinimumSectionSize(26)
        self.verticalHeader().setDefaultSectionSize(22)
        self.verticalHeader().setMinimumWidth(22)
        self.setWordWrap(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        model.modelReset.connect(self.fit_columns)
        self.fit_columns()

    def sizeHint(self) -> QSize:
        """Ask for no more than the least: the table takes what room is left."""
        return QSize(400, self.minimumHeight())

    # --- the selection

    def rows(self) -> list[int]:
        """Rows with a selected cell, from top to bottom."""
        return sorted({index.row() for index in self.selectedIndexes()})

    def chosen(self) -> list[int]:
        """The kernels of those rows, as positions in the set."""
        return [self.kernel_model.order[row] for row in self.rows()]

    def rows_for(self, index: QModelIndex) -> list[int]:
        """Rows that an edit of this cell goes to: all whose cell in its column is selected."""
        selected = self.selectedIndexes()
        rows = sorted({i.row() for i in selected if i.column() == index.column()})
        return rows if index.row() in rows else [index.row()]

    def choose(self, kernels: list[int]) -> None:
        """Select the rows of these kernels."""
        selection = self.selectionModel()
        selection.clearSelection()
        for number, kernel in enumerate(kernels):
            index = self.kernel_model.index(self.kernel_model.row_of(kernel), 1)
            selection.select(index, Flag.Select | Flag.Rows)
            if number == 0:
                selection.setCurrentIndex(index, Flag.NoUpdate)
                self.scrollTo(index)

    def write(self, index: QModelIndex, given: str) -> None:
        """Write a text into a cell and those selected with it."""
        self.kernel_model.write(self.rows_for(index), index.column(), given)

    def fit_columns(self) -> None:
        """Make the columns as wide as four digits, and names as wide as they are."""
        digits = self.fontMetrics().horizontalAdvance("255.5") + 8
        widths = {"visible": 44, "weight": digits + 10}
        for kind in ("cls", "name"):
            names = [str(getattr(kernel, kind)) for kernel in self.kernel_model.kernels]
            longest = max(names, key=len, default="")
            widths[kind] = max(digits, min(self.fontMetrics().horizontalAdvance(longest) + 12, 110))
        for section, column in enumerate(self.kernel_model.columns):
            self.setColumnWidth(section, widths.get(column.kind, digits))

    # --- the keyboard

    def keyPressEvent(self, event: Any) -> None:
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
        rows = self.rows()
        if rows:
            model = self.kernel_model
            shown = all(model.kernels[model.order[row]].visible for row in rows)
            model.write(rows, 0, "false" if shown else "true")

    def copy(self) -> None:
        """Copy the selected cells; whole rows with a header, as kernels."""
        rows, model = self.rows(), self.kernel_model
        if not rows:
            return
        kernels = [model.order[row] for row in rows]
        at = sorted({index.column() for index in self.selectedIndexes()})
        try:
            if len(at) == len(model.columns):
                copied = kernel_edits.rows_text(model.kernels, kernels)
            else:
                copied = kernel_edits.block_text(
                    model.kernels, kernels, at, variances=model.variances
                )
        except ValueError as error:
            self.refused.emit(sentence(error))
            return
        QApplication.clipboard().setText(copied)

    def paste(self) -> None:
        """Paste kernels as new rows, or cells over those from the current one on."""
        given, model = QApplication.clipboard().text(), self.kernel_model
        if not given.strip():
            return
        try:
            if (kernels := kernel_edits.pasted_kernels(given)) is not None:
                self.pasted.emit(kernels)
                return
            block, corner = kernel_edits.cells_of(given), self.currentIndex()
            if not corner.isValid():
                self.refused.emit("Choose the cell where the pasted cells shall begin.")
                return
            if block == [block[0][:1]] and len(rows := self.rows_for(corner)) > 1:
                model.write(rows, corner.column(), block[0][0])
                return
            model.edited.emit(
                kernel_edits.with_block(
                    model.kernels,
                    corner.row(),
                    corner.column(),
                    block,
                    model.order,
                    variances=model.variances,
                )
            )
        except ValueError as error:
            self.refused.emit(sentence(error))

    def _edit_current(self) -> None:
        index = self.currentIndex()
        if index.isValid() and index.column() == 0:
            self.toggle_visible()
        elif index.isValid():
            self.edit(index)


def _is_control_d(event: Any) -> bool:
    return bool(event.key() == Qt.Key.Key_D and event.modifiers() == CONTROL)
