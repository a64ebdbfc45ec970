"""Kernel sums of colors on a small lattice with a diagonal bandwidth."""

from collections.abc import Callable
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray

from napari_colorkde.core.device import Device
from napari_colorkde.core.kernel_sums.lattice_transform import lattice_transform, others_transform
from napari_colorkde.core.kernel_sums.separable import Sampling, gaussian_matrix
from napari_colorkde.core.kernel_sums.spread_sums import Axes, SpreadSums
from napari_colorkde.core.kernel_sums.steps import value_of
from napari_colorkde.core.kernel_sums.tails.direct import log_or_direct
from napari_colorkde.core.palette.lattice import Lattice, lattice_of
from napari_colorkde.core.palette.palette import Palette

FLOAT32_FLOOR = 1e-30
"""Times N: the smallest lattice sum that float32 keeps to 1e-6, dropped denormals included."""

FLOAT64_FLOOR = 1e-290
"""Times N: the same for float64."""

FEW = 2048
"""Colors below the float32 floor that are summed directly rather than all again in float64."""

_COUNTS: WeakKeyDictionary[Palette, dict[Device, torch.Tensor]] = WeakKeyDictionary()
"""Counts on the lines of palettes in use, up to 64 MB each; gone with the palette."""


class LatticeSums:
    """Exact sums by the separable transform of the color lattice."""

    def __init__(
        self, palette: Palette, lattice: Lattice, sigmas: NDArray[np.float64], device: Device
    ) -> None:
        self._palette, self._lattice, self._sigmas, self._device = palette, lattice, sigmas, device
        self._n = palette.total_weight

    @property
    def _counts(self) -> torch.Tensor:
        """The palette's counts on the lattice: the same for every bandwidth, so made once."""
        known = _COUNTS.setdefault(self._palette, {})
        if self._device not in known:
            counts = self._palette.counts
            known[self._device] = self._lattice.scatter(counts, self._device, torch.float32)
        return known[self._device]

    def on_grid(self, axes: Axes, sampling: Sampling = "points") -> NDArray[np.float32]:
        """S on a grid; see `KernelSums`."""
        matrices = self._matrices(axes, sampling)
        sums = lattice_transform(self._counts, self._lattice, matrices, self._device)
        in_order = sums.permute(*reversed(range(sums.ndim))).contiguous()
        return np.asarray(self._device.get(in_order), np.float32)

    def at(self, colors: NDArray[Any]) -> NDArray[np.float32]:
        """S at colors; see `KernelSums`."""
        target = self._target(colors)
        if target is None:
            return self._by_spreading.at(colors)
        return np.asarray(self._gathered(target, torch.float32), np.float32)

    def log_at(self, colors: NDArray[Any]) -> NDArray[np.float64]:
        """Log S at colors; see `KernelSums`."""
        target = self._target(colors)
        if target is None:
            return self._by_spreading.log_at(colors)
        sums, floor = self._deep_enough(lambda dtype: self._gathered(target, dtype))
        return self._with_tails(sums, floor, colors, None)

    def log_others(self) -> NDArray[np.float64]:
        """Log S of the other colors; see `KernelSums`."""
        others, floor = self._deep_enough(self._others)
        rows = np.arange(len(self._palette))
        return self._with_tails(others, floor, self._palette.colors, rows)

    def _deep_enough(
        self, sums_in: Callable[[torch.dtype], NDArray[Any]]
    ) -> tuple[NDArray[Any], float]:
        """Sums in float32, or float64 if many need it; and what they are good down to."""
        sums, floor = sums_in(torch.float32), FLOAT32_FLOOR * self._n
        if np.count_nonzero(sums < floor) <= FEW:
            return sums, floor
        return sums_in(torch.float64), FLOAT64_FLOOR * self._n

    @cached_property
    def _by_spreading(self) -> SpreadSums:
        """For colors that are on no small lattice, though the palette is."""
        return SpreadSums(self._palette, np.diag(self._sigmas**2), self._device)

    def _others(self, dtype: torch.dtype) -> NDArray[Any]:
        device = self._device if dtype == torch.float32 else self._device.exact
        counts = self._lattice.scatter(self._palette.counts, device, dtype)
        grid = others_transform(counts, self._lattice, self._sigmas, device)
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
        grid = lattice_transform(counts, self._lattice, self._matrices(target.levels), device)
        return target.gather(grid, device)

    def _matrices(self, axes: Axes, sampling: Sampling = "points") -> list[NDArray[np.float64]]:
        triples = zip(axes, self._lattice.levels, self._sigmas, strict=True)
        return [gaussian_matrix(a, levels, float(s), sampling) for a, levels, s in triples]

    def _with_tails(
        self,
        sums: NDArray[Any],
        floor: float,
        colors: NDArray[Any],
        self_index: NDArray[np.int64] | None,
    ) -> NDArray[np.float64]:
        points, own = colors / self._sigmas, self._palette.colors / self._sigmas
        counts = self._palette.counts
        return value_of(log_or_direct(sums, floor, points, own, counts, self_index))
