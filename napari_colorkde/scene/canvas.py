"""The color-space view: a density over colors and everything that can be shown with it.

It knows arrays only. The widget to be put into a window is `ColorSpaceCanvas.native`; whoever owns
it closes it with `ColorSpaceCanvas.close`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from psygnal import Signal

from napari_colorkde.scene.annotations.color_marker import ColorMarker
from napari_colorkde.scene.annotations.cut_plane import Cut
from napari_colorkde.scene.annotations.gamut_outline import Outline
from napari_colorkde.scene.annotations.legend import (
    Bar,
    Legend,
    density_bar,
    difference_bar,
    shells_bar,
)
from napari_colorkde.scene.annotations.marginal_walls import MarginalWalls
from napari_colorkde.scene.density.content import VolumeContent, shell_covers
from napari_colorkde.scene.density.points import HighlightPoints, Points
from napari_colorkde.scene.density.volume import NEGATIVE, POSITIVE
from napari_colorkde.scene.density_view import MODES, DensityView
from napari_colorkde.scene.ellipsoids.ellipsoid_mouse import EllipsoidMouse
from napari_colorkde.scene.ellipsoids.ellipsoid_set import EllipsoidSet
from napari_colorkde.scene.ellipsoids.ellipsoid_visual import Ellipsoids
from napari_colorkde.scene.geometry.box import Floats
from napari_colorkde.scene.geometry.rays import hit_plane
from napari_colorkde.scene.geometry.regions import HalfSpace, densest_on_ray
from napari_colorkde.scene.region_tool import TOOLS, RegionTool
from napari_colorkde.scene.theme import Theme

__all__ = ["MODES", "TOOLS", "ColorSpaceCanvas"]


class ColorSpaceCanvas(DensityView):
    """Shows a density of one, two or three channels: a curve, a plane, or a cloud in true color.

    Parameters
    ----------
    theme : str or Theme
        "dark", "light", or a theme of one's own.
    """

    ellipsoid_clicked = Signal(object, description="Number of an ellipsoid, or None: none was hit.")
    ellipsoid_moved = Signal(
        int, np.ndarray, description="The mean (C,), image units, of one that is being dragged."
    )
    ellipsoid_reshaped = Signal(
        int, np.ndarray, description="The covariance (C, C) of one, an axis of which is dragged."
    )
    ellipsoid_released = Signal(int, description="A drag has ended.")
    region_changed = Signal(
        object, description="A region is being drawn; its `contains` says which colors lie in it."
    )
    region_drawn = Signal(
        object, description="The drawing has ended; None after a mere click, or Esc."
    )
    tool_canceled = Signal(description="Esc was pressed while nothing was being drawn.")

    def __init__(self, theme: str | Theme = "dark") -> None:
        super().__init__(theme)
        self._ellipsoids = Ellipsoids()
        self._marker = ColorMarker()
        self._walls, self._cut = MarginalWalls(), Cut()
        self._walls_shown = False
        self._outline, self._legend = Outline(), Legend()
        self._legend_shown = True
        self._highlighted, self._selected = HighlightPoints(), HighlightPoints()
        self._region_tool = RegionTool(
            self._canvas,
            self._camera,
            ray_at=self._ray_at,
            project=self._project,
            color_under=self._color_under,
            visible=self._visible_half_space,
        )
        self._annotations = (
            self._walls,
            self._cut,
            self._outline,
            self._highlighted,
            self._selected,
            self._ellipsoids,
            self._marker,
            self._region_tool,
            self._legend,
        )
        for element in self._annotations:
            self._add(element)
        self._mouse = EllipsoidMouse(
            self._canvas, self._camera, self._ray_at, self._project, self._ellipsoids
        )
        for source, signal in (
            (self._mouse.clicked, self.ellipsoid_clicked),
            (self._mouse.moved, self.ellipsoid_moved),
            (self._mouse.reshaped, self.ellipsoid_reshaped),
            (self._mouse.released, self.ellipsoid_released),
            (self._region_tool.changed, self.region_changed),
            (self._region_tool.drawn, self.region_drawn),
            (self._region_tool.canceled, self.tool_canceled),
        ):
            source.connect(signal.emit)

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
        """Mark a color (C,) in image units, that of the pixel under the mouse; None: none.

        Drawn fast while the mouse moves, finely once it rests.
        """
        self._marker.set_color(color)
        self._moved()

    def highlight_colors(self, colors: ArrayLike) -> None:
        """Show colors (U, C), those of part of the image, as dots of light; U = 0: none.

        Of many colors, a few thousand dots that are evenly spread let the density be seen.
        """
        self._light(self._highlighted, colors)

    def set_selected(self, colors: ArrayLike) -> None:
        """Show colors (U, C), those of a region that was drawn, in the same way; U = 0: none."""
        self._light(self._selected, colors)

    @property
    def tool(self) -> str:
        """What dragging does: one of `TOOLS`."""
        return self._region_tool.tool

    def set_tool(self, tool: str) -> None:
        """Choose what dragging does: "rotate" the view, or draw a "lasso", "rectangle" or "ball".

        A ball's center is the densest color that is shown behind the pixel where the drag begins;
        its radius is a Euclidean distance in the units of the axes. What is cut away is in no
        region.
        """
        self._region_tool.tool = tool
        self._mouse.is_enabled = tool == "rotate"

    def show_marginals(self, shown: bool) -> None:
        """Show the three marginals of a density of three channels on the walls behind it."""
        self._walls_shown = bool(shown)
        self._show_walls()
        self._canvas.update()

    def set_cut(self, normal: ArrayLike | None, through: ArrayLike | None = None) -> None:
        """Cut the volume open at a plane; the half toward the viewer is taken away.

        Parameters
        ----------
        normal : (3,) array or None
            The plane's normal, one number per channel, in edge lengths of the box: (1, 0, 0) cuts
            at one value of the first channel. None: no cut.
        through : (3,) array or None
            A color in the plane, image units. None: the middle of the box.
        """
        if normal is None:
            self._cut.set(None, None)
        else:
            direction = np.asarray(normal, dtype=float)
            if direction.shape != (3,) or not np.linalg.norm(direction) > 0:
                raise ValueError(f"normal must be three numbers, not all 0, not {normal!r}")
            if through is None and self._space is not None:
                through = np.mean([self._space.box.low, self._space.box.high], axis=0)
            point = np.zeros(3) if through is None else np.asarray(through, dtype=float)
            if point.shape != (3,):
                raise ValueError(f"through must be a color of three channels, not {through!r}")
            self._cut.set(direction, point)
        self._moved()

    def color_within(self, fractions: ArrayLike) -> Floats | None:
        """Return the color (C,) that lies so far (C,), 0 to 1, along each axis; None if empty."""
        if self._space is None:
            return None
        low, high = (np.asarray(end) for end in (self._space.box.low, self._space.box.high))
        return np.asarray(low + np.asarray(fractions, dtype=float)[: len(low)] * (high - low))

    def set_outline(self, lines: Sequence[ArrayLike]) -> None:
        """Outline the colors that can be displayed.

        Parameters
        ----------
        lines : sequence of (N, C) arrays
            Polylines through colors of the present channels, such as the edges of the RGB cube in
            another color space. Empty: no outline.
        """
        self._outline.show(lines)
        self._density_changed()
        self._canvas.update()

    def set_legend(self, shown: bool) -> None:
        """Show the legend in the corner, or not."""
        self._legend_shown = bool(shown)
        self._legend.show(self._legend_bar())
        self._canvas.update()

    def close(self) -> None:
        """Release everything and delete the widget. May be called twice."""
        if not self._closed:
            for signal in (
                self.ellipsoid_clicked,
                self.ellipsoid_moved,
                self.ellipsoid_reshaped,
                self.ellipsoid_released,
                self.region_changed,
                self.region_drawn,
                self.tool_canceled,
            ):
                signal.disconnect()
            self._mouse.disconnect()
            self._region_tool.disconnect()
        super().close()

    def _density_changed(self) -> None:
        for element in self._annotations:
            if element.space != self._space:
                element.place(self._space)
        self._show_walls()
        self._legend.show(self._legend_bar())

    def _legend_bar(self) -> Bar | None:
        if not self._legend_shown or self._space is None or self.mode == "points":
            return None
        if self._space.n_channels == 1:
            return None
        if self._signed:
            return difference_bar(POSITIVE, NEGATIVE)
        if self.mode == "shells" and self._space.n_channels == 3:
            return shells_bar(self.shells, shell_covers(len(self.shells)))
        box = self._space.box
        volume = float(np.prod(np.subtract(box.high, box.low)))
        return density_bar(self._transfer(), self._curve, volume)

    def _show_walls(self) -> None:
        shown = self._walls_shown and self._values is not None and self._values.ndim == 3
        values = self._values if shown and not self._signed else None
        self._walls.show(
            values, scale=self.scale, exposure=self.exposure, density_floor=self.density_floor
        )

    def _color_under(self, pixel: Floats) -> Floats | None:
        """Return the densest color behind a pixel; in a plane, the one under it."""
        if self._values is None or self._space is None:
            return None
        ray, box = self._ray_at(pixel), self._space.box
        if self._values.ndim == 3:
            shown = self._transfer().floor if self.mode in ("cloud", "maximum") else 0.0
            return densest_on_ray(
                ray, self._values, box, floor=shown, left=self._visible_half_space()
            )
        point = hit_plane(ray, np.zeros(3), np.array([0.0, 1.0, 0.0]))
        return None if point is None else box.to_color(point)

    def _light(self, element: HighlightPoints, colors: ArrayLike) -> None:
        colors = np.asarray(colors, dtype=float)
        if colors.ndim != 2:
            raise ValueError(f"colors must have shape (U, C), not {colors.shape}")
        element.show(colors)
        self._canvas.update()

    def _visible_half_space(self) -> HalfSpace | None:
        """Return the colors that are not cut away; None without a cut."""
        plane = self._cut.plane
        if plane is None or self._space is None:
            return None
        return HalfSpace.visible(plane, self._space.box)

    def _follow_camera(self) -> None:
        super()._follow_camera()
        self._legend.set_canvas(tuple(self._view.size))
        if isinstance(self._content, VolumeContent | Points):
            self._content.set_cut(self._cut.plane)
