"""What values a palette's channels can take, and how finely they are rounded."""

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.palette.palette import Palette

QUANTIZATION = 1 / 12
"""Variance of rounding to whole levels."""

FLOAT_LEVELS = 255
"""Floats are taken to be rounded to this fraction of their range, as photographs are."""


def channel_ranges(palette: Palette) -> NDArray[np.float64]:
    """Return the range of values of each channel, ``(C,)``.

    8-bit: 256. 16-bit: the power of two above the largest value, so that 12-bit data in 16 bits
    have 4096. Floats that are multiples of 1/(2ⁿ − 1), n = 8 … 16: the same as a fraction of 1, so
    that 12-bit data divided by 65535 have 1/16. Other floats between 0 and 1: 1; other floats: what
    the data span. A palette that was binned, or converted to another color space, carries its
    ranges.
    """
    if palette.level_ranges is not None:
        return palette.level_ranges
    low, high = palette.extremes
    if low.min() >= 0 and high.max() <= 1:
        return np.ones(palette.n_channels)
    span: NDArray[np.float64] = high.astype(np.float64) - low.astype(np.float64)
    # A constant channel takes the width of the widest; one color alone takes 1.
    span[span == 0] = span.max() or 1.0
    return span


def rounding_variances(palette: Palette) -> NDArray[np.float64]:
    """Return the variance of rounding to the palette's levels, ``(C,)``, in squared image units.

    1/12 of a level squared, and a level is: of a palette that was binned a bin; otherwise the step
    between the image's levels; 1/255 of the range of floats that have none.
    """
    levels = palette.step
    if palette.bin_width.any():
        levels = palette.bin_width
    elif levels is None:
        levels = channel_ranges(palette) / FLOAT_LEVELS
    return np.asarray(QUANTIZATION * levels**2)
