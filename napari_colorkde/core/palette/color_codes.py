"""Distinct colors as rows of numbers: codes, counting, merging, binning, looking up.

The arithmetic under `palette.py`. A *code* is one integer per color: for 8-bit colors its bytes
side by side, for others a mixed-radix number of the ranks of its channel values.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class CountedColors:
    """Distinct colors ``(U, C)``, sorted lexicographically, and their counts ``(U,)`` int64."""

    colors: NDArray[Any]
    counts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.counts)


def byte_codes(values: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Code each 8-bit color ``(n, C)``, C ≤ 3: channel 0 in the lowest byte.

    Three channels are read as overlapping little-endian words, one load a pixel.
    """
    n, channels = values.shape
    if channels == 1:
        return values[:, 0].astype(np.uint32)
    if channels == 2:
        return np.ascontiguousarray(values).view("<u2")[:, 0].astype(np.uint32)
    values = np.ascontiguousarray(values)
    codes = np.empty(n, np.uint32)
    if n > 1:
        words = np.ndarray((n - 1,), dtype="<u4", buffer=values.data, strides=(3,))
        np.bitwise_and(words, 0xFFFFFF, out=codes[:-1])
    if n:  # the last word would end one byte behind the array
        red, green, blue = (int(v) for v in values[-1])
        codes[-1] = red | green << 8 | blue << 16
    return codes


def colors_of_byte_codes(codes: NDArray[Any], channels: int) -> NDArray[np.uint8]:
    """Invert `byte_codes`: ``(n,)`` codes to ``(n, C)`` colors."""
    colors = np.empty((len(codes), channels), np.uint8)
    for c in range(channels):
        colors[:, c] = codes >> (8 * c) & 0xFF
    return colors


def count_table(table: NDArray[np.unsignedinteger[Any]], channels: int) -> CountedColors:
    """Read the distinct colors off a table of counts by byte code."""
    codes = np.flatnonzero(table != 0).astype(np.uint32)  # of booleans, eight times as fast
    keys = _with_bytes_reversed(codes, channels)
    keys.sort()
    codes = _with_bytes_reversed(keys, channels)
    return CountedColors(colors_of_byte_codes(codes, channels), table[codes].astype(np.int64))


def _with_bytes_reversed(codes: NDArray[np.uint32], channels: int) -> NDArray[np.uint32]:
    """Turn byte codes into numbers in lexicographic order of the colors, or back."""
    swapped = np.zeros_like(codes)
    for c in range(channels):
        swapped |= (codes >> (8 * c) & 0xFF) << (8 * (channels - 1 - c))
    return swapped


def count_rows(values: NDArray[Any], weights: NDArray[np.int64] | None = None) -> CountedColors:
    """Count distinct rows of ``(n, C)``; `weights` are their counts so far. O(n log n)."""
    codes = np.zeros(len(values), np.int64)
    for c in range(values.shape[1]):
        # + 0 turns −0.0 into 0.0, so that equal numbers are one color.
        levels, ranks = np.unique(values[:, c] + values.dtype.type(0), return_inverse=True)
        codes = append_digit(codes, ranks, len(levels))
    order = np.argsort(codes, kind="stable")
    sorted_codes = codes[order]
    first = np.flatnonzero(np.r_[True, sorted_codes[1:] != sorted_codes[:-1]])
    if weights is None:
        counts = np.diff(np.r_[first, len(codes)]).astype(np.int64)
    else:
        counts = np.add.reduceat(weights[order], first)
    return CountedColors(values[order[first]] + values.dtype.type(0), counts)


def append_digit(codes: NDArray[np.int64], ranks: NDArray[Any], radix: int) -> NDArray[np.int64]:
    """Append a digit to mixed-radix codes, first renumbering them if they would overflow."""
    if len(codes) and int(codes.max()) >= (1 << 62) // max(radix, 1):
        codes = np.unique(codes, return_inverse=True)[1].astype(np.int64)
    packed: NDArray[np.int64] = codes * radix + ranks
    return packed


def merge_counted(parts: list[CountedColors]) -> CountedColors:
    """Add up the counts of several sets of distinct colors."""
    if len(parts) == 1:
        return parts[0]
    colors = np.concatenate([part.colors for part in parts])
    return count_rows(colors, np.concatenate([part.counts for part in parts]))


def integer_range(values: NDArray[Any]) -> float:
    """The power of two above all of these whole numbers: 4096 for 12-bit values."""
    return 2.0 ** max(1, int(values.max()).bit_length())


def bin_width_for(colors: NDArray[Any], budget: int) -> NDArray[np.float64]:
    """Width of the finest bins that leave at most `budget` colors, per channel: powers of two.

    A power of two, anchored at zero, makes every coarser bin a union of finer ones, so binned
    palettes merge. The finest tried is 1/4096 of the range in three dimensions: since bins keep
    their mean color, that puts a Gaussian of 1/64 of the range off by 2e-5 at most.
    """
    low, high = colors.min(axis=0).astype(np.float64), colors.max(axis=0).astype(np.float64)
    span = np.where(high > low, high - low, 1.0)
    levels = {1: 22, 2: 14, 3: 12}[colors.shape[1]]
    width: NDArray[np.float64] = 2.0 ** (np.floor(np.log2(span)) - levels)
    cells = np.floor(colors / width).astype(np.int64)
    while True:
        codes = np.zeros(len(cells), np.int64)
        for c in range(cells.shape[1]):
            cell = cells[:, c] - cells[:, c].min()
            codes = codes * (int(cell.max()) + 1) + cell
        if len(_distinct(codes)) <= budget:
            return width
        width, cells = 2 * width, cells >> 1


def bin_colors(counted: CountedColors, width: NDArray[np.float64]) -> CountedColors:
    """Put colors into bins of this width; each bin keeps the mean of its pixels."""
    colors = counted.colors.astype(np.float64)
    cells = np.floor(colors / width)
    codes = np.zeros(len(colors), np.int64)
    for c in range(colors.shape[1]):
        levels, ranks = np.unique(cells[:, c], return_inverse=True)
        codes = append_digit(codes, ranks, len(levels))
    order = np.argsort(codes, kind="stable")
    sorted_codes = codes[order]
    first = np.flatnonzero(np.r_[True, sorted_codes[1:] != sorted_codes[:-1]])
    counts = np.add.reduceat(counted.counts[order], first)
    sums = np.add.reduceat(colors[order] * counted.counts[order, np.newaxis], first, axis=0)
    low = cells[order[first]] * width
    # A mean lies in its bin, which may hold a single number; rounding must not carry it out.
    high = np.maximum(low, np.nextafter(low + width, -np.inf))
    means = np.clip(sums / counts[:, np.newaxis], low, high)
    by_color = np.lexsort(means.T[::-1])
    return CountedColors(means[by_color], counts[by_color])


class ColorLookup:
    """Finds the palette entry of colors; built once per palette.

    Parameters
    ----------
    colors
        ``(U, C)`` distinct colors.
    bin_width
        ``(C,)``; where positive, colors are equal that fall into the same bin.
    """

    def __init__(self, colors: NDArray[Any], bin_width: NDArray[np.float64]) -> None:
        self._channels = colors.shape[1]
        self._width = bin_width
        self._table: NDArray[np.int32] | None = None
        if colors.dtype == np.uint8:
            self._table = np.full(1 << (8 * self._channels), -1, np.int32)
            self._table[byte_codes(colors)] = np.arange(len(colors), dtype=np.int32)
            return
        keys = self._keys(colors)
        self._levels = [_distinct(keys[:, c]) for c in range(self._channels)]
        self._pairs: list[NDArray[np.int64]] = []
        codes = np.searchsorted(self._levels[0], keys[:, 0]).astype(np.int64)
        for c in range(1, self._channels):
            pair = codes * len(self._levels[c]) + np.searchsorted(self._levels[c], keys[:, c])
            self._pairs.append(_distinct(pair))
            codes = np.searchsorted(self._pairs[-1], pair).astype(np.int64)
        self._entry = np.empty(len(colors), np.int32)
        self._entry[codes] = np.arange(len(colors), dtype=np.int32)

    def __call__(self, values: NDArray[Any]) -> NDArray[np.int32]:
        """Palette entries of finite colors ``(n, C)``: ``(n,)``, −1 where there is none."""
        if self._table is not None:
            return _entries_of_bytes(self._table, values)
        keys = self._keys(values)
        codes, found = _find(self._levels[0], keys[:, 0])
        for c in range(1, self._channels):
            level, at_level = _find(self._levels[c], keys[:, c])
            codes, at_pair = _find(self._pairs[c - 1], codes * len(self._levels[c]) + level)
            found &= at_level & at_pair
        return np.where(found, self._entry[codes], np.int32(-1))

    def _keys(self, values: NDArray[Any]) -> NDArray[Any]:
        if not self._width.any():
            return values
        keys: NDArray[Any] = np.floor(values.astype(np.float64) / self._width)
        return keys


def _entries_of_bytes(table: NDArray[np.int32], values: NDArray[Any]) -> NDArray[np.int32]:
    """Entries of colors in a table by byte code; values that are no byte have none."""
    if values.dtype == np.uint8:
        return table.take(byte_codes(values))
    with np.errstate(invalid="ignore"):  # NaN, which equals nothing
        as_bytes = np.clip(values, 0, 255).astype(np.uint8)
    same = (as_bytes == values).all(axis=1)
    return np.where(same, table.take(byte_codes(as_bytes)), np.int32(-1))


def _distinct(values: NDArray[Any]) -> NDArray[Any]:
    """Distinct values, sorted. NumPy's own hashes first, which takes ten times as long."""
    ordered = np.sort(values)
    return ordered[np.r_[True, ordered[1:] != ordered[:-1]]]


def _find(
    levels: NDArray[Any], values: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Positions of `values` in sorted `levels`, and whether each is there."""
    at = np.minimum(np.searchsorted(levels, values), len(levels) - 1)
    return at, levels[at] == values
