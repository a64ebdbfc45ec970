"""What is shown of a density: a cloud for three channels, a plane for two (one: `curve`).

Each kind keeps its arrays, so that its nodes can be dropped and made again at any time.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from vispy.scene import Node
from vispy.scene.visuals import Image
from vispy.visuals.transforms import MatrixTransform

from napari_colorkde.scene.axes import SceneAxes
from napari_colorkde.scene.density.empty_space import distance_to_content
from napari_colorkde.scene.density.transfer import TransferFunction
from napari_colorkde.scene.density.volume import DensityCloud
from napari_colorkde.scene.element import Element, ScreenSpace
from napari_colorkde.scene.geometry.box import Floats
from napari_colorkde.scene.geometry.box_colors import color_grid

Values = NDArray[np.float32]

# Lengths of ray steps in the scene (an edge of the cube is 1), and how far samples are shifted from
# pixel to pixel.
_FINE_STEP, _COARSE_STEP = 0.8 / 128, 2.0 / 128
# What the innermost, the middle and the outermost shell hide of what is behind them.
_SHELL_COVERS = (0.85, 0.30, 0.12)
_FINE_SHIFT, _COARSE_SHIFT = 0.5, 1.0


def shell_covers(n: int) -> tuple[float, ...]:
    """Return what each of `n` shells, 1 to 3, hides of what is behind it, from the inside out.

    The innermost is always one that is seen well.
    """
    return _SHELL_COVERS[:n]


class Content(Element):
    """What the canvas asks of each kind, besides being an element.

    Parameters
    ----------
    values : array of float32
        Densities.
    transfer : TransferFunction
        How they are shown.
    """

    def __init__(self, values: Values, transfer: TransferFunction) -> None:
        super().__init__()
        self._values = values
        self._transfer = transfer

    def set_values(self, values: Values, transfer: TransferFunction) -> None:
        """Show other densities on the same grid."""
        self._values = values
        self.set_transfer(transfer)

    def set_transfer(self, transfer: TransferFunction) -> None:
        """Show the same densities another way."""
        self._transfer = transfer
        self.refresh()


class VolumeContent(Content):
    """Three channels: the volume in true color.

    Parameters
    ----------
    values : (B0, B1, B2) float32 array
        Densities, or signed differences.
    space : SceneAxes
        Of the grid's first and last points.
    transfer : TransferFunction
        How densities are shown.
    mode : str
        "cloud", "maximum" or "shells".
    signed : bool
        Whether the values are differences, colored by their sign.
    shells : sequence of float
        For mode "shells": the densities of up to three surfaces, descending.
    """

    def __init__(
        self,
        values: Values,
        space: SceneAxes,
        transfer: TransferFunction,
        *,
        mode: str = "cloud",
        signed: bool = False,
        shells: Sequence[float] = (),
    ) -> None:
        super().__init__(values, transfer)
        self._box = space.box
        given = space.given_colors
        self._colors = None if given is None else color_grid(given, space.box)
        self._mode = mode
        self._signed = signed
        self._high_quality = True
        self._shells = tuple(shells)
        self._cut: Floats | None = None
        self._threshold = self._faintest()
        self._reach = distance_to_content(values, self._threshold)

    def make(self, scene: Node, overlay: ScreenSpace) -> None:
        """Make the volume node under `scene`."""
        size = [self._box.size[self._box.order.index(channel)] for channel in (2, 1, 0)]
        node = DensityCloud(self._values, mode=self._mode, size=size, parent=scene)
        node.order = 0
        node.transform = MatrixTransform(self._box.volume_matrix())
        node.set_colors(self._colors, signed=self._signed)
        node.set_reach(self._reach)
        node.set_cut(self._cut)
        self.nodes = [node]

    def fill(self) -> None:
        """Show the densities as they are to be shown."""
        self.set_transfer(self._transfer)
        self.set_quality(self._high_quality)

    def set_values(self, values: Values, transfer: TransferFunction) -> None:
        """Upload other densities into the same texture."""
        self._values = values
        for node in self.nodes:
            node.set_values(values)
        self._threshold = -1.0
        self.set_transfer(transfer)

    def set_transfer(self, transfer: TransferFunction) -> None:
        """Show the same densities another way.

        The densities are not uploaded again; where they are too faint to be seen is, when that
        has changed much: a few kilobytes.
        """
        self._transfer = transfer
        faintest = self._faintest()
        if faintest != self._threshold:
            self._threshold = faintest
            self._reach = distance_to_content(self._values, faintest)
            for node in self.nodes:
                node.set_reach(self._reach)
        for node in self.nodes:
            node.set_transfer(transfer)
            if self._mode == "shells":
                node.set_shells(self._shells, shell_covers(len(self._shells)))

    def set_shells(self, shells: Sequence[float]) -> None:
        """Choose the surfaces of mode "shells": up to three densities, descending."""
        self._shells = tuple(shells)
        self.set_transfer(self._transfer)

    def _faintest(self) -> float:
        """Return the density that rays must not miss, a power of two, so as to change seldom."""
        if self._mode == "shells":
            density = 0.5 * min((level for level in self._shells if level > 0), default=0.0)
        else:
            density = self._transfer.floor
        return float(2.0 ** np.floor(np.log2(density))) if density > 0 else 0.0

    def set_cut(self, plane: Floats | None) -> None:
        """Cut the volume open at a plane; see `Cut.plane`."""
        if self._cut is plane:
            return
        self._cut = plane
        for node in self.nodes:
            node.set_cut(plane)

    def set_quality(self, fine: bool) -> None:
        """Use many rays in short steps, or fewer in longer ones while the view moves."""
        self._high_quality = fine
        for node in self.nodes:
            step = _FINE_STEP if fine else _COARSE_STEP
            node.set_reduced(not fine)
            node.set_uniforms(step=step, jitter=_FINE_SHIFT if fine else _COARSE_SHIFT)


class PlaneContent(Content):
    """Two channels: their joint density as a picture, each point in its own color."""

    def __init__(self, values: Values, space: SceneAxes, transfer: TransferFunction) -> None:
        super().__init__(values, transfer)
        self._box = box = space.box
        axes = [
            np.linspace(a, b, n) for a, b, n in zip(box.low, box.high, values.shape, strict=True)
        ]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        self._colors = np.asarray(space.color_of(grid.reshape(-1, 2))).reshape(*values.shape, 3)

    def make(self, scene: Node, overlay: ScreenSpace) -> None:
        """Make the picture node under `scene`."""
        node = Image(np.zeros((2, 2, 4), np.float32), interpolation="linear", parent=scene)
        node.order = 0
        node.set_gl_state("translucent", depth_test=False)
        n0, n1 = self._values.shape
        # The picture's x is the first channel, along the scene's x; its y the second, along z.
        # Its pixels' centers are the grid's points.
        size_x, _, size_z = self._box.size
        matrix = np.zeros((4, 4))
        matrix[0, 0] = size_x / (n0 - 1)
        matrix[1, 2] = size_z / (n1 - 1)
        matrix[2, 1] = 1.0
        matrix[3] = [-0.5 * matrix[0, 0], 0, -0.5 * matrix[1, 2], 1]
        node.transform = MatrixTransform(matrix)
        self.nodes = [node]

    def fill(self) -> None:
        """Paint the picture."""
        (node,) = self.nodes
        node.set_data(self._picture())
        node.update()

    def _picture(self) -> NDArray[np.float32]:
        # As if the plane were as thick as the features of a photograph's cloud.
        alpha = self._transfer.opacity(self._values, length=0.15)
        rgba = np.concatenate([self._colors, alpha[..., np.newaxis]], axis=-1)
        return np.ascontiguousarray(rgba.swapaxes(0, 1), dtype=np.float32)
