"""The kernel table as a Qt model: what its cells show and accept."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal
from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, QSortFilterProxyModel, Qt
from qtpy.QtGui import QColor, QFont, QIcon, QPixmap

from napari_colorkde.app.kernels import clipboard
from napari_colorkde.app.kernels import edits as kernel_edits
from napari_colorkde.app.kernels.edits import Column
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet

DIGITS = 4
"""Significant digits shown; the numbers themselves are kept in full."""

SWATCH_PIXELS = 16

Swatch = Callable[[NDArray[np.float64]], tuple[float, float, float]]

Role = Qt.ItemDataRole

SORT_ROLE = Role.UserRole
"""What rows are sorted by: numbers as numbers."""


class KernelTableModel(QAbstractTableModel):
    """A kernel set: row by row, its kernels in their order.

    The model asks for all edits by `edited`; it shows what `show` gives it.

    Parameters
    ----------
    swatch
        sRGB in 0..1 of a kernel's mean.
    """

    edited = Signal(KernelSet)

    def __init__(self, swatch: Swatch, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._swatch = swatch
        self.kernels = KernelSet([])
        self.columns = kernel_edits.columns(3)
        self.variances = False
        self._channels: tuple[str, ...] = ("1", "2", "3")

    # --- what is shown

    def show(self, kernels: KernelSet, channels: Sequence[str]) -> None:
        """Show another set. Rows stay where they are while their number does."""
        names = tuple(channels)
        if len(names) != kernels.n_channels:
            names = tuple(str(c + 1) for c in range(kernels.n_channels or 3))
        same = (len(kernels), names) == (len(self.kernels), self._channels)
        if same:
            self.kernels = kernels
            if kernels:
                self.refresh()
            return
        self.beginResetModel()
        self.kernels, self._channels = kernels, names
        self.columns = kernel_edits.columns(len(names))
        self.endResetModel()

    def refresh(self) -> None:
        """Show all cells again."""
        if self.kernels:
            last = self.index(len(self.kernels) - 1, len(self.columns) - 1)
            self.dataChanged.emit(self.index(0, 0), last)

    def show_variances(self, variances: bool) -> None:
        """Show spreads as variances or as sigmas."""
        self.variances = variances
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(self.columns) - 1)
        self.refresh()

    # --- edits

    def with_text(self, rows: Iterable[int], column: int, text: str) -> KernelSet:
        """Return the set with a text written into some rows of a column.

        Raises
        ------
        ValueError
            If the column does not take the text.
        """
        return kernel_edits.with_cell(
            self.kernels, rows, self.columns[column], text, variances=self.variances
        )

    def write(self, rows: Iterable[int], column: int, text: str) -> None:
        """Ask for a text in some rows of a column; errors as of `with_text`."""
        self.edited.emit(self.with_text(rows, column, text))

    def write_block(self, rows: Sequence[int], column: int, block: Sequence[Sequence[str]]) -> None:
        """Ask for a rectangle of texts in the first of these rows, from a column on.

        Raises
        ------
        ValueError
            If a column does not take a text, or the rectangle is larger than the table.
        """
        self.edited.emit(
            kernel_edits.with_block(self.kernels, rows, column, block, variances=self.variances)
        )

    def kernels_without_header(self, text: str) -> KernelSet | None:
        """Read rows as long as the table's as kernels, spreads as they are shown; else None.

        Raises
        ------
        ValueError
            If a value cannot be.
        """
        return clipboard.kernels_without_header(text, len(self._channels), variances=self.variances)

    # --- what Qt asks

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Number of kernels."""
        return 0 if parent is not None and parent.isValid() else len(self.kernels)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Number of columns."""
        return 0 if parent is not None and parent.isValid() else len(self.columns)

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """All cells can be edited; visibility by its box."""
        common = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if self.columns[index.column()].kind == "visible":
            return common | Qt.ItemFlag.ItemIsUserCheckable
        return common | Qt.ItemFlag.ItemIsEditable

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole
    ) -> str | None:
        """Names of the columns, numbers of the kernels."""
        if orientation == Qt.Orientation.Vertical:
            return str(section + 1) if role == Role.DisplayRole else None
        column = self.columns[section]
        if role == Role.DisplayRole:
            return self._title(column)
        return self._explained(column) if role == Role.ToolTipRole else None

    def data(self, index: QModelIndex, role: int = Role.DisplayRole) -> object:
        """What a cell shows."""
        kernel, column = self.kernels[index.row()], self.columns[index.column()]
        if role == SORT_ROLE:
            return kernel_edits.cell_value(kernel, column, variances=self.variances)
        if column.kind == "visible":
            return self._visibility(kernel, role)
        if role == Role.EditRole:
            return kernel_edits.cell_text(kernel, column, variances=self.variances)
        if role == Role.DisplayRole:
            content = kernel_edits.cell_value(kernel, column, variances=self.variances)
            return content if isinstance(content, str) else f"{content:.{DIGITS}g}"
        if role == Role.TextAlignmentRole and column.kind not in ("cls", "name"):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        is_axis = column.kind == "spread" and kernel.covariance.ndim == 2
        if role == Role.FontRole and is_axis:
            font = QFont()
            font.setItalic(True)
            return font
        if role == Role.ToolTipRole:
            return _matrix(kernel) if is_axis else self.data(index, Role.EditRole)
        return None

    def setData(self, index: QModelIndex, value: object, role: int = Role.EditRole) -> bool:
        """Write one cell; False if that cannot be."""
        if role == Role.CheckStateRole:
            checked = Qt.CheckState(value) == Qt.CheckState.Checked
            self.write([index.row()], index.column(), "true" if checked else "false")
            return True
        try:
            self.write([index.row()], index.column(), str(value))
        except ValueError:
            return False
        return True

    # --- what cells and headers say

    def _visibility(self, kernel: Kernel, role: int) -> Qt.CheckState | QIcon | None:
        if role == Role.CheckStateRole:
            return Qt.CheckState.Checked if kernel.visible else Qt.CheckState.Unchecked
        if role == Role.DecorationRole:
            return _square(QColor.fromRgbF(*self._swatch(kernel.mean)))
        return None

    def _title(self, column: Column) -> str:
        if column.kind == "visible":
            return ""
        if column.kind == "mean":
            return f"μ {self._short(column.channel)}"
        if column.kind == "spread":
            return f"σ{'²' if self.variances else ''} {self._short(column.channel)}"
        return {"cls": "class", "name": "name", "weight": "weight"}[column.kind]

    def _explained(self, column: Column) -> str:
        if column.kind == "visible":
            return (
                "Shown in the color space; the square has the color of the mean. The density "
                "includes hidden kernels."
            )
        if column.kind == "mean":
            return f"Mean of channel {self._channels[column.channel]}, in image units."
        if column.kind == "spread":
            what = "Variance" if self.variances else "Standard deviation"
            return (
                f"{what} of channel {self._channels[column.channel]}. In italics where channels "
                "are correlated: the values along the principal axes, longest first."
            )
        return {
            "cls": "Class, for posteriors and likelihood ratios.",
            "name": "A name of your choice.",
            "weight": "Weight of the kernel. Weights stay as they are until you normalize them.",
        }[column.kind]

    def _short(self, channel: int) -> str:
        name = self._channels[channel]
        return name[:1].upper() if name in ("red", "green", "blue") else name


class SortedKernels(QSortFilterProxyModel):
    """The rows of a `KernelTableModel` as the user has sorted them.

    A row stays where it is while it is edited; kernels that come or go sort all anew.
    """

    def __init__(self, model: KernelTableModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setSortRole(SORT_ROLE)
        self.setDynamicSortFilter(False)
        self.setSourceModel(model)

    def kernels_at(self, rows: Iterable[int]) -> list[int]:
        """Return which kernels of the set some rows show."""
        return [self.mapToSource(self.index(row, 0)).row() for row in rows]

    def row_of(self, kernel: int) -> int:
        """Return the row that shows a kernel of the set."""
        row: int = self.mapFromSource(self.sourceModel().index(kernel, 0)).row()
        return row


def _square(color: QColor) -> QIcon:
    """A square of this color, which Qt does not tint where the row is selected."""
    pixmap = QPixmap(SWATCH_PIXELS, SWATCH_PIXELS)
    pixmap.fill(color)
    icon = QIcon()
    for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
        icon.addPixmap(pixmap, mode)
    return icon


def _matrix(kernel: Kernel) -> str:
    rows = ("  ".join(f"{entry:.5g}" for entry in row) for row in kernel.covariance_matrix)
    return "Covariance:\n" + "\n".join(rows)
