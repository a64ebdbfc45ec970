"""Densities as color images: contrast limits and colors."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.io.colors.colormaps import lookup_table

QUANTILE_PIXELS = 1 << 20
"""Contrast limits come from at most about so many pixels, evenly spaced."""

BLOCK_PIXELS = 1 << 20
"""Pixels colored in one go, to keep intermediate arrays small."""


HISTOGRAM_BINS = 4096
"""Of values with counts: contrast limits are then as fine as these."""


def default_limits(
    density: NDArray[Any], log: bool, counts: NDArray[np.int64] | None = None
) -> tuple[float, float]:
    """Contrast limits that show a density well.

    Linear densities: from 0 to the 99.5 % quantile, above which a few common colors outshine all
    others. Logs: from the 1 % quantile, below which lie the far tails, to the maximum.

    Parameters
    ----------
    density
        Of the pixels, any shape. Only finite ones count, every n-th of them in large images.
    log
        Whether these are logs.
    counts
        How many pixels have each value, of the same shape. All values count then, by a histogram:
        10 ms, fast enough to follow a drag.
    """
    flat = density.reshape(-1)
    if counts is None:
        flat = flat[:: max(1, flat.size // QUANTILE_PIXELS)]
    finite = np.isfinite(flat)
    if not finite.all():
        flat, counts = flat[finite], None if counts is None else counts.reshape(-1)[finite]
    if flat.size == 0:
        return 0.0, 1.0
    low, high = 0.0, float(flat.max())
    if log:
        low = _quantile(flat, counts, 0.01)
    elif high > 0 and (most := _quantile(flat, counts, 0.995)) > 0:
        high = most
    return (low, high) if high > low else (low, low + 1.0)


def _quantile(values: NDArray[Any], counts: NDArray[np.int64] | None, share: float) -> float:
    if counts is None:
        return float(np.quantile(values, share))
    bottom, top = float(values.min()), float(values.max())
    scale = HISTOGRAM_BINS / (top - bottom) if top > bottom else 0.0
    cells = np.minimum(((values - bottom) * scale).astype(np.int32), HISTOGRAM_BINS - 1)
    below = np.cumsum(np.bincount(cells, weights=counts))
    # The outer end of the bin in which the share is reached: none of it is cut off.
    found = int(np.searchsorted(below, share * below[-1])) + (share > 0.5)
    return bottom + found / scale if scale else bottom


def color_density(
    density: NDArray[Any],
    log: bool,
    colormap: str | NDArray[Any] = "magma",
    contrast_limits: tuple[float, float] | None = None,
) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """Color a density.

    Returns
    -------
    picture
        ``(H, W, 4)`` uint8: the colormap between the limits; NaN is transparent.
    limits
        The contrast limits used.

    Raises
    ------
    ValueError
        If the density is no single picture, or the colormap or the limits are not valid.
    """
    if density.ndim != 2:
        raise ValueError(
            f"density has shape {density.shape}, but a PNG holds a single image, (H, W); write a "
            "TIFF."
        )
    table = lookup_table(colormap)
    low, high = default_limits(density, log) if contrast_limits is None else contrast_limits
    if not (np.isfinite([low, high]).all() and low < high):
        raise ValueError(f"contrast_limits={contrast_limits}; give two numbers, the lower first.")
    picture = np.empty((*density.shape, 4), dtype=np.uint8)
    rows = max(1, BLOCK_PIXELS // density.shape[1])
    for start in range(0, len(density), rows):
        block = density[start : start + rows]
        missing = np.isnan(block)
        position = np.clip((np.where(missing, low, block) - low) / (high - low), 0, 1)
        index = np.minimum(position * len(table), len(table) - 1).astype(np.intp)
        picture[start : start + rows, :, :3] = table[index]
        picture[start : start + rows, :, 3] = np.where(missing, 0, 255)
    return picture, (float(low), float(high))
