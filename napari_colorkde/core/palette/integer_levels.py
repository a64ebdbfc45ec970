"""The step of floats that were made from integers: multiples of 1/(2ⁿ − 1), n = 8 … 16."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.palette.map_blocks import map_blocks

LEVEL_BITS = range(8, 17)
"""Depths of integers that are looked for, the shallowest first."""

SAMPLE_VALUES = 1 << 12


def level_bits(values: NDArray[Any]) -> int | None:
    """Return the fewest bits n, 8 to 16, for which all values are multiples of 1/(2ⁿ − 1).

    Whatever part of 0 to 1 they fill, as `img_as_float` leaves them: within the rounding of the
    dtype. None if there is no such n, or a value is outside 0 to 1.

    Parameters
    ----------
    values
        Finite floats ``(n, C)``.
    """
    step = max(len(values) // SAMPLE_VALUES, 1)
    sample = values[::step]
    for bits in LEVEL_BITS:
        if _are_levels(sample, bits):
            whole = partial(_are_levels_in, values, bits)
            if all(map_blocks(whole, len(values))):
                return bits
    return None


def are_whole(values: NDArray[Any]) -> bool:
    """Whether all of these floats ``(n, C)`` are whole numbers."""

    def of_block(block: slice) -> bool:
        return bool((values[block] == np.rint(values[block])).all())

    return all(map_blocks(of_block, len(values)))


def nearest_levels(values: NDArray[Any], bits: int) -> NDArray[Any]:
    """Return the multiples of 1/(2ⁿ − 1) that values are nearest to, in the values' dtype."""
    return np.asarray(np.rint(values * values.dtype.type((1 << bits) - 1)))


def integer_range(largest: float) -> float:
    """Return the power of two above whole numbers up to this: 4096 for 12-bit values."""
    return 2.0 ** max(1, int(largest).bit_length())


def range_of_levels(dtype: np.dtype[Any], bits: int | None, largest: float) -> float | None:
    """Return the range of values that the levels of an image say.

    Of integers the power of two above the largest, so that 12-bit data in 16 bits have 4096; of
    8-bit ones 256. Of floats on the levels of n bits the same, as a fraction of 1. None if there
    are no levels.

    Parameters
    ----------
    bits
        See `level_bits`; None for integers, and for floats without levels.
    largest
        Largest value.
    """
    if dtype.kind == "u":
        return 256.0 if dtype == np.uint8 else integer_range(largest)
    if bits is None:
        return None
    if bits == LEVEL_BITS.start:
        return 1.0
    return integer_range(np.rint(largest * ((1 << bits) - 1))) / (1 << bits)


def _are_levels_in(values: NDArray[Any], bits: int, block: slice) -> bool:
    return _are_levels(values[block], bits)


def _are_levels(values: NDArray[Any], bits: int) -> bool:
    scaled = values * values.dtype.type((1 << bits) - 1)
    levels = np.rint(scaled)
    # Dividing by 2ⁿ − 1, or multiplying by its inverse, and then back: three roundings.
    tolerance = values.dtype.type(2 * np.finfo(values.dtype).eps)
    is_level = np.abs(scaled - levels) <= tolerance * levels
    return bool((is_level & (levels >= 0) & (levels < 1 << bits)).all())
