"""What every element must know to find its place: the box, the channels' names, the colors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.scene.geometry.box import ColorBox, Floats
from napari_colorkde.scene.geometry.box_colors import ColorOf, default_color_of

# Conversions to a color space and back miss the border of what can be displayed by less.
_ROUNDING = 2e-3


@dataclass(frozen=True)
class SceneAxes:
    """A color space as it stands in the scene.

    Attributes
    ----------
    box : ColorBox
        Where colors lie.
    names : tuple of str
        Of the channels.
    given_colors : callable or None
        Display colors, as given by the owner, outside 0..1 where a color cannot be displayed;
        None: the view's own.
    """

    box: ColorBox
    names: tuple[str, ...]
    given_colors: ColorOf | None = None

    @classmethod
    def from_axes(
        cls,
        axes: Sequence[ArrayLike],
        names: Sequence[str],
        color_of: ColorOf | None = None,
        up: int = 0,
    ) -> SceneAxes:
        """Make the space of a grid; see `ColorBox.from_axes`."""
        if len(names) != len(axes):
            raise ValueError(f"channel_names must be {len(axes)} names, not {tuple(names)!r}.")
        box = ColorBox.from_axes(tuple(axes), up)
        return cls(box, tuple(map(str, names)), color_of)

    @property
    def n_channels(self) -> int:
        """Number of channels: 1, 2 or 3."""
        return len(self.names)

    def color_of(self, colors: ArrayLike) -> Floats:
        """Return the display colors (N, 3), sRGB in 0..1, of colors (N, C)."""
        show = self.given_colors or default_color_of(self.box)
        return np.clip(show(np.asarray(colors, dtype=float)), 0, 1)

    def color_at(self, points: Floats) -> Floats:
        """Return the display colors (N, 3) of scene points (N, 3)."""
        return self.color_of(self.box.to_color(points))

    def has_color(self, points: Floats) -> NDArray[np.bool_]:
        """Say which scene points (N, 3) stand for colors that can be displayed, (N,)."""
        if self.given_colors is None:
            return np.ones(len(points), dtype=bool)
        shown = np.asarray(self.given_colors(self.box.to_color(points)))
        return np.asarray(np.all((shown >= -_ROUNDING) & (shown <= 1 + _ROUNDING), axis=-1))
