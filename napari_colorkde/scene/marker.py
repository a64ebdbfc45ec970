"""One colour marked in the view: that of the pixel under the mouse."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from vispy.scene.visuals import Markers

from .part import Overlay, Part
from .theme import THEMES, Theme

_SIZE = 13.0
_ORDER = 35


class ColorMarker(Part):
    """A disc in the colour it stands for, with an outline."""

    def __init__(self) -> None:
        super().__init__()
        self._theme = THEMES["dark"]
        self._color: np.ndarray | None = None

    def set_color(self, color: ArrayLike | None) -> None:
        """Mark a colour (C,) in image units; None: none."""
        self._color = None if color is None else np.asarray(color, dtype=float)
        self._update()

    def build(self, scene: Any, overlay: Overlay) -> None:
        """Make the disc."""
        node = Markers(parent=scene)
        node.set_gl_state("translucent", depth_test=False, cull_face=False)
        node.order = _ORDER
        self.nodes = [node]
        self._update()

    def set_theme(self, theme: Theme) -> None:
        """Recolour the outline."""
        self._theme = theme
        self._update()

    def _update(self) -> None:
        color, space = self._color, self.space
        for node in self.nodes:
            # A colour of another image's channels has no place here.
            node.visible = (
                color is not None and space is not None and len(color) == space.n_channels
            )
            if node.visible and color is not None and space is not None:
                node.set_data(
                    pos=space.box.to_scene(color[np.newaxis]).astype(np.float32),
                    face_color=(*space.color_of(color[np.newaxis])[0], 1.0),
                    edge_color=(*self._theme.text, 1.0),
                    edge_width=2,
                    size=_SIZE,
                )
