"""The three marginal planes as pictures on the walls behind the cloud."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from vispy.scene import Node
from vispy.scene.visuals import Image
from vispy.visuals.transforms import MatrixTransform

from napari_colorkde.scene.annotations.marginals import Wall
from napari_colorkde.scene.axes import SceneAxes
from napari_colorkde.scene.element import Element, ScreenSpace
from napari_colorkde.scene.geometry.box import Floats, faces_toward_viewer
from napari_colorkde.scene.geometry.projection import Project, on_screen

_ORDER = -20


class MarginalWalls(Element):
    """Pictures of the marginals, each in the mean colors of what lies before the wall.

    They hang on the far walls and change sides as the view turns.
    """

    def __init__(self) -> None:
        super().__init__()
        self._pictures: dict[int, NDArray[np.float32]] = {}
        self._walls: dict[int, Wall] = {}
        # What the walls are of.
        self._values: NDArray[np.float32] | None = None
        self._of: SceneAxes | None = None
        self._sides: dict[int, int] = {}

    def show(
        self,
        values: NDArray[np.float32] | None,
        *,
        scale: str = "linear",
        exposure: float = 1.0,
        density_floor: float = 0.0,
    ) -> None:
        """Show the marginals of a density (B0, B1, B2) in the present space; None: nothing.

        The same array again is neither summed nor converted to colors once more. The floor leaves
        out that fraction of each marginal.
        """
        if values is None or self.space is None:
            self._values, self._of, self._walls = None, None, {}
        elif values is not self._values or self.space != self._of:
            self._values, self._of = values, self.space
            self._walls = {c: Wall.of(values, c, self.space) for c in range(3)}
        self._sides = {}
        self._pictures = {
            c: w.picture(scale, exposure, density_floor) for c, w in self._walls.items()
        }
        self.refresh()

    @property
    def is_needed(self) -> bool:
        """Whether there are pictures to hang."""
        return bool(self._pictures)

    def make(self, scene: Node, overlay: ScreenSpace) -> None:
        """Make three pictures; they are hung by `follow`."""
        for _ in range(3):
            node = Image(np.zeros((2, 2, 4), np.float32), interpolation="linear", parent=scene)
            node.order = _ORDER
            node.set_gl_state("translucent", depth_test=False, cull_face=False)
            self.nodes.append(node)
        self._sides = {}

    def follow(self, project: Project) -> None:
        """Hang the pictures on the far walls."""
        if not self.nodes or not self.is_needed or self.space is None:
            return
        corners = self.space.box.corners()
        facing = faces_toward_viewer(on_screen(project, corners), project(corners)[:, 3])
        for axis in range(3):
            channel = self.space.box.order[axis]
            # The wall opposite of the face that is seen from outside; the last one if none is.
            if facing[2 * axis] or facing[2 * axis + 1]:
                self._hang(channel, axis, side=0 if facing[2 * axis + 1] else 1)

    def fill(self) -> None:
        """Paint the pictures."""
        for channel, picture in self._pictures.items():
            self.nodes[channel].set_data(picture)

    def _hang(self, channel: int, axis: int, side: int) -> None:
        if self._sides.get(channel) == side or self.space is None:
            return
        self._sides[channel] = side
        shape = self._pictures[channel].shape
        matrix = _wall_matrix(self.space, channel, (shape[0], shape[1]))
        matrix[3, axis] = side * self.space.box.size[axis]
        self.nodes[channel].transform = MatrixTransform(matrix)


def _wall_matrix(space: SceneAxes, channel: int, shape: tuple[int, int]) -> Floats:
    """Return the matrix from pixels (x = second channel left, y = first) to the scene."""
    box = space.box
    others = [c for c in range(3) if c != channel]
    matrix = np.zeros((4, 4))
    matrix[3, 3] = 1.0
    for row, (c, n) in enumerate(zip(others[::-1], shape[::-1], strict=True)):
        axis = box.order.index(c)
        matrix[row, axis] = box.size[axis] / (n - 1)
        # Grid points are the middles of pixels.
        matrix[3, axis] = -0.5 * matrix[row, axis]
    matrix[2, box.order.index(channel)] = 1.0
    return matrix
