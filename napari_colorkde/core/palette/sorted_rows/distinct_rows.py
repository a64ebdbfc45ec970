"""Counting distinct rows of numbers, and adding up the counts of several sets of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.palette.map_blocks import map_blocks
from napari_colorkde.core.palette.sorted_rows.packing import Packing, hashed_rows
from napari_colorkde.core.palette.sorted_rows.sorting import Words, sorted_order, starts_of_runs

Counts = NDArray[Any]
"""int64 numbers of pixels, or float64 weights."""

SAMPLE_ROWS = 1 << 13
"""Rows that are looked at to see whether rows repeat."""

HASH_BITS = 32
"""Part of a hash that rows are brought together by; it is sorted at once with 2³² row numbers."""

REPEATED = 1 / 16
"""Fraction of a sample that repeats others, from which on repeated rows are dropped first."""


@dataclass(frozen=True, slots=True, eq=False)
class CountedColors:
    """Distinct colors ``(U, C)``, sorted lexicographically, and their counts ``(U,)``.

    Counts are int64, or float64 weights.
    """

    colors: NDArray[Any]
    counts: Counts

    def __len__(self) -> int:
        return len(self.counts)


def count_rows(values: NDArray[Any], weights: Counts | None = None) -> CountedColors:
    """Count distinct rows of ``(n, C)``; `weights` are their counts so far.

    One sort of 64-bit words where a row fits into one: 12 million 12-bit RGB colors in 0.4 s on
    one core. Rows of floats take one sort more, or three.
    """
    if len(values) == 0:
        return CountedColors(values, np.empty(0, np.int64 if weights is None else weights.dtype))
    packing = Packing.of(values)
    if weights is None and packing.fits:
        packed, counts = count_words(packing.pack(values))
        return CountedColors(packing.unpack(packed), counts)
    if weights is None and _rows_repeat(values):
        values, weights = _without_repeats(values)
    order, is_first = sorted_order(packing.digits(values))
    first = np.flatnonzero(is_first)
    colors = taken(values, order[first])
    if colors.dtype.kind == "f":
        colors += colors.dtype.type(0)  # −0.0 is 0.0
    if weights is None:
        return CountedColors(colors, _lengths(first, len(values)))
    return CountedColors(colors, np.add.reduceat(weights[order], first))


def are_in_order(rows: NDArray[Any]) -> bool:
    """Whether rows ``(n, C)`` are sorted lexicographically, each once."""
    if len(rows) < 2:
        return True

    def of_block(block: slice) -> bool:
        before = rows[block]
        after = rows[block.start + 1 : block.stop + 1]
        before = before[: len(after)]
        is_later = after[:, -1] > before[:, -1]
        for c in reversed(range(rows.shape[1] - 1)):
            is_later &= after[:, c] == before[:, c]
            is_later |= after[:, c] > before[:, c]
        return bool(is_later.all())

    return all(map_blocks(of_block, len(rows)))


def taken(rows: NDArray[Any], order: NDArray[np.int64]) -> NDArray[Any]:
    """Return rows ``(n, C)`` in this order: blocks of them on several threads."""
    moved = np.empty((len(order), *rows.shape[1:]), rows.dtype)

    def fill(block: slice) -> None:
        rows.take(order[block], axis=0, out=moved[block], mode="clip")

    map_blocks(fill, len(order))
    return moved


def count_words(packed: Words) -> tuple[Words, NDArray[np.int64]]:
    """Return the distinct words, sorted, and how many there are of each. Sorts in place."""
    packed.sort()
    first = np.flatnonzero(starts_of_runs(packed))
    return packed.take(first), _lengths(first, len(packed))


def merge_counted(parts: list[CountedColors]) -> CountedColors:
    """Add up the counts of several sets of distinct colors."""
    if len(parts) == 1:
        return parts[0]
    colors = np.concatenate([part.colors for part in parts])
    return count_rows(colors, np.concatenate([part.counts for part in parts]))


def _lengths(first: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Return the lengths of runs that start at these positions of n."""
    lengths = np.empty(len(first), np.int64)
    np.subtract(first[1:], first[:-1], out=lengths[:-1])
    lengths[-1] = n - first[-1]
    return lengths


def _rows_repeat(values: NDArray[Any]) -> bool:
    """Whether many of a sample's rows are equal to others of it."""
    step = max(len(values) // SAMPLE_ROWS, 1)
    hashes = np.sort(hashed_rows(values[::step]))
    return len(hashes) > 1 and bool((hashes[1:] == hashes[:-1]).mean() > REPEATED)


def _without_repeats(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return rows and their counts, with few repeats left, in no order.

    Rows are brought together by a part of their hash. Where different rows share it, some of them
    may come more than once.
    """
    order, _ = sorted_order([(hashed_rows(values) >> np.uint64(HASH_BITS), HASH_BITS)])
    moved = taken(values, order)
    is_first = np.ones(len(order), bool)
    np.any(moved[1:] != moved[:-1], axis=1, out=is_first[1:])
    first = np.flatnonzero(is_first)
    return moved[first], _lengths(first, len(order))
