"""Scattered points in order of the bricks, groups and cells of a regular mesh.

A *cell* lies between neighboring nodes. A *group* is a cube of a few cells: its points meet the
same nodes. A *brick* is a cube of `EDGE` cells, stored as a whole or not at all: of the space that
a photograph spans, a few percent hold colors.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

EDGE_BITS = 5

EDGE = 1 << EDGE_BITS
"""Cells along a brick: more than a kernel reaches, so that only neighbors matter."""

GROUPS: tuple[int, ...] = (1, 2, 4, 8)
"""Cells along a group: the fewer, the less is multiplied; the more, the more points share it."""

CROWD = 16
"""Points a group should hold on average."""

MAX_BRICKS = 1 << 22
"""Bricks that are numbered: with the groups in them and the points they fit a 63-bit number."""

SLAB = 1 << 18
"""Points placed at a time."""

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Where the bricks of some points are.

    Bricks are numbered by place, last axis fastest. Along an axis, gaps between occupied bricks are
    shortened to two empty ones, so that numbers stay small however far apart points are: one is met
    by points of the brick before, the other keeps the kernels apart.

    Attributes
    ----------
    occupied
        Per axis the sorted coordinates of bricks that hold points.
    shortened
        Per axis what these are numbered as.
    shape
        (C,) numbers of bricks along the axes, one empty brick on each side included.
    """

    occupied: tuple[Integers, ...]
    shortened: tuple[Integers, ...]
    shape: Integers

    @classmethod
    def around(cls, *sets: Array, step: float) -> "Frame":
        """Return the frame of all these points (Q, C)."""
        ends = [ends_of(s) for s in sets]
        low, high = np.min([a for a, _ in ends], axis=0), np.max([b for _, b in ends], axis=0)
        low, high = np.floor(low / (step * EDGE)), np.floor(high / (step * EDGE))
        if np.prod(high - low + 3) < MAX_BRICKS:
            occupied = [np.arange(a, b + 1, dtype=np.int64) for a, b in zip(low, high, strict=True)]
            shortened = [1 + np.arange(len(bricks)) for bricks in occupied]
            return cls(tuple(occupied), tuple(shortened), (high - low + 3).astype(np.int64))
        occupied, shortened = [], []
        for axis in range(sets[0].shape[1]):
            bricks = np.unique(np.concatenate([_distinct_bricks(s[:, axis], step) for s in sets]))
            occupied.append(bricks)
            shortened.append(1 + np.cumsum(np.minimum(np.diff(bricks, prepend=bricks[:1]), 3)))
        shape = np.array([numbers[-1] + 2 for numbers in shortened])
        return cls(tuple(occupied), tuple(shortened), shape)

    @classmethod
    def filled(cls, points: Array, step: float) -> "Frame":
        """Return the frame of all bricks from the lowest to those that the highest points meet."""
        ends = np.floor(np.stack(ends_of(points)) / (step * EDGE))
        low, high = ends.astype(np.int64)
        occupied = tuple(np.arange(a, b + 1) for a, b in zip(low, high, strict=True))
        shape = high - low + 2
        return cls(occupied, tuple(np.arange(n - 1) for n in shape), shape)

    @property
    def is_countable(self) -> bool:
        """Whether there are no more bricks than `MAX_BRICKS`."""
        return float(np.prod(self.shape.astype(np.float64))) < MAX_BRICKS

    @property
    def strides(self) -> Integers:
        """What separates the numbers of neighbors along each axis, (C,)."""
        return np.append(np.cumprod(self.shape[:0:-1])[::-1], 1)

    @property
    def offsets_around(self) -> Integers:
        """What a brick's number differs by from its own and its neighbors', (3^C,)."""
        offsets = np.zeros(1, np.int64)
        for stride in self.strides:
            offsets = np.add.outer(offsets, stride * np.array([-1, 0, 1])).ravel()
        return offsets

    def number(self, bricks: Integers) -> Integers:
        """Return the numbers of bricks (C, n)."""
        total = np.zeros(bricks.shape[1], np.int64)
        for axis, stride in enumerate(self.strides):
            occupied, shortened = self.occupied[axis], self.shortened[axis]
            if shortened[-1] - shortened[0] == occupied[-1] - occupied[0]:  # without gaps
                total += (bricks[axis] + (shortened[0] - occupied[0])) * stride
            else:
                total += shortened[np.searchsorted(occupied, bricks[axis])] * stride
        return total


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """Q points in the order of their groups, and which run of them each of G groups holds.

    Attributes
    ----------
    points
        (Q, C).
    step
        Edge of a cell.
    order
        (Q,) the points' rows.
    first, size
        (G,) each group's run.
    brick
        (G,) number of the brick it lies in; ascending.
    corner
        (G, C) its first cell within the brick.
    group
        Cells along a group.
    """

    points: Array
    step: float
    order: Integers
    first: Integers
    size: Integers
    brick: Integers
    corner: Integers
    group: int

    @classmethod
    def of(cls, points: Array, frame: Frame, step: float) -> "Placement":
        """Put points (Q, C) in order. O(Q log Q)."""
        n, channels = points.shape
        codes, cell = np.empty(n, np.int64), np.empty((channels, n), np.uint8)
        for start in range(0, n, SLAB):
            part = slice(start, start + SLAB)
            cells = np.floor(points[part].T / step).astype(np.int64)
            cell[:, part] = cells & (EDGE - 1)
            codes[part] = frame.number(cells >> EDGE_BITS)
        group = _group_for(codes, cell)
        per_edge = EDGE // group
        for axis in range(channels):
            codes *= per_edge
            codes += cell[axis] // group
        order, codes = sort_codes(codes)
        first = np.flatnonzero(np.diff(codes, prepend=-1))
        brick, corner = np.divmod(codes[first], per_edge**channels)
        within = np.unravel_index(corner, (per_edge,) * channels)
        corner = group * np.stack(within, axis=1)
        return cls(points, step, order, first, np.diff(first, append=n), brick, corner, group)

    @property
    def n_points(self) -> int:
        """Number of points in these groups."""
        return int(self.size.sum())

    @property
    def bricks(self) -> tuple[Integers, Integers]:
        """The bricks that hold points, ascending, and how many points each has."""
        numbers, first, last = self.runs
        return numbers, last - first

    @property
    def runs(self) -> tuple[Integers, Integers, Integers]:
        """The bricks that hold points, ascending, and the run of the order that each has."""
        first = np.flatnonzero(np.diff(self.brick, prepend=-1))
        start = self.first[first]
        return self.brick[first], start, start + np.add.reduceat(self.size, first)

    def within_cells(self, rows: Integers, corner: Integers) -> tuple[Integers, Array]:
        """Return which cells of a group points lie in, and where in these, from −½ to ½.

        Parameters
        ----------
        rows, corner
            (n, b) points, and (n, C) of the group that each row of them lies in.

        Returns
        -------
        (n, b, C) from 0 to group − 1, and (n, b, C).
        """
        place = self.points[rows]
        place /= self.step
        cells = np.floor(place)
        place -= cells
        place -= 0.5
        return (cells.astype(np.int64) & (EDGE - 1)) - corner[:, np.newaxis], place

    @property
    def rows(self) -> Integers:
        """Rows of the points in these groups."""
        places = np.repeat(self.first - np.cumsum(self.size) + self.size, self.size)
        return self.order[places + np.arange(len(places))]

    def only_in(self, bricks: Integers) -> "Placement":
        """Return the groups in these bricks (sorted numbers); points stay where they are."""
        at = np.minimum(np.searchsorted(bricks, self.brick), len(bricks) - 1)
        keep = bricks[at] == self.brick
        return replace(
            self,
            first=self.first[keep],
            size=self.size[keep],
            brick=self.brick[keep],
            corner=self.corner[keep],
        )


def ends_of(points: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the least and the largest coordinates of points (Q, C), (C,) each.

    Axis by axis: NumPy goes through three columns at once many times as slowly.
    """
    columns = points.T
    return np.array([c.min() for c in columns]), np.array([c.max() for c in columns])


def sort_codes(codes: Integers) -> tuple[Integers, Integers]:
    """Return an order in which codes (non-negative) ascend, and the codes in it.

    Where a code and its row fit one integer, sorting those is ten times as fast as `argsort`.
    """
    bits = len(codes).bit_length()
    if len(codes) and int(codes.max()) >> (63 - bits):
        order = np.argsort(codes, kind="stable")
        return order, codes[order]
    packed = codes << bits
    packed |= np.arange(len(codes))
    packed.sort()
    return packed & ((1 << bits) - 1), packed >> bits


def _distinct_bricks(coordinates: Array, step: float) -> Integers:
    bricks = np.floor(coordinates / (step * EDGE)).astype(np.int64)
    low, high = int(bricks.min()), int(bricks.max())
    if high - low > 1 << 20:
        return np.unique(bricks)
    return low + np.flatnonzero(np.bincount(bricks - low))


def _group_for(bricks: Integers, cell: NDArray[np.uint8]) -> int:
    """Return the smallest group that holds enough points: guessed from some of them."""
    sample = slice(None, None, max(1, len(bricks) >> 18))
    for group in GROUPS[:-1]:
        code = bricks[sample].copy()
        for axis in cell:
            code = code * (EDGE // group) + axis[sample] // group
        if len(bricks) >= CROWD * _number_of_groups(code):
            return group
    return GROUPS[-1]


def _number_of_groups(sample: Integers) -> float:
    """Return how many groups there are by those a sample met (Chao 1984): it misses some."""
    counts = np.unique(sample, return_counts=True)[1]
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    return len(counts) + once**2 / (2 * max(twice, 1))


def batches(
    placement: Placement, size: int, together: int
) -> Iterator[tuple[Integers, Integers, NDArray[np.bool_]]]:
    """Yield `together` batches at a time of up to `size` points that share a group.

    Yields
    ------
    groups (n,), places (n, size) in the order of the placement, and which of them are real: short
    batches repeat their last point.
    """
    per_group = -(-placement.size // size)
    groups = np.repeat(np.arange(len(per_group)), per_group)
    number = np.arange(len(groups)) - np.repeat(np.cumsum(per_group) - per_group, per_group)
    last = placement.first + placement.size - 1
    step = np.arange(size)
    for start in range(0, len(groups), together):
        here = groups[start : start + together]
        first = placement.first[here] + size * number[start : start + together]
        places = first[:, np.newaxis] + step
        is_real = places <= last[here, np.newaxis]
        yield here, np.minimum(places, last[here, np.newaxis]), is_real
