"""The rows above the color space that show the size of the selection and what to do with it."""

from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_colorkde.ui.widgets.flow_layout import FlowLayout

HELP_TEXT = "Drag over colors to select their pixels. Shift adds, Alt subtracts."


class RegionBar(QWidget):
    """How much is selected, and what may become of it.

    Attributes
    ----------
    add_button, subtract_button
        What the next drag is for, without Shift and Alt.
    grow, shrink, invert
        Entries of the menu that changes the selection.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        # It lies over the view, so that this does not become lower under the mouse.
        self.setAutoFillBackground(True)
        self.summary = QLabel()
        self.summary.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.add_button = _mode_button("+", "Add the next region drawn to the selection (Shift).")
        self.subtract_button = _mode_button(
            "−", "Subtract the next region drawn from the selection (Alt)."
        )
        self.add_button.toggled.connect(self._on_add)
        self.subtract_button.toggled.connect(self._on_subtract)
        self.labels_button = QPushButton("Keep as labels")
        self.labels_button.setToolTip("Make a Labels layer of the selected pixels.")
        self.kernel_button = QPushButton("Make kernel")
        self.kernel_button.setToolTip(
            "Add a kernel with the mean and covariance of the selected pixels' colors."
        )
        menu = QMenu(self)
        self.grow = menu.addAction("Grow by a bandwidth")
        self.shrink = menu.addAction("Shrink by a bandwidth")
        self.invert = menu.addAction("Invert")
        self.change_button = QPushButton("Change")
        self.change_button.setToolTip("Grow, shrink or invert the selection.")
        self.change_button.setMenu(menu)
        self.clear_button = QPushButton("Clear")
        self.clear_button.setToolTip("Clear the selection.")
        rows = QVBoxLayout(self)
        rows.setContentsMargins(6, 2, 4, 2)
        rows.setSpacing(2)
        first = QHBoxLayout()
        first.setSpacing(4)
        first.addWidget(self.summary, 1)
        first.addWidget(self.add_button)
        first.addWidget(self.subtract_button)
        rows.addLayout(first)
        rows.addLayout(FlowLayout(self._buttons, spacing=4, is_filled=True))
        self.hide()

    @property
    def mode(self) -> str:
        """What the next drag is for: "new", "add" or "subtract"."""
        if self.add_button.isChecked():
            return "add"
        return "subtract" if self.subtract_button.isChecked() else "new"

    def show_selection(self, text: str, *, done: bool) -> None:
        """Say how much is selected; offer what may become of it once the drawing is done."""
        self.summary.setText(text)
        self.summary.setToolTip(text)
        for button in self._buttons:
            button.setEnabled(done)
        self.show()

    def show_help(self) -> None:
        """Say that nothing is selected yet."""
        self.show_selection(HELP_TEXT, done=False)

    @property
    def _buttons(self) -> tuple[QPushButton, ...]:
        return self.labels_button, self.kernel_button, self.change_button, self.clear_button

    def _on_add(self, on: bool) -> None:
        if on:
            self.subtract_button.setChecked(False)

    def _on_subtract(self, on: bool) -> None:
        if on:
            self.add_button.setChecked(False)


def _mode_button(text: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setCheckable(True)
    button.setToolTip(tip)
    button.setAccessibleName(tip.split(" what", maxsplit=1)[0])
    return button
