"""One channel: its density as a curve, and the histogram beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from vispy.scene import Node
from vispy.scene.visuals import Line, Mesh

from napari_colorkde.scene.axes import SceneAxes
from napari_colorkde.scene.density.content import Content, Values
from napari_colorkde.scene.density.transfer import TransferFunction
from napari_colorkde.scene.element import ScreenSpace
from napari_colorkde.scene.geometry.box import Floats
from napari_colorkde.scene.theme import THEMES, Theme

# Height in the scene of the ramp of grays below the curve.
CURVE_RAMP = 0.05
# At most so many bars.
_BARS = 256
# A single level may hold most pixels. Bars are cut at so many times the height of the curve.
_HIGHEST = 1.5
# Values are steps apart that differ from whole steps by less than this fraction of one.
_UNEVEN = 1e-3
_OUTLINE_ALPHA = 0.7


def histogram(
    colors: NDArray[Any], counts: NDArray[Any], low: float, high: float
) -> tuple[Floats, Floats]:
    """Return the edges (N + 1,) and the densities (N,) of a histogram of values.

    Of values that are steps apart, such as whole numbers, a bar is as wide as a step, or as several
    where there are more than 256, and has its values in the middle: bars that held one more than
    their neighbors would stand out like a comb. Densities are fractions of the pixels per unit.

    Parameters
    ----------
    colors : (U,) array
        Values, image units; U ≥ 1.
    counts : (U,) array
        How many pixels have each.
    low, high : float
        The range, where there is but one value.
    """
    values = np.asarray(colors, dtype=float)
    steps = np.diff(np.unique(values))
    step = float(steps.min()) if len(steps) else 0.0
    if np.asarray(colors).dtype.kind in "ui":
        step = 1.0
    elif step > 0 and np.abs(steps / step - np.round(steps / step)).max(initial=0.0) > _UNEVEN:
        step = 0.0
    width = (float(np.ptp(values)) or high - low) / _BARS
    if step > 0:
        width = step * max(np.ceil(width / step - 1e-6), 1.0)
    first = values.min() - step / 2
    n = int(np.floor((values.max() - first) / width)) + 1
    edges = first + width * np.arange(n + 1)
    held, _ = np.histogram(values, bins=edges, weights=counts)
    return edges, held / (max(float(np.sum(counts)), 1.0) * width)


class CurveContent(Content):
    """One channel: its density as a curve over a ramp of its own colors.

    The area below the curve is filled, or has the bars of a histogram instead: both are densities,
    and drawn to the same height.
    """

    def __init__(
        self,
        values: Values,
        space: SceneAxes,
        transfer: TransferFunction,
    ) -> None:
        super().__init__(values, transfer)
        self._space = space
        self._box = box = space.box
        self._theme = THEMES["dark"]
        self._bars: tuple[Floats, Floats] | None = None  # edges and densities
        axis = np.linspace(box.low[0], box.high[0], len(values))
        self._colors = np.asarray(space.color_of(axis[:, np.newaxis]), dtype=float)

    def set_counts(self, colors: NDArray[Any], counts: NDArray[Any]) -> None:
        """Draw the histogram of colors (U, 1) that so many pixels (U,) have."""
        low, high = self._box.low[0], self._box.high[0]
        self._bars = histogram(colors[:, 0], counts, low, high) if len(colors) else None
        self.refresh()

    def make(self, scene: Node, overlay: ScreenSpace) -> None:
        """Make area, ramp and lines under `scene`."""
        area = Mesh(parent=scene, shading=None, mode="triangles")
        outline, line = (
            Line(np.zeros((2, 3), np.float32), method="gl", width=width, parent=scene)
            for width in (1, 2)
        )
        for order, node in enumerate((area, outline, line)):
            node.order = order
            node.set_gl_state("translucent", depth_test=False, cull_face=False)
        self.nodes = [area, outline, line]

    def fill(self) -> None:
        """Draw the curve to the height that the transfer gives it."""
        area, outline, line = self.nodes
        width, height = self._box.size[0], self._box.size[2]
        x = np.linspace(0, width, len(self._values))
        heights = self._transfer.visible(self._values)
        top = max(float(heights.max()), 1e-30)
        bars = None if self._bars is None else self._transfer.visible(self._bars[1])
        if bars is not None:
            top = float(np.clip(bars.max(), top, _HIGHEST * top))
        curve = np.column_stack([x, np.zeros(len(x)), heights / top * height])
        ramp = [_quads(x, np.zeros(len(x)), -CURVE_RAMP, self._colors, 1.0)]
        outline.visible = bars is not None
        if bars is None or self._bars is None:
            ramp.append(_quads(x, curve[:, 2], 0.0, self._colors, 0.9))
        else:
            edges = self._bars[0]
            middles = (edges[1:] + edges[:-1]) / 2
            span = self._box.high[0] - self._box.low[0]
            # Half of the outermost bars would stand outside of the frame.
            x = np.clip(np.repeat((edges - self._box.low[0]) / span * width, 2)[1:-1], 0, width)
            z = np.repeat(np.minimum(bars / top, 1.0) * height, 2)
            colors = np.repeat(self._space.color_of(middles[:, np.newaxis]), 2, axis=0)
            ramp.append(_quads(x, z, 0.0, colors, 1.0))
            outline.set_data(
                pos=np.column_stack([x, np.zeros(len(x)), z]).astype(np.float32),
                color=(*self._theme.muted, _OUTLINE_ALPHA),
            )
        (vertices, faces, rgba), others = ramp[0], ramp[1:]
        for more, triangles, paint in others:
            faces = np.concatenate([faces, triangles + len(vertices)])
            vertices, rgba = np.concatenate([vertices, more]), np.concatenate([rgba, paint])
        area.set_data(
            vertices=vertices.astype(np.float32),
            faces=faces.astype(np.uint32),
            vertex_colors=rgba.astype(np.float32),
        )
        line.set_data(pos=curve.astype(np.float32), color=(*self._theme.text, 1.0))

    def set_theme(self, theme: Theme) -> None:
        """Recolor the lines."""
        self._theme = theme
        self.refresh()


def _quads(
    x: Floats, z: Floats, bottom: float, colors: Floats, opacity: float
) -> tuple[Floats, NDArray[np.intp], Floats]:
    """Return vertices, triangles and colors of the area between a line and a level below it."""
    n = len(x)
    rows = [np.column_stack([x, np.zeros(n), height]) for height in (z, np.full(n, bottom))]
    rgba = np.column_stack([colors, np.full(n, opacity)])
    k = np.arange(n - 1)
    faces = np.stack([[k, k + 1, n + k], [k + 1, n + k + 1, n + k]])  # (2, 3, n - 1)
    return np.concatenate(rows), faces.transpose(2, 0, 1).reshape(-1, 3), np.tile(rgba, (2, 1))
