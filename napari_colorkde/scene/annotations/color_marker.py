"""One color marked in the view: that of the pixel under the mouse."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from vispy.scene import Node
from vispy.scene.visuals import Markers

from napari_colorkde.scene.element import Element, ScreenSpace
from napari_colorkde.scene.theme import THEMES, Theme

_SIZE = 13.0
_ORDER = 35


class ColorMarker(Element):
    """A disc in the color it stands for, with an outline.

    Attributes
    ----------
    color : (C,) array or None
        What is marked, image units.
    """

    def __init__(self) -> None:
        super().__init__()
        self._theme = THEMES["dark"]
        self.color: np.ndarray | None = None

    def set_color(self, color: ArrayLike | None) -> None:
        """Mark a color (C,) in image units; None: none."""
        self.color = None if color is None else np.asarray(color, dtype=float)
        self.refresh()

    def make(self, scene: Node, overlay: ScreenSpace) -> None:
        """Make the disc."""
        node = Markers(parent=scene)
        node.set_gl_state("translucent", depth_test=False, cull_face=False)
        node.order = _ORDER
        self.nodes = [node]

    def set_theme(self, theme: Theme) -> None:
        """Recolor the outline."""
        self._theme = theme
        self.refresh()

    @property
    def is_needed(self) -> bool:
        """Whether there is a color, and it is one of the present channels."""
        color, space = self.color, self.space
        return color is not None and space is not None and len(color) == space.n_channels

    def fill(self) -> None:
        """Put the disc where its color lies."""
        if self.color is None or self.space is None:
            return
        (node,) = self.nodes
        color = self.color[np.newaxis]
        node.set_data(
            pos=self.space.box.to_scene(color).astype(np.float32),
            face_color=(*self.space.color_of(color)[0], 1.0),
            edge_color=(*self._theme.text, 1.0),
            edge_width=2,
            size=_SIZE,
        )
