"""Colors of the image as points: all of them sized by count, or some of them lit."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from vispy.scene import Node
from vispy.scene.visuals import Markers
from vispy.visuals.filters.clipping_planes import PlanesClipper

from napari_colorkde.scene.element import Element, ScreenSpace
from napari_colorkde.scene.geometry.box import Floats
from napari_colorkde.scene.theme import THEMES, Theme

# Diameters in pixels: of a color without weight, and what one that had all pixels would add.
_SMALLEST, _LARGEST = 2.0, 60.0
# Of dots of light: diameter, what they hide together, how many at most; what an edge of the box has
# of cells as large as a dot, and of the smallest cells in which a dot may stand for others.
_LIT_SIZE, _LIT_ALPHA, _LIT_POINTS = 2.5, 0.55, 4000
_DOTS_PER_EDGE, _FINEST_CELLS = 48, 256.0
# So many points are drawn while the view moves.
_WHILE_MOVING = 20_000
# Points in the plane of a cut are not to flicker.
_CUT_SLACK = 1e-4
_ORDER, _LIT_ORDER = 0, 18


class Points(Element):
    """Colors as opaque points in their own color, as large as their number of pixels."""

    def __init__(self) -> None:
        super().__init__()
        self._colors: NDArray[np.float64] = np.empty((0, 0))
        self._sizes: NDArray[np.float32] = np.empty(0, np.float32)
        self._high_quality = True
        self._cut: Floats | None = None
        self._clippers: list[PlanesClipper] = []

    def show(self, colors: ArrayLike, counts: ArrayLike) -> None:
        """Show colors (U, C) with their numbers of pixels (U,)."""
        colors = np.asarray(colors, dtype=float)
        counts = np.asarray(counts, dtype=float)
        # In random order, so that the first ones stand for all while the view moves.
        order = np.random.default_rng(0).permutation(len(colors))
        self._colors = colors[order]
        self._sizes = self._sizes_of(counts[order])
        self.refresh()

    @property
    def is_needed(self) -> bool:
        """Whether there are colors, and they are of the present channels."""
        space = self.space
        return (
            space is not None
            and len(self._colors) > 0
            and (self._colors.shape[1] == space.n_channels)
        )

    def make(self, scene: Node, overlay: ScreenSpace) -> None:
        """Make all points, and the fewer of them that are drawn while the view moves."""
        self.nodes = [Markers(parent=scene) for _ in range(2)]
        self._clippers = [PlanesClipper() for _ in self.nodes]
        for node, clipper in zip(self.nodes, self._clippers, strict=True):
            node.set_gl_state("translucent", depth_test=True, cull_face=False)
            node.order = _ORDER
            node.attach(clipper)
        self._clip()

    def fill(self) -> None:
        """Draw the points."""
        if self.space is None or not self.is_needed:
            return
        places = self.space.box.to_scene(self._colors).astype(np.float32)
        rgba = self._rgba()
        for node, end in zip(self.nodes, (len(places), _WHILE_MOVING), strict=True):
            node.set_data(
                pos=places[:end],
                face_color=rgba[:end],
                size=self._sizes[:end],
                edge_width=0,
                symbol="disc",
            )
        self.set_quality(self._high_quality)

    def set_cut(self, plane: Floats | None) -> None:
        """Take away what lies beyond a plane; see `Cut.plane`."""
        if self._cut is not plane:
            self._cut = plane
            self._clip()

    def _clip(self) -> None:
        # Always one plane, so that no shader is made anew: without a cut, one that keeps all.
        position, inwards = np.zeros(3), np.zeros(3)
        if self._cut is not None and self.space is not None and self.space.n_channels == 3:
            box = self.space.box
            normal = self._cut[2::-1][list(box.order)] / np.array(box.size)
            inwards = -normal
            position = (self._cut[3] + _CUT_SLACK) * normal / (normal @ normal)
        for node, clipper in zip(self.nodes, self._clippers, strict=True):
            clipper.clipping_planes = np.array([[position, inwards]])
            node.update()

    def release(self) -> None:
        """Drop the nodes."""
        super().release()
        self._clippers = []

    def set_quality(self, fine: bool) -> None:
        """Draw all points, or fewer."""
        self._high_quality = fine
        if self.nodes:
            every, some = self.nodes
            every.visible = fine and self.is_needed
            some.visible = not fine and self.is_needed

    def _sizes_of(self, counts: NDArray[np.float64]) -> NDArray[np.float32]:
        # The area is the count.
        fraction = counts / max(float(counts.sum()), 1.0)
        return np.asarray(_SMALLEST + _LARGEST * np.sqrt(fraction), dtype=np.float32)

    def _rgba(self) -> NDArray[np.float32]:
        if self.space is None:
            return np.empty((0, 4), np.float32)
        rgb = self.space.color_of(self._colors)
        return np.column_stack([rgb, np.ones(len(rgb))]).astype(np.float32)


class HighlightPoints(Element):
    """Some colors as small dots of the same light on top of everything else.

    Where they are many, fewer stand for them, and those let through what is behind.

    Attributes
    ----------
    colors : (U, C) array
        What is lit, in random order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.colors: Floats = np.empty((0, 0))
        self._theme = THEMES["dark"]

    def show(self, colors: Floats) -> None:
        """Light up colors (U, C)."""
        # In random order, so that those which stand for others form no pattern.
        self.colors = np.random.default_rng(0).permutation(colors)
        self.refresh()

    @property
    def is_needed(self) -> bool:
        """Whether there are colors, and they are of the present channels."""
        space = self.space
        return (
            space is not None
            and self.colors.shape[1:] == (space.n_channels,)
            and (len(self.colors) > 0)
        )

    def make(self, scene: Node, overlay: ScreenSpace) -> None:
        """Make the dots."""
        node = Markers(parent=scene)
        node.set_gl_state("translucent", depth_test=False, cull_face=False)
        node.order = _LIT_ORDER
        self.nodes = [node]

    def fill(self) -> None:
        """Draw the dots."""
        if self.space is None or not self.is_needed:
            return
        places = thinned(self.space.box.to_scene(self.colors))
        (node,) = self.nodes
        node.set_data(
            pos=places.astype(np.float32),
            face_color=(*self._theme.text, lit_alpha(places)),
            size=_LIT_SIZE,
            edge_width=0,
            symbol="disc",
        )

    def set_theme(self, theme: Theme) -> None:
        """Keep the dots apart from the background."""
        self._theme = theme
        self.refresh()


def thinned(places: Floats, at_most: int = _LIT_POINTS) -> Floats:
    """Return some of the places (N, 3), evenly spread: one in each cell of a grid.

    The cells are as small as `at_most` allows; where there are no more places than that, all are
    returned. Outlying ones stay. 0.15 s for 440 000.
    """
    cells = _FINEST_CELLS
    while len(places) > at_most:
        index = np.floor(places * cells).astype(np.int64)
        index -= index.min(axis=0)
        _, firsts = np.unique(np.ravel_multi_index(index.T, index.max(axis=0) + 1), True)
        places = places[firsts]
        cells /= 2
    return places


def lit_alpha(places: Floats) -> float:
    """Return the opacity of dots at places (N, 3) of which many lie behind each other.

    So many as there are, together they hide the same fraction of what is behind.
    """
    # Seen from the front, in cells about as large as a dot.
    index = np.floor(places[:, [0, 2]] * _DOTS_PER_EDGE).astype(np.int64)
    crowding = len(places) / len(np.unique(index, axis=0))
    return float(1 - (1 - _LIT_ALPHA) ** (1 / crowding))
