"""The editor of a cell of the kernel table: it refuses values that the column does not allow."""

from typing import TYPE_CHECKING

from qtpy.QtCore import QAbstractItemModel, QEvent, QModelIndex, QObject, QPoint, Qt
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QLineEdit, QStyledItemDelegate, QStyleOptionViewItem, QToolTip, QWidget

from napari_colorkde.app.background.error_sentences import user_message
from napari_colorkde.core.mixture.kernels import KernelSet

if TYPE_CHECKING:
    from napari_colorkde.ui.kernels.kernel_table_view import KernelTableView

REFUSED_STYLE = "background: #802020; color: white;"

COMMIT_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab, Qt.Key.Key_Backtab)


class CellDelegate(QStyledItemDelegate):
    """An editor that says why a text cannot be, and does not let it in.

    Parameters
    ----------
    table
        Whose selected rows are written together.
    """

    def __init__(self, table: "KernelTableView") -> None:
        super().__init__(table)
        self._table = table
        self._tried: tuple[KernelSet, list[int], int, str] | None = None
        self._outcome: KernelSet | str = ""

    def createEditor(
        self, parent: QWidget, option: QStyleOptionViewItem, index: QModelIndex
    ) -> QLineEdit:
        """A line that checks each text as it is typed."""
        editor = QLineEdit(parent)
        editor.setFrame(False)
        editor.textEdited.connect(lambda: self._check(editor, self._table.currentIndex()))
        return editor

    def setEditorData(self, editor: QWidget, index: QModelIndex) -> None:
        """Begin with the number in full; leave a text alone that is being typed."""
        if isinstance(editor, QLineEdit) and not editor.isModified():
            editor.setText(index.data(Qt.ItemDataRole.EditRole))
            editor.selectAll()

    def setModelData(
        self, editor: QWidget, model: QAbstractItemModel | None, index: QModelIndex
    ) -> None:
        """Write the text into all selected rows; what cannot be is left out."""
        if not isinstance(editor, QLineEdit) or not editor.isModified():
            return
        outcome = self._attempt(editor.text(), index)
        if isinstance(outcome, KernelSet):
            self._table.kernel_model.edited.emit(outcome)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Keep the editor open while its text cannot be; Escape gives up."""
        if (
            isinstance(watched, QLineEdit)
            and isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyPress
            and event.key() in COMMIT_KEYS
            and watched.isModified()
            and not self._check(watched, self._table.currentIndex())
        ):
            return True
        return bool(super().eventFilter(watched, event))

    def _attempt(self, text: str, index: QModelIndex) -> KernelSet | str:
        """Return the set with a text in it, or why the text is refused.

        What was checked as it was typed is not evaluated again when it is committed.
        """
        table = self._table
        rows = table.kernels_for(index)
        tried = (table.kernel_model.kernels, rows, index.column(), text)
        if self._tried is None or self._tried[0] is not tried[0] or self._tried[1:] != tried[1:]:
            self._tried = tried
            try:
                self._outcome = table.kernel_model.with_text(rows, index.column(), text)
            except ValueError as error:
                reason = user_message(error)
                self._outcome = reason[:1].upper() + reason[1:]
        return self._outcome

    def _check(self, editor: QLineEdit, index: QModelIndex) -> bool:
        outcome = self._attempt(editor.text(), index)
        reason = outcome if isinstance(outcome, str) else ""
        editor.setStyleSheet(REFUSED_STYLE if reason else "")
        editor.setToolTip(reason)
        place = editor.mapToGlobal(QPoint(0, editor.height()))
        if reason:
            QToolTip.showText(place, reason, editor)
        else:
            QToolTip.hideText()
        return not reason
