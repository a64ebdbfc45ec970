"""The color-space view: a density over colors and everything that can be shown with it.

It knows arrays only. Whoever puts `ColorSpaceCanvas.native` into a window closes the canvas.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from psygnal import Signal, SignalInstance

from napari_colorkde.scene.annotations.color_marker import ColorMarker
from napari_colorkde.scene.annotations.cut_plane import Cut
from napari_colorkde.scene.annotations.density_legend import (
    Bar,
    Legend,
    density_bar,
    difference_bar,
    shells_bar,
)
from napari_colorkde.scene.annotations.gamut_outline import Outline
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
from napari_colorkde.scene.geometry.regions import densest_on_ray
from napari_colorkde.scene.input.keyboard import Keyboard
from napari_colorkde.scene.input.region_tool import TOOLS, RegionTool
from napari_colorkde.scene.theme import Theme

__all__ = ["MODES", "TOOLS", "ColorSpaceCanvas"]


class ColorSpaceCanvas(DensityView):
    """Shows a density of one, two or three channels: a curve, a plane, or a cloud in true color.

    Parameters
    ----------
    theme : str or Theme
        "dark", "light", or a theme of one's own.

    Attributes
    ----------
    legend_shown : bool
        Whether there is a legend, where there is room for one.
    ellipsoids, marker, walls, cut, outline, legend, highlighted, selected
        What is drawn beside the density, an element each.
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
        self.ellipsoids = Ellipsoids()
        self.marker = ColorMarker()
        self.walls, self.cut = MarginalWalls(), Cut()
        self.outline, self.legend = Outline(), Legend()
        self._walls_shown, self.legend_shown = False, True
        self.highlighted, self.selected = HighlightPoints(), HighlightPoints()
        self._region_tool = RegionTool(
            self._canvas,
            self.camera,
            self.projection,
            color_under=self._color_under,
            visible=lambda: self.cut.visible,
        )
        self._annotations = (
            self.walls,
            self.cut,
            self.outline,
            self.highlighted,
            self.selected,
            self.ellipsoids,
            self.marker,
            self._region_tool,
            self.legend,
        )
        for element in self._annotations:
            self.add(element)
        self._keyboard = Keyboard(self._canvas, self.camera, self.draw_fast)
        self._mouse = EllipsoidMouse(self._canvas, self.camera, self.projection, self.ellipsoids)
        for source, signal in self._passed_on():
            source.connect(signal)

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
            if self.space is not None and means.shape[1:] == (self.space.n_channels,):
                colors = self.space.color_of(means)
        before = self.ellipsoids.shown
        self.ellipsoids.show(
            EllipsoidSet.from_arrays(means, covariances, colors, radius_sigma, selected, before)
        )
        self._canvas.update()

    def set_marker(self, color: ArrayLike | None) -> None:
        """Mark a color (C,) in image units, that of the pixel under the mouse; None: none.

        Drawn fast while the mouse moves, finely once it rests.
        """
        self.marker.set_color(color)
        self.draw_fast()

    def highlight_colors(self, colors: ArrayLike) -> None:
        """Show colors (U, C), those of part of the image, as dots of light; U = 0: none.

        Of many colors, a few thousand dots that are evenly spread let the density be seen.
        """
        self._light(self.highlighted, colors)

    def set_selected(self, colors: ArrayLike) -> None:
        """Show colors (U, C), those of a region that was drawn, in the same way; U = 0: none."""
        self._light(self.selected, colors)

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

    @property
    def region_mode(self) -> str:
        """What the last region was drawn for: "new", with Shift "add", with Alt "subtract"."""
        return self._region_tool.mode

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
        self.cut.set(normal, through)
        self.draw_fast()

    def color_within(self, fractions: ArrayLike) -> Floats | None:
        """Return the color (C,) that lies so far (C,), 0 to 1, along each axis; None if empty."""
        if self.space is None:
            return None
        low, high = (np.asarray(end) for end in (self.space.box.low, self.space.box.high))
        return np.asarray(low + np.asarray(fractions, dtype=float)[: len(low)] * (high - low))

    def set_outline(self, lines: Sequence[ArrayLike]) -> None:
        """Outline the colors that can be displayed.

        Parameters
        ----------
        lines : sequence of (N, C) arrays
            Polylines through colors of the present channels, such as the edges of the RGB cube in
            another color space. Empty: no outline.
        """
        self.outline.show(lines)
        self._density_changed()
        self._canvas.update()

    def set_legend(self, shown: bool) -> None:
        """Show the legend in the corner, or not."""
        self.legend_shown = bool(shown)
        self.legend.show(self._legend_bar())
        self._canvas.update()

    def close(self) -> None:
        """Release everything and delete the widget. May be called twice."""
        if not self._closed:
            for _, signal in self._passed_on():
                signal.disconnect()
            self._mouse.close()
            self._keyboard.close()
            self._region_tool.close()
        super().close()

    def _passed_on(self) -> tuple[tuple[SignalInstance, SignalInstance], ...]:
        """Return the signals of the parts, and those of the canvas that repeat them."""
        mouse, tool = self._mouse, self._region_tool
        return (
            (mouse.clicked, self.ellipsoid_clicked),
            (mouse.moved, self.ellipsoid_moved),
            (mouse.reshaped, self.ellipsoid_reshaped),
            (mouse.released, self.ellipsoid_released),
            (tool.changed, self.region_changed),
            (tool.drawn, self.region_drawn),
            (tool.canceled, self.tool_canceled),
        )

    def _density_changed(self) -> None:
        for element in self._annotations:
            if element.space != self.space:
                element.place(self.space)
        self._show_walls()
        self.legend.show(self._legend_bar())

    def _legend_bar(self) -> Bar | None:
        if not self.legend_shown or self.space is None or self.mode == "points":
            return None
        if self.space.n_channels == 1:
            return None
        if self.signed:
            return difference_bar(POSITIVE, NEGATIVE, self.compared)
        if self.mode == "shells" and self.space.n_channels == 3:
            return shells_bar(self.shells, shell_covers(len(self.shells)))
        box = self.space.box
        volume = float(np.prod(np.subtract(box.high, box.low)))
        return density_bar(self._transfer(), self._curve, volume)

    def _show_walls(self) -> None:
        shown = self._walls_shown and self.values is not None and self.values.ndim == 3
        values = self.values if shown and not self.signed else None
        self.walls.show(
            values, scale=self.scale, exposure=self.exposure, density_floor=self.density_floor
        )

    def _color_under(self, pixel: Floats) -> Floats | None:
        """Return the densest color behind a pixel; in a plane, the one under it."""
        if self.values is None or self.space is None:
            return None
        ray, box = self.projection.ray_at(pixel), self.space.box
        if self.values.ndim == 3:
            shown = self._transfer().floor if self.mode in ("cloud", "maximum") else 0.0
            return densest_on_ray(ray, self.values, box, floor=shown, left=self.cut.visible)
        point = hit_plane(ray, np.zeros(3), np.array([0.0, 1.0, 0.0]))
        return None if point is None else box.to_color(point)

    def _light(self, element: HighlightPoints, colors: ArrayLike) -> None:
        colors = np.asarray(colors, dtype=float)
        if colors.ndim != 2:
            raise ValueError(f"colors must have shape (U, C), not {colors.shape}.")
        element.show(colors)
        self._canvas.update()

    def follow_camera(self, event: object = None) -> None:
        """Let all elements adapt to the camera, and the density to the cut."""
        super().follow_camera(event)
        self.legend.set_canvas(tuple(self._view.size))
        if isinstance(self.content, VolumeContent | Points):
            self.content.set_cut(self.cut.plane)
