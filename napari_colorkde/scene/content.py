"""What is shown of a density: a cloud for three channels, a plane for two, a curve for one.

Each kind keeps its arrays, so that its nodes can be dropped and made again at any time.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from vispy.scene.visuals import Image, Line, Mesh
from vispy.visuals.transforms import MatrixTransform

from .cloud import Cloud
from .colors import ColorOf, color_grid
from .geometry import ColorBox
from .levels import Transfer
from .theme import Theme

Values = NDArray[np.float32]

# Ray steps in voxels of a 128³ volume (an edge is always cut into as many pieces, whatever the
# grid), and how far samples are shifted from pixel to pixel.
_FINE_STEP, _COARSE_STEP = 0.8, 3.2
_STEP_GRID = 128
# Height in the scene of the ramp of greys below the curve of one channel.
CURVE_RAMP = 0.05
_FINE_SHIFT, _COARSE_SHIFT = 0.5, 1.0


class Content(Protocol):
    """What the canvas asks of each kind."""

    def build(self, scene: Any) -> None:
        """Make the nodes under `scene`."""

    def release(self) -> None:
        """Drop the nodes; `build` makes them again."""

    def set_values(self, values: Values, transfer: Transfer) -> None:
        """Show other densities on the same grid."""

    def set_transfer(self, transfer: Transfer) -> None:
        """Show the same densities another way."""

    def set_fine(self, fine: bool) -> None:
        """Draw finely, or fast."""


class CloudContent:
    """Three channels: the volume in true colour.

    Parameters
    ----------
    values : (B0, B1, B2) float32 array
        Densities.
    box : ColorBox
        Of the grid's first and last points.
    color_of : callable or None
        Display colours; None where the channels are red, green and blue.
    transfer : Transfer
        How densities are shown.
    """

    def __init__(
        self, values: Values, box: ColorBox, color_of: ColorOf | None, transfer: Transfer
    ) -> None:
        self._values = values
        self._box = box
        self._color_of = color_of
        self._transfer = transfer
        self._fine = True
        self._node: Any = None

    def build(self, scene: Any) -> None:
        """Make the volume node under `scene`."""
        node = Cloud(self._values, parent=scene)
        node.order = 0
        node.transform = MatrixTransform(self._box.voxel_matrix(self._values.shape))
        spans = [self._box.size[self._box.order.index(channel)] for channel in (2, 1, 0)]
        points = np.array(self._values.shape[::-1])
        node.set_uniforms(voxel_size=tuple(np.array(spans) / (points - 1)))
        if self._color_of is not None:
            node.set_color_grid(color_grid(self._color_of, self._box))
        self._node = node
        self.set_transfer(self._transfer)
        self.set_fine(self._fine)

    def release(self) -> None:
        """Drop the node; `build` makes it again."""
        if self._node is not None:
            self._node.parent = None
            self._node = None

    def set_values(self, values: Values, transfer: Transfer) -> None:
        """Upload other densities into the same texture."""
        self._values = values
        if self._node is not None:
            self._node.set_data(values, clim=(0.0, 1.0))
        self.set_transfer(transfer)

    def set_transfer(self, transfer: Transfer) -> None:
        """Show the same densities another way; uploads nothing but a curve."""
        self._transfer = transfer
        if self._node is not None:
            self._node.set_transfer(transfer)

    def set_fine(self, fine: bool) -> None:
        """Use short ray steps, or long ones while the view moves."""
        self._fine = fine
        if self._node is not None:
            step = (_FINE_STEP if fine else _COARSE_STEP) * max(self._values.shape) / _STEP_GRID
            self._node.relative_step_size = step
            self._node.set_uniforms(jitter=_FINE_SHIFT if fine else _COARSE_SHIFT)


class PlaneContent:
    """Two channels: their joint density as a picture, each point in its own colour."""

    def __init__(
        self, values: Values, box: ColorBox, color_of: ColorOf, transfer: Transfer
    ) -> None:
        self._values = values
        self._box = box
        self._transfer = transfer
        axes = [
            np.linspace(a, b, n) for a, b, n in zip(box.low, box.high, values.shape, strict=True)
        ]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        self._colors = np.asarray(color_of(grid.reshape(-1, 2))).reshape(*values.shape, 3)
        self._node: Any = None

    def build(self, scene: Any) -> None:
        """Make the picture node under `scene`."""
        node = Image(self._picture(), interpolation="linear", parent=scene)
        node.order = 0
        node.set_gl_state("translucent", depth_test=False)
        n0, n1 = self._values.shape
        # The picture's x is the first channel, along the scene's x; its y the second, along z.
        # Its pixels' centres are the grid's points.
        size_x, _, size_z = self._box.size
        matrix = np.zeros((4, 4))
        matrix[0, 0] = size_x / (n0 - 1)
        matrix[1, 2] = size_z / (n1 - 1)
        matrix[2, 1] = 1.0
        matrix[3] = [-0.5 * matrix[0, 0], 0, -0.5 * matrix[1, 2], 1]
        node.transform = MatrixTransform(matrix)
        self._node = node

    def release(self) -> None:
        """Drop the node; `build` makes it again."""
        if self._node is not None:
            self._node.parent = None
            self._node = None

    def set_values(self, values: Values, transfer: Transfer) -> None:
        """Show other densities on the same grid."""
        self._values = values
        self.set_transfer(transfer)

    def set_transfer(self, transfer: Transfer) -> None:
        """Paint the picture anew."""
        self._transfer = transfer
        if self._node is not None:
            self._node.set_data(self._picture())
            self._node.update()

    def set_fine(self, fine: bool) -> None:
        """Do nothing: a picture is always fast."""

    def _picture(self) -> NDArray[np.float32]:
        # As if the plane were as thick as the features of a photograph's cloud.
        alpha = self._transfer.opacity(self._values, length=0.15)
        rgba = np.concatenate([self._colors, alpha[..., np.newaxis]], axis=-1)
        return np.ascontiguousarray(rgba.swapaxes(0, 1), dtype=np.float32)


class CurveContent:
    """One channel: its density as a filled curve over a ramp of its own colours."""

    def __init__(
        self,
        values: Values,
        box: ColorBox,
        color_of: ColorOf,
        transfer: Transfer,
        theme: Theme,
    ) -> None:
        self._values = values
        self._box = box
        self._transfer = transfer
        self._line_color = theme.text
        axis = np.linspace(box.low[0], box.high[0], len(values))
        self._colors = np.asarray(color_of(axis[:, np.newaxis]), dtype=float)
        self._nodes: list[Any] = []

    def build(self, scene: Any) -> None:
        """Make the area, the ramp and the line under `scene`."""
        area = Mesh(parent=scene, shading=None, mode="triangles")
        line = Line(np.zeros((2, 3), np.float32), method="gl", width=2, parent=scene)
        for order, node in enumerate((area, line)):
            node.order = order
            node.set_gl_state("translucent", depth_test=False, cull_face=False)
        self._nodes = [area, line]
        self.set_transfer(self._transfer)

    def release(self) -> None:
        """Drop the nodes; `build` makes them again."""
        for node in self._nodes:
            node.parent = None
        self._nodes = []

    def set_values(self, values: Values, transfer: Transfer) -> None:
        """Show other densities on the same grid."""
        self._values = values
        self.set_transfer(transfer)

    def set_transfer(self, transfer: Transfer) -> None:
        """Draw the curve anew, to the height that `transfer` gives it."""
        self._transfer = transfer
        if not self._nodes:
            return
        n = len(self._values)
        x = np.linspace(0, self._box.size[0], n)
        heights = transfer.visible(self._values)
        heights = heights / max(float(heights.max()), 1e-30) * self._box.size[2]
        rows = [heights, np.zeros(n), np.full(n, -CURVE_RAMP)]
        points = np.array([np.column_stack([x, np.zeros(n), z]) for z in rows])
        opacity = np.repeat([0.9, 0.9, 1.0], n)[:, np.newaxis]
        colors = np.hstack([np.tile(self._colors, (3, 1)), opacity])
        k = np.arange(n - 1)
        strip = np.concatenate(
            [
                np.column_stack([a + k, a + k + 1, b + k, a + k + 1, b + k + 1, b + k])
                for a, b in ((0, n), (n, 2 * n))
            ]
        ).reshape(-1, 3)
        area, line = self._nodes
        area.set_data(
            vertices=points.reshape(-1, 3).astype(np.float32),
            faces=strip.astype(np.uint32),
            vertex_colors=colors.astype(np.float32),
        )
        line.set_data(pos=points[0].astype(np.float32), color=(*self._line_color, 1.0))

    def set_fine(self, fine: bool) -> None:
        """Do nothing: a curve is always fast."""
