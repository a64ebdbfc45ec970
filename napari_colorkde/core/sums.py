"""Kernel sums of a palette, by whichever of three ways is quick and exact for its bandwidth.

    ``S(x) = Σ_u counts_u exp(−½ (x − c_u)ᵀ Σ⁻¹ (x − c_u))``

The density is ``S / (N sqrt(det(2π Σ)))``. `LatticeSums` is for colours on a small lattice and a
diagonal bandwidth, `SpreadSums` for any other, `DirectSums` for kernels too narrow for a mesh. Each
answers in float32 where that holds relative accuracy, and hands what lies deeper in the tails to
float64 and, last, to the direct sum.
"""

from functools import cached_property
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from napari_colorkde.core import spreading
from napari_colorkde.core.device import Device
from napari_colorkde.core.direct import log_sums
from napari_colorkde.core.lattice import (
    Lattice,
    Sampling,
    gaussian_matrix,
    lattice_of,
    others_transform,
    separable_transform,
)
from napari_colorkde.core.palette import Palette

FLOAT32_FLOOR = 1e-30
"""Times N: the smallest lattice sum that float32 keeps to 1e-6, dropped denormals included."""

FLOAT64_FLOOR = 1e-290
"""Times N: the same for float64."""

SPREAD_FLOOR = 1e-12
"""Times N: the smallest sum read off a mesh to 1e-5; below it the colours lie 7.5 sigma away."""

GRID_BEYOND = 60.0
"""Squared distance beyond which a direct sum on a grid is zero: e⁻³⁰ of one colour's peak."""

Axes = tuple[NDArray[np.float64], ...]


class KernelSums(Protocol):
    """Sums of one palette's kernels with one covariance."""

    def on_grid(self, axes: Axes, sampling: Sampling = "points") -> NDArray[np.float32]:
        """S on the grid of these axes, to 1e-6 of its peak (3e-6 for `SpreadSums`)."""

    def log_at(self, colors: NDArray[Any]) -> NDArray[np.float64]:
        """Log S at colours ``(Q, C)``, to 1e-5 nats at any distance."""

    def at(self, colors: NDArray[Any]) -> NDArray[np.float32]:
        """S at colours ``(Q, C)``, to 3e-6 of its peak."""

    def log_others(self) -> NDArray[np.float64]:
        """Log S at each palette colour without that colour, ``(U,)``, to 1e-5 nats."""


def kernel_sums(palette: Palette, covariance: NDArray[np.float64], device: Device) -> KernelSums:
    """Choose the way to sum: lattice, mesh or direct."""
    diagonal = not np.any(covariance - np.diag(np.diag(covariance)))
    if diagonal:
        lattice = lattice_of(palette.colors)
        if lattice is not None:
            return LatticeSums(palette, lattice, np.sqrt(np.diag(covariance)), device)
    cholesky = np.linalg.cholesky(covariance)
    whitened = whiten(palette.colors, cholesky)
    if spreading.fits(whitened):
        return SpreadSums(palette, whitened, cholesky, device)
    return DirectSums(palette, whitened, cholesky)


def whiten(colors: NDArray[Any], cholesky: NDArray[np.float64]) -> NDArray[np.float64]:
    """``L⁻¹ x`` for every row of ``(n, C)``."""
    whitened: NDArray[np.float64] = colors.astype(np.float64) @ np.linalg.inv(cholesky).T
    return whitened


class LatticeSums:
    """Exact sums by the separable transform of the colour lattice."""

    def __init__(
        self, palette: Palette, lattice: Lattice, sigmas: NDArray[np.float64], device: Device
    ) -> None:
        self._palette, self._lattice, self._sigmas, self._device = palette, lattice, sigmas, device
        self._n = float(palette.n_pixels)

    @cached_property
    def _counts(self) -> torch.Tensor:
        return self._lattice.scatter(self._palette.counts, self._device, torch.float32)

    def on_grid(self, axes: Axes, sampling: Sampling = "points") -> NDArray[np.float32]:
        """S on a grid; see `KernelSums`."""
        sums = separable_transform(self._counts, self._matrices(axes, sampling), self._device)
        return np.asarray(self._device.get(sums), np.float32)

    def at(self, colors: NDArray[Any]) -> NDArray[np.float32]:
        """S at colours; see `KernelSums`."""
        target = self._target(colors)
        if target is None:
            return _spread_sums(self._palette, self._sigmas, self._device).at(colors)
        return np.asarray(self._gathered(target, torch.float32), np.float32)

    def log_at(self, colors: NDArray[Any]) -> NDArray[np.float64]:
        """Log S at colours; see `KernelSums`."""
        target = self._target(colors)
        if target is None:
            return _spread_sums(self._palette, self._sigmas, self._device).log_at(colors)
        sums = np.asarray(self._gathered(target, torch.float32), np.float64)
        if (sums < FLOAT32_FLOOR * self._n).any():
            sums = self._gathered(target, torch.float64)
        return self._with_tails(sums, colors, None)

    def log_others(self) -> NDArray[np.float64]:
        """Log S of the other colours; see `KernelSums`."""
        others = self._others(torch.float32)
        if (others < FLOAT32_FLOOR * self._n).any():
            others = self._others(torch.float64)
        return self._with_tails(others, self._palette.colors, np.arange(len(self._palette)))

    def _others(self, dtype: torch.dtype) -> NDArray[Any]:
        device = self._device if dtype == torch.float32 else self._device.exact
        counts = self._lattice.scatter(self._palette.counts, device, dtype)
        grid = others_transform(counts, self._lattice.levels, self._sigmas, device)
        return self._lattice.gather(grid, device).astype(np.float64)

    def _target(self, colors: NDArray[Any]) -> Lattice | None:
        if colors is self._palette.colors:
            return self._lattice
        return lattice_of(colors)

    def _gathered(self, target: Lattice, dtype: torch.dtype) -> NDArray[Any]:
        single = dtype == torch.float32
        device = self._device if single else self._device.exact
        counts = (
            self._counts if single else self._lattice.scatter(self._palette.counts, device, dtype)
        )
        grid = separable_transform(counts, self._matrices(target.levels), device)
        return target.gather(grid, device)

    def _matrices(self, axes: Axes, sampling: Sampling = "points") -> list[NDArray[np.float64]]:
        triples = zip(axes, self._lattice.levels, self._sigmas, strict=True)
        return [gaussian_matrix(a, levels, float(s), sampling) for a, levels, s in triples]

    def _with_tails(
        self, sums: NDArray[Any], colors: NDArray[Any], self_index: NDArray[np.int64] | None
    ) -> NDArray[np.float64]:
        floor = FLOAT64_FLOOR * self._n
        points, own = colors / self._sigmas, self._palette.colors / self._sigmas
        return _log_or_direct(sums, floor, points, own, self._palette.counts, self_index)


class SpreadSums:
    """Sums by spreading over a whitened mesh: any covariance, any colours."""

    def __init__(
        self,
        palette: Palette,
        whitened: NDArray[np.float64],
        cholesky: NDArray[np.float64],
        device: Device,
    ) -> None:
        self._palette, self._whitened, self._cholesky = palette, whitened, cholesky
        self._device = device
        self._floor = SPREAD_FLOOR * float(palette.n_pixels)

    @cached_property
    def _mesh(self) -> spreading.Mesh:
        return spreading.spread(self._whitened, self._palette.counts, self._device)

    def on_grid(self, axes: Axes, sampling: Sampling = "points") -> NDArray[np.float32]:
        """S on a grid; see `KernelSums`."""
        sums = spreading.sums_on_grid(self._mesh, self._cholesky, axes, sampling, self._device)
        return np.asarray(self._device.get(sums), np.float32)

    def at(self, colors: NDArray[Any]) -> NDArray[np.float32]:
        """S at colours; see `KernelSums`."""
        return spreading.sums_at(self._mesh, whiten(colors, self._cholesky), self._device)

    def log_at(self, colors: NDArray[Any]) -> NDArray[np.float64]:
        """Log S at colours; see `KernelSums`."""
        points = whiten(colors, self._cholesky)
        sums = spreading.sums_at(self._mesh, points, self._device)
        return _log_or_direct(sums, self._floor, points, self._whitened, self._palette.counts, None)

    def log_others(self) -> NDArray[np.float64]:
        """Log S of the other colours; see `KernelSums`."""
        counts = self._palette.counts
        total = spreading.sums_at(self._mesh, self._whitened, self._device).astype(np.float64)
        others = total - counts
        # The mesh errs by 3e-6 of the total: where the rest is small beside it, sum directly.
        others[others < np.maximum(0.5 * total, self._floor)] = 0.0
        rows = np.arange(len(counts))
        return _log_or_direct(others, self._floor, self._whitened, self._whitened, counts, rows)


class DirectSums:
    """Sums over the colours nearby, for kernels too narrow for a mesh."""

    def __init__(
        self, palette: Palette, whitened: NDArray[np.float64], cholesky: NDArray[np.float64]
    ) -> None:
        self._palette, self._whitened, self._cholesky = palette, whitened, cholesky

    def on_grid(self, axes: Axes, sampling: Sampling = "points") -> NDArray[np.float32]:
        """S on a grid; see `KernelSums`. Cell averages do not exist here."""
        if sampling == "cells":
            raise ValueError(
                'sampling="cells" needs a diagonal bandwidth on a lattice or mesh; widen the '
                "bandwidth, or sample points."
            )
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        points = whiten(grid.reshape(-1, len(axes)), self._cholesky)
        logs = log_sums(points, self._whitened, self._palette.counts, beyond=GRID_BEYOND)
        return np.exp(logs).reshape(grid.shape[:-1]).astype(np.float32)

    def at(self, colors: NDArray[Any]) -> NDArray[np.float32]:
        """S at colours; see `KernelSums`."""
        points = whiten(colors, self._cholesky)
        logs = log_sums(points, self._whitened, self._palette.counts, beyond=GRID_BEYOND)
        return np.exp(logs).astype(np.float32)

    def log_at(self, colors: NDArray[Any]) -> NDArray[np.float64]:
        """Log S at colours; see `KernelSums`."""
        points = whiten(colors, self._cholesky)
        return log_sums(points, self._whitened, self._palette.counts)

    def log_others(self) -> NDArray[np.float64]:
        """Log S of the other colours; see `KernelSums`."""
        rows = np.arange(len(self._whitened))
        return log_sums(self._whitened, self._whitened, self._palette.counts, self_index=rows)


def _spread_sums(palette: Palette, sigmas: NDArray[np.float64], device: Device) -> KernelSums:
    """Sums at colours that are on no small lattice, for a palette that is."""
    cholesky = np.diag(sigmas)
    whitened = whiten(palette.colors, cholesky)
    if spreading.fits(whitened):
        return SpreadSums(palette, whitened, cholesky, device)
    return DirectSums(palette, whitened, cholesky)


def _log_or_direct(
    sums: NDArray[Any],
    floor: float,
    points: NDArray[np.float64],
    colors: NDArray[np.float64],
    counts: NDArray[np.int64],
    self_index: NDArray[np.int64] | None,
) -> NDArray[np.float64]:
    """Log of the sums that are large enough; the direct sum where they are not."""
    deep = sums < floor
    logs = np.log(np.where(deep, 1.0, sums).astype(np.float64))
    if deep.any():
        rows = None if self_index is None else self_index[deep]
        logs[deep] = log_sums(points[deep], colors, counts, self_index=rows)
    return logs
