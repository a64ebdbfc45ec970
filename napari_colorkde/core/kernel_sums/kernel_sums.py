"""Kernel sums of a palette, by the fastest accurate method for its colors and bandwidth.

    ``S(x) = Σ_u counts_u exp(−½ (x − c_u)ᵀ Σ⁻¹ (x − c_u))``

The density is ``S / (N sqrt(det(2π Σ)))``. `LatticeSums` is for colors on a small lattice and a
diagonal bandwidth, `SpreadSums` for all others. Both answer in float32 where that holds relative
accuracy, and hand what lies deeper in the tails to float64 and, last, to the direct sum. Of more
than three channels `VectorSums` go pair by pair.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.checks.channels import MAX_GRID_CHANNELS
from napari_colorkde.core.device import Device
from napari_colorkde.core.kernel_sums.lattice_sums import LatticeSums
from napari_colorkde.core.kernel_sums.separable import Sampling
from napari_colorkde.core.kernel_sums.spread_sums import Axes, SpreadSums
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.vectors.vector_sums import VectorSums


class KernelSums(Protocol):
    """Sums of one palette's kernels with one covariance."""

    def on_grid(self, axes: Axes, sampling: Sampling = "points") -> NDArray[np.float32]:
        """S on the grid of these axes, to 1e-6 of its peak (3e-6 for `SpreadSums`)."""

    def log_at(self, colors: NDArray[Any]) -> NDArray[np.float64]:
        """Log S at colors ``(Q, C)``, to 1e-5 nats at any distance."""

    def at(self, colors: NDArray[Any]) -> NDArray[np.float32]:
        """S at colors ``(Q, C)``, to 3e-6 of its peak."""

    def log_others(self) -> NDArray[np.float64]:
        """Log S at each palette color without that color, ``(U,)``, to 1e-5 nats."""


def kernel_sums(palette: Palette, covariance: NDArray[np.float64], device: Device) -> KernelSums:
    """Choose the way to sum: on the lattice where there is one, otherwise by spreading.

    Of more than three channels pair by pair.
    """
    if palette.n_channels > MAX_GRID_CHANNELS:
        return VectorSums(palette.colors, palette.counts, covariance, device)
    diagonal = not np.any(covariance - np.diag(np.diag(covariance)))
    if diagonal:
        lattice = palette.lattice
        if lattice is not None:
            return LatticeSums(palette, lattice, np.sqrt(np.diag(covariance)), device)
    return SpreadSums(palette, covariance, device)
