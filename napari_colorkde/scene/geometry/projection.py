"""From the scene to the screen and back: pixels of points, and what lies behind a pixel."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from napari_colorkde.scene.geometry.box import Floats
from napari_colorkde.scene.geometry.rays import Ray

# Scene points (N, 3) → homogeneous pixels (N, 4): x/w and y/w are on the screen.
Project = Callable[[Floats], Floats]


def on_screen(project: Project, points: Floats) -> Floats:
    """Return the pixels (N, 2) of scene points (N, 3)."""
    clip = project(points)
    w = np.where(np.abs(clip[:, 3:]) < 1e-9, 1e-9, clip[:, 3:])
    return np.asarray(clip[:, :2] / w)


class Projection:
    """How the scene is seen on a canvas at the moment.

    Parameters
    ----------
    project : callable
        Scene points (N, 3) → homogeneous pixels (N, 4).
    unproject : callable
        Homogeneous pixels (N, 4) → homogeneous scene points (N, 4).
    """

    def __init__(self, project: Project, unproject: Callable[[Floats], Floats]) -> None:
        self._project, self._unproject = project, unproject

    def homogeneous(self, points: Floats) -> Floats:
        """Return the homogeneous pixels (N, 4) of scene points (N, 3)."""
        return np.asarray(self._project(np.asarray(points, dtype=float)))

    def on_screen(self, points: Floats) -> Floats:
        """Return the pixels (N, 2) of scene points (N, 3)."""
        return on_screen(self.homogeneous, points)

    def ray_at(self, pixel: Floats) -> Ray:
        """Return what lies behind a pixel (2,) of the canvas, in the scene."""
        ends = self._unproject(np.array([[*pixel[:2], z, 1.0] for z in (-1.0, 1.0)]))
        near, far = ends[:, :3] / ends[:, 3:]
        return Ray(near, (far - near) / np.linalg.norm(far - near))
