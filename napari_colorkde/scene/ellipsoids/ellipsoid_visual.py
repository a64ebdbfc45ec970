"""Kernels as ellipsoids: translucent bodies, principal circles, handles on the selected one."""

from __future__ import annotations

from functools import cache

import numpy as np
from vispy.geometry import create_sphere
from vispy.scene import Node
from vispy.scene.visuals import Line, Markers, create_visual_node
from vispy.visuals.instanced_mesh import InstancedMeshVisual
from vispy.visuals.shaders import Function

from napari_colorkde.scene.element import Element, ScreenSpace
from napari_colorkde.scene.ellipsoids.ellipsoid_set import EllipsoidSet
from napari_colorkde.scene.geometry.box import ColorBox, Floats
from napari_colorkde.scene.geometry.principal_axes import principal_circles
from napari_colorkde.scene.geometry.projection import Project, on_screen
from napari_colorkde.scene.geometry.rays import Ray, hit_ellipsoids, hit_plane
from napari_colorkde.scene.theme import THEMES, Theme

_BODY_ALPHA, _SELECTED_ALPHA = 0.16, 0.34
# Circles of dark colors must show on the dark theme, of light ones on the light theme.
_TOWARD_TEXT = 0.35
_HANDLE_SIZE = 9.0
# Pixels that handles keep from the mean: that of a thin axis stands on a stalk.
_STAND_OFF = 26.0
# Axes that the eye sees this much shortened are not to be stretched: a pixel would be too much.
_END_ON = 0.2
# A step in the scene, to find out how long it is on the screen.
_STEP = 0.01
# Order of drawing: above the cloud, circles above bodies, handles above all.
_BODIES, _CIRCLES, _STALKS, _HANDLES = 10, 20, 25, 26


class BodiesVisual(InstancedMeshVisual):
    """Many copies of a mesh, whose shaders are compiled once.

    vispy's own makes the function that passes colors on anew whenever a copy moves, and with it
    the whole program: 24 ms of each step of a drag.
    """

    @staticmethod
    @cache
    def _passed() -> Function:
        return Function("vec4 pass(vec4 color) { return color; }")

    def _build_color_transform(self, colors: object) -> Function:
        return self._passed()


Bodies = create_visual_node(BodiesVisual)


class Ellipsoids(Element):
    """Draws an `EllipsoidSet` and says what the mouse is over.

    Attributes
    ----------
    is_held : bool
        Whether a handle is being dragged: stalks keep their lengths.
    """

    def __init__(self) -> None:
        super().__init__()
        self._theme = THEMES["dark"]
        self._given: EllipsoidSet | None = None
        self._stalks = np.empty(0)  # (2 C,) scene lengths, NaN: no handle
        self.is_held = False

    def show(self, ellipsoids: EllipsoidSet) -> None:
        """Show other ellipsoids, or the same ones elsewhere (1 ms for 32)."""
        self._given = ellipsoids
        self.refresh()

    @property
    def is_needed(self) -> bool:
        """Whether there are ellipsoids for the present space."""
        return self.shown is not None

    @property
    def shown(self) -> EllipsoidSet | None:
        """The ellipsoids; None if there are none, or only those of another image's channels."""
        given, space = self._given, self.space
        if given is None or space is None or len(given) == 0:
            return None
        return given if given.means.shape[1] == space.n_channels else None

    def make(self, scene: Node, overlay: ScreenSpace) -> None:
        """Make bodies, circles and handles."""
        sphere = create_sphere(rows=16, cols=24)
        bodies = Bodies(
            sphere.get_vertices().astype(np.float32),
            sphere.get_faces(),
            instance_positions=np.zeros((1, 3)),
            instance_transforms=np.eye(3)[np.newaxis],
            instance_colors=np.ones((1, 4)),
            color="white",
            shading="smooth",
            parent=scene,
        )
        bodies.set_gl_state("translucent", depth_test=False, cull_face="back")
        circles = Line(np.zeros((2, 3), np.float32), connect="segments", method="gl", parent=scene)
        circles.set_gl_state("translucent", depth_test=False)
        stalks = Line(np.zeros((2, 3), np.float32), connect="segments", method="gl", parent=scene)
        stalks.set_gl_state("translucent", depth_test=False)
        handles = Markers(parent=scene)
        handles.set_gl_state("translucent", depth_test=False)
        self.nodes = [bodies, circles, stalks, handles]
        for node, order in zip(self.nodes, (_BODIES, _CIRCLES, _STALKS, _HANDLES), strict=True):
            node.order = order

    def set_theme(self, theme: Theme) -> None:
        """Keep circles and handles legible."""
        self._theme = theme
        self.refresh()

    def follow(self, project: Project) -> None:
        """Keep the handles of thin axes at a distance from the mean that can be grasped."""
        shown = self.shown
        if shown is None or shown.selected is None or self.is_held:
            return
        mean, ends = self._mean_and_ends(shown, shown.selected)
        lengths = np.linalg.norm(ends - mean, axis=1)
        outwards = (ends - mean) / np.maximum(lengths, 1e-12)[:, np.newaxis]
        # The same step along each axis, and across the screen wherever that is.
        steps = np.concatenate([outwards, np.eye(3)]) * _STEP
        middle, *others = on_screen(project, np.concatenate([[mean], ends, mean + steps]))
        away = np.linalg.norm(np.array(others) - middle, axis=1)
        n = len(ends)
        scale = away[n : 2 * n] / _STEP  # pixels per scene length
        across = np.linalg.norm(np.array(others[2 * n :]) - middle, 2) / _STEP
        missing = np.maximum(_STAND_OFF - away[:n], 0.0)
        is_seen = (missing == 0) | ((scale >= _END_ON * across) & (lengths > 0))
        stalks = np.where(is_seen, missing / np.maximum(scale, 1e-9), np.nan)
        if not np.array_equal(stalks, self._stalks, equal_nan=True):
            self._stalks = stalks
            if self.nodes:
                self._draw_handles(shown)

    # --- the mouse

    def hit(self, ray: Ray) -> int | None:
        """Return the ellipsoid under the ray that is nearest to the eye, None if there is none.

        With two channels all lie in one plane: then it is the one whose mean is nearest to the ray.
        """
        distances = self._distances(ray)
        return int(np.argmin(distances)) if np.isfinite(distances).any() else None

    def is_hit(self, ray: Ray, k: int) -> bool:
        """Say whether the ray meets an ellipsoid, be it behind others or not."""
        return bool(np.isfinite(self._distances(ray)[k]))

    def _distances(self, ray: Ray) -> Floats:
        """Return how near each ellipsoid is under the ray, (K,); infinite where it misses."""
        shown = self.shown
        if shown is None:
            return np.empty(0)
        if shown.means.shape[1] == 3:
            return hit_ellipsoids(ray, self._box.to_scene(shown.means), self._scene_axes(shown))
        point = hit_plane(ray, np.zeros(3), np.array([0.0, 1.0, 0.0]))
        if point is None:
            return np.full(len(shown), np.inf)
        offset = self._box.to_color(point) - shown.means
        sigmas = np.maximum(np.linalg.norm(shown.axes, axis=1), 1e-12)
        # Coordinates along the axes, in sigmas.
        scaled = np.einsum("kij,ki->kj", shown.axes / sigmas[:, np.newaxis] ** 2, offset)
        distance = np.linalg.norm(scaled, axis=1)
        return np.where(distance <= shown.radius, distance, np.inf)

    def handle_places(self) -> Floats:
        """Return the handles in the scene, (2 C, 3): both ends of each axis; none if not selected.

        Handle 2 j and 2 j + 1 are the ends of axis j. Those of thin axes stand farther out, as the
        last `follow` found; those of axes seen end-on are NaN.
        """
        shown = self.shown
        if shown is None or shown.selected is None:
            return np.empty((0, 3))
        mean, ends = self._mean_and_ends(shown, shown.selected)
        if len(self._stalks) != len(ends):
            return ends  # not drawn yet
        lengths = np.linalg.norm(ends - mean, axis=1)
        outwards = (ends - mean) / np.maximum(lengths, 1e-12)[:, np.newaxis]
        return np.asarray(ends + self._stalks[:, np.newaxis] * outwards)

    def _mean_and_ends(self, shown: EllipsoidSet, k: int) -> tuple[Floats, Floats]:
        """Return the mean (3,) and the ends of the axes (2 C, 3) of an ellipsoid in the scene."""
        axes = shown.radius * shown.axes[k].T  # (C, C), one axis per row
        ends = shown.means[k] + np.stack([axes, -axes], axis=1).reshape(-1, axes.shape[0])
        return self._box.to_scene(shown.means[k]), self._box.to_scene(ends)

    @property
    def _box(self) -> ColorBox:
        if self.space is None:
            raise RuntimeError("ellipsoids have no place yet.")
        return self.space.box

    def _scene_axes(self, shown: EllipsoidSet) -> Floats:
        """Return the half-axes at full size in the scene, (K, 3, C).

        The box may have skewed them; they still map the unit ball to the ellipsoid.
        """
        n = shown.means.shape[1]
        linear = self._box.to_scene(np.eye(n)) - self._box.to_scene(np.zeros(n))  # (C, 3)
        return np.asarray(shown.radius * np.einsum("ca,kcj->kaj", linear, shown.axes))

    def fill(self) -> None:
        """Draw the ellipsoids where they are."""
        bodies, circles, stalks, handles = self.nodes
        shown = self.shown
        if shown is None:
            return
        bodies.visible = shown.means.shape[1] == 3
        stalks.visible = handles.visible = shown.selected is not None
        chosen = np.arange(len(shown)) == shown.selected
        if bodies.visible:
            alpha = np.where(chosen, _SELECTED_ALPHA, _BODY_ALPHA)
            bodies.instance_positions = self._box.to_scene(shown.means)
            bodies.instance_transforms = self._scene_axes(shown)
            bodies.instance_colors = np.column_stack([shown.colors, alpha])
        text = np.array(self._theme.text)
        lines = self._box.to_scene(principal_circles(shown.means, shown.radius * shown.axes))
        fraction = np.where(chosen, 0.85, _TOWARD_TEXT)[:, np.newaxis]
        rgb = shown.colors * (1 - fraction) + text * fraction
        rgba = np.column_stack([rgb, np.where(chosen, 1.0, 0.8)])
        circles.set_data(
            pos=lines.reshape(-1, 3).astype(np.float32),
            color=np.repeat(rgba, np.prod(lines.shape[1:3]), axis=0).astype(np.float32),
        )
        self._draw_handles(shown)

    def _draw_handles(self, shown: EllipsoidSet) -> None:
        """Draw the mean and the handles of the selected ellipsoid, and what these stand on."""
        k = shown.selected
        if k is None:
            return
        _, _, stalks, handles = self.nodes
        mean, ends = self._mean_and_ends(shown, k)
        places = self.handle_places()
        seen = np.isfinite(places).all(axis=1)
        stalks.visible = bool(seen.any())
        if stalks.visible:
            stalks.set_data(
                pos=np.stack([ends[seen], places[seen]], axis=1).reshape(-1, 3).astype(np.float32),
                color=(*self._theme.text, 0.8),
            )
        handles.set_data(
            pos=np.concatenate([places[seen], [mean]]).astype(np.float32),
            face_color=(*shown.colors[k], 1.0),
            edge_color=(*self._theme.text, 1.0),
            edge_width=1.5,
            size=_HANDLE_SIZE,
        )
