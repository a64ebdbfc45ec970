"""The colour-space view with its controls: what stands in the dock "Colour space"."""

from collections.abc import Callable
from typing import Any

import numpy as np
from magicgui.widgets import ComboBox, Container, PushButton, Slider
from numpy.typing import NDArray
from qtpy.compat import isalive
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_colorkde.app.compute import Counted, Estimate
from napari_colorkde.app.session import Session
from napari_colorkde.core.bandwidth import channel_ranges
from napari_colorkde.core.palette import Palette

MODES = {"cloud": "cloud", "maximum": "maximum", "shells": "shells", "counts": "points"}
SCALES = {"linear": "linear", "logarithmic": "log", "equalised": "equalised"}

EXPOSURE_STEPS = 10
"""Slider steps that double the exposure."""


class CubeView(QWidget):
    """The density over the colour space, with a row of controls under it.

    Where there is no OpenGL a sentence stands in its place.

    Parameters
    ----------
    session
        Whose estimate is shown.
    theme
        "dark" or "light".
    """

    def __init__(self, session: Session, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._colors: tuple[Any, Callable[[NDArray[Any]], NDArray[Any]]] | None = None
        self._shown_source: object = None
        self.canvas = _canvas_or_reason(theme)
        self.controls = _controls()
        lines = self._lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(2)
        if isinstance(self.canvas, str):
            reason = QLabel(self.canvas)
            reason.setWordWrap(True)
            reason.setAlignment(Qt.AlignmentFlag.AlignCenter)
            lines.addWidget(reason, 1)
        else:
            lines.addWidget(self.canvas.native, 1)
            self.canvas.is_busy = lambda: session.busy
            lines.addWidget(self.controls.native, 0)
            self.controls.mode.changed.connect(self._on_mode)
            self.controls.scale.changed.connect(self._on_scale)
            self.controls.exposure.changed.connect(self._on_exposure)
            self.controls.reset.changed.connect(self._on_reset)
            session.counted_changed.connect(self._on_counted)
            session.estimate_changed.connect(self.show_estimate)
            session.source_changed.connect(self._on_source)
            if session.estimate is not None:
                self.show_estimate(session.estimate)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)

    def show_estimate(self, estimate: Estimate) -> None:
        """Show a volume; the point of view stays while the image does."""
        channels = self._session.channels
        if isinstance(self.canvas, str) or channels is None:
            return
        volume = estimate.volume
        another = self._shown_source is not self._session.source
        self._shown_source = self._session.source
        self.canvas.set_volume(
            volume.values,
            volume.axes,
            channels.names,
            color_of=self.color_of(estimate.palette),
            reset_camera=another,
        )

    def set_theme(self, theme: str) -> None:
        """Follow napari's theme."""
        if not isinstance(self.canvas, str):
            self.canvas.set_theme(theme if theme in ("dark", "light") else "dark")

    def close_view(self) -> None:
        """Give OpenGL its resources back and let go of the session. May be called twice."""
        if isinstance(self.canvas, str):
            return
        canvas, self.canvas = self.canvas, "The colour space was closed."
        self._session.counted_changed.disconnect(self._on_counted)
        self._session.estimate_changed.disconnect(self.show_estimate)
        self._session.source_changed.disconnect(self._on_source)
        if isalive(self):
            self._lines.removeWidget(canvas.native)
        canvas.close()
        self._colors = self._shown_source = None

    def sizeHint(self) -> Any:
        """Ask for a column of a third of a common screen."""
        hint = super().sizeHint()
        hint.setWidth(430)
        hint.setHeight(max(hint.height(), 360))
        return hint

    def color_of(self, palette: Palette) -> Callable[[NDArray[Any]], NDArray[Any]] | None:
        """Return the colours of an RGB image's numbers; None where the view's own will do."""
        source, channels = self._session.source, self._session.channels
        if source is None or channels is None or not source.rgb or len(channels) != 3:
            return None
        if palette.dtype == np.uint8:
            return None
        ranges = tuple(channel_ranges(palette))
        # The same function for the same colours: the view then uploads only the density.
        if self._colors is None or self._colors[0] != ranges:
            self._colors = ranges, lambda colors: np.clip(colors / np.array(ranges), 0, 1)
        return self._colors[1]

    def _on_source(self, source: object) -> None:
        if source is None and not isinstance(self.canvas, str):
            self.canvas.clear()
            self._shown_source = None

    def _on_counted(self, counted: Counted) -> None:
        if not isinstance(self.canvas, str) and self.controls.mode.value == "points":
            self.canvas.set_counts(counted.palette.colors, counted.palette.counts)

    def _on_mode(self, mode: str) -> None:
        if isinstance(self.canvas, str):
            return
        if self._session.counted is not None:
            self._on_counted(self._session.counted)
        self.canvas.set_mode(mode)

    def _on_scale(self, scale: str) -> None:
        if not isinstance(self.canvas, str):
            self.canvas.set_scale(scale)

    def _on_exposure(self, step: int) -> None:
        if not isinstance(self.canvas, str):
            self.canvas.set_exposure(2.0 ** (step / EXPOSURE_STEPS))

    def _on_reset(self) -> None:
        if not isinstance(self.canvas, str):
            self.canvas.reset_camera()


def _canvas_or_reason(theme: str) -> Any:
    from napari_colorkde.scene.canvas import ColorSpaceCanvas
    from napari_colorkde.scene.gl import NoOpenGLError, probe

    try:
        probe()
    except NoOpenGLError as error:
        return str(error)
    return ColorSpaceCanvas(theme if theme in ("dark", "light") else "dark")


def _controls() -> Container:
    mode = ComboBox(
        name="mode",
        choices=list(MODES.items()),
        tooltip="Cloud: every colour as dense as it is frequent. Maximum: the densest colour "
        "behind each point. Shells: surfaces that hold 50, 90 and 99 % of the pixels. Counts: "
        "every colour as a point, without smoothing.",
    )
    scale = ComboBox(
        name="scale",
        choices=list(SCALES.items()),
        tooltip="How densities become opacity: as they are, by logarithm, or each by its rank.",
    )
    exposure = Slider(
        name="exposure",
        min=-5 * EXPOSURE_STEPS,
        max=5 * EXPOSURE_STEPS,
        value=0,
        readout=False,
        tooltip="Exposure: how soon the cloud becomes opaque.",
    )
    reset = PushButton(name="reset", text="Reset", tooltip="Go back to the first view.")
    controls = Container(widgets=[mode, scale, exposure, reset], layout="horizontal", labels=False)
    controls.margins = (4, 0, 4, 0)
    exposure.native.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return controls
