"""A small dialog for a covariance matrix: variances and covariances, refused with the reason."""

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_colorkde.app.background.error_sentences import user_message
from napari_colorkde.app.kernels.edits import replace_kernel
from napari_colorkde.core.mixture.kernels import Kernel
from napari_colorkde.ui.report_errors import sentence

SEEN_DIGITS = 12
REASON_LINES = 3


class CovarianceDialog(QDialog):
    """Edits the covariance of one kernel; entries that mirror each other change together.

    Parameters
    ----------
    kernel
        Whose covariance is edited.
    channels
        Names of its channels.
    """

    def __init__(
        self, kernel: Kernel, channels: tuple[str, ...], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Covariance of {kernel.name}" if kernel.name else "Covariance")
        self._kernel = kernel
        grid = QGridLayout()
        self.cells: dict[tuple[int, int], QLineEdit] = {}
        for i, name in enumerate(channels):
            grid.addWidget(QLabel(name), 0, i + 1)
            grid.addWidget(QLabel(name), i + 1, 0)
            for j in range(len(channels)):
                cell = QLineEdit(repr(float(kernel.covariance_matrix[i, j])).removesuffix(".0"))
                cell.setCursorPosition(0)
                cell.setMinimumWidth(cell.fontMetrics().horizontalAdvance("0" * SEEN_DIGITS))
                cell.setAccessibleName(f"covariance of {name} and {channels[j]}")
                cell.textEdited.connect(self._on_edited)
                cell.setProperty("place", (i, j))
                grid.addWidget(cell, i + 1, j + 1)
                self.cells[i, j] = cell
        self.reason = QLabel()
        self.reason.setWordWrap(True)
        # The room of a refusal is there from the beginning, so that no row is pushed over another.
        self.reason.setMinimumHeight(REASON_LINES * self.fontMetrics().lineSpacing())
        self.reason.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.diagonal_button = QPushButton("Remove correlations")
        self.diagonal_button.setToolTip("Set all covariances to 0; the variances stay.")
        self.diagonal_button.setAutoDefault(False)
        self.diagonal_button.clicked.connect(self._on_diagonal)
        standard = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(standard.Ok | standard.Cancel)
        self.buttons.addButton(self.diagonal_button, QDialogButtonBox.ButtonRole.ActionRole)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        lines = QVBoxLayout(self)
        lines.addWidget(QLabel("Variances on the diagonal, covariances off it, in squared units."))
        lines.addLayout(grid)
        lines.addWidget(self.reason)
        lines.addWidget(self.buttons)
        self._check()

    @property
    def covariance(self) -> NDArray[np.float64]:
        """What stands in the cells: variances ``(C,)`` if all covariances are 0, else a matrix.

        Raises
        ------
        ValueError
            If a cell holds no number.
        """
        n = self._kernel.n_channels
        matrix = np.empty((n, n))
        for (i, j), cell in self.cells.items():
            try:
                matrix[i, j] = float(cell.text())
            except ValueError:
                raise ValueError(f"{cell.text()!r} is not a number; write it like 765.4.") from None
        diagonal = np.diagonal(matrix)
        return matrix if np.any(matrix - np.diag(diagonal)) else diagonal.copy()

    def _on_edited(self, text: str) -> None:
        i, j = self.sender().property("place")
        if i != j:
            self.cells[j, i].setText(text)
            self.cells[j, i].setCursorPosition(0)
        self._check()

    def _on_diagonal(self) -> None:
        for (i, j), cell in self.cells.items():
            if i != j:
                cell.setText("0")
        self._check()

    def _check(self) -> None:
        reason = ""
        try:
            replace_kernel(self._kernel, covariance=self.covariance)
        except ValueError as error:
            reason = user_message(error)
        self.reason.setText(sentence(reason))
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(not reason)
