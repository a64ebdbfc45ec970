"""What values a palette's channels can take, and how finely they are rounded."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.palette.color_codes import integer_range
from napari_colorkde.core.palette.palette import Palette

QUANTIZATION = 1 / 12
"""Variance of rounding to whole levels."""

FLOAT_LEVELS = 255
"""Floats are taken to be rounded to this fraction of their range, as photographs are."""


def channel_ranges(palette: Palette) -> NDArray[np.float64]:
    """The range of values of each channel, ``(C,)``.

    8-bit: 256. 16-bit: the power of two above the largest value, so that 12-bit data in 16 bits
    have 4096. Floats between 0 and 1: 1; other floats: what the data span. A palette that was
    binned, or converted to another color space, carries its ranges.
    """
    if palette.ranges is not None:
        return palette.ranges
    n = palette.n_channels
    low: NDArray[Any] = palette.colors.min(axis=0)
    high: NDArray[Any] = palette.colors.max(axis=0)
    if palette.dtype == np.uint8:
        return np.full(n, 256.0)
    if palette.dtype == np.uint16:
        return np.full(n, integer_range(high))
    if low.min() >= 0 and high.max() <= 1:
        return np.ones(n)
    span: NDArray[np.float64] = high.astype(np.float64) - low.astype(np.float64)
    # A constant channel takes the width of the widest; one color alone takes 1.
    span[span == 0] = span.max() or 1.0
    return span


def rounding_variances(palette: Palette) -> NDArray[np.float64]:
    """The variance of rounding to the palette's levels, ``(C,)``, in squared image units.

    1/12 of a level squared, and a level is: of a palette that was binned a bin; 1 of integers, and
    of floats beyond 0..1 that are all whole numbers; of other floats 1/255 of the range.
    """
    colors = palette.colors
    levels = np.ones(palette.n_channels)
    if palette.dtype.kind == "f":
        is_part = colors.min() >= 0 and colors.max() <= 1
        if is_part or (colors != np.rint(colors)).any():
            levels = channel_ranges(palette) / FLOAT_LEVELS
    binned = palette.bin_width > 0
    return np.asarray(QUANTIZATION * np.where(binned, palette.bin_width, levels) ** 2)
