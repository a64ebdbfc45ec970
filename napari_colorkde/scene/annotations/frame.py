"""The frame around the content: colored edges of the box, rulers on those that can be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from vispy.scene import Node
from vispy.scene.visuals import Line

from napari_colorkde.scene.annotations.rulers import Ruler, Rulers
from napari_colorkde.scene.axes import SceneAxes
from napari_colorkde.scene.density.curve import CURVE_RAMP
from napari_colorkde.scene.element import Element, ScreenSpace
from napari_colorkde.scene.geometry.box import (
    BACK,
    CUBE_EDGES,
    Floats,
    choose_rulers,
    edge_kinds,
    faces_toward_viewer,
)
from napari_colorkde.scene.geometry.projection import Project, on_screen
from napari_colorkde.scene.theme import THEMES, Theme

# An edge may run through curved colors: it is drawn in pieces.
_PIECES = 24
_BEHIND, _BEFORE = -10, 30


@dataclass(frozen=True, eq=False)
class EdgeLines:
    """Short lines on the screen.

    Attributes
    ----------
    ends : (N, 2, 2) array
        Pixels.
    colors : (N, 3) array
        sRGB in 0..1.
    alpha : float
        Their opacity.
    """

    ends: Floats
    colors: Floats
    alpha: float


def _edge_lines_of(project: Project, points: Floats, colors: Floats, alpha: float) -> EdgeLines:
    ends = on_screen(project, points.reshape(-1, 3)).reshape(-1, 2, 2)
    return EdgeLines(ends, colors.reshape(-1, 2, 3).mean(axis=1), alpha)


class CubeFrame(Element):
    """The box of three channels: 12 edges in their true colors, three rulers.

    Edges are gray where they have no color, and those along which it does not change. Those behind
    the content are drawn before it. Rulers move to the silhouette as the view turns.

    Parameters
    ----------
    space : SceneAxes
        What the cube stands for.
    """

    def __init__(self, space: SceneAxes) -> None:
        super().__init__()
        self._box = box = space.box
        self._names = space.names
        self.rulers = Rulers()
        self._theme = THEMES["dark"]
        self._drawn: tuple[int, ...] | None = None
        corners = box.corners()
        t = np.linspace(0, 1, _PIECES + 1)
        t = np.stack([t[:-1], t[1:]], axis=1).ravel()[:, np.newaxis]
        start, end = (corners[CUBE_EDGES[:, i], np.newaxis] for i in (0, 1))
        self._points = start + t * (end - start)  # (12, 2 * pieces, 3)
        places = self._points.reshape(-1, 3)
        self._colors = space.color_at(places).reshape(self._points.shape)
        varied = np.ptp(self._colors, axis=1).max(axis=1, keepdims=True) > 0
        self._is_colored = space.has_color(places).reshape(self._points.shape[:2]) & varied

    def make(self, scene: Node, overlay: ScreenSpace) -> None:
        """Make the edges under `scene` and the rulers in the `overlay`."""
        self.nodes = [_edge_lines(scene, _BEHIND), _edge_lines(scene, _BEFORE)]
        self._drawn = None
        self.rulers.build(overlay, self._theme)

    def release(self) -> None:
        """Drop the nodes."""
        super().release()
        self.rulers.release()

    def set_theme(self, theme: Theme) -> None:
        """Recolor the rulers, and plain edges."""
        self._theme = theme
        self._drawn = None
        self.rulers.set_theme(theme)

    def follow(self, project: Project) -> None:
        """Sort the edges by before and behind, and move the rulers to the silhouette."""
        corners = self._box.corners()
        w = project(corners)[:, 3]
        screen = on_screen(project, corners)
        kinds = edge_kinds(faces_toward_viewer(screen, w))
        self._update_edges(kinds)
        chosen = choose_rulers(screen, kinds) if np.all(w > 0) else ()
        self.rulers.update(
            [self._ruler(edge) for edge in chosen if edge is not None],
            screen.mean(axis=0),
            project,
        )

    def edges(self, project: Project) -> tuple[EdgeLines, EdgeLines]:
        """Return the edges behind and before the content as they are seen, see `EdgeLines`."""
        corners = self._box.corners()
        screen = on_screen(project, corners)
        kinds = edge_kinds(faces_toward_viewer(screen, project(corners)[:, 3]))
        colors = np.where(self._is_colored[..., np.newaxis], self._colors, self._theme.muted)
        return (
            _edge_lines_of(project, self._points[kinds == BACK], colors[kinds == BACK], 0.6),
            _edge_lines_of(project, self._points[kinds != BACK], colors[kinds != BACK], 1.0),
        )

    def _update_edges(self, kinds: NDArray[np.intp]) -> None:
        if not self.nodes or self._drawn == tuple(kinds):
            return
        self._drawn = tuple(kinds)
        colors = np.where(self._is_colored[..., np.newaxis], self._colors, self._theme.muted)
        behind = kinds == BACK
        _set_edges(self.nodes[0], self._points[behind], colors[behind], 0.6)
        _set_edges(self.nodes[1], self._points[~behind], colors[~behind], 1.0)

    def _ruler(self, edge: int) -> Ruler:
        corners = self._box.corners()
        start, end = CUBE_EDGES[edge]
        channel = self._box.order[edge // 4]
        return Ruler(
            corners[start],
            corners[end],
            self._box.low[channel],
            self._box.high[channel],
            self._names[channel],
        )


class FlatFrame(Element):
    """The frame of one or two channels, seen from the front: bottom and left edge carry rulers.

    Parameters
    ----------
    rulers : sequence of Ruler
        The bottom one and perhaps the left one.
    middle : (3,) array
        A scene point above the bottom and right of the left edge.
    space : SceneAxes
        For the colors of the edges.
    """

    def __init__(self, rulers: Sequence[Ruler], middle: Floats, space: SceneAxes) -> None:
        super().__init__()
        self._measures = tuple(rulers)
        self._middle = middle
        self.rulers = Rulers()
        self._theme = THEMES["dark"]
        t = np.linspace(0, 1, _PIECES + 1)
        t = np.stack([t[:-1], t[1:]], axis=1).ravel()[:, np.newaxis]
        self._points = np.array([r.start + t * (r.end - r.start) for r in rulers])
        self._colors = space.color_at(self._points.reshape(-1, 3)).reshape(self._points.shape)

    def make(self, scene: Node, overlay: ScreenSpace) -> None:
        """Make the edges under `scene` and the rulers in the `overlay`."""
        self.nodes = [_edge_lines(scene, _BEFORE)]
        _set_edges(self.nodes[0], self._points, self._colors, 1.0)
        self.rulers.build(overlay, self._theme)

    def release(self) -> None:
        """Drop the nodes."""
        super().release()
        self.rulers.release()

    def set_theme(self, theme: Theme) -> None:
        """Recolor the rulers."""
        self._theme = theme
        self.rulers.set_theme(theme)

    def edges(self, project: Project) -> tuple[EdgeLines, EdgeLines]:
        """Return no edges behind the content and all before it, see `EdgeLines`."""
        return (
            _edge_lines_of(project, self._points[:0], self._colors[:0], 1.0),
            _edge_lines_of(project, self._points, self._colors, 1.0),
        )

    def follow(self, project: Project) -> None:
        """Lay the rulers out."""
        center = on_screen(project, self._middle[np.newaxis])[0]
        self.rulers.update(self._measures, center, project)


def frame_of(space: SceneAxes) -> CubeFrame | FlatFrame:
    """Return the frame of a space of one, two or three channels."""
    box = space.box
    if space.n_channels == 3:
        return CubeFrame(space)
    right, top = np.array([box.size[0], 0, 0]), np.array([0, 0, box.size[2]])
    start = np.array([0, 0, 0 if space.n_channels == 2 else -CURVE_RAMP])
    rulers = [Ruler(start, start + right, box.low[0], box.high[0], space.names[0])]
    if space.n_channels == 2:
        rulers.append(Ruler(start, start + top, box.low[1], box.high[1], space.names[1]))
    return FlatFrame(rulers, (right + top) / 2, space)


def _edge_lines(scene: Node, order: int) -> Line:
    node = Line(
        np.zeros((2, 3), np.float32), connect="segments", method="gl", width=2, parent=scene
    )
    node.order = order
    node.set_gl_state("translucent", depth_test=False)
    return node


def _set_edges(node: Node, points: Floats, colors: Floats, alpha: float) -> None:
    node.visible = len(points) > 0
    if node.visible:
        rgb = colors.reshape(-1, 3)
        rgba = np.hstack([rgb, np.full((len(rgb), 1), alpha)])
        node.set_data(pos=points.reshape(-1, 3).astype(np.float32), color=rgba.astype(np.float32))
