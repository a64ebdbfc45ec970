"""A plane that cuts the cloud open: which side is taken away, and the outline of the cut."""

from __future__ import annotations

from typing import Any

import numpy as np
from vispy.scene.visuals import Line

from napari_colorkde.scene.element import Element, Project, ScreenSpace
from napari_colorkde.scene.geometry.box import Floats, plane_in_box
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

    def set(self, normal: Floats | None, through: Floats | None) -> None:
        """Cut at a plane: normal (3,) per edge of the box, point (3,) a color. None: no cut."""
        self._normal, self._through = normal, through
        self.plane = None
        self.refresh()

    def make(self, scene: Any, overlay: ScreenSpace) -> None:
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
            raise RuntimeError("there is no cut")
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
