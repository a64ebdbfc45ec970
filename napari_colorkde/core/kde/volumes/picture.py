"""Small images of densities, for notebooks: planes side by side, or a curve."""

import io
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEIGHT = 160
"""Pixels."""

GAP = 8
"""White pixels between planes."""

DECADES = 4.0
"""Below the peak, from where on a plane is white."""

SHADES = np.array([[255, 255, 255], [158, 202, 225], [49, 130, 189], [8, 48, 107]], np.float64)
"""From nothing to the peak."""


def picture_of(values: NDArray[Any], is_log: bool = False) -> bytes:
    """Return a PNG of a density in one dimension, two, or three.

    One is a curve. Planes have logarithmic shades over four decades; of three dimensions there are
    the three planes of two axes each, summed along the third, the first of the two axes upward.

    Parameters
    ----------
    values
        Densities, or their logarithms.
    """
    from PIL import Image

    density = values.astype(np.float64)
    if is_log:
        density = np.exp(density - density.max())
    if density.ndim == 1:
        panels = [_curve(density)]
    else:
        pairs = combinations(range(density.ndim), 2)
        others = [tuple(a for a in range(density.ndim) if a not in pair) for pair in pairs]
        panels = [_plane(density.sum(axis=axes) if axes else density) for axes in others]
    gap = np.full((HEIGHT, GAP, 3), 255, np.uint8)
    row = [part for panel in panels for part in (gap, panel)][1:]
    file = io.BytesIO()
    Image.fromarray(np.concatenate(row, axis=1)).save(file, "png")
    return file.getvalue()


def _plane(density: NDArray[np.float64]) -> NDArray[np.uint8]:
    peak = density.max()
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log10(density / peak) if peak > 0 else np.full(density.shape, -np.inf)
    shade = np.clip(1 + logs / DECADES, 0, 1)
    rows = np.linspace(len(shade) - 1, 0, HEIGHT).round().astype(int)
    columns = np.linspace(0, shade.shape[1] - 1, HEIGHT).round().astype(int)
    return _shaded(shade[np.ix_(rows, columns)])


def _curve(density: NDArray[np.float64]) -> NDArray[np.uint8]:
    at = np.linspace(0, len(density) - 1, 2 * HEIGHT)
    height = np.interp(at, np.arange(len(density)), density) / max(density.max(), 1e-300)
    levels = np.linspace(1, 0, HEIGHT)[:, np.newaxis]
    return _shaded(np.where(levels <= height, 0.5, 0.0))


def _shaded(shade: NDArray[np.float64]) -> NDArray[np.uint8]:
    stops = np.linspace(0, 1, len(SHADES))
    channels = [np.interp(shade, stops, SHADES[:, c]) for c in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)
