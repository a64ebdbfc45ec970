"""The colour-space view: a density over colours and everything that can be shown with it.

It knows arrays only. The widget to be put into a window is `ColorSpaceCanvas.native`; whoever owns
it closes it with `ColorSpaceCanvas.close`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from .density_view import MODES, DensityView
from .ellipsoid_mouse import EllipsoidMouse
from .ellipsoids import Ellipsoids, EllipsoidSet
from .geometry import Floats
from .marker import ColorMarker
from .theme import Theme

__all__ = ["MODES", "ColorSpaceCanvas"]


class ColorSpaceCanvas(DensityView):
    """Shows a density of one, two or three channels: a curve, a plane, or a cloud in true colour.

    Parameters
    ----------
    theme : str or Theme
        "dark", "light", or a theme of one's own.

    Attributes
    ----------
    on_context_lost : callable or None
        Called without arguments after the OpenGL context was replaced (Qt does so when a dock is
        floated) and the view has rebuilt itself from the arrays it was given.
    on_ellipsoid_clicked : callable or None
        (k or None): an ellipsoid, or none, was clicked.
    on_ellipsoid_moved : callable or None
        (k, mean): the mean of the selected ellipsoid is being dragged; (C,) colour in image units.
    on_ellipsoid_reshaped : callable or None
        (k, covariance): an axis of the selected ellipsoid is being dragged; (C, C).
    on_ellipsoid_released : callable or None
        (k): a drag has ended.
    """

    def __init__(self, theme: str | Theme = "dark") -> None:
        super().__init__(theme)
        self._ellipsoids = Ellipsoids()
        self._marker = ColorMarker()
        self._guests = (self._ellipsoids, self._marker)
        for part in self._guests:
            self._add(part)
        self.on_ellipsoid_clicked: Callable[[int | None], None] | None = None
        self.on_ellipsoid_moved: Callable[[int, Floats], None] | None = None
        self.on_ellipsoid_reshaped: Callable[[int, Floats], None] | None = None
        self.on_ellipsoid_released: Callable[[int], None] | None = None
        self._mouse = EllipsoidMouse(
            self._canvas, self._camera, self._ray_at, self._on_screen, self._ellipsoids, self
        )

    def set_ellipsoids(
        self,
        means: ArrayLike,
        covariances: ArrayLike,
        colors: ArrayLike | None = None,
        *,
        radius_sigma: float = 2.0,
        selected: int | None = None,
    ) -> None:
        """Show kernels as ellipsoids. Cheap enough to be called at every step of a drag.

        Parameters
        ----------
        means : (K, C) array
            In image units; K = 0 shows none.
        covariances : (K, C, C) array
            Image units squared.
        colors : (K, 3) array or None
            sRGB in 0..1; None: that of the mean.
        radius_sigma : float
            Size in standard deviations.
        selected : int or None
            The ellipsoid that may be dragged.
        """
        means = np.asarray(means, dtype=float)
        if colors is None:
            colors = np.full((len(means), 3), 0.5)
            if self._space is not None and means.shape[1:] == (self._space.n_channels,):
                colors = self._space.color_of(means)
        before = self._ellipsoids.shown
        self._ellipsoids.show(
            EllipsoidSet.from_arrays(means, covariances, colors, radius_sigma, selected, before)
        )
        self._canvas.update()

    def set_marker(self, color: ArrayLike | None) -> None:
        """Mark a colour (C,) in image units, that of the pixel under the mouse; None: none."""
        self._marker.set_color(color)
        self._canvas.update()

    def close(self) -> None:
        """Release everything and delete the widget. May be called twice."""
        if not self._closed:
            self.on_ellipsoid_clicked = self.on_ellipsoid_moved = None
            self.on_ellipsoid_reshaped = self.on_ellipsoid_released = None
            self._mouse.disconnect()
        super().close()

    def _density_changed(self) -> None:
        for part in self._guests:
            if part.space != self._space:
                part.place(self._space)
                self._refresh(part)
