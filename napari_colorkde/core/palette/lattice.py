"""Color lattices: the grid of each channel's distinct values, and sums over it.

At most 256³ nodes for 8-bit colors, whatever the number of pixels, and photographs leave most of
them empty: two of three lines along the first axis pass through no color at all. The separable
transform (`kernel_sums.separable`) therefore starts from the *lines* that do.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_colorkde.core.checks.channels import MAX_GRID_CHANNELS
from napari_colorkde.core.device import Device, without_denormals

MAX_NODES = 1 << 24
"""Largest lattice kept dense: 64 MB in float32, that of all 8-bit RGB colors."""

MAX_LEVELS = 1 << 11
"""Most values along one axis: a Gaussian matrix of them is 34 MB in float64."""

GROUPS = 16
"""Levels with about as many lines are multiplied together: many small products wait too often."""


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """The grid of each channel's distinct values, and where the colors lie on it.

    Grids of sums have their axes in reverse order, the first channel last: along it the lines lie.

    Attributes
    ----------
    levels
        C sorted arrays of float64: the coordinates along each axis.
    lines
        ``(M,)`` int64: the lines along the first axis that pass through a color, as sorted flat
        positions on the grid of the other axes.
    line
        ``(U,)`` int64: on which of them each palette entry lies.
    position
        ``(U,)`` int64: flat position of each palette entry in the grid, axes reversed.
    """

    levels: tuple[NDArray[np.float64], ...]
    lines: NDArray[np.int64]
    line: NDArray[np.int64]
    position: NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of nodes along each axis."""
        return tuple(map(len, self.levels))

    def scatter(self, values: NDArray[Any], device: Device, dtype: torch.dtype) -> torch.Tensor:
        """Put one value per palette entry ``(U,)`` on the lines ``(M, n_0)``, zero elsewhere."""
        n = len(self.levels[0])
        grid = np.zeros(len(self.lines) * n, np.float32 if dtype == torch.float32 else None)
        grid[self.line * n + self.position % n] = values
        return device.put(grid, dtype).reshape(-1, n)

    def gather(self, grid: torch.Tensor, device: Device) -> NDArray[Any]:
        """Read one value per palette entry ``(U,)`` off a grid ``(n_{C−1}, …, n_0)``."""
        return device.get(grid).reshape(-1)[self.position]

    def across(
        self, lines: torch.Tensor, matrix: NDArray[np.float64], device: Device
    ) -> torch.Tensor:
        """Multiply the last axis by ``(m, n_{C−1})``: lines ``(M, k)`` to ``(m, n_1, k)``.

        Only the lines that are there are multiplied. With two channels n_1 is 1.
        """
        n_last = len(self.levels[-1])
        before, place = np.divmod(self.lines, n_last)
        starts = np.flatnonzero(np.diff(before, prepend=-1))  # every level has its lines
        counts = np.diff(starts, append=len(place))
        # A row more, of zeros, for levels with fewer lines than others of their group.
        rows = np.vstack([without_denormals(matrix, lines.dtype).T, np.zeros(len(matrix))])
        table = device.put(rows, lines.dtype)
        grid = lines.new_empty(len(matrix), len(starts), lines.shape[1])
        for group in np.array_split(np.argsort(counts, kind="stable"), min(GROUPS, len(starts))):
            step = np.arange(counts[group].max())
            there = step < counts[group, np.newaxis]
            chosen = np.where(there, starts[group, np.newaxis] + step, 0)
            own = device.put(np.where(there, place[chosen], n_last).ravel(), torch.int64)
            columns = table.index_select(0, own).reshape(*there.shape, -1)
            taken = lines.index_select(0, device.put(chosen.ravel(), torch.int64))
            products = columns.transpose(1, 2) @ taken.reshape(*there.shape, -1)
            grid[:, device.put(group, torch.int64)] = products.transpose(0, 1)
        return grid

    def spread_out(self, lines: torch.Tensor, device: Device) -> torch.Tensor:
        """Put lines ``(M, k)`` where they belong on the whole grid ``(n_{C−1}, n_1, k)``."""
        n_last = len(self.levels[-1])
        before, place = np.divmod(self.lines, n_last)
        n_before = int(before[-1]) + 1
        rows = device.put(place * n_before + before, torch.int64)
        grid = lines.new_zeros(n_last * n_before, lines.shape[1])
        return grid.index_copy(0, rows, lines).reshape(n_last, n_before, -1)


def lattice_of(colors: NDArray[Any]) -> Lattice | None:
    """The lattice of colors ``(U, C)``; None beyond `MAX_NODES` nodes or `MAX_LEVELS` an axis.

    None of more than three channels, too.
    """
    n_channels = colors.shape[1]
    if n_channels > MAX_GRID_CHANNELS:
        return None
    levels, ranks, n_nodes = [], [], 1
    if colors.dtype == np.uint16 and not _fits(colors):
        return None
    for c in range(n_channels):
        values, rank = distinct_values(colors[:, c])
        n_nodes *= len(values)
        if n_nodes > MAX_NODES or len(values) > MAX_LEVELS:
            return None
        levels.append(values.astype(np.float64))
        ranks.append(rank)
    place, position = (np.zeros(len(colors), np.int64) for _ in range(2))
    for c in range(1, n_channels):
        place = place * len(levels[c]) + ranks[c]
    for c in reversed(range(n_channels)):
        position = position * len(levels[c]) + ranks[c]
    is_used = np.zeros(n_nodes // len(levels[0]), bool)
    is_used[place] = True
    line = np.cumsum(is_used)[place] - 1
    return Lattice(tuple(levels), np.flatnonzero(is_used), line, position)


def _fits(colors: NDArray[Any]) -> bool:
    """Whether integers lie on a lattice within the limits, found without their ranks."""
    lengths = [len(_distinct_integers(column)) for column in colors.T]
    return max(lengths) <= MAX_LEVELS and math.prod(lengths) <= MAX_NODES


def distinct_values(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Distinct values, sorted, and which of them each value is; integers are not sorted for it."""
    if values.dtype not in (np.uint8, np.uint16):
        return np.unique(values, return_inverse=True)
    levels = _distinct_integers(values)
    rank = np.zeros(np.iinfo(values.dtype).max + 1, np.int64)
    rank[levels] = np.arange(len(levels))
    return levels, rank[values]


def _distinct_integers(values: NDArray[Any]) -> NDArray[Any]:
    is_there = np.zeros(np.iinfo(values.dtype).max + 1, bool)
    is_there[values] = True
    return np.flatnonzero(is_there).astype(values.dtype)
