"""How wide bins of colors are, and in which units colors are whole numbers."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.checks.arguments import real_numbers
from napari_colorkde.core.palette.map_blocks import map_blocks
from napari_colorkde.core.palette.sorted_rows.distinct_rows import count_words
from napari_colorkde.core.palette.sorted_rows.packing import Packing
from napari_colorkde.core.palette.sorted_rows.sorting import sorted_order

TINY = 1e-200
"""Magnitudes below this are taken for it."""


FLOAT_UNIT_BITS = 32
"""The unit of floats is this many bits below the largest magnitude."""


WITHIN_BITS = 20
"""The unit of floats is at least this many bits below the width of a bin."""


WORD_EXPONENT = 61
"""The largest magnitude in units has no more bits than this."""


MAX_DOUBLINGS = 64
"""After so many a bin is as wide as all numbers of one sign."""


MAX_OFFSET_BITS = 40
"""A bin is at most 2⁴⁰ units wide: offsets of 8 million pixels then add up in 64 bits."""


def color_unit(colors: NDArray[Any], width: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the unit of each channel, ``(C,)``, for colors ``(U, C)`` and bins of this width."""
    if colors.dtype.kind != "f":
        return np.ones(colors.shape[1])
    unit = np.ldexp(1.0, _exponents(colors) - FLOAT_UNIT_BITS)
    unit = np.minimum(unit, width * 2.0**-WITHIN_BITS)
    return np.maximum(np.maximum(unit, width * 2.0**-MAX_OFFSET_BITS), narrowest_width(colors))


def narrowest_width(colors: NDArray[Any]) -> NDArray[np.float64]:
    """Return the narrowest bins whose numbers 64 bits hold, ``(C,)``."""
    if colors.dtype.kind != "f":
        return np.ones(colors.shape[1])
    return np.asarray(np.ldexp(1.0, _exponents(colors) - WORD_EXPONENT))


def bin_width_for(
    colors: NDArray[Any], budget: int, finest: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return the width of the finest bins that leave at most `budget` colors, ``(C,)``.

    Parameters
    ----------
    colors
        ``(U, C)``.
    budget
        At least 2^C: bins meet at zero and never join across it.
    finest
        Widths to start from, which are doubled together. None: 1 for integers, and for floats
        1/4096 of the range in three channels and more, 2⁻¹⁴ in two and 2⁻²² in one.

    Raises
    ------
    ValueError
        If no width leaves so few.
    """
    if finest is None:
        finest = _finest_width(colors)
    width = np.asarray(finest)
    rows, one = as_units(colors, width), np.ones(len(width), np.int64)
    for _ in range(MAX_DOUBLINGS):
        if count_distinct(rows) <= budget:
            return width
        rows, width = shifted_rows(rows, one), 2 * width
    raise too_many_bins(len(width), budget)


def too_many_bins(n_channels: int, budget: int) -> ValueError:
    """Return the error of colors of both signs in so many channels that no bins are few enough."""
    return ValueError(
        f"colors of {n_channels} channels around zero lie in more than {budget} bins, however wide "
        "these are; choose fewer channels, or add a number that makes all values positive."
    )


def extremes(colors: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the smallest and largest value of each channel, ``(C,)``."""
    # Column by column: NumPy reduces along short rows slowly.
    columns = [colors[:, c] for c in range(colors.shape[1])]
    low = np.array([column.min() for column in columns])
    return low, np.array([column.max() for column in columns])


def _finest_width(colors: NDArray[Any]) -> NDArray[np.float64]:
    if colors.dtype.kind != "f":
        return np.ones(colors.shape[1])
    low, high = (extreme.astype(np.float64) for extreme in extremes(colors))
    span = np.where(high > low, high - low, 1.0)
    width = 2.0 ** (np.floor(np.log2(span)) - {1: 22, 2: 14}.get(len(span), 12))
    return np.asarray(np.maximum(width, narrowest_width(colors)))


def _exponents(colors: NDArray[Any]) -> NDArray[np.int64]:
    """Return the exponent of the largest magnitude of each channel."""
    low, high = (np.abs(extreme.astype(np.float64)) for extreme in extremes(colors))
    return np.asarray(np.frexp(np.maximum(np.maximum(low, high), TINY))[1].astype(np.int64))


def as_units(colors: NDArray[Any], unit: NDArray[np.float64]) -> NDArray[np.integer[Any]]:
    """Return colors ``(U, C)`` as whole numbers of units; integers as they are."""
    if colors.dtype.kind != "f":
        return colors
    rows = np.empty(colors.shape, np.int64)

    def fill(block: slice) -> None:
        # Dividing by a power of two rounds nothing.
        rows[block] = np.floor(colors[block] / unit)

    map_blocks(fill, len(colors))
    return rows


def shifted_rows(rows: NDArray[np.integer[Any]], shift: NDArray[np.int64]) -> NDArray[Any]:
    """Return rows ``(n, C)`` without the lowest bits of each channel."""
    shifted = np.empty_like(rows)

    def fill(block: slice) -> None:
        np.right_shift(rows[block], shift.astype(rows.dtype), out=shifted[block])

    map_blocks(fill, len(rows))
    return shifted


def count_distinct(rows: NDArray[Any]) -> int:
    """Return how many different rows ``(n, C)`` of whole numbers there are."""
    packing = Packing.of(rows)
    if packing.fits:
        return len(count_words(packing.pack(rows))[0])
    return int(np.count_nonzero(sorted_order(packing.digits(rows))[1]))


def powers_of_two(width: ArrayLike, n_channels: int) -> NDArray[np.float64]:
    """Return the widest powers of two that are not above the widths, ``(C,)``.

    Parameters
    ----------
    width
        One width, or ``(C,)``, in image units.

    Raises
    ------
    ValueError
        If widths are not positive and finite, or not one or C of them.
    """
    wanted = real_numbers(width, "width").astype(np.float64)
    if wanted.shape not in ((), (n_channels,)):
        raise ValueError(
            f"width has shape {wanted.shape}; give one width, or {n_channels} of them."
        )
    wanted = np.broadcast_to(wanted, (n_channels,))
    if not (np.isfinite(wanted) & (wanted > 0)).all():
        raise ValueError(f"width={width!r}: give positive, finite widths of bins.")
    return np.exp2(np.floor(np.log2(wanted)))
