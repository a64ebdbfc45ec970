"""The density of a diagonal mixture at all 8-bit colors: one product of small matrices."""

import numpy as np
import torch
from numpy.typing import NDArray

from napari_colorkde.core.device import Device, without_denormals
from napari_colorkde.core.mixture.kernels import KernelSet

LATTICE_KERNELS = 64
"""Kernels multiplied in one go: 16 MB of products of two channels."""

LARGEST_PEAK = 1e10
"""Sum of the kernels' peaks up to which the scaled float32 products neither over- nor underflow."""


def lattice_densities(
    kernels: KernelSet, normalized: bool, device: Device
) -> NDArray[np.float32] | None:
    """Return the density of diagonal kernels at all 8-bit colors, in the order of their byte codes.

    ``f[b, (g, r)] = Σₖ (peakₖ Bₖ[b]) · (Gₖ[g] Rₖ[r])``: every term is positive, so float32 keeps
    1e-6 of each density. None where the peaks are too high for that.
    """
    constant = 2 * np.pi if normalized else 1.0
    with np.errstate(over="ignore"):
        peaks = kernels.weights / np.sqrt(constant * kernels.variances).prod(axis=1)
    if not peaks.sum() <= LARGEST_PEAK:
        return None
    differences = np.arange(256) - kernels.means.T[:, :, None]
    factors = np.exp(-0.5 * differences**2 / kernels.variances.T[:, :, None])  # (C, K, 256)
    # Both matrices are scaled up, so that what falls below the smallest float32 is below 1e-37.
    scale = 2.0**30
    last = factors[-1] * peaks[:, None] * scale
    inner = np.full((len(kernels), 1), scale)
    table = None
    for start in range(0, len(kernels), LATTICE_KERNELS):
        part = slice(start, start + LATTICE_KERNELS)
        product = inner[part]
        for factor in factors[:-1]:
            product = (factor[part, :, None] * product[:, None, :]).reshape(len(product), -1)
        columns = device.put(without_denormals(last[part].T, torch.float32))
        rows = device.put(without_denormals(product, torch.float32))
        table = columns @ rows if table is None else table.addmm_(columns, rows)
    if table is None:
        return None
    return np.asarray(device.get(table.mul_(scale**-2)), np.float32).reshape(-1)
