"""One colour marked in the view: that of the pixel under the mouse."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from vispy.scene.visuals import Markers

from .colors import ColorOf
from .geometry import ColorBox
from .part import Part
from .theme import THEMES, Theme

_SIZE = 13.0
_ORDER = 35


class ColorMarker(Part):
    """A disc in the colour it stands for, with an outline.

    Parameters
    ----------
    box : ColorBox
        Where colours lie in the scene.
    color_of : callable
        Display colours.
    """

    def __init__(self, box: ColorBox, color_of: ColorOf) -> None:
        super().__init__()
        self._box = box
        self._color_of = color_of
        self._theme = THEMES["dark"]
        self._color: np.ndarray | None = None

    def set_color(self, color: ArrayLike | None) -> None:
        """Mark a colour (C,) in image units; None: none."""
        self._color = None if color is None else np.asarray(color, dtype=float)
        self._update()

    def build(self, scene: Any, overlay: Any) -> None:
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
        for node in self.nodes:
            node.visible = self._color is not None
            if self._color is not None:
                color = self._color[np.newaxis]
                rgb = np.clip(self._color_of(color)[0], 0, 1)
                node.set_data(
                    pos=self._box.to_scene(color).astype(np.float32),
                    face_color=(*rgb, 1.0),
                    edge_color=(*self._theme.text, 1.0),
                    edge_width=2,
                    size=_SIZE,
                )
