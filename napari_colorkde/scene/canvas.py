"""The colour-space view: one vispy canvas that shows densities over colours.

It knows arrays only. The widget to be put into a window is `ColorSpaceCanvas.native`; whoever owns
it closes it with `ColorSpaceCanvas.close`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .colors import ColorOf, default_color_of
from .content import CURVE_RAMP, Content, CurveContent, PlaneContent, VolumeContent
from .ellipsoid_mouse import EllipsoidMouse
from .ellipsoids import Ellipsoids, EllipsoidSet
from .frame import CubeFrame, FlatFrame
from .geometry import ColorBox, Floats
from .levels import MassCurve, Transfer
from .marker import ColorMarker
from .points import Points
from .rulers import Ruler
from .stage import Stage
from .theme import Theme
from .volume import MODES as VOLUME_MODES

MODES = (*VOLUME_MODES, "points")


class ColorSpaceCanvas(Stage):
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
        self._values: NDArray[np.float32] | None = None
        self._axes: tuple[Floats, ...] = ()
        self._names: tuple[str, ...] = ()
        self._color_of: ColorOf | None = None
        self._signed = False
        self._box: ColorBox | None = None
        self._curve = MassCurve(np.empty(0), np.empty(0), 0.0)
        self._scale, self._exposure, self._floor = "linear", 1.0, 0.0
        self._mode = "cloud"
        self._shell_shares: tuple[float, ...] = (0.5, 0.9, 0.99)
        self._content: Content | Points | None = None
        self._frame: CubeFrame | FlatFrame | None = None
        self._counts: tuple[NDArray[Any], NDArray[Any]] | None = None
        self._ellipsoids: Ellipsoids | None = None
        self._ellipsoid_set: EllipsoidSet | None = None
        self._marker: ColorMarker | None = None
        self._marked: ArrayLike | None = None
        self.on_ellipsoid_clicked: Callable[[int | None], None] | None = None
        self.on_ellipsoid_moved: Callable[[int, Floats], None] | None = None
        self.on_ellipsoid_reshaped: Callable[[int, Floats], None] | None = None
        self.on_ellipsoid_released: Callable[[int], None] | None = None
        self._mouse = EllipsoidMouse(
            self._canvas, self._camera, self._ray_at, self._on_screen, self
        )

    # --- what is shown

    def set_volume(
        self,
        values: NDArray[np.floating],
        axes: Sequence[ArrayLike],
        channel_names: Sequence[str],
        *,
        color_of: ColorOf | None = None,
        up: int = 0,
        signed: bool = False,
        reset_camera: bool = False,
    ) -> None:
        """Show a density.

        May be called many times a second: while shape, axes, names and colours stay, only the
        values are uploaded.

        Parameters
        ----------
        values : (B,), (B, B) or (B, B, B) array of float
            Density at the grid points, axis 0 = first channel. Kept, not copied.
        axes : sequence of arrays
            The coordinates of the grid points, evenly spaced, one array per channel.
        channel_names : sequence of str
            One name per channel.
        color_of : callable or None
            Maps colours (N, C) to sRGB (N, 3) in 0..1. None: three channels are red, green and
            blue; two are magenta and green; one is grey.
        up : int
            The channel that points up, of three.
        signed : bool
            The values are differences of two densities: more in the first image is orange, more in
            the second is blue.
        reset_camera : bool
            Go back to the first view.

        Raises
        ------
        ValueError
            If shapes do not agree.
        """
        values = np.ascontiguousarray(values, dtype=np.float32)
        arrays = tuple(np.asarray(axis, dtype=float) for axis in axes)
        names = tuple(map(str, channel_names))
        if values.ndim != len(arrays) or values.shape != tuple(map(len, arrays)):
            raise ValueError(
                f"axes must be as long as the values' axes, {values.shape}, "
                f"not {tuple(map(len, arrays))}"
            )
        if len(names) != len(arrays):
            raise ValueError(f"channel_names must be {len(arrays)} names, not {names!r}")
        if min(values.shape) < 2:
            raise ValueError(f"values must have at least 2 points per axis, not {values.shape}")
        box = ColorBox.from_axes(arrays, up)
        same = (
            isinstance(self._content, Content)
            and self._values is not None
            and values.shape == self._values.shape
            and (_flattened(box), names, color_of, signed)
            == (self._box, self._names, self._color_of, self._signed)
        )
        another_kind = self._box is None or len(self._box.low) != len(box.low)
        self._values, self._axes, self._names = values, arrays, names
        self._color_of, self._signed = color_of, signed
        self._curve = MassCurve.from_values(np.abs(values) if signed else values)
        if same and isinstance(self._content, Content):
            self._content.set_values(values, self._transfer())
            self._update_shells()
            self._moved()
            return
        self._box = _flattened(box)
        self._remake()
        if another_kind or reset_camera:
            self._camera.fit(self._box.size)
            if not self._camera.is_flat:
                self._camera.reset()
        self._canvas.update()

    def clear(self) -> None:
        """Show nothing."""
        self._drop()
        self._values = self._box = None
        self._canvas.update()

    @property
    def exposure(self) -> float:
        """The factor on the cloud's optical depth."""
        return self._exposure

    @property
    def scale(self) -> str:
        """How densities are shown: "linear", "log" or "equalised"."""
        return self._scale

    @property
    def floor(self) -> float:
        """The share of the pixels, those of the sparsest colours, that is left out."""
        return self._floor

    def set_exposure(self, exposure: float) -> None:
        """Multiply the cloud's optical depth; 1 looks well on photographs."""
        self._set_look(exposure=float(exposure))

    def set_scale(self, scale: str) -> None:
        """Show densities "linear", "log" or "equalised" (each by its rank)."""
        self._set_look(scale=scale)

    def set_floor(self, floor: float) -> None:
        """Leave out the sparsest colours: `floor` is their share of the pixels, 0 to 1."""
        self._set_look(floor=float(floor))

    @property
    def mode(self) -> str:
        """How three channels are shown: one of `MODES`."""
        return self._mode

    def set_mode(self, mode: str) -> None:
        """Choose how colours are shown.

        "cloud", "maximum" and "shells" show the density of three channels (that of fewer looks the
        same in all); "points" shows the counts given to `set_counts` instead.
        """
        if mode not in MODES:
            raise ValueError(f"mode must be one of {', '.join(MODES)}, not {mode!r}")
        if mode != self._mode:
            self._mode = mode
            self._remake()
            self._canvas.update()

    def set_shells(self, shares: Sequence[float]) -> None:
        """Choose the surfaces of mode "shells" by the shares of the pixels within them.

        Parameters
        ----------
        shares : sequence of float
            One to three numbers between 0 and 1: (0.5, 0.9) shows the surfaces that hold the
            densest 50 % and 90 %.
        """
        shares = tuple(sorted(float(share) for share in shares))
        if not 1 <= len(shares) <= 3 or not all(0 < share < 1 for share in shares):
            raise ValueError(f"shares must be one to three numbers between 0 and 1, not {shares}")
        self._shell_shares = shares
        self._update_shells()
        self._moved()

    def set_counts(self, colors: ArrayLike, counts: ArrayLike) -> None:
        """Give the colours (U, C) and numbers of pixels (U,) that mode "points" shows."""
        colors, counts = np.asarray(colors), np.asarray(counts)
        if colors.ndim != 2 or counts.shape != colors.shape[:1]:
            raise ValueError(
                f"colors and counts must have shapes (U, C) and (U,), "
                f"not {colors.shape} and {counts.shape}"
            )
        self._counts = (colors, counts)
        if isinstance(self._content, Points):
            self._content.set_counts(colors, counts)
            self._canvas.update()

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
        if colors is None and self._box is not None:
            colors = np.clip(self._colors()(np.asarray(means, dtype=float)), 0, 1)
        self._ellipsoid_set = EllipsoidSet.from_arrays(
            means,
            covariances,
            np.full((len(np.asarray(means)), 3), 0.5) if colors is None else colors,
            radius_sigma,
            selected,
            before=None if self._ellipsoids is None else self._ellipsoids.shown,
        )
        self._show_ellipsoids()
        self._canvas.update()

    def set_marker(self, color: ArrayLike | None) -> None:
        """Mark a colour (C,) in image units, that of the pixel under the mouse; None: none."""
        self._marked = color
        if self._marker is not None:
            self._marker.set_color(color)
            self._canvas.update()

    def close(self) -> None:
        """Release everything and delete the widget. May be called twice."""
        if not self._closed:
            self.on_ellipsoid_clicked = self.on_ellipsoid_moved = None
            self.on_ellipsoid_reshaped = self.on_ellipsoid_released = None
            self._mouse.disconnect()
        super().close()

    def look_along(self, channel: int) -> None:
        """Look along the axis of a channel, so that the others span the picture."""
        if self._box is None:
            return
        if channel not in self._box.order:
            raise ValueError(f"channel must be one of {len(self._names)} channels, not {channel!r}")
        self._camera.look_along(self._box.order.index(channel))
        self._moved()

    # --- within

    def _transfer(self) -> Transfer:
        return Transfer.from_curve(
            self._curve, scale=self._scale, exposure=self._exposure, floor=self._floor
        )

    def _set_look(self, **look: Any) -> None:
        wanted = {"scale": self._scale, "exposure": self._exposure, "floor": self._floor, **look}
        transfer = Transfer.from_curve(self._curve, **wanted)  # refuses before anything changes
        self._scale, self._exposure = wanted["scale"], wanted["exposure"]
        self._floor = wanted["floor"]
        if isinstance(self._content, Content):
            self._content.set_transfer(transfer)
            self._moved()

    def _points(self, box: ColorBox) -> Points:
        points = Points(box, self._colors())
        if self._counts is not None and self._counts[0].shape[1] == len(box.low):
            points.set_counts(*self._counts)
        return points

    def _shell_levels(self) -> tuple[float, ...]:
        return tuple(self._curve.level_holding(share) for share in self._shell_shares)

    def _update_shells(self) -> None:
        if isinstance(self._content, VolumeContent):
            self._content.set_shells(self._shell_levels())

    def _drop(self) -> None:
        self._mouse.watch(None, None)
        for part in (self._content, self._frame, self._ellipsoids, self._marker):
            if part is not None:
                self._remove(part)
        self._content = self._frame = self._ellipsoids = self._marker = None

    def _remake(self) -> None:
        """Make all parts for the present arrays."""
        self._drop()
        if self._values is None or self._box is None:
            return
        self._content, self._frame = self._make(self._values, self._box)
        self._ellipsoids = Ellipsoids(self._box)
        self._marker = ColorMarker(self._box, self._colors())
        for part in (self._content, self._frame, self._ellipsoids, self._marker):
            self._add(part)
        self._mouse.watch(self._ellipsoids, self._box)
        self._show_ellipsoids()
        self.set_marker(self._marked)

    def _colors(self) -> ColorOf:
        if self._box is None:
            raise RuntimeError("there is no volume yet that colours could belong to")
        return self._color_of or default_color_of(self._box)

    def _show_ellipsoids(self) -> None:
        if self._ellipsoids is None or self._ellipsoid_set is None or self._box is None:
            return
        # Those of another image's channels wait for their own.
        if self._ellipsoid_set.means.shape[1] == len(self._box.low):
            self._ellipsoids.show(self._ellipsoid_set)

    def _make(
        self, values: NDArray[np.float32], box: ColorBox
    ) -> tuple[Content | Points, CubeFrame | FlatFrame]:
        color_of = self._colors()
        transfer = self._transfer()

        def colors_at(points: Floats) -> Floats:
            return color_of(box.to_color(points))

        if values.ndim == 3:
            frame = CubeFrame(box, self._names, colors_at)
            if self._mode == "points":
                return self._points(box), frame
            volume = VolumeContent(
                values,
                box,
                self._color_of,
                transfer,
                mode=self._mode,
                signed=self._signed,
                shells=self._shell_levels(),
            )
            return volume, frame
        origin = np.zeros(3)
        right, top = np.array([box.size[0], 0, 0]), np.array([0, 0, box.size[2]])
        if values.ndim == 2:
            rulers = [
                Ruler(origin, right, *_ends(box, 0), self._names[0]),
                Ruler(origin, top, *_ends(box, 1), self._names[1]),
            ]
            content: Content = PlaneContent(values, box, color_of, transfer)
        else:
            below = np.array([0, 0, -CURVE_RAMP])
            rulers = [Ruler(origin + below, right + below, *_ends(box, 0), self._names[0])]
            content = CurveContent(values, box, color_of, transfer)
        if self._mode == "points" and values.ndim == 2:
            return self._points(box), FlatFrame(rulers, (right + top) / 2, colors_at)
        return content, FlatFrame(rulers, (right + top) / 2, colors_at)


def _ends(box: ColorBox, channel: int) -> tuple[float, float]:
    return box.low[channel], box.high[channel]


def _flattened(box: ColorBox) -> ColorBox:
    """Give a box of fewer than three channels no extent in the directions it lacks."""
    if len(box.low) == 3:
        return box
    # The curve's height is the density's, not a channel's.
    size = (1.0, 0.0, 1.0) if len(box.low) == 2 else (1.5, 0.0, 1.0)
    return ColorBox(box.low, box.high, box.order, size)
