"""Mixtures at colors in blocks: the densities and moments of the textbook."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_colorkde.core import reference
from napari_colorkde.core.device import resolve_device
from napari_colorkde.core.mixture import color_blocks as blocks_module
from napari_colorkde.core.mixture.at_colors import (
    BLOCKS_KERNELS,
    mixture_density,
    mixture_log_density,
)
from napari_colorkde.core.mixture.block_terms import densities, log_densities, weighted_moments
from napari_colorkde.core.mixture.color_blocks import WeightedColors, color_blocks, morton_codes
from napari_colorkde.core.mixture.density import compute_densities
from napari_colorkde.core.mixture.exponents import Gaussians
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet

HOST = resolve_device("cpu")


def random_kernels(random, k, channels, low, high, narrowest, widest):
    kernels = []
    for _ in range(k):
        turn = np.linalg.qr(random.normal(size=(channels, channels)))[0]
        sigmas = np.exp(random.uniform(np.log(narrowest), np.log(widest), channels))
        covariance = (turn * sigmas**2) @ turn.T
        covariance = (covariance + covariance.T) / 2
        kernels.append(Kernel(random.uniform(low, high, channels), covariance, random.random()))
    return KernelSet(kernels)


def gaussians_of(kernels):
    return Gaussians.of(kernels.means, kernels.covariances, np.log(kernels.weights))


@given(
    seed=st.integers(0, 2**32 - 1),
    channels=st.integers(1, 3),
    k=st.integers(1, 40),
    n=st.integers(1, 3000),
    depth=st.sampled_from([8, 12, 16]),
    narrowest=st.sampled_from([1e-4, 0.003, 0.03]),
    is_single=st.booleans(),
    offset=st.sampled_from([0.0, 1e9]),
)
def test_densities_are_the_textbooks(seed, channels, k, n, depth, narrowest, is_single, offset):
    random = np.random.default_rng(seed)
    top = 2**depth - 1
    colors = np.unique(random.integers(0, top + 1, (n, channels)), axis=0) + offset
    kernels = random_kernels(random, k, channels, offset, offset + top, narrowest * top, 0.2 * top)
    weighted = WeightedColors(colors, np.full(len(colors), 1 / len(colors)))
    blocks = color_blocks(weighted, HOST, is_single=is_single)
    ours = log_densities(blocks, gaussians_of(kernels))
    truth = reference.mixture_log_density(colors, kernels)
    np.testing.assert_allclose(ours, truth, rtol=1e-6, atol=1e-5)
    is_large = truth > np.log(1e-30)
    linear = densities(blocks, gaussians_of(kernels))
    np.testing.assert_allclose(linear[is_large], np.exp(truth[is_large]), rtol=1e-5)


@given(
    seed=st.integers(0, 2**32 - 1),
    channels=st.integers(1, 3),
    k=st.integers(1, 12),
    narrowest=st.sampled_from([1e-4, 0.02, 0.5]),
    is_single=st.booleans(),
)
def test_moments_are_the_textbooks(seed, channels, k, narrowest, is_single):
    random = np.random.default_rng(seed)
    colors = np.unique(random.integers(0, 256, (2000, channels)), axis=0).astype(np.float64)
    counts = random.integers(1, 100, len(colors))
    kernels = random_kernels(random, k, channels, 0, 255, narrowest, 60)
    blocks = color_blocks(WeightedColors(colors, counts / counts.sum()), HOST, is_single=is_single)
    log_likelihood, sums = weighted_moments(blocks, gaussians_of(kernels))
    logs = np.stack([reference.mixture_log_density(colors, [kernel]) for kernel in kernels])
    total = reference.mixture_log_density(colors, kernels)
    shares = np.exp(logs - total) * counts / counts.sum()
    assert log_likelihood == pytest.approx(counts @ total / counts.sum(), rel=1e-6, abs=1e-5)
    np.testing.assert_allclose(sums[:, 0], shares.sum(axis=1), rtol=1e-5, atol=1e-10)
    i, j = np.triu_indices(channels)
    for kernel, share, found in zip(kernels, shares, sums, strict=True):
        differences = colors - kernel.mean
        first = share @ differences
        second = share @ (differences[:, i] * differences[:, j])
        scale = share @ (differences**2).sum(axis=1) + 1e-10
        np.testing.assert_allclose(found[1 : 1 + channels], first, atol=1e-5 * np.sqrt(scale))
        np.testing.assert_allclose(found[1 + channels :], second, atol=1e-5 * scale)


def test_a_kernel_without_weight_is_nowhere():
    colors = np.arange(30.0)[:, np.newaxis]
    blocks = color_blocks(WeightedColors(colors, np.full(30, 1 / 30)), HOST, is_single=True)
    heavy, weightless = Kernel([3], [4], 1), Kernel([20], [4], 0)
    with np.errstate(divide="ignore"):
        both, nothing = (gaussians_of(KernelSet(k)) for k in ([heavy, weightless], [weightless]))
    truth = reference.mixture_log_density(colors, [heavy])
    np.testing.assert_allclose(log_densities(blocks, both), truth, rtol=1e-6)
    assert np.isneginf(log_densities(blocks, nothing)).all()


def test_each_color_stands_in_a_block_once():
    random = np.random.default_rng(0)
    colors = random.random((1300, 3))
    weights = random.random(1300)
    blocks = color_blocks(WeightedColors(colors, weights), HOST, is_single=False)
    assert set(blocks.rows.ravel()) == set(range(1300))
    assert float(blocks.weights.sum()) == pytest.approx(weights.sum())
    low, high = blocks.origins - blocks.reach, blocks.origins + blocks.reach
    members = colors[blocks.rows]
    assert (members >= low[:, None] - 1e-12).all()
    assert (members <= high[:, None] + 1e-12).all()


def test_neighbors_on_the_curve_share_leading_bits():
    grid = np.stack(np.meshgrid(*[np.arange(4.0)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    eighths = morton_codes(grid) >> (3 * (blocks_module.MORTON_BITS - 1))
    for octant in range(8):
        members = grid[eighths == octant]
        assert len(members) == 8
        assert (np.ptp(members, axis=0) == 1).all()


@given(seed=st.integers(0, 2**32 - 1), channels=st.integers(1, 3), n_bins=st.integers(8, 400))
def test_bins_keep_weight_mean_and_covariance(seed, channels, n_bins):
    random = np.random.default_rng(seed)
    colors = random.random((2000, channels)) * 255
    weights = random.random(2000)
    weights /= weights.sum()
    coarse = WeightedColors(colors, weights).coarsened(n_bins)
    assert len(coarse) <= n_bins
    assert coarse.weights.sum() == pytest.approx(1)
    mean = weights @ colors
    np.testing.assert_allclose(coarse.weights @ coarse.colors, mean)
    i, j = np.triu_indices(channels)
    between = (coarse.colors - mean)[:, i] * (coarse.colors - mean)[:, j]
    covariance = np.cov(colors.T, aweights=weights, bias=True).reshape(channels, channels)
    found = coarse.weights @ (between + coarse.scatter)
    np.testing.assert_allclose(found, covariance[i, j], rtol=1e-9, atol=1e-9)
    again = WeightedColors(colors, weights).coarsened(1000).coarsened(n_bins)
    np.testing.assert_allclose(again.weights @ again.colors, mean)


def test_the_likelihood_on_bins_is_a_lower_bound():
    random = np.random.default_rng(3)
    colors = random.normal(120, 30, (3000, 3))
    kernels = random_kernels(random, 5, 3, 60, 180, 5, 40)
    weighted = WeightedColors(colors, np.full(3000, 1 / 3000))
    exact, coarse = (
        weighted_moments(color_blocks(each, HOST, is_single=False), gaussians_of(kernels))[0]
        for each in (weighted, weighted.coarsened(200))
    )
    assert coarse < exact < coarse + 2


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_many_kernels_at_many_colors_are_evaluated_in_blocks(dtype, device):
    random = np.random.default_rng(1)
    image = random.integers(0, 256, (200, 150, 3)).astype(dtype)
    kernels = random_kernels(random, BLOCKS_KERNELS, 3, 0, 255, 2, 60)
    pixels = image.reshape(-1, 3).astype(np.float64)
    truth = reference.mixture_log_density(pixels, kernels)
    logs = compute_densities(image, kernels, log=True, device=device)
    np.testing.assert_allclose(logs.ravel(), truth, rtol=1e-6, atol=1e-5)
    found = mixture_log_density(pixels, kernels, normalized=False, device=device)
    np.testing.assert_allclose(found, truth + 1.5 * np.log(2 * np.pi), rtol=1e-6, atol=1e-5)
    linear = mixture_density(pixels, kernels, device=device)
    np.testing.assert_allclose(linear, np.exp(truth), rtol=1e-5, atol=1e-30)
