"""The log densities of two palettes at the points of one grid, as exact as divergences need.

Sums that the grid does not hold are made again from the colors, in the order of what they add.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.checks.covariance import log_normalizer
from napari_colorkde.core.device import Device
from napari_colorkde.core.kernel_sums.grids.grid_logs import MeshSums
from napari_colorkde.core.kernel_sums.kernel_sums import KernelSums, kernel_sums
from napari_colorkde.core.kernel_sums.lattice_sums import FLOAT32_FLOOR, LatticeSums
from napari_colorkde.core.kernel_sums.spread_sums import SpreadSums
from napari_colorkde.core.palette.palette import Palette

Axes = tuple[NDArray[np.float64], ...]

REACH = 6.0
"""Standard deviations the grid reaches beyond the colors: 1e-9 of the mass is outside."""

SPACINGS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8)
"""Grid spacings in standard deviations. At the widest the trapezoid rule errs by 4e-14 of a
Gaussian and, on photographs, by 1e-5 of ``f_a log(f_a / f_b)``. But halfway between far colors of
b the log has a kink, and the rule errs by spacing² · (distance of those colors) · f_a / 12."""

FINE_POINTS = 1 << 19
"""The finest spacing is taken whose grid has no more points than this; if none has, the widest."""

MAX_POINTS = 1 << 28
"""Grid points at most: those of 8-bit colors at a bandwidth of 0.6 levels."""

SLAB_POINTS = 1 << 23
"""Grid points summed at a time: 64 MB for each density."""

SIGNIFICANT = 1e-9
"""Fraction of the peak below which the first density's share of the integral is left out."""

ALLOWED_NATS, ALLOWED_PART = 1e-5, 2e-5
"""Nats, and part of a divergence, that logs on the grid may add to its error: the points that add
most are summed from the colors themselves until the rest is within."""

TINY = 1e-300
"""What is put in the place of sums that underflow, until they are summed from the colors."""


def grid_of_both(palettes: list[Palette], covariance: NDArray[np.float64]) -> Axes:
    """Return the axes of the finest grid allowed that reaches beyond the colors of both."""
    sigmas = np.sqrt(np.diag(covariance))
    # The narrowest direction of a full covariance sets the spacing of every axis.
    narrow = 1 / np.sqrt(np.diag(np.linalg.inv(covariance)))
    low = np.min([p.colors.min(axis=0) for p in palettes], axis=0) - REACH * sigmas
    high = np.max([p.colors.max(axis=0) for p in palettes], axis=0) + REACH * sigmas
    for spacing in SPACINGS:
        step = spacing * narrow
        lengths = np.ceil((high - low) / step) + 1
        if lengths.prod() <= FINE_POINTS:
            break
    if lengths.prod() > MAX_POINTS:
        raise ValueError(
            f"bandwidth {[float(f'{s:.3g}') for s in narrow]} is narrow compared with the colors' "
            f"range: the integral would need {lengths.prod():.3g} points, more than {MAX_POINTS}. "
            "Give a wider bandwidth."
        )
    return tuple(a + s * np.arange(n) for a, s, n in zip(low, step, lengths, strict=True))


def log_densities(
    a: Palette,
    b: Palette,
    covariance: NDArray[np.float64],
    axes: Axes,
    device: Device,
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Log densities of both at the grid points where either is significant, slab by slab.

    Yields
    ------
    log_a, log_b
        ``(n,)`` each.
    """
    sides = [_Side.of(p, covariance, device) for p in (a, b)]
    slabs = list(_slabs(axes))
    first = [side.on_grid(slabs[0]) for side in sides]
    peaks = [values.max() for values in first]
    for slab in slabs[1:]:
        # Twice, since what is significant is known only at the end; keeping all takes gigabytes.
        peaks = [
            max(peak, side.on_grid(slab).max()) for peak, side in zip(peaks, sides, strict=True)
        ]
    cell = float(np.prod([axis[1] - axis[0] for axis in axes]))
    scale = log_normalizer(covariance)
    for number, slab in enumerate(slabs):
        on_grid = first if number == 0 else [side.on_grid(slab) for side in sides]
        first = []
        keep = np.zeros(on_grid[0].shape, bool)
        for values, peak in zip(on_grid, peaks, strict=True):
            keep |= values > SIGNIFICANT * peak
        places = np.nonzero(keep)
        if not len(places[0]):
            continue
        points = np.stack([axis[i] for axis, i in zip(slab, places, strict=True)], axis=1)
        found = [values[keep].astype(np.float64) for values in on_grid]
        logs = [
            np.log(np.maximum(values, TINY)) - np.log(side.palette.total_weight) - scale
            for values, side in zip(found, sides, strict=True)
        ]
        mass = sum(np.exp(log) for log in logs) * cell
        # Both divergences are sums of such terms, of which none is negative.
        differences = logs[0] - logs[1]
        allowed = [
            ALLOWED_NATS
            + ALLOWED_PART * cell * float(np.sum(np.exp(p) * d - np.exp(p) + np.exp(q)))
            for p, q, d in ((logs[1], logs[0], -differences), (logs[0], logs[1], differences))
        ]
        for side, values, log, most in zip(sides, found, logs, allowed, strict=True):
            errors = mass * side.log_errors(values)
            order = np.argsort(errors)
            again = order[np.cumsum(errors[order]) > most / len(slabs)]
            if len(again):
                exact = side.log_at(points[again]) - np.log(side.palette.total_weight)
                log[again] = exact - scale
        yield logs[0], logs[1]


def _slabs(axes: Axes) -> Iterator[Axes]:
    """Cut a grid across its first axis."""
    rows = max(1, SLAB_POINTS // max(1, int(np.prod([len(axis) for axis in axes[1:]]))))
    for start in range(0, len(axes[0]), rows):
        yield axes[0][start : start + rows], *axes[1:]


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """The sums of one image's kernels on grids, and at the points where a grid's do not do."""

    palette: Palette
    sums: KernelSums
    mesh: MeshSums | None

    @classmethod
    def of(cls, palette: Palette, covariance: NDArray[np.float64], device: Device) -> "_Side":
        sums = kernel_sums(palette, covariance, device)
        mesh = sums.for_logs_on_grids() if isinstance(sums, SpreadSums) else None
        return cls(palette, sums, mesh)

    def on_grid(self, axes: Axes) -> NDArray[Any]:
        """Sums on a grid."""
        return self.sums.on_grid(axes) if self.mesh is None else self.mesh.on_grid(axes)

    def log_errors(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the logs of sums on a grid may be off by, infinite where nothing is known."""
        if self.mesh is not None:
            return self.mesh.log_errors(values)
        if not isinstance(self.sums, LatticeSums):
            return np.full(len(values), np.inf)
        # On a lattice all terms are positive: the sums are good to 1e-6 of themselves.
        return np.where(values < FLOAT32_FLOOR * self.palette.total_weight, np.inf, 0.0)

    def log_at(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log sums at points where those on the grid do not do."""
        if self.mesh is not None and isinstance(self.sums, SpreadSums):
            return self.sums.log_directly_at(points)
        return self.sums.log_at(points)
