"""A collapsible section of a page; its state is remembered."""

from pathlib import Path

from qtpy.QtCore import QSettings, Qt
from qtpy.QtWidgets import QSizePolicy, QToolButton, QVBoxLayout, QWidget

from napari_colorkde.app.session_file import session_folder

FILE_NAME = "layout.ini"


def layout_file() -> Path:
    """Return the file that remembers what is folded."""
    return session_folder() / FILE_NAME


class FoldingGroup(QWidget):
    """A widget under a line that folds it, by the mouse or by Space.

    superqt's QCollapsible keeps the height that its content had when it was unfolded; here rows
    come and go.

    Parameters
    ----------
    title
        Names it, in the file that remembers it, too.
    content
        What is folded.

    Attributes
    ----------
    header
        The line.
    """

    def __init__(self, title: str, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._key, self._content = f"folded/{title}", content
        self.header = QToolButton()
        self.header.setText(title)
        self.header.setCheckable(True)
        self.header.setAutoRaise(True)
        self.header.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.header.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.header.setStyleSheet("QToolButton:checked { background: transparent; }")
        self.header.setToolTip("Collapse or expand this section. Your choice is remembered.")
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(2)
        lines.addWidget(self.header)
        lines.addWidget(content)
        self.header.setChecked(self._settings().value(self._key, "") != "yes")
        self._show()
        self.header.toggled.connect(self._on_toggled)

    @property
    def folded(self) -> bool:
        """Whether only its line is there."""
        return not self.header.isChecked()

    def _on_toggled(self, on: bool) -> None:
        self._settings().setValue(self._key, "" if on else "yes")
        self._show()

    def _show(self) -> None:
        is_open = self.header.isChecked()
        self.header.setArrowType(Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow)
        self._content.setVisible(is_open)

    @staticmethod
    def _settings() -> QSettings:
        return QSettings(str(layout_file()), QSettings.Format.IniFormat)
