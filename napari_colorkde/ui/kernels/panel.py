"""The tab "Kernels" of the dock: the table and its actions."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QLabel, QToolButton, QVBoxLayout, QWidget

from napari_colorkde.app.kernels import edits as kernel_edits
from napari_colorkde.app.kernels.kernel_colors import display_colors
from napari_colorkde.app.session import Session
from napari_colorkde.app.state import State
from napari_colorkde.connections import Connections
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.io.kernels.kernel_files import KERNEL_SUFFIXES
from napari_colorkde.ui.kernels.covariance_dialog import CovarianceDialog
from napari_colorkde.ui.kernels.kernel_table_model import KernelTableModel
from napari_colorkde.ui.kernels.kernel_table_view import KernelTableView
from napari_colorkde.ui.kernels.set_chooser import KernelSetChooser
from napari_colorkde.ui.report_errors import report_errors
from napari_colorkde.ui.widgets.flow_layout import FlowLayout


class KernelsPanel(QWidget):
    """Table of the kernel set that is chosen.

    Parameters
    ----------
    session
        What is edited and followed.
    """

    failed = Signal(str, description="Why a request was refused; a sentence.")

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.chooser = KernelSetChooser(session)
        self.model = KernelTableModel(self._swatch, self)
        self.table = KernelTableView(self.model)
        self.add_button = _button("Add", "Add a kernel at the image's mean color (Insert).")
        self.duplicate_button = _button("Duplicate", "Copy the selected kernels (Ctrl+D).")
        self.delete_button = _button("Delete", "Delete the selected kernels (Delete).")
        self.normalize_button = _button("Normalize", "Divide all weights by their sum.")
        self.matrix_button = _button(
            "Matrix…", "Edit the covariance matrix of the selected kernel."
        )
        self.variance_button = _button("σ²", "Show and edit variances instead of sigmas.")
        self.variance_button.setCheckable(True)
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.setAcceptDrops(True)
        self._lay_out()
        self._connect()
        self._sync(session.state)

    def add_tool(self, tool: QWidget) -> None:
        """Put another way to make kernels above the table."""
        lines = self.layout()
        if isinstance(lines, QVBoxLayout):
            lines.insertWidget(lines.indexOf(self.table), tool)

    def close_session(self) -> None:
        """Let go of the session."""
        self.chooser.close_session()
        self._connections.close()

    # --- what the user does

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take kernel files."""
        if _kernel_files(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the kernel files that are dropped."""
        event.acceptProposedAction()
        for path in _kernel_files(event):
            self.chooser.open_file(path)

    def add(self) -> None:
        """Add a kernel to begin with."""
        palette, kernels = self._session.palette, self._session.kernels
        if palette is None:
            self.failed.emit("There is no image to take a color from; open one first.")
            return
        self._add_all(KernelSet([kernel_edits.new_kernel(palette, kernels)]))

    def duplicate(self) -> None:
        """Duplicate the selected kernels."""
        if chosen := self.table.chosen():
            before = len(self.model.kernels)
            self._edit(lambda: kernel_edits.duplicate(self.model.kernels, chosen))
            self._choose_from(before)

    def delete(self) -> None:
        """Delete the selected kernels."""
        if chosen := self.table.chosen():
            row = self.table.rows()[0]
            self._edit(lambda: kernel_edits.delete(self.model.kernels, chosen))
            left = len(self.model.kernels)
            if left:
                self.table.choose(self.table.sorted_model.kernels_at([min(row, left - 1)]))

    def normalize(self) -> None:
        """Make the weights sum to 1."""
        self._edit(lambda: kernel_edits.normalize_weights(self.model.kernels))

    def edit_matrix(self) -> None:
        """Edit the covariance of the selected kernel in a dialog."""
        chosen = self.table.chosen()
        if len(chosen) != 1:
            self.failed.emit("Select one kernel to edit its covariance.")
            return
        dialog = CovarianceDialog(self.model.kernels[chosen[0]], self._channels(), self)
        if dialog.exec():
            self._edit(
                lambda: kernel_edits.with_covariance(
                    self.model.kernels, chosen[0], dialog.covariance
                )
            )
        dialog.deleteLater()

    # --- the session changed

    def _on_state(self, state: State, before: State) -> None:
        if state.kernels != before.kernels or state.channels != before.channels:
            self._sync(state)

    def _on_counted(self, counted: object) -> None:
        self._sync(self._session.state)

    def _sync(self, state: State) -> None:
        kernels = state.kernels or KernelSet([])
        self.model.show(kernels, self._channels())
        self.summary.setText(_summary(kernels))

    def _channels(self) -> tuple[str, ...]:
        kernels, channels = self._session.kernels, self._session.channels
        if channels is not None and (kernels is None or len(channels) == kernels.n_channels):
            return channels.names
        n = 3 if kernels is None else kernels.n_channels
        return ("red", "green", "blue") if n == 3 else tuple(str(c + 1) for c in range(n))

    # --- within

    def _add_all(self, new: KernelSet) -> None:
        before = self.model.kernels
        self._edit(lambda: kernel_edits.append(before, new) if before else new)
        self._choose_from(len(before))

    def _choose_from(self, first: int) -> None:
        self.table.choose(list(range(first, len(self.model.kernels))))
        self.table.setFocus()

    def _edit(self, change: Callable[[], KernelSet]) -> None:
        """Edit; where that cannot be, say why."""
        report_errors(lambda: self._session.edit(change()), self.failed.emit)

    def _on_edited(self, kernels: KernelSet) -> None:
        self._edit(lambda: kernels)

    def _swatch(self, mean: NDArray[np.float64]) -> tuple[float, float, float]:
        red, green, blue = display_colors(mean, self._session.palette)[0].tolist()
        return red, green, blue

    def _lay_out(self) -> None:
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 4, 0, 0)
        lines.setSpacing(4)
        lines.addWidget(self.chooser)
        lines.addLayout(FlowLayout(self._buttons(), spacing=3))
        lines.addWidget(self.table, 1)
        lines.addWidget(self.summary)

    def _buttons(self) -> list[QToolButton]:
        return [
            self.add_button,
            self.duplicate_button,
            self.delete_button,
            self.normalize_button,
            self.matrix_button,
            self.variance_button,
        ]

    def _connect(self) -> None:
        actions: dict[QToolButton, Callable[[], None]] = {
            self.add_button: self.add,
            self.duplicate_button: self.duplicate,
            self.delete_button: self.delete,
            self.normalize_button: self.normalize,
            self.matrix_button: self.edit_matrix,
        }
        for button, action in actions.items():
            button.clicked.connect(action)
        self.variance_button.toggled.connect(self.model.show_variances)
        self.chooser.failed.connect(self.failed)
        self.model.edited.connect(self._on_edited)
        self.table.refused.connect(self.failed)
        self.table.pasted.connect(self._add_all)
        self.table.add_asked.connect(self.add)
        self.table.duplicate_asked.connect(self.duplicate)
        self.table.delete_asked.connect(self.delete)
        self._connections = Connections()
        self._connections.add(self._session.state_changed, self._on_state)
        self._connections.add(self._session.counted_changed, self._on_counted)


def _kernel_files(event: QDropEvent) -> list[str]:
    paths = [url.toLocalFile() for url in event.mimeData().urls()]
    return [path for path in paths if Path(path).suffix.lower() in KERNEL_SUFFIXES]


def _button(text: str, tooltip: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tooltip)
    return button


def _summary(kernels: KernelSet) -> str:
    if not kernels:
        return "No kernels yet. Press Pick and click on the image, fit some, or open a kernel file."
    classes = [f"{cls or 'no class'}" for cls in kernels.classes]
    shown = f" · classes: {', '.join(classes)}" if classes != ["no class"] else ""
    plural = "" if len(kernels) == 1 else "s"
    return f"{len(kernels)} kernel{plural} · weights sum to {kernels.weights.sum():.6g}{shown}"
