"""What to do without an image: open one, take a sample, drop a file."""

from pathlib import Path

from psygnal import Signal
from qtpy.QtGui import QAction
from qtpy.QtWidgets import QLabel, QMenu, QPushButton, QVBoxLayout, QWidget

from napari_colorkde.app.session import Session
from napari_colorkde.connections import Connections
from napari_colorkde.io.sample_data import SAMPLES, sample_path

PHOTOGRAPHS = {name: text for name, text in SAMPLES.items() if not name.endswith(".csv")}


class FirstSteps(QWidget):
    """Offers images to begin with, while there is none.

    Parameters
    ----------
    session
        Whose image it is.

    Attributes
    ----------
    open_button, sample_button
        The sample button opens a menu.
    """

    open_asked = Signal(description="The user wants to choose a file.")
    sample_asked = Signal(Path, description="The user wants to see this photograph.")

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        title = QLabel("Start with an image:")
        self.open_button = QPushButton("Open an image file…")
        self.open_button.setToolTip("Open an image file as a new layer.")
        self.open_button.clicked.connect(self._on_open)
        self.sample_button = QPushButton("Try a sample photograph")
        self.sample_button.setToolTip("Open a photograph that comes with the plugin.")
        menu = QMenu(self)
        for name, text in PHOTOGRAPHS.items():
            action = menu.addAction(text)
            action.setData(name)
        menu.triggered.connect(self._on_sample)
        self.sample_button.setMenu(menu)
        drop = QLabel("Or drop an image file on the window.")
        drop.setWordWrap(True)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 6, 0, 6)
        for widget in (title, self.open_button, self.sample_button, drop):
            lines.addWidget(widget)
        self._connections = Connections()
        self._connections.add(session.source_changed, self._on_source)

    def close_session(self) -> None:
        """Let go of the session."""
        self._connections.close()

    def _on_source(self, source: object) -> None:
        self.setVisible(source is None)

    def _on_open(self) -> None:
        self.open_asked.emit()

    def _on_sample(self, action: QAction) -> None:
        self.sample_asked.emit(sample_path(action.data()))
