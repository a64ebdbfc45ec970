"""The interface of a color-space view, with or without a canvas."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal
from qtpy.QtCore import QSize
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from napari_colorkde.app.density.color_coordinates import PaletteCoordinates, display_of_rgb
from napari_colorkde.app.session import Session
from napari_colorkde.core.palette.palette import Palette

WIDTH, HEIGHT = 430, 360
"""A third of a common screen, in pixels."""


class BaseColorSpaceView(QWidget):
    """What stands in the dock "Color space".

    Parameters
    ----------
    session
        Whose estimate is shown.
    """

    failed = Signal(str, description="What the user asked for cannot be done; a sentence.")
    saved = Signal(Path, description="A picture of the view was written.")

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._lines = QVBoxLayout(self)
        self._lines.setContentsMargins(0, 0, 0, 0)
        self._lines.setSpacing(2)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)

    @property
    def session(self) -> Session:
        """Whose estimate is shown."""
        return self._session

    def channel_names(self) -> tuple[str, ...]:
        """Return the names of the axes that are shown; none without an image."""
        estimate, channels = self._session.estimate, self._session.channels
        if estimate is None or channels is None:
            return ()
        return estimate.coordinates.names(channels)

    def color_of(
        self, palette: Palette, coordinates: PaletteCoordinates | None = None
    ) -> Callable[[NDArray[Any]], NDArray[Any]] | None:
        """Return the colors of an RGB image's numbers; None where the view's own will do."""
        if coordinates is not None and coordinates.color_of is not None:
            return coordinates.color_of
        source, channels = self._session.source, self._session.channels
        if source is None or channels is None or not source.rgb or len(channels) != 3:
            return None
        return None if palette.dtype == np.uint8 else display_of_rgb(palette)

    def set_theme(self, theme: str) -> None:
        """Follow napari's theme."""

    def close_view(self) -> None:
        """Let go of the session. May be called twice."""

    def sizeHint(self) -> QSize:
        """Ask for a column of a third of a common screen."""
        return QSize(WIDTH, max(super().sizeHint().height(), HEIGHT))


def known_theme(theme: str) -> str:
    """Return "dark" or "light": napari's themes may have other names."""
    return theme if theme in ("dark", "light") else "dark"
