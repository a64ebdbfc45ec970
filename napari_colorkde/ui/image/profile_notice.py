"""One line that names the color profile of the image's file, and offers to convert it to sRGB."""

from typing import TYPE_CHECKING
from weakref import WeakSet

from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from napari_colorkde.app.image.color_profile import profile_of
from napari_colorkde.app.image.source import ImageSource
from napari_colorkde.app.layers.overlay import Overlay
from napari_colorkde.app.session import Session
from napari_colorkde.connections import Connections

if TYPE_CHECKING:
    from napari.layers import Image


class ProfileNotice(QWidget):
    """Shown where the file of the image at hand has a profile other than sRGB.

    Parameters
    ----------
    session, overlay
        Whose image it is.
    """

    conversion_asked = Signal(str, description="The file whose image is wanted in sRGB.")

    def __init__(self, session: Session, overlay: Overlay, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._overlay = session, overlay
        self._converted: WeakSet[Image] = WeakSet()
        self._path = ""
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.convert_button = QPushButton()
        self.convert_button.setText("Convert to sRGB")
        self.convert_button.setToolTip(
            "Open the image again as a new layer, with its levels converted to sRGB. CIELAB and "
            "the other color spaces are correct only for sRGB."
        )
        self.convert_button.clicked.connect(self._on_convert)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.text, 1)
        line.addWidget(self.convert_button, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()
        self._connections = Connections()
        self._connections.add(session.source_changed, self._on_source)

    def close_session(self) -> None:
        """Let go of the session."""
        self._connections.close()

    def mark_converted(self, layer: "Image") -> None:
        """Know that a layer has levels of sRGB, whatever its file has."""
        self._converted.add(layer)
        if layer is self._overlay.image:
            self.hide()

    def _on_source(self, source: ImageSource | None) -> None:
        self.hide()
        path = "" if source is None else source.path
        if not path or self._overlay.image in self._converted:
            return
        self._session.run("file", lambda: profile_of(path), self._on_profile, self._on_end)
        self._path = path

    def _on_profile(self, name: str) -> None:
        if not name or self._overlay.image in self._converted:
            return
        self.text.setText(f"Color profile: {name}. Levels are kept as they are.")
        self.show()

    def _on_end(self, problem: str | None) -> None:
        pass  # who reads the pixels says what is wrong with the file

    def _on_convert(self) -> None:
        self.conversion_asked.emit(self._path)
