"""Many colors in the order of a palette, and kernels that are wide beside their distances.

A mesh in one piece, along the channels. A palette's colors are sorted: those that share two
channels meet the same nodes but for the last axis, so that most of the work is done once for all of
them (`numba_sweep`), and nothing is whitened or sorted. Where few share their first channel, as
floats do, colors are taken one by one (`numba_scattered`). With numba only, for three channels and
diagonal bandwidths; `spreading` does everything else, to the same accuracy.
"""

from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_colorkde.core.device import Device
from napari_colorkde.core.kernel_sums.bricks import LINE, SCALE
from napari_colorkde.core.kernel_sums.bsplines import Scheme
from napari_colorkde.core.kernel_sums.choose_loops import in_threads, loops_for
from napari_colorkde.core.kernel_sums.grids.grid_sums import Mesh
from napari_colorkde.core.kernel_sums.points_in_bricks import ends_of
from napari_colorkde.core.kernel_sums.separable import separable_transform
from napari_colorkde.core.kernel_sums.steps import Steps

FEWEST = 1 << 19
"""Colors from which on it is worth it."""

MAX_NODES = 1 << 25
"""Nodes of the mesh: 134 MB in float32, and three times that while the kernel is carried."""

NODES_A_COLOR = 4
"""Nodes of the mesh for each color up to which bricks, of which only those that matter exist, take
longer."""

COLORS_A_LEVEL = 400
"""Colors of a level of the first channel from which on summing level by level is worth it."""

CELLS = 16
"""Cells along the first axis that a thread spreads together: more than a spline's order."""

READ_TOGETHER = 1 << 18
"""Colors that a thread reads together."""

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """Sums of the kernels of sorted colors at these colors.

    Attributes
    ----------
    colors, counts
        (U, 3), the first channel ascending, and (U,) float32.
    low
        (3,) the least coordinates, where the cells begin.
    cell
        (3,) edges of a cell in image units.
    shape
        Numbers of nodes along the axes; of the last axis with the room that lines take.
    by_level
        Whether colors that share their first channel are summed first.
    """

    colors: NDArray[Any]
    counts: Floats
    low: Doubles
    cell: Doubles
    shape: tuple[int, ...]
    by_level: bool
    scheme: Scheme
    device: Device
    loops: ModuleType

    @classmethod
    def over(
        cls, colors: NDArray[Any], counts: Floats, sigmas: Doubles, scheme: Scheme, device: Device
    ) -> "Sweep | None":
        """Return the sweep over these colors, None where another way is better or there is none."""
        n, channels = colors.shape
        if n < FEWEST or channels != 3 or device.torch_device.type != "cpu":
            return None
        low, high = (np.asarray(ends, np.float64) for ends in ends_of(colors))
        cell = sigmas * scheme.step
        cells = np.floor((high - low) / cell) + 1 + LINE
        if np.prod(cells) > min(NODES_A_COLOR * n, MAX_NODES):
            return None
        if not (colors[1:, 0] >= colors[:-1, 0]).all():
            return None
        n_levels = np.count_nonzero(colors[1:, 0] != colors[:-1, 0]) + 1
        loops = loops_for(n, channels, device)
        if loops is None:
            return None
        shape = cells.astype(int)
        shape[2] += loops.WINDOW
        nodes = tuple(shape.tolist())
        by_level = bool(n >= COLORS_A_LEVEL * n_levels)
        return cls(colors, counts, low, cell, nodes, by_level, scheme, device, loops)

    def mesh(self, center: Doubles) -> Mesh:
        """Return the counts on the mesh, whose nodes are in sigmas from `center`."""
        step = self.scheme.step
        # The first of the nodes that a point meets is half a spline before it.
        before = self.scheme.order // 2 - 1
        starts = (self.low - center) / (self.cell / step)
        nodes = tuple(
            start + step * (np.arange(n, dtype=np.float64) - before)
            for start, n in zip(starts, self.shape, strict=True)
        )
        return Mesh(torch.from_numpy(self._spread()), nodes, self.scheme)

    def sums_in_steps(self) -> Steps[Floats]:
        """Return the sums (U,) at the colors, yielding the part that is done."""
        mesh = torch.from_numpy(self._spread())
        yield 0.3
        # Along an axis a node is reached from all others; those out of reach are left out again.
        farthest = self.scheme.reach + self.scheme.step * self.scheme.order
        matrices = []
        for n in self.shape:
            distance = self.scheme.step * np.subtract.outer(np.arange(n), np.arange(n, dtype=float))
            kernel = self.scheme.deconvolved(distance, 2)
            matrices.append(np.where(np.abs(distance) <= farthest, kernel, 0.0))
        matrices[0] *= SCALE
        matrices[-1] /= SCALE
        mesh = separable_transform(mesh, matrices, self.device)
        yield 0.6
        values = np.ascontiguousarray(self.device.get(mesh), np.float32)
        sums, table = np.empty(len(self.colors), np.float32), self._table
        loop = self.loops.read_levels if self.by_level else self.loops.read_scattered

        def read(rows: slice) -> None:
            loop(*self._places(rows), table, self.scheme.order, values, sums[rows])

        edges = [*range(0, len(sums), READ_TOGETHER), len(sums)]
        in_threads(read, (slice(*ends) for ends in pairwise(edges)))
        return sums

    def _spread(self) -> Floats:
        """Return the counts at the nodes."""
        mesh, table = np.zeros(self.shape, np.float32), self._table
        loop = self.loops.spread_levels if self.by_level else self.loops.spread_scattered

        def spread(rows: slice) -> None:
            places = self._places(rows)
            loop(*places, self.counts[rows], table, self.scheme.order, mesh)

        first = self.colors[:, 0]
        edges = [
            bisect_left(first, cell, key=self._first_cell)
            for cell in range(0, self.shape[0] + CELLS, CELLS)
        ]
        parts = [slice(*ends) for ends in pairwise(edges)]
        # Neighbors meet the same nodes, so never at once.
        for half in (parts[::2], parts[1::2]):
            in_threads(spread, half)
        return mesh

    def _places(self, rows: slice) -> tuple[Doubles, ...]:
        """Return the places (n,) of some colors in cells, axis by axis."""
        part = self.colors[rows]
        return tuple((part[:, a] - self.low[a]) / self.cell[a] for a in range(part.shape[1]))

    def _first_cell(self, value: object) -> int:
        """Return the cell along the first axis: computed as in `_places`."""
        return int((value - self.low[0]) / self.cell[0])

    @property
    def _table(self) -> Floats:
        table, order = np.zeros((LINE, LINE), np.float32), self.scheme.order
        table[:order, :order] = self.scheme.weights(1)
        return table
