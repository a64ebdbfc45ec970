"""Counting 8-bit colors in a table of all of them."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.compiled_loops import LOOPS_OF_COUNTING
from napari_colorkde.core.palette.color_codes import (
    colors_of_byte_codes,
    ordered_byte_codes,
)
from napari_colorkde.core.palette.map_blocks import BLOCK_ROWS, map_blocks, thread_count
from napari_colorkde.core.palette.sorted_rows.distinct_rows import CountedColors
from napari_colorkde.core.palette.sorted_rows.sorting import starts_of_runs

MAX_TABLED = int(np.iinfo(np.uint32).max)
"""8-bit pixels that 32-bit counts hold, were they all of one color: 4 billion."""

FEW_PIXELS = 1 << 19
"""Pixels that are sorted sooner than the table of 16.8 million colors is looked through."""

MANY_PIXELS = 1 << 18
"""Pixels that are worth a table of its own for each thread."""


class ByteCounts:
    """Counts rows of bytes.

    Parameters
    ----------
    n_channels
        C, 1 to 3.
    max_tabled
        Pixels after which 32-bit counts are added to 64-bit ones.
    """

    def __init__(self, n_channels: int, max_tabled: int = MAX_TABLED) -> None:
        self._channels = n_channels
        self._max_tabled = max_tabled
        self._waiting: list[NDArray[np.uint32]] = []
        self._n_waiting = 0
        self._tables: list[NDArray[np.uint32]] = []
        self._tabled = 0
        self._totals: NDArray[np.uint64] | None = None

    def add(self, rows: NDArray[np.uint8]) -> None:
        """Count rows ``(n, C)``."""
        if not self._tables and self._n_waiting + len(rows) < FEW_PIXELS and self._channels == 3:
            self._waiting.append(ordered_byte_codes(rows))
            self._n_waiting += len(rows)
            return
        for start in range(0, len(rows), self._max_tabled):
            self._tabulate(rows[start : start + self._max_tabled])

    def counted(self) -> CountedColors:
        """Return the distinct colors so far and their counts."""
        if not self._tables:
            return _count_sorted(np.concatenate(self._waiting), self._channels)
        self._enter_waiting()
        if self._totals is not None:
            self._carry()
            codes = np.flatnonzero(self._totals).astype(np.uint32)
            return _as_colors(codes, self._totals[codes].astype(np.int64), self._channels)
        return _as_colors(*self._found(), self._channels)

    def _tabulate(self, rows: NDArray[np.uint8]) -> None:
        if self._tabled + len(rows) > self._max_tabled:
            self._carry()
        self._tabled += len(rows)
        loops = LOOPS_OF_COUNTING.after(len(rows)) if self._channels == 3 else None
        rows = np.ascontiguousarray(rows)
        threads = thread_count() if loops is not None and len(rows) >= MANY_PIXELS else 1
        for _ in range(len(self._tables), threads):
            self._tables.append(np.zeros(1 << (8 * self._channels), np.uint32))
        if loops is None:
            for start in range(0, len(rows), BLOCK_ROWS):
                codes = ordered_byte_codes(rows[start : start + BLOCK_ROWS])
                np.add.at(self._tables[0], codes, np.uint32(1))
            return
        # NumPy's loop keeps the GIL; the compiled one does not.
        cuts = np.linspace(0, len(rows), threads + 1).astype(int).tolist()
        parts = [rows[a:b] for a, b in pairwise(cuts)]
        if threads == 1:
            loops.count_rgb(rows, self._tables[0])
            return
        with ThreadPoolExecutor(threads, "count") as pool:
            list(pool.map(loops.count_rgb, parts, self._tables))

    def _enter_waiting(self) -> None:
        for codes in self._waiting:
            np.add.at(self._tables[0], codes, np.uint32(1))
        self._tabled += self._n_waiting
        self._waiting, self._n_waiting = [], 0

    def _carry(self) -> None:
        """Add the 32-bit counts to 64-bit ones."""
        self._tabled = 0
        for table in self._tables:
            if self._totals is None:
                self._totals = np.zeros(len(table), np.uint64)
            self._totals += table
            table[:] = 0

    def _found(self) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """Return the codes that were counted, and their counts."""
        table, *others = self._tables

        def find(block: slice) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
            part = table[block]
            for other in others:
                part = part + other[block]
            at = np.flatnonzero(part != 0)  # of booleans, eight times as fast
            return (at + block.start).astype(np.uint32), part[at].astype(np.int64)

        codes, counts = zip(*map_blocks(find, len(table), 1 << 18), strict=True)
        return np.concatenate(codes), np.concatenate(counts)


def _count_sorted(codes: NDArray[np.uint32], channels: int) -> CountedColors:
    codes.sort()
    first = np.flatnonzero(starts_of_runs(codes))
    return _as_colors(codes.take(first), np.diff(first, append=len(codes)), channels)


def _as_colors(
    codes: NDArray[np.uint32], counts: NDArray[np.int64], channels: int
) -> CountedColors:
    # The first channel is in the highest byte.
    colors = colors_of_byte_codes(codes, channels)[:, ::-1]
    return CountedColors(np.ascontiguousarray(colors), counts)
