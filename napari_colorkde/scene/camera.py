"""The camera of the color-space view: turns about the box and keeps it fitted to the canvas."""

from __future__ import annotations

import numpy as np
from vispy.scene.cameras import TurntableCamera

_PERSPECTIVE = 25.0  # degrees; wide angles distort the cube
# Azimuth and elevation (degrees) from which the gray diagonal is well seen, and those that look
# along the scene's x, y and z; the other axes then ascend to the right and upwards.
_START = (38.0, 20.0)
# Pixels kept free for the numbers and names of the axes: at left, right, top and bottom. Rulers
# stand at the lower and the left edges, whatever the turn.
Margins = tuple[float, float, float, float]
_MARGINS = (52.0, 22.0, 14.0, 34.0)
_FLAT_MARGINS = (48.0, 48.0, 52.0, 52.0)
_ALONG = {0: (90.0, 0.0), 1: (0.0, 0.0), 2: (0.0, 90.0)}


def fitting_scale(
    reach: tuple[float, float],
    canvas: tuple[float, float],
    margins: Margins,
) -> float:
    """Return the scene length to be shown along the canvas's shorter side.

    Parameters
    ----------
    reach : (float, float)
        Width and height in the scene of what must be seen.
    canvas : (float, float)
        Width and height in pixels.
    margins : (float, float, float, float)
        Pixels kept free at left, right, top and bottom.
    """
    width, height = canvas
    shorter = min(width, height)
    # In a canvas smaller than its margins, texts give way.
    inner_width = max(width - margins[0] - margins[1], 0.4 * width)
    inner_height = max(height - margins[2] - margins[3], 0.4 * height)
    return shorter * max(reach[0] / inner_width, reach[1] / inner_height)


class FittedCamera(TurntableCamera):
    """A turntable that fits a box to the canvas; what is zoomed stays so much larger than that.

    vispy's field of view is vertical and its ``scale_factor`` the length along the canvas's shorter
    side, so a box is fitted by the width in portrait and by the height in landscape.

    Attributes
    ----------
    text_scale : float
        How large the texts are for which room is left, times their usual size.
    """

    text_scale = 1.0

    def __init__(self) -> None:
        super().__init__(fov=_PERSPECTIVE, azimuth=_START[0], elevation=_START[1], scale_factor=2.0)
        # vispy's default of 10⁶ leaves a 16-bit depth buffer no steps where the box is.
        self.depth_value = 100
        self._size = (1.0, 1.0, 1.0)
        self._fitted = 0.0
        self._perspective = True

    def fit(self, size: tuple[float, float, float]) -> None:
        """Look at the box [0, size] and fit it; a box without depth (y) is seen from the front."""
        self._size = size
        flat = self.is_flat
        self.interactive = not flat
        self.center = tuple(s / 2 for s in size)
        if flat:
            self.azimuth, self.elevation = _ALONG[1]
        self.fov = 0 if flat or not self._perspective else _PERSPECTIVE
        self._fitted = self.scale_factor = self._fitting()

    @property
    def is_flat(self) -> bool:
        """Whether the box has no depth."""
        return self._size[1] == 0

    def reset(self) -> None:
        """Go back to the start: direction, distance, center."""
        self.azimuth, self.elevation = _START
        self.roll = 0
        self.fit(self._size)

    def look_along(self, axis: int) -> None:
        """Look along the scene's x, y or z (0, 1, 2), the box fitted."""
        if axis not in _ALONG:
            raise ValueError(f"axis must be 0, 1 or 2, not {axis!r}.")
        if not self.is_flat:
            self.azimuth, self.elevation = _ALONG[axis]
            self.roll = 0
        self.fit(self._size)

    @property
    def viewpoint(self) -> tuple[float, ...] | None:
        """Azimuth, elevation, zoom (1: fitted), and the center as parts of the box's edges.

        None is the first view, and the only one of a box without depth. Set it after `fit`.
        """
        if self.is_flat or not self._fitted:
            return None
        zoom = self._fitted / self.scale_factor
        center = np.divide(self.center, self._size)
        seen = (self.azimuth, self.elevation, zoom, *map(float, center))
        return None if np.allclose(seen, (*_START, 1.0, 0.5, 0.5, 0.5), atol=1e-6) else seen

    @viewpoint.setter
    def viewpoint(self, viewpoint: tuple[float, ...] | None) -> None:
        self.reset()
        if viewpoint is not None and not self.is_flat:
            self.azimuth, self.elevation = viewpoint[:2]
            self.scale_factor = self._fitted / viewpoint[2]
            self.center = tuple(np.multiply(viewpoint[3:], self._size))

    @property
    def perspective(self) -> bool:
        """Whether nearer things are drawn larger (else the projection is orthographic)."""
        return self._perspective

    @perspective.setter
    def perspective(self, on: bool) -> None:
        self._perspective = bool(on)
        self.fov = _PERSPECTIVE if on and not self.is_flat else 0

    def refit(self) -> None:
        """Fit to a canvas of another size; the zoom stays."""
        if self.viewbox is not None and self._fitted:
            zoom, self._fitted = self._fitted / self.scale_factor, self._fitting()
            self.scale_factor = self._fitted / zoom

    def _fitting(self) -> float:
        x, y, z = self._size
        if self.is_flat:
            # Below the box of one channel there is a ramp of grays, too.
            return fitting_scale((x, z), self._canvas_size(), self._scaled(_FLAT_MARGINS))
        # Any turn about z, elevations up to about 25°; a little more for perspective.
        across = float(np.hypot(x, y))
        reach = (1.06 * across, 1.06 * (0.9 * z + 0.42 * across))
        return fitting_scale(reach, self._canvas_size(), self._scaled(_MARGINS))

    def _scaled(self, margins: Margins) -> Margins:
        left, right, top, bottom = (self.text_scale * margin for margin in margins)
        return left, right, top, bottom

    def _canvas_size(self) -> tuple[float, float]:
        return (400.0, 400.0) if self.viewbox is None else tuple(self.viewbox.size)

    def _update_projection_transform(self, fx: float, fy: float) -> None:
        """Move the picture to the middle of what the margins leave; vispy calls it."""
        super()._update_projection_transform(fx, fy)
        if not self.is_flat:
            width, height = self._canvas_size()
            left, right, top, bottom = self._scaled(_MARGINS)
            # Not more than where texts give way.
            shift = np.clip([(left - right) / width, (bottom - top) / height], 0, 0.1)
            moved = np.eye(4)
            moved[3, :2] = shift
            self._projection.matrix = self._projection.matrix @ moved
