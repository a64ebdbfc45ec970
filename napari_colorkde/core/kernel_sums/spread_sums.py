"""Kernel sums of any colors and any bandwidth, by spreading in whitened coordinates."""

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.checks.covariance import needs_diagonal
from napari_colorkde.core.device import Device
from napari_colorkde.core.kernel_sums import spreading
from napari_colorkde.core.kernel_sums.bsplines import TO_ITSELF, TO_PEAK, Scheme
from napari_colorkde.core.kernel_sums.grids import grid_sums
from napari_colorkde.core.kernel_sums.grids.grid_logs import MeshSums
from napari_colorkde.core.kernel_sums.points_in_bricks import ends_of
from napari_colorkde.core.kernel_sums.separable import Sampling
from napari_colorkde.core.kernel_sums.steps import Steps, between, value_of
from napari_colorkde.core.kernel_sums.swept.sweep import Sweep
from napari_colorkde.core.kernel_sums.tails.direct import log_or_direct, log_sums
from napari_colorkde.core.palette.palette import Palette

SPREAD_FLOOR = 3e-9
"""Times N: the smallest sum good to 1e-4 of itself; below it the colors lie 6.3 sigma away."""

OTHERS_FLOOR = 0.05
"""Times the whole sum: the smallest rest that subtraction leaves within 5e-5 of itself."""

SLAB_POINTS = 1 << 22
"""Grid points taken as scattered ones at a time: 100 MB of colors."""

Axes = tuple[NDArray[np.float64], ...]


class SpreadSums:
    """Sums by spreading in whitened coordinates: any covariance, any colors."""

    def __init__(self, palette: Palette, covariance: NDArray[np.float64], device: Device) -> None:
        self._palette, self._device = palette, device
        self._cholesky = np.asarray(np.linalg.cholesky(covariance), np.float64)
        self._is_diagonal = not np.any(np.tril(self._cholesky, -1))
        self._ends = np.asarray(ends_of(palette.colors), np.float64)
        # About their middle, coordinates are as exact as the colors, however far from zero.
        self._center = np.mean(self._ends, axis=0)
        self._counts = palette.counts.astype(np.float32)
        self._floor = SPREAD_FLOOR * float(palette.counts.sum())

    def on_grid(self, axes: Axes, sampling: Sampling = "points") -> NDArray[np.float32]:
        """S on a grid; see `KernelSums`. Cell averages exist for diagonal covariances."""
        if sampling == "cells" and not self._is_diagonal:
            raise needs_diagonal('sampling="cells"', 'sampling="points" with more bins')
        if grid_sums.fits(self._extent):
            # A swept one is soon made again, and not kept.
            sweep = self._sweep(TO_PEAK)
            mesh = self._mesh if sweep is None else sweep.mesh(self._center)
            sums = grid_sums.sums_on_mesh_grid(
                mesh, self._cholesky, self._center, axes, sampling, self._device
            )
        elif self._is_diagonal:
            sums = grid_sums.sums_on_grid_directly(
                self._palette.colors.astype(np.float64),
                self._palette.counts,
                np.diag(self._cholesky),
                axes,
                sampling,
                self._device,
            )
        else:
            return self._at_grid_points(axes)
        return np.asarray(self._device.get(sums), np.float32)

    def at(self, colors: NDArray[Any]) -> NDArray[np.float32]:
        """S at colors; see `KernelSums`."""
        return value_of(self.at_in_steps(colors))

    def at_in_steps(self, colors: NDArray[Any]) -> Steps[NDArray[np.float32]]:
        """S at colors, yielding the part that is done."""
        return self._spread_at(colors, TO_PEAK)

    def log_at(self, colors: NDArray[Any]) -> NDArray[np.float64]:
        """Log S at colors; see `KernelSums`."""
        return value_of(self.log_at_in_steps(colors))

    def log_at_in_steps(self, colors: NDArray[Any]) -> Steps[NDArray[np.float64]]:
        """Log S at colors, yielding the part that is done."""
        sums = yield from between(0.0, 0.5, self._spread_at(colors, TO_ITSELF))
        if (sums >= self._floor).all():
            return np.log(sums, dtype=np.float64)
        counts, points = self._palette.counts, self._points(colors)
        tails = log_or_direct(sums, self._floor, points, self._whitened, counts, None)
        logs = yield from between(0.5, 1.0, tails)
        return logs

    def log_others(self) -> NDArray[np.float64]:
        """Log S of the other colors; see `KernelSums`."""
        colors, counts = self._palette.colors, self._palette.counts
        total = value_of(self._spread_at(colors, TO_ITSELF)).astype(np.float64)
        others = total - counts
        # The total errs by 2e-6 of itself: where the rest is small beside it, sum directly.
        others[others < np.maximum(OTHERS_FLOOR * total, self._floor)] = 0.0
        rows, points = np.arange(len(counts)), self._whitened
        return value_of(log_or_direct(others, self._floor, points, points, counts, rows))

    def for_logs_on_grids(self) -> MeshSums | None:
        """Return what reads log sums on grids off one mesh, None where that would be too large."""
        if not grid_sums.fits(self._extent, TO_ITSELF):
            return None
        if (sweep := self._sweep(TO_ITSELF)) is not None:
            mesh = sweep.mesh(self._center)
        else:
            mesh = grid_sums.mesh_of(self._whitened, self._counts, self._device, TO_ITSELF)
        total = self._palette.total_weight
        return MeshSums(mesh, self._cholesky, self._center, total, self._device)

    def log_directly_at(self, colors: NDArray[Any]) -> NDArray[np.float64]:
        """Log S at colors, from the colors themselves: for those that are known to be deep."""
        return log_sums(self._points(colors), self._whitened, self._palette.counts)

    @cached_property
    def _whitened(self) -> NDArray[np.float64]:
        return spreading.whiten(self._palette.colors, self._cholesky, self._center)

    @property
    def _extent(self) -> NDArray[np.float64]:
        """Extent of the whitened colors, ``(C,)``."""
        low, high = self._ends if self._is_diagonal else ends_of(self._whitened)
        scale = np.diag(self._cholesky) if self._is_diagonal else 1.0
        return np.asarray((high - low) / scale, np.float64)

    def _are_own(self, colors: NDArray[Any]) -> bool:
        """Whether these are the palette's, as those of its image are that was counted again."""
        own = self._palette.colors
        return colors is own or np.array_equal(colors, own)

    def _points(self, colors: NDArray[Any]) -> NDArray[np.float64]:
        if self._are_own(colors):
            return self._whitened
        return spreading.whiten(colors, self._cholesky, self._center)

    def _spread_at(self, colors: NDArray[Any], scheme: Scheme) -> Steps[NDArray[np.float32]]:
        if self._are_own(colors) and (sweep := self._sweep(scheme)) is not None:
            return sweep.sums_in_steps()
        points, counts = self._points(colors), self._counts
        return spreading.sums_in_steps(points, self._whitened, counts, scheme, self._device)

    def _sweep(self, scheme: Scheme) -> Sweep | None:
        if not self._is_diagonal:
            return None
        colors, sigmas = self._palette.colors, np.diag(self._cholesky)
        return Sweep.over(colors, self._counts, sigmas, scheme, self._device)

    def _at_grid_points(self, axes: Axes) -> NDArray[np.float32]:
        sums = np.empty([len(axis) for axis in axes], np.float32)
        rows = max(1, SLAB_POINTS // max(1, int(np.prod(sums.shape[1:]))))
        for start in range(0, len(sums), rows):
            slab = np.meshgrid(axes[0][start : start + rows], *axes[1:], indexing="ij")
            points = np.stack(slab, axis=-1)
            sums[start : start + rows] = self.at(points.reshape(-1, len(axes))).reshape(
                points.shape[:-1]
            )
        return sums

    @cached_property
    def _mesh(self) -> grid_sums.Mesh:
        return grid_sums.mesh_of(self._whitened, self._counts, self._device)
