"""Counts without smoothing: every colour of the image as a point, sized by its number of pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from vispy.scene.visuals import Markers

from .part import Overlay, Part
from .space import Space

# Diameters in pixels: of a colour without weight, and what one that had all pixels would add.
_SMALLEST, _LARGEST = 2.0, 60.0
# So many points are drawn while the view moves.
_WHILE_MOVING = 20_000


class Points(Part):
    """Colours with their counts as opaque points.

    Parameters
    ----------
    space : Space
        Where colours lie in the scene, and what they look like.
    """

    def __init__(self, space: Space) -> None:
        super().__init__()
        self._space = space
        self._places = np.empty((0, 3), np.float32)
        self._rgba = np.empty((0, 4), np.float32)
        self._sizes = np.empty(0, np.float32)
        self._fine = True

    def set_counts(self, colors: ArrayLike, counts: ArrayLike) -> None:
        """Show colours (U, C) with their numbers of pixels (U,)."""
        colors = np.asarray(colors, dtype=float)
        counts = np.asarray(counts, dtype=float)
        # In random order, so that the first ones stand for all while the view moves.
        order = np.random.default_rng(0).permutation(len(colors))
        colors, counts = colors[order], counts[order]
        self._places = self._space.box.to_scene(colors).astype(np.float32)
        rgb = self._space.color_of(colors)
        self._rgba = np.column_stack([rgb, np.ones(len(rgb))]).astype(np.float32)
        # The area is the count.
        share = counts / max(counts.sum(), 1.0)
        self._sizes = (_SMALLEST + _LARGEST * np.sqrt(share)).astype(np.float32)
        self.refresh()

    @property
    def is_needed(self) -> bool:
        """Whether there are counts."""
        return len(self._places) > 0

    def make(self, scene: Any, overlay: Overlay) -> None:
        """Make all points, and the fewer of them that are drawn while the view moves."""
        self.nodes = [Markers(parent=scene) for _ in range(2)]
        for node in self.nodes:
            node.set_gl_state("translucent", depth_test=True, cull_face=False)
            node.order = 0

    def set_fine(self, fine: bool) -> None:
        """Draw all points, or fewer."""
        self._fine = fine
        if self.nodes:
            every, some = self.nodes
            every.visible = fine and self.is_needed
            some.visible = not fine and self.is_needed

    def fill(self) -> None:
        """Draw the points."""
        for node, end in zip(self.nodes, (len(self._places), _WHILE_MOVING), strict=True):
            node.set_data(
                pos=self._places[:end],
                face_color=self._rgba[:end],
                size=self._sizes[:end],
                edge_width=0,
                symbol="disc",
            )
        self.set_fine(self._fine)
