"""A small table of texts to read and to copy from."""

from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication, QKeySequence
from qtpy.QtWidgets import QAbstractItemView, QTableWidget, QTableWidgetItem, QWidget

ROWS_SHOWN = 40
"""Before it scrolls by itself, beside the page that it is on."""


class TextTable(QTableWidget):
    """Rows of texts, numbers to the right; Ctrl+C copies them for a spreadsheet."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.verticalHeader().hide()
        self.hide()

    def set_rows(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show other rows; none hide the table."""
        self.setVisible(bool(rows))
        self.setColumnCount(len(header))
        self.setHorizontalHeaderLabels(list(header))
        self.setRowCount(len(rows))
        for i, row in enumerate(rows):
            for j, text in enumerate(row):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                side = (
                    Qt.AlignmentFlag.AlignRight if _is_number(text) else Qt.AlignmentFlag.AlignLeft
                )
                item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
                self.setItem(i, j, item)
        self.resizeColumnsToContents()
        line = self.verticalHeader().defaultSectionSize()
        self.setFixedHeight((min(len(rows), ROWS_SHOWN) + 1) * line + 20)

    def texts(self) -> list[list[str]]:
        """The rows that are shown, the header first."""
        header = [self.horizontalHeaderItem(j).text() for j in range(self.columnCount())]
        rows = [
            [self.item(i, j).text() for j in range(self.columnCount())]
            for i in range(self.rowCount())
        ]
        return [header, *rows]

    def keyPressEvent(self, event: object) -> None:
        """Copy all of it."""
        if event.matches(QKeySequence.StandardKey.Copy):  # type: ignore[attr-defined]  # QKeyEvent
            lines = ("\t".join(row) for row in self.texts())
            QGuiApplication.clipboard().setText("\n".join(lines))
            return
        super().keyPressEvent(event)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
