"""The results table as a Qt model: the text of its cells, in full as tooltips."""

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt

from napari_colorkde.app.results.results_table import ResultsTable, short_names
from napari_colorkde.connections import Connections
from napari_colorkde.core.csv_and_frames import Cell, Row, cell_text
from napari_colorkde.core.number_text import grouped

TITLES = {
    "mean_log_likelihood": "log-likelihood [nats]",
    "entropy": "entropy [nats]",
    "fraction": "%",
    "not_finite": "not finite",
}
"""What columns are called where it is not their name; copied and saved are the names."""

HIDDEN = ("area_unit",)
"""Shown with another column."""

NO_INDEX = QModelIndex()


class ResultsModel(QAbstractTableModel):
    """Follows a table of results.

    Parameters
    ----------
    table
        What is shown.
    """

    def __init__(self, table: ResultsTable, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._table = table
        self._rows: tuple[Row, ...] = table.rows
        self._columns = _shown_columns(table)
        self._names = _image_names(self._rows)
        self._connections = Connections()
        self._connections.add(table.changed, self._on_changed)

    def close(self) -> None:
        """Let go of the table."""
        self._connections.close()

    def rowCount(self, parent: QModelIndex = NO_INDEX) -> int:
        """One for each row of results."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: QModelIndex = NO_INDEX) -> int:
        """One for each column that any row has."""
        return 0 if parent.isValid() else len(self._columns)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Names of columns, numbers of rows."""
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if orientation == Qt.Orientation.Vertical:
            return str(section + 1)
        name = self._columns[section]
        return TITLES.get(name, name.replace("_", " "))

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the text of a cell, rounded for people; in full as its tooltip."""
        row, name = self._rows[index.row()], self._columns[index.column()]
        value = row.get(name)
        if role == Qt.ItemDataRole.DisplayRole:
            return self._names[str(value)] if name == "image" else _shown_text(name, value, row)
        if role == Qt.ItemDataRole.ToolTipRole:
            return cell_text(value)
        if role == Qt.ItemDataRole.UserRole:  # to sort by
            return value
        if role == Qt.ItemDataRole.TextAlignmentRole:
            is_text = value is None or isinstance(value, str)
            side = Qt.AlignmentFlag.AlignLeft if is_text else Qt.AlignmentFlag.AlignRight
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def _on_changed(self) -> None:
        columns, rows = _shown_columns(self._table), self._table.rows
        if columns == self._columns and len(rows) == len(self._rows):
            # The selection and the widths of columns stay.
            self._rows, self._names = rows, _image_names(rows)
            last = self.index(len(rows) - 1, len(columns) - 1)
            self.dataChanged.emit(self.index(0, 0), last)
            return
        self.beginResetModel()
        self._columns, self._rows, self._names = columns, rows, _image_names(rows)
        self.endResetModel()


def _image_names(rows: Sequence[Row]) -> dict[str, str]:
    return short_names(str(row["image"]) for row in rows)


def _shown_columns(table: ResultsTable) -> list[str]:
    return [
        name
        for name in table.columns
        if name not in HIDDEN and any(row.get(name) not in (None, "") for row in table.rows)
    ]


def _shown_text(name: str, value: Cell, row: Row) -> str:
    if value is None:
        return ""
    if name == "fraction" and isinstance(value, float):
        return f"{100 * value:.2f}"
    if name == "area" and not isinstance(value, str):
        return f"{value:.6g} {row.get('area_unit') or ''}".rstrip()
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e4 else grouped(round(value))
    return grouped(value) if isinstance(value, int) else value
