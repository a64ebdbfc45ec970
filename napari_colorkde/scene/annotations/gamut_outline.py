"""The outline of what can be displayed, in spaces whose box holds more than that."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from vispy.scene import Node
from vispy.scene.visuals import Line

from napari_colorkde.scene.element import Element, ScreenSpace

_ORDER = 28
_ALPHA = 0.9


class Outline(Element):
    """Lines through colors, each point in its own."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: tuple[np.ndarray, ...] = ()

    @property
    def is_needed(self) -> bool:
        """Whether there are lines that have a place in the present space."""
        return (
            self.space is not None
            and len(self._lines) > 0
            and all(line.shape[1] == self.space.n_channels for line in self._lines)
        )

    def show(self, lines: Sequence[ArrayLike]) -> None:
        """Show polylines, each (N, C) colors with N ≥ 2; an empty sequence: none."""
        arrays = tuple(np.asarray(line, dtype=float) for line in lines)
        for line in arrays:
            if line.ndim != 2 or len(line) < 2:
                raise ValueError(f"lines must be arrays (N ≥ 2, C) of colors, not {line.shape}.")
        self._lines = arrays
        self.refresh()

    def make(self, scene: Node, overlay: ScreenSpace) -> None:
        """Make the lines."""
        node = Line(
            np.zeros((2, 3), np.float32), connect="segments", method="gl", width=2, parent=scene
        )
        node.set_gl_state("translucent", depth_test=False)
        node.order = _ORDER
        self.nodes = [node]

    def fill(self) -> None:
        """Draw the lines."""
        if self.space is None or not self.is_needed:
            return
        (node,) = self.nodes
        pairs = [np.stack([line[:-1], line[1:]], axis=1) for line in self._lines]
        colors = np.concatenate([pair.reshape(-1, pair.shape[-1]) for pair in pairs])
        rgba = np.column_stack([self.space.color_of(colors), np.full(len(colors), _ALPHA)])
        node.set_data(
            pos=self.space.box.to_scene(colors).astype(np.float32),
            color=rgba.astype(np.float32),
        )
