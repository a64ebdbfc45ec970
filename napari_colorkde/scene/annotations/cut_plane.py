"""A plane that cuts the cloud open: which side is taken away, and the outline of the cut."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from vispy.scene import Node
from vispy.scene.visuals import Line

from napari_colorkde.scene.element import Element, ScreenSpace
from napari_colorkde.scene.geometry.box import Floats, plane_in_box
from napari_colorkde.scene.geometry.projection import Project
from napari_colorkde.scene.geometry.regions import HalfSpace
from napari_colorkde.scene.theme import THEMES, Theme

_ORDER = 15


class Cut(Element):
    """The cutting plane.

    Attributes
    ----------
    plane : (4,) array or None
        Normal and offset in the coordinates of `DensityVisual` (0..1, last channel first): where
        ``normal · place > offset``, everything is taken away.
    """

    def __init__(self) -> None:
        super().__init__()
        self.plane: Floats | None = None
        self._normal: Floats | None = None
        self._through: Floats | None = None
        self._theme = THEMES["dark"]

    @property
    def is_needed(self) -> bool:
        """Whether there is a cut, and a volume that could be cut."""
        return self._normal is not None and self.space is not None and self.space.n_channels == 3

    @property
    def through(self) -> Floats | None:
        """A color (3,) in the plane, image units; None without a cut."""
        return self._through

    @property
    def visible(self) -> HalfSpace | None:
        """The colors that are not cut away; None without a cut."""
        if self.plane is None or self.space is None:
            return None
        return HalfSpace.visible(self.plane, self.space.box)

    def set(self, normal: ArrayLike | None, through: ArrayLike | None) -> None:
        """Cut at a plane; see `ColorSpaceCanvas.set_cut`."""
        direction = point = None
        if normal is not None:
            direction = np.asarray(normal, dtype=float)
            if direction.shape != (3,) or not np.linalg.norm(direction) > 0:
                raise ValueError(f"normal must be three numbers, not all 0, not {normal!r}.")
            if through is None and self.space is not None:
                through = np.mean([self.space.box.low, self.space.box.high], axis=0)
            point = np.zeros(3) if through is None else np.asarray(through, dtype=float)
            if point.shape != (3,):
                raise ValueError(f"through must be a color of three channels, not {through!r}.")
        self._normal, self._through, self.plane = direction, point, None
        self.refresh()

    def make(self, scene: Node, overlay: ScreenSpace) -> None:
        """Make the outline."""
        node = Line(np.zeros((2, 3), np.float32), connect="strip", method="gl", parent=scene)
        node.set_gl_state("translucent", depth_test=False)
        node.order = _ORDER
        self.nodes = [node]

    def set_theme(self, theme: Theme) -> None:
        """Recolor the outline."""
        self._theme = theme
        self.refresh()

    def follow(self, project: Project) -> None:
        """Take away the half that hides the cut from the viewer."""
        if not self.is_needed or self.space is None:
            self.plane = None
            return
        if self._normal is None or self._through is None:
            return
        box = self.space.box
        point = box.to_scene(self._through)
        normal = self._scene_normal()
        # Of two points on both sides, the nearer has the smaller depth on the screen.
        clip = project(np.array([point + 1e-3 * normal, point - 1e-3 * normal]))
        ahead, behind = clip[:, 2] / clip[:, 3]
        sign = 1.0 if ahead <= behind else -1.0
        t = (self._through - np.array(box.low)) / (np.array(box.high) - np.array(box.low))
        unit = sign * self._normal / np.linalg.norm(self._normal)
        self.plane = np.array([*unit[::-1], float(unit @ t)])

    def _scene_normal(self) -> Floats:
        """Return the normal in the scene, still perpendicular if the box stretches the plane."""
        if self._normal is None or self.space is None:
            raise RuntimeError("there is no cut.")
        order, size = self.space.box.order, self.space.box.size
        normal = np.array([self._normal[order[axis]] / size[axis] for axis in range(3)])
        return np.asarray(normal / np.linalg.norm(normal))

    def fill(self) -> None:
        """Draw the outline of the cut."""
        if self._through is None or self.space is None:
            return
        (node,) = self.nodes
        box = self.space.box
        polygon = plane_in_box(box.to_scene(self._through), self._scene_normal(), box.size)
        node.visible = len(polygon) > 0
        if node.visible:
            closed = np.concatenate([polygon, polygon[:1]]).astype(np.float32)
            node.set_data(pos=closed, color=(*self._theme.muted, 1.0))
