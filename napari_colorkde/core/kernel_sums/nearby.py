"""Sums over colors within a fixed distance, pair by pair: for kernels that reach few of them.

Points and colors lie in columns along the last axis, and are cut into runs of neighbors. What a run
of points reaches are some runs of each column around it. Pairs of runs are evaluated as batched
matrix products and exponentials.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from types import ModuleType

import numpy as np
import torch
from numpy.typing import NDArray

from napari_colorkde.core.device import Device
from napari_colorkde.core.kernel_sums.choose_loops import in_threads, loops_for, shares
from napari_colorkde.core.kernel_sums.points_in_bricks import Integers, sort_codes
from napari_colorkde.core.palette.map_blocks import map_blocks

RUN = 16
"""Most points of a run."""

COLOR_RUN = 32
"""Most colors of a run."""

PAIRS = 1 << 19
"""Pairs evaluated at a time: 2 MB in float32, so that they stay in the cache."""

CANDIDATES = 1 << 20
"""Pairs of runs looked at together."""

RUNS_TOGETHER = 1 << 12
"""Runs whose points are gathered in one go."""

SECTIONS = 4
"""Sections of a column along its width."""

ROOT = 1 / np.sqrt(np.log(2))
"""What coordinates are multiplied by: torch's exp2 is four times as fast as its exp."""

Array = NDArray[np.float64]


def nearby_sums(
    points: Array, colors: Array, counts: NDArray[np.float32], reach: float, device: Device
) -> NDArray[np.float32]:
    """Return the unit Gaussian's sums over the colors within reach of each point, (Q,).

    Parameters
    ----------
    points, colors
        (Q, C) and (U, C) whitened coordinates.
    counts
        (U,), not negative.
    reach
        Colors further away than this may be left out.

    Notes
    -----
    To 1e-5 of what is summed. O((Q + U) log U + pairs within reach).
    """
    columns = Columns.around(points, colors, reach)
    here, there = columns.runs(points, RUN), columns.runs(colors, COLOR_RUN)
    loops = loops_for(len(points), points.shape[1], device)
    if loops:
        sums = _looped_sums(loops, columns, here, there, points, colors, counts)
    else:
        sums = _multiplied_sums(columns, here, there, points, colors, counts, device)
    result = np.zeros(len(points), np.float32)
    result[here.rows[here.is_real]] = sums[here.is_real]
    return result


def _multiplied_sums(
    columns: "Columns",
    here: "Runs",
    there: "Runs",
    points: Array,
    colors: Array,
    counts: NDArray[np.float32],
    device: Device,
) -> NDArray[np.float32]:
    """Return the sums (n, RUN) at the points of runs, by matrix products."""
    # About the middle of a run the square may be expanded: what cancels is of the reach's size.
    left, right = device.put(here.offsets(points)), device.put(there.offsets(colors))
    with np.errstate(divide="ignore"):
        logs = np.where(there.is_real, np.log2(counts[there.rows]), -np.inf)
    level = device.put(logs) - 0.5 * right.square().sum(dim=-1)
    right = torch.cat([right, level[..., None]], dim=-1).transpose(1, 2).contiguous()
    sums = left.new_zeros(left.shape[:2])
    together = PAIRS // (RUN * COLOR_RUN)
    for pair in columns.pairs(here, there):
        shift = device.put((here.middle[pair[0]] - there.middle[pair[1]]) * ROOT)
        run, other = (device.put(runs, torch.int64) for runs in pair)
        for part in range(0, len(run), together):
            own = run[part : part + together]
            place = left.index_select(0, own) + shift[part : part + together, None]
            extended = torch.cat([place, torch.ones_like(place[..., :1])], dim=-1)
            terms = torch.bmm(extended, right.index_select(0, other[part : part + together]))
            terms.sub_(0.5 * place.square().sum(dim=-1, keepdim=True))
            sums.index_add_(0, own, terms.exp2_().sum(dim=-1))
    return np.asarray(device.get(sums), np.float32)


def _looped_sums(
    loops: ModuleType,
    columns: "Columns",
    here: "Runs",
    there: "Runs",
    points: Array,
    colors: Array,
    counts: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return the same by compiled loops, which leave out what is too far from single points."""
    left = here.offsets(points)
    right = np.ascontiguousarray(there.offsets(colors).transpose(0, 2, 1))
    amounts = np.where(there.is_real, counts[there.rows], np.float32(0))
    extent = (there.extent * ROOT).astype(np.float32)
    sums, size = np.zeros(left.shape[:2], np.float32), here.is_real.sum(axis=1)
    limit = np.float32((columns.reach * ROOT) ** 2)
    fixed = (left, size, here.middle, right, amounts, there.middle, extent, ROOT, limit, sums)

    def add(pair: tuple[Integers, Integers]) -> None:
        loops.add_pairs(*pair, *fixed)

    for run, other in columns.pairs(here, there):
        # A thread has all pairs of a run, so that none adds to the same sums as another.
        ends = np.searchsorted(run, run[shares(len(run))])
        in_threads(add, zip(np.split(run, ends), np.split(other, ends), strict=True))
    return sums


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """n runs of up to b neighbors in a column.

    Attributes
    ----------
    rows, is_real
        (n, b): the points of each run; False where a short run repeats its last.
    middle, extent
        (n, C): center and half the edges of the box around each.
    sections
        (n, C): numbers of the column along all axes but the last, and of the first section.
    first, last
        (n,): codes of the first and the last point's sections, ascending.
    """

    rows: Integers
    is_real: NDArray[np.bool_]
    middle: Array
    extent: Array
    sections: Integers
    first: Integers
    last: Integers

    def offsets(self, points: Array) -> NDArray[np.float32]:
        """Return where points lie from their runs' middles, times `ROOT`, (n, b, C)."""
        offsets = np.empty((*self.rows.shape, points.shape[1]), np.float32)

        def write(part: slice) -> None:
            away = points[self.rows[part]] - self.middle[part, np.newaxis]
            np.multiply(away, ROOT, out=offsets[part], casting="same_kind")

        map_blocks(write, len(offsets), RUNS_TOGETHER)
        return offsets


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """How space is cut into columns and these into sections.

    Attributes
    ----------
    sizes
        (C,) a column's edges; along the last axis the length of a section.
    occupied, shortened
        Per axis the sections that hold points, and what they are numbered as: gaps wider than
        `reach` are shortened to it, so that numbers stay small however far apart points are.
    strides
        (C,) what makes one code of C numbers.
    """

    reach: float
    sizes: Array
    occupied: tuple[Integers, ...]
    shortened: tuple[Integers, ...]
    strides: Integers

    @classmethod
    def around(cls, points: Array, colors: Array, reach: float) -> "Columns":
        """Return columns for both, about as wide as a run of points is long."""
        channels = points.shape[1]
        sample = points[:: max(1, len(points) >> 16)]
        per_cube = len(points) / len(np.unique(np.floor(sample / reach), axis=0))
        edge = reach * float(np.clip((RUN / per_cube) ** (1 / channels), 0.25, 2.0))
        sizes = np.array([edge] * (channels - 1) + [edge / SECTIONS])
        occupied, shortened, shape = [], [], []
        for axis, size in enumerate(sizes):
            both = [np.unique(np.floor(s[:, axis] / size)) for s in (points, colors)]
            sections = np.union1d(*both).astype(np.int64)
            gap = int(np.ceil(reach / size)) + SECTIONS
            steps = np.minimum(np.diff(sections, prepend=sections[0]), gap)
            occupied.append(sections)
            shortened.append(gap + np.cumsum(steps))
            shape.append(int(shortened[-1][-1]) + gap + 1)
        strides = np.append(np.cumprod(shape[:0:-1])[::-1], 1).astype(np.int64)
        return cls(reach, sizes, tuple(occupied), tuple(shortened), strides)

    def runs(self, points: Array, size: int) -> Runs:
        """Cut points into runs no longer than the reach."""
        sections = np.empty(points.shape, np.int64)
        for axis, edge in enumerate(self.sizes):
            place = np.searchsorted(self.occupied[axis], np.floor(points[:, axis] / edge))
            sections[:, axis] = self.shortened[axis][place]
        order, codes = sort_codes(sections @ self.strides)
        length = int(np.ceil(self.reach / self.sizes[-1]))
        stretch = sections[order, -1] // length
        is_new = np.diff(codes - sections[order, -1], prepend=-1) != 0  # another column
        is_new |= np.diff(stretch, prepend=-1) != 0
        starts = np.flatnonzero(is_new)
        lengths = np.diff(starts, append=len(codes))
        per_start = -(-lengths // size)
        which = np.repeat(np.arange(len(starts)), per_start)
        number = np.arange(len(which)) - np.repeat(np.cumsum(per_start) - per_start, per_start)
        first = starts[which] + size * number
        last = np.minimum(first + size, starts[which] + lengths[which]) - 1
        places = first[:, np.newaxis] + np.arange(size)
        is_real = places <= last[:, np.newaxis]
        rows = order[np.minimum(places, last[:, np.newaxis])]
        middle, extent = _boxes_around(points, rows)
        return Runs(
            rows, is_real, middle, extent, sections[rows[:, 0]], codes[first], codes[last]
        )  # fmt: skip

    def pairs(self, here: Runs, there: Runs) -> Iterator[tuple[Integers, Integers]]:
        """Yield pairs of runs within reach of each other."""
        channels = len(self.strides)
        along = int(np.ceil(self.reach / self.sizes[-1]))
        length = here.last - here.first
        for start in range(0, len(here.rows), CANDIDATES >> 4):
            mine = slice(start, start + (CANDIDATES >> 4))
            far = [int(np.ceil(self.reach / size)) for size in self.sizes[:-1]]
            for shift in product(*(range(-n, n + 1) for n in far)):
                gaps = self.sizes[:-1] * np.maximum(np.abs(np.array(shift, float)) - 1, 0)
                if gaps @ gaps > self.reach**2:
                    continue
                column = here.first[mine] + np.array(shift, np.int64) @ self.strides[:-1]
                begin = np.searchsorted(there.last, column - along)
                end = np.searchsorted(
                    there.first, column + length[mine] + along, side="right"
                )  # fmt: skip
                per_run = np.maximum(end - begin, 0)
                run = np.repeat(np.arange(len(per_run)), per_run)
                number = np.arange(len(run)) - np.repeat(np.cumsum(per_run) - per_run, per_run)
                other, run = begin[run] + number, run + start
                distance = np.zeros(len(run))
                for axis in range(channels):
                    gap = np.abs(here.middle[run, axis] - there.middle[other, axis])
                    gap -= here.extent[run, axis] + there.extent[other, axis]
                    distance += np.square(np.maximum(gap, 0, out=gap))
                is_near = distance <= self.reach**2
                if is_near.any():
                    yield run[is_near], other[is_near]


def _boxes_around(points: Array, rows: Integers) -> tuple[Array, Array]:
    """Return the middles and half the edges (n, C) of the boxes around runs of points (n, b)."""
    middle, extent = (np.empty((len(rows), points.shape[1])) for _ in range(2))

    def write(part: slice) -> None:
        own = points[rows[part]]
        low, high = own.min(axis=1), own.max(axis=1)
        middle[part], extent[part] = (low + high) / 2, (high - low) / 2

    map_blocks(write, len(rows), RUNS_TOGETHER)
    return middle, extent
