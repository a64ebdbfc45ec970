"""The terms of a mixture at colors in blocks, and what is summed of them.

In a block a kernel's exponent is a polynomial of the offset δ from the block's origin:

    ``log₂(w N(x; μ, Σ)) = e₀ + g·δ − ½ δᵀPδ``,

with e₀, g and P computed in float64 for each block and kernel that matters there. A kernel does
not matter where its largest exponent lies far below the smallest of another. What rounding costs is
bounded for each block: float32 serves where that bound is low, float64 elsewhere, and where even
that would lose digits (kernels narrow beside a block) differences are taken before squares.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from napari_colorkde.core.mixture.color_blocks import ColorBlocks
from napari_colorkde.core.mixture.exponents import LOG2_E, Gaussians, n_features

Array = NDArray[np.float64]

NEGLIGIBLE_BITS = 40.0
"""A kernel is left out of a block where each of its terms is below 2⁻⁴⁰ of another's: 1e-12."""

SINGLE_BITS = 64.0
"""Sum of an exponent's parts that float32 rounds to 1e-5 at most; 2e-6 were measured."""

DOUBLE_BITS = 500.0
"""The same for float64; and so far the terms of one block fit between its powers of two."""

GROUP_TERMS = 1 << 18
"""Terms computed in one go: 1 MB in float32, so that they stay in the cache."""

BOUND_PAIRS = 1 << 18
"""Pairs of blocks and kernels whose bounds are computed in one go."""


@dataclass(frozen=True, slots=True, eq=False)
class BlockTerms:
    """The terms of a kernels at the n colors of G blocks.

    Attributes
    ----------
    blocks
        (G,) which blocks.
    kernels
        (G, a) which kernels; where there are fewer, others without a term.
    values
        (G, a, n) terms times 2^−scale, on the device.
    scale
        (G, 1) or (G, n) float64, on the device.
    differences
        (G, a, C, n) colors less the kernels' means, where these were taken; None elsewhere.
    """

    blocks: NDArray[np.intp]
    kernels: NDArray[np.intp]
    values: torch.Tensor
    scale: torch.Tensor
    differences: torch.Tensor | None = None


def block_terms(blocks: ColorBlocks, gaussians: Gaussians) -> Iterator[BlockTerms]:
    """Yield the terms of a mixture at all blocks, some blocks at a time, those alike together.

    O(B K C²) for the bounds and O(U a C²) for the terms, a the kernels that matter in a block.
    """
    n = blocks.rows.shape[1]
    for start, bounds in _bounds(blocks, gaussians):
        # Alike in precision and in number of kernels.
        order = np.lexsort((bounds.n_active, bounds.tier))
        first = 0
        while first < len(order):
            tier = bounds.tier[order[first]]
            last = first + 1
            while (
                last < len(order)
                and bounds.tier[order[last]] == tier
                and (last + 1 - first) * bounds.n_active[order[last]] * n <= GROUP_TERMS
            ):
                last += 1
            group = order[first:last]
            yield _terms(blocks, gaussians, start + group, bounds.of(group), int(tier))
            first = last


def log_densities(blocks: ColorBlocks, gaussians: Gaussians) -> Array:
    """Return the log-density at each color, (U,) nats; −inf if no kernel has weight.

    To 1e-5 nats.
    """
    if np.isneginf(gaussians.log_peaks).all():
        return np.full(len(blocks.source), -np.inf)
    result = np.empty(len(blocks.source))
    for part in block_terms(blocks, gaussians):
        logs = part.values.sum(dim=1).log2_().to(torch.float64).add_(part.scale)
        # Where a color fills up a block it is written again, the same.
        result[blocks.rows[part.blocks]] = blocks.device.get(logs)
    result /= LOG2_E
    return result


def densities(blocks: ColorBlocks, gaussians: Gaussians) -> NDArray[np.float32]:
    """Return the density at each color, (U,), to 1e-5 of itself; inf above 3e38."""
    result = np.zeros(len(blocks.source), np.float32)
    if np.isneginf(gaussians.log_peaks).all():
        return result
    for part in block_terms(blocks, gaussians):
        sums = part.values.sum(dim=1).to(torch.float64).mul_(part.scale.exp2())
        result[blocks.rows[part.blocks]] = blocks.device.get(sums.float())
    return result


def weighted_moments(blocks: ColorBlocks, gaussians: Gaussians) -> tuple[float, Array]:
    """Return the mean log-density in nats, and each kernel's sums of 1, xᵢ − μᵢ and their products.

    Sums are over the colors, by their weights and the kernel's share of the density: (K, F), in the
    order of `ColorBlocks.features`.
    """
    sums = np.zeros((len(gaussians), n_features(blocks.n_channels)))
    total = 0.0
    for part in block_terms(blocks, gaussians):
        density = part.values.sum(dim=1)
        weights = blocks.weights_in(part.blocks)
        logs = density.log2().to(torch.float64).add_(part.scale)
        total += float((logs * weights).sum())
        shares = weights.to(density.dtype) / density
        if part.differences is None:
            moved = _moments_by_origin(blocks, gaussians, part, shares)
        else:
            moved = _moments_by_differences(blocks, part, part.differences, shares)
        kernels = part.kernels.ravel()
        for column, values in enumerate(moved.reshape(-1, sums.shape[1]).T):
            sums[:, column] += np.bincount(kernels, values, len(gaussians))
    return total / LOG2_E, sums


def _moments_by_origin(
    blocks: ColorBlocks, gaussians: Gaussians, part: BlockTerms, shares: torch.Tensor
) -> Array:
    """Sum about the blocks' origins, and move the sums to the kernels' means: (G, a, F)."""
    n_channels = blocks.n_channels
    i, j = np.triu_indices(n_channels)
    features = blocks.features(part.blocks, shares.dtype).mul_(shares[:, None])
    local = blocks.device.get(torch.bmm(part.values, features.transpose(1, 2)))
    mass, first, second = np.split(local.astype(np.float64), (1, 1 + n_channels), axis=-1)
    shift = blocks.origins[part.blocks, None] - gaussians.means[part.kernels]
    second += first[..., i] * shift[..., j] + shift[..., i] * first[..., j]
    second += mass * (shift[..., i] * shift[..., j])
    first += mass * shift
    return np.concatenate([mass, first, second], axis=-1)


def _moments_by_differences(
    blocks: ColorBlocks, part: BlockTerms, differences: torch.Tensor, shares: torch.Tensor
) -> Array:
    """Sum about the kernels' means at once, where moving the sums would lose digits: (G, a, F)."""
    i, j = np.triu_indices(blocks.n_channels)
    weights = (part.values * shares[:, None])[:, :, None]
    weighted = differences * weights
    second = (weighted[:, :, i] * differences[:, :, j]).sum(dim=-1)
    if blocks.source.scatter is not None:
        scatter = blocks.device.put(blocks.source.scatter[blocks.rows[part.blocks]], torch.float64)
        second += torch.bmm(weights[:, :, 0], scatter)
    columns = [weights.sum(dim=-1), weighted.sum(dim=-1), second]
    return np.asarray(blocks.device.get(torch.cat(columns, dim=-1)), np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class _Bounds:
    """Which kernels matter (B, K), how many (B,), what they are measured by, and the precision."""

    is_active: NDArray[np.bool_]
    n_active: NDArray[np.intp]
    scale: Array
    tier: NDArray[np.intp]

    def of(self, group: NDArray[np.intp]) -> "_Bounds":
        return _Bounds(
            self.is_active[group], self.n_active[group], self.scale[group], self.tier[group]
        )


def _bounds(blocks: ColorBlocks, gaussians: Gaussians) -> Iterator[tuple[int, _Bounds]]:
    """Bound every kernel's exponents in every block, some blocks at a time."""
    put = blocks.device.put
    i, j = np.triu_indices(blocks.n_channels)
    precisions = put(gaussians.precisions, torch.float64)
    once = np.where(i == j, 0.5, 1.0) * np.abs(gaussians.precisions[:, i, j])
    quadratic = put(once, torch.float64)
    means = put(gaussians.means, torch.float64)[..., None]
    peaks = put(gaussians.log_peaks, torch.float64)[:, None]
    step = max(1, BOUND_PAIRS // len(gaussians))
    for start in range(0, len(blocks), step):
        part = slice(start, start + step)
        shift = put(blocks.origins[part].T, torch.float64) - means  # (K, C, blocks)
        slopes = torch.bmm(precisions, shift)
        middle = peaks - 0.5 * (shift * slopes).sum(dim=1)
        linear = (slopes.abs_() * put(blocks.reach[part].T, torch.float64)).sum(dim=1)
        parts = linear + quadratic @ put(blocks.squares[part].T, torch.float64)
        high = torch.minimum(middle + linear, peaks)
        low = (middle - parts).amax(dim=0)
        is_active = high >= low - NEGLIGIBLE_BITS
        scale = torch.where(is_active, middle, -torch.inf).amax(dim=0)
        # A term's rounding weighs as much as the term itself may.
        parts += (middle - scale).abs_()
        parts *= (high - low).clamp_(max=0).exp2_()
        worst = torch.where(is_active, parts, 0.0).amax(dim=0)
        limits = [SINGLE_BITS if blocks.is_single else -1.0, DOUBLE_BITS]
        tier = np.searchsorted(limits, blocks.device.get(worst))
        active = blocks.device.get(is_active.T)
        bounds = _Bounds(
            np.asarray(active, np.bool_),
            active.sum(axis=1),
            np.asarray(blocks.device.get(scale), np.float64),
            np.asarray(tier, np.intp),
        )
        yield start, bounds


def _terms(
    blocks: ColorBlocks,
    gaussians: Gaussians,
    group: NDArray[np.intp],
    bounds: _Bounds,
    tier: int,
) -> BlockTerms:
    n_active = int(bounds.n_active.max())
    kernels = np.argsort(~bounds.is_active, axis=1, kind="stable")[:, :n_active]
    is_there = np.arange(n_active) < bounds.n_active[:, None]
    if tier == 2:
        return _by_differences(blocks, gaussians, group, kernels, is_there)
    shift = blocks.origins[group, None] - gaussians.means[kernels]
    precisions = gaussians.precisions[kernels]
    slopes = -(precisions @ shift[..., None])[..., 0]
    constants = gaussians.log_peaks[kernels] + 0.5 * (shift * slopes).sum(axis=-1)
    constants = np.where(is_there, constants - bounds.scale[:, None], -np.inf)
    i, j = np.triu_indices(blocks.n_channels)
    squares = np.where(i == j, -0.5, -1.0) * precisions[..., i, j]
    coefficients = np.concatenate([constants[..., None], slopes, squares], axis=-1)
    dtype = torch.float32 if tier == 0 else torch.float64
    features = blocks.features(group, dtype)
    values = torch.bmm(blocks.device.put(coefficients, dtype), features).exp2_()
    scale = blocks.device.put(bounds.scale[:, None], torch.float64)
    return BlockTerms(group, kernels, values, scale)


def _by_differences(
    blocks: ColorBlocks,
    gaussians: Gaussians,
    group: NDArray[np.intp],
    kernels: NDArray[np.intp],
    is_there: NDArray[np.bool_],
) -> BlockTerms:
    """Compute ``peak − ½ |W (δ − (μ − origin))|²``, measured by each color's largest."""
    put = blocks.device.put
    offsets = blocks.offsets_in(group, torch.float64)[:, None]
    shift = put(gaussians.means[kernels] - blocks.origins[group, None], torch.float64)[..., None]
    differences = offsets - shift
    whitened = put(gaussians.whiteners[kernels], torch.float64) @ differences
    values = whitened.square_().sum(dim=2)
    if blocks.source.scatter is not None:
        i, j = np.triu_indices(blocks.n_channels)
        once = np.where(i == j, 1.0, 2.0) * gaussians.precisions[kernels][..., i, j]
        scatter = blocks.source.scatter[blocks.rows[group]].transpose(0, 2, 1)
        values += torch.bmm(put(once, torch.float64), put(scatter, torch.float64))
    peaks = np.where(is_there, gaussians.log_peaks[kernels], -np.inf)
    values.mul_(-0.5).add_(put(peaks, torch.float64)[..., None])
    scale = values.amax(dim=1)
    values.sub_(scale[:, None])
    return BlockTerms(group, kernels, values.exp2_(), scale, differences)
