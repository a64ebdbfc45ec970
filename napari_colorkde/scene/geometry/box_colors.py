"""Which color a place in the view is drawn in."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from napari_colorkde.scene.geometry.box import ColorBox, Floats

# Colors (N, C) in image units → display colors (N, 3), sRGB in 0..1.
ColorOf = Callable[[Floats], Floats]

# Two channels have no colors of their own. Magenta and green add up to white and are told apart
# by color-blind eyes.
_FIRST, _SECOND = np.array([1.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])


def default_color_of(box: ColorBox) -> ColorOf:
    """Return the colors of an image without a color space: RGB, magenta–green, or gray.

    The box's low corner is black, its high corner white.
    """
    low, span = np.array(box.low), np.array(box.high) - np.array(box.low)

    def color_of(colors: Floats) -> Floats:
        t = np.clip((np.asarray(colors, dtype=float) - low) / span, 0, 1)
        if t.shape[-1] == 3:
            return np.asarray(t)
        if t.shape[-1] == 2:
            return np.asarray(t[..., :1] * _FIRST + t[..., 1:] * _SECOND)
        return np.repeat(t, 3, axis=-1)

    return color_of


def color_grid(color_of: ColorOf, box: ColorBox, points: int = 33) -> np.ndarray:
    """Sample `color_of` over the box: (M, M, M, 3) float32 in 0..1, axes in channel order."""
    axes = [np.linspace(a, b, points) for a, b in zip(box.low, box.high, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    colors = np.asarray(color_of(grid.reshape(-1, len(axes))), dtype=np.float32)
    return np.clip(colors, 0, 1).reshape(*grid.shape[:-1], 3)
