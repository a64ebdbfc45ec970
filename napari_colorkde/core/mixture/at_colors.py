"""Densities of kernel sets at colors, such as those of a palette."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.device import Device, DeviceLike, resolve_device
from napari_colorkde.core.mixture.block_terms import densities, log_densities
from napari_colorkde.core.mixture.color_blocks import ColorBlocks, WeightedColors, color_blocks
from napari_colorkde.core.mixture.exponents import LOG2_E, Exponents, log_sum
from napari_colorkde.core.mixture.kernels import KernelLike, KernelNumbers, KernelSet

Kernels = KernelSet | Iterable[KernelLike | KernelNumbers]

BLOCKS_KERNELS, BLOCKS_COLORS = 16, 1 << 14
"""Kernels and colors from which on colors are sorted into blocks of neighbors."""

PART_COLORS = 1 << 22
"""Colors in blocks at a time: 250 MB."""


def mixture_density(
    colors: NDArray[Any],
    kernels: Kernels,
    *,
    normalized: bool = True,
    device: DeviceLike = "auto",
) -> NDArray[np.float32]:
    """Return the density at each color (n, C), such as those of a palette: (n,).

    Parameters and accuracy are those of `compute_densities`; colors must be finite. Densities above
    3e38 are inf.
    """
    return density_at(prepared_exponents(kernels, normalized, device), colors)


def mixture_log_density(
    colors: NDArray[Any],
    kernels: Kernels,
    *,
    normalized: bool = True,
    device: DeviceLike = "auto",
) -> NDArray[np.float64]:
    """Return the log-density at each color (n, C): (n,) nats; −inf if all weights are 0."""
    return log_density_at(prepared_exponents(kernels, normalized, device), colors)


def checked_kernel_set(kernels: Kernels) -> KernelSet:
    """Return kernels as a set; a ValueError of none at all."""
    kernel_set = kernels if isinstance(kernels, KernelSet) else KernelSet(kernels)
    if not kernel_set:
        raise ValueError("kernels is empty; a density needs at least one kernel.")
    return kernel_set


def prepared_exponents(kernels: Kernels, normalized: bool, device: DeviceLike) -> Exponents:
    """Return the exponents of kernels, with their weights in them."""
    kernel_set = checked_kernel_set(kernels)
    with np.errstate(divide="ignore"):
        log_weights = np.log(kernel_set.weights)
    if not normalized:
        log_weights += 0.5 * kernel_set.n_channels * np.log(2 * np.pi)
    place = resolve_device(device).exact
    return Exponents(kernel_set.means, kernel_set.covariances, log_weights, place)


def density_at(exponents: Exponents, colors: NDArray[Any]) -> NDArray[np.float32]:
    """Return the density at colors ``(n, C)``, finite ones: ``(n,)``."""
    if _in_blocks(exponents, colors):
        return np.concatenate(
            [densities(part, exponents.gaussians) for part in _blocks_of(colors, exponents.device)]
        )
    result = np.empty(len(colors), np.float32)
    for block, values, _ in exponents.blocks(colors):
        # float32 holds an exponent of −100 (a density of 1e-30) to 3e-6 nats.
        result[block] = exponents.device.get(values.float().exp2_().sum(dim=0))
    return result


def log_density_at(exponents: Exponents, colors: NDArray[Any]) -> NDArray[np.float64]:
    """Return the log-density at colors ``(n, C)``, finite ones: ``(n,)`` nats."""
    if _in_blocks(exponents, colors):
        parts = _blocks_of(colors, exponents.device)
        return np.concatenate([log_densities(part, exponents.gaussians) for part in parts])
    result = np.empty(len(colors))
    for block, values, _ in exponents.blocks(colors):
        result[block] = exponents.device.get(log_sum(values))
    result /= LOG2_E
    return result


def _in_blocks(exponents: Exponents, colors: NDArray[Any]) -> bool:
    """Whether the terms are so many that sorting the colors first is worth while."""
    return exponents.n_kernels >= BLOCKS_KERNELS and len(colors) >= BLOCKS_COLORS


def _blocks_of(colors: NDArray[Any], device: Device) -> Iterator[ColorBlocks]:
    for start in range(0, len(colors), PART_COLORS):
        part = colors[start : start + PART_COLORS]
        weighted = WeightedColors(part, np.full(len(part), 1 / len(part)))
        yield color_blocks(weighted, device, is_single=True)
