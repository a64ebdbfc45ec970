"""The view of the color space where there is no OpenGL: a sentence, and flat pictures."""

from qtpy.QtWidgets import QWidget

from napari_colorkde.app.density.compute import Estimate
from napari_colorkde.app.session import Session
from napari_colorkde.ui.colorspace.base_view import BaseColorSpaceView, known_theme
from napari_colorkde.ui.colorspace.marginal_planes import MarginalPlanes


class MarginalPlanesView(BaseColorSpaceView):
    """Shows the marginals of the estimate.

    Parameters
    ----------
    session
        Whose estimate is shown.
    reason
        Why there is nothing better; a sentence.
    theme
        "dark" or "light".
    """

    def __init__(
        self, session: Session, reason: str, theme: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(session, parent)
        self.planes = MarginalPlanes(reason, known_theme(theme))
        self._lines.addWidget(self.planes, 1)
        self._is_open = True
        session.estimate_changed.connect(self._on_estimate)
        session.source_changed.connect(self._on_source)
        if session.estimate is not None:
            self._on_estimate(session.estimate)

    def set_theme(self, theme: str) -> None:
        """Follow napari's theme."""
        self.planes.set_theme(known_theme(theme))

    def close_view(self) -> None:
        """Let go of the session. May be called twice."""
        if self._is_open:
            self._is_open = False
            self._session.estimate_changed.disconnect(self._on_estimate)
            self._session.source_changed.disconnect(self._on_source)

    def _on_estimate(self, estimate: Estimate) -> None:
        volume, coordinates = estimate.volume, estimate.coordinates
        colors = self.color_of(estimate.palette, coordinates)
        self.planes.show_volume(volume.values, volume.axes, self.channel_names(), colors)

    def _on_source(self, source: object) -> None:
        self.planes.clear()
