"""Counting colors that come in parts: exactly within a budget, in bins beyond it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.checks.channels import MAX_GRID_CHANNELS
from napari_colorkde.core.palette.bins.bin_widths import bin_width_for, narrowest_width
from napari_colorkde.core.palette.bins.binning import BinnedColors, bin_colors, merge_bins, widen_to
from napari_colorkde.core.palette.counters.byte_counter import ByteCounts
from napari_colorkde.core.palette.integer_levels import level_bits, range_of_levels
from napari_colorkde.core.palette.sorted_rows.distinct_rows import (
    CountedColors,
    count_rows,
    merge_counted,
)

MAX_COLORS = 1 << 24
"""Distinct colors kept before a palette is binned (8-bit ones of three channels never are)."""

MAX_BINS = 1 << 23
"""Bins kept then: each has its moments, too."""

MAX_NUMBERS = 1 << 28
"""Numbers of which the colors that are kept consist: of more than 16 channels they are fewer."""

MAX_BINNED_CHANNELS = 6
"""Beyond, bins twice as wide are so many times fewer that a few are left, or a single one."""

MAX_MOMENTS = 6 * MAX_BINS
"""Products of two channels that bins keep: of more than three channels they are fewer."""


def budgets(n_channels: int, max_colors: int) -> tuple[int, int]:
    """Return how many colors of so many channels are kept at most, and how many bins."""
    pairs = n_channels * (n_channels + 1) // 2
    n_bins = min(max_colors, MAX_BINS, MAX_MOMENTS // pairs)
    return min(max_colors, MAX_NUMBERS // n_channels), n_bins


def refuse_bins(n_channels: int, n_colors: int) -> None:
    """Refuse to bin more colors than are kept where bins would say nothing of them.

    Raises
    ------
    ValueError
        If there are more than six channels.
    """
    if n_channels > MAX_BINNED_CHANNELS:
        raise ValueError(
            f"image has more than {n_colors} distinct colors of {n_channels} channels, too many to "
            f"keep, and colors of more than {MAX_BINNED_CHANNELS} channels are not binned; choose "
            "fewer channels, or give some of the pixels, such as image[::2, ::2]."
        )


def are_tabled(dtype: np.dtype[Any], n_channels: int) -> bool:
    """Whether colors are counted in a table of all of them, and are never too many to be kept."""
    return dtype == np.uint8 and n_channels <= MAX_GRID_CHANNELS


class ColorCounter:
    """Counts rows of one dtype.

    Rows wait until there are as many as the budget, and are then counted in one sort.

    Parameters
    ----------
    dtype, n_channels
        Of the rows.
    max_colors
        See `Palette.from_image`.
    """

    def __init__(self, dtype: np.dtype[Any], n_channels: int, max_colors: int = MAX_COLORS) -> None:
        self._dtype = dtype
        self._max_colors, self._max_bins = budgets(n_channels, max_colors)
        self._bytes = ByteCounts(n_channels) if are_tabled(dtype, n_channels) else None
        self._waiting: list[NDArray[Any]] = []
        self._n_waiting = 0
        self._exact: CountedColors | None = None
        self._binned: BinnedColors | None = None
        self._level_bits: int | None = None
        self._largest = 0.0

    def add(self, rows: NDArray[Any]) -> None:
        """Count rows ``(n, C)``, finite."""
        if self._bytes is not None:
            self._bytes.add(rows)
            return
        for start in range(0, len(rows), self._max_colors):
            part = rows[start : start + self._max_colors]
            if self._n_waiting + len(part) > self._max_colors:
                self._count_waiting()
            self._waiting.append(part.copy())  # the caller's array may change
            self._n_waiting += len(part)

    def counted(self) -> CountedColors | BinnedColors:
        """Return the colors so far and their counts, or their bins."""
        if self._bytes is not None:
            return self._bytes.counted()
        self._count_waiting()
        counted = self._exact if self._binned is None else self._binned
        if counted is None:
            raise ValueError("rows is empty; give at least one color.")
        return counted

    def range(self) -> float | None:
        """Return the range of values that the levels of binned colors have, if they have any."""
        if self._binned is None:
            return None
        return range_of_levels(self._dtype, self._level_bits, self._largest)

    def _count_waiting(self) -> None:
        if not self._waiting:
            return
        rows = self._waiting[0] if len(self._waiting) == 1 else np.concatenate(self._waiting)
        self._waiting, self._n_waiting = [], 0
        part = count_rows(rows)
        del rows
        if self._binned is not None:
            self._note_levels(part.colors, self._level_bits)
            self._merge_into(self._binned, part)
            return
        self._exact = part if self._exact is None else merge_counted([self._exact, part])
        if len(self._exact) > self._max_colors:
            refuse_bins(self._exact.colors.shape[1], self._max_colors)
            exact, self._exact = self._exact, None
            self._note_levels(exact.colors, None)
            self._binned = bin_colors(exact, bin_width_for(exact.colors, self._max_bins))

    def _merge_into(self, binned: BinnedColors, part: CountedColors) -> None:
        width = np.maximum(binned.width, narrowest_width(part.colors))
        unit = np.maximum(binned.moments.unit, narrowest_width(part.colors))
        self._binned = widen_to(merge_bins([binned, bin_colors(part, width, unit)]), self._max_bins)

    def _note_levels(self, colors: NDArray[Any], known: int | None) -> None:
        """Remember the levels of colors that are about to be binned."""
        self._largest = max(self._largest, float(colors.max()))
        if self._dtype.kind != "f":
            return
        bits = level_bits(colors)
        self._level_bits = bits if known in (None, bits) else None
