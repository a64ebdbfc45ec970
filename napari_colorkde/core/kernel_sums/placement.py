"""Scattered points in order of the bricks, groups and cells of a regular mesh.

A *cell* lies between neighboring nodes. A *group* is a cube of a few cells: its points meet the
same nodes. A *brick* is a cube of `EDGE` cells, stored as a whole or not at all: of the space that
a photograph spans, a few percent hold colors.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EDGE = 32
"""Cells along a brick: more than a kernel reaches, so that only neighbors matter."""

GROUPS: tuple[int, ...] = (1, 2, 4, 8)
"""Cells along a group: the fewer, the less is multiplied; the more, the more points share it."""

CROWD = 16
"""Points a group should hold on average."""

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
        ends = np.floor(np.stack([points.min(axis=0), points.max(axis=0)]) / (step * EDGE))
        low, high = ends.astype(np.int64)
        occupied = tuple(np.arange(a, b + 1) for a, b in zip(low, high, strict=True))
        shape = high - low + 2
        return cls(occupied, tuple(np.arange(n - 1) for n in shape), shape)

    @property
    def is_countable(self) -> bool:
        """Whether bricks, the groups in them and the points fit one 63-bit number."""
        return float(np.prod(self.shape.astype(np.float64))) < 1 << 22

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
            place = np.searchsorted(self.occupied[axis], bricks[axis])
            total += self.shortened[axis][place] * stride
        return total


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """Q points in the order of their groups, and which run of them each of G groups holds.

    Attributes
    ----------
    order
        (Q,) the points' rows.
    place
        (C, Q) float32: where in its cell each is, from −½ to ½, in this order.
    cell
        (C, Q) uint8: which cell of its group that is.
    first, size
        (G,) each group's run.
    brick
        (G,) number of the brick it lies in; ascending.
    corner
        (G, C) its first cell within the brick.
    group
        Cells along a group.
    """

    order: Integers
    place: NDArray[np.float32]
    cell: NDArray[np.uint8]
    first: Integers
    size: Integers
    brick: Integers
    corner: Integers
    group: int

    @classmethod
    def of(cls, points: Array, frame: Frame, step: float) -> "Placement":
        """Put points (Q, C) in order. O(Q log Q)."""
        n, channels = points.shape
        codes = np.empty(n, np.int64)
        place, cell = np.empty((channels, n), np.float32), np.empty((channels, n), np.uint8)
        for start in range(0, n, SLAB):
            part = slice(start, start + SLAB)
            cells, place[:, part] = _cells(points[part].T, step)
            cell[:, part] = cells % EDGE
            codes[part] = frame.number(cells // EDGE)
        group = _group_for(codes, cell)
        per_edge = EDGE // group
        for axis in range(channels):
            codes = codes * per_edge + cell[axis] // group
        order, codes = sort_codes(codes)
        first = np.flatnonzero(np.diff(codes, prepend=-1))
        brick, corner = np.divmod(codes[first], per_edge**channels)
        within = np.unravel_index(corner, (per_edge,) * channels)
        return cls(
            order,
            np.take(place, order, axis=1),
            np.take(cell, order, axis=1) % np.uint8(group),
            first,
            np.diff(first, append=n),
            brick,
            group * np.stack(within, axis=1),
            group,
        )

    @property
    def bricks(self) -> tuple[Integers, Integers]:
        """The bricks that hold points, ascending, and how many points each has."""
        first = np.flatnonzero(np.diff(self.brick, prepend=-1))
        return self.brick[first], np.add.reduceat(self.size, first)

    @property
    def rows(self) -> Integers:
        """Rows of the points in these groups."""
        places = np.repeat(self.first - np.cumsum(self.size) + self.size, self.size)
        return self.order[places + np.arange(len(places))]

    def only_in(self, bricks: Integers) -> "Placement":
        """Return the groups in these bricks (sorted numbers); points stay where they are."""
        at = np.minimum(np.searchsorted(bricks, self.brick), len(bricks) - 1)
        keep = bricks[at] == self.brick
        parts = (self.first[keep], self.size[keep], self.brick[keep], self.corner[keep])
        return Placement(self.order, self.place, self.cell, *parts, self.group)


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


def _cells(coordinates: Array, step: float) -> tuple[Integers, NDArray[np.float32]]:
    """Return the cells that coordinates lie in, and where in them, from −½ to ½."""
    scaled = coordinates / step
    cells = np.floor(scaled)
    scaled -= cells
    scaled -= 0.5
    return cells.astype(np.int64), scaled.astype(np.float32)


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
