import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp
from scipy.stats import norm

from napari_colorkde.core import lattice
from napari_colorkde.core.lattice import (
    gaussian_matrix,
    lattice_of,
    multiply_axis,
    others_transform,
    separable_transform,
)
from napari_colorkde.core.palette import Palette
from tests.core.drawn import images, seeds

factors = st.floats(np.log(1e-4), np.log(100)).map(np.exp)


@st.composite
def lattices(draw):
    """Counts on a small lattice of irregular levels, mostly empty, and sigmas for it."""
    rng = np.random.default_rng(draw(seeds))
    n_channels = draw(st.integers(1, 3))
    largest = {1: 80, 2: 20, 3: 9}[n_channels]  # the textbook takes all pairs
    shape = draw(st.lists(st.integers(1, largest), min_size=n_channels, max_size=n_channels))
    levels = tuple(np.sort(rng.choice(1000, n, replace=False)) / 10.0 for n in shape)
    counts = rng.integers(1, 1000, shape) * (rng.random(shape) < 0.2)
    counts.flat[0] += 1
    sigmas = np.array([draw(factors) for _ in shape])
    return counts, levels, sigmas, rng


def log_sums(counts, levels, targets, sigmas, leave_out_own=False):
    """The textbook in log space, one axis after the other: log Σ counts Π exp(−½ d²/σ²)."""
    nodes = np.stack(np.meshgrid(*levels, indexing="ij"), -1).reshape(-1, len(levels))
    points = np.stack(np.meshgrid(*targets, indexing="ij"), -1).reshape(-1, len(levels))
    used = counts.ravel() > 0
    exponents = sum(
        -0.5 * ((points[:, a, None] - nodes[used, a]) / sigmas[a]) ** 2 for a in range(len(levels))
    )
    weights = np.tile(counts.ravel()[used].astype(float), (len(points), 1))
    if leave_out_own:
        weights[(points[:, None] == nodes[used]).all(axis=2)] = 0
    return logsumexp(exponents, axis=1, b=weights).reshape([len(t) for t in targets])


@given(images())
def test_every_palette_entry_has_its_place_on_the_lattice(image):
    palette = Palette.from_image(image)
    found = lattice_of(palette.colors)
    places = np.unravel_index(found.position, found.shape)
    colors = np.stack([levels[at] for levels, at in zip(found.levels, places, strict=True)], 1)
    np.testing.assert_array_equal(colors, palette.colors)
    for c, levels in enumerate(found.levels):
        np.testing.assert_array_equal(levels, np.unique(palette.colors[:, c]))
        assert levels.dtype == np.float64


def test_scattered_values_are_gathered_again(device):
    colors = np.array([[0, 5], [1, 0], [1, 5]], np.uint8)
    found = lattice_of(colors)
    grid = found.scatter(np.array([3, 2**40, 1]), device, torch.float32)
    assert tuple(grid.shape) == (2, 2)
    np.testing.assert_array_equal(found.gather(grid, device), [3, 2**40, 1])
    np.testing.assert_array_equal(device.get(grid), [[0, 3], [2**40, 1]])


def test_counts_beyond_float32_are_exact_in_float64(device):
    found = lattice_of(np.array([[7]], np.uint8))
    grid = found.scatter(np.array([2**31 + 1]), device.exact, torch.float64)
    assert found.gather(grid, device.exact)[0] == 2**31 + 1


def test_too_many_nodes_or_levels_make_no_lattice(monkeypatch):
    colors = np.stack([np.arange(30), np.arange(30) % 10], axis=1)
    monkeypatch.setattr(lattice, "MAX_NODES", 300)
    assert lattice_of(colors) is not None
    monkeypatch.setattr(lattice, "MAX_NODES", 299)
    assert lattice_of(colors) is None
    monkeypatch.setattr(lattice, "MAX_NODES", 300)
    monkeypatch.setattr(lattice, "MAX_LEVELS", 29)
    assert lattice_of(colors) is None


def test_the_lattice_of_all_8_bit_colors_is_kept():
    corners = np.stack([np.arange(256)] * 3, axis=1).astype(np.uint8)
    assert lattice_of(corners).shape == (256, 256, 256)


def test_a_long_grey_axis_makes_no_lattice():
    assert lattice_of(np.arange(65536, dtype=np.uint16)[:, None]) is None


@pytest.mark.parametrize("sigma", [1e-3, 0.1, 1.0, 50.0])
def test_cells_hold_the_average_over_the_cell(sigma):
    targets = np.linspace(-3, 4, 8)
    sources = np.array([-50.0, -2.5, 0.0, 0.499, 1.7, 12.0])
    matrix = gaussian_matrix(targets, sources, sigma, "cells")
    inside = np.linspace(-0.5, 0.5, 20_001)[:-1] + 0.5 / 20_000
    for i, j in np.ndindex(matrix.shape):
        fine = gaussian_matrix(targets[i] + inside, sources[j : j + 1], sigma).mean()
        assert matrix[i, j] == pytest.approx(fine, rel=1e-3, abs=1e-5 * sigma)
    mass = matrix.sum(axis=0) / (sigma * np.sqrt(2 * np.pi))
    expected = norm.cdf(4.5, sources, sigma) - norm.cdf(-3.5, sources, sigma)
    np.testing.assert_allclose(mass, expected, atol=1e-14)


@given(lattices())
def test_the_transform_keeps_relative_accuracy_deep_into_the_tails(device, drawn):
    counts, levels, sigmas, rng = drawn
    targets = tuple(np.sort(rng.random(rng.integers(1, 12))) * 120 - 10 for _ in levels)
    logs = log_sums(counts, levels, targets, sigmas)
    matrices = [gaussian_matrix(*axes) for axes in zip(targets, levels, sigmas, strict=True)]
    for where, dtype, floor in ((device, torch.float32, -69), (device.exact, torch.float64, -667)):
        grid = where.put(counts, dtype)
        sums = where.get(separable_transform(grid, matrices, where))
        tells = logs > floor + np.log(counts.sum())  # 1e-30 and 1e-290 of N
        np.testing.assert_allclose(
            np.log(sums[tells].astype(float)), logs[tells], rtol=0, atol=3e-6
        )
        assert (sums[~tells] < 1.1 * np.exp(floor) * counts.sum()).all()


@given(lattices(), st.integers(1, 7))
def test_blocks_of_rows_and_bands_change_nothing(device, drawn, rows):
    counts, levels, sigmas, _ = drawn
    targets = np.linspace(-5, 105, 70)
    matrix = gaussian_matrix(targets, levels[0], sigmas[0])
    grid = device.put(counts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lattice, "BLOCK_ROWS", rows)
        product = device.get(multiply_axis(grid, matrix, 0, device))
    expected = np.tensordot(matrix, counts.astype(float), 1)
    np.testing.assert_allclose(product, expected, rtol=2e-6, atol=1e-34 * counts.sum())


@given(lattices())
def test_the_sum_of_the_others_leaves_out_the_own_node_alone(device, drawn):
    counts, levels, sigmas, _ = drawn
    logs = log_sums(counts, levels, levels, sigmas, leave_out_own=True)
    for where, dtype, floor in ((device, torch.float32, -69), (device.exact, torch.float64, -667)):
        grid = where.put(counts, dtype)
        others = where.get(others_transform(grid, levels, sigmas, where))
        tells = logs > floor + np.log(counts.sum())
        np.testing.assert_allclose(
            np.log(others[tells].astype(float)), logs[tells], rtol=0, atol=3e-6
        )
        assert (others[~tells] < 1.1 * np.exp(floor) * counts.sum()).all()


def test_the_own_count_never_shows_in_the_others(device):
    # Subtracting 2^40 from the total would leave nothing of the neighbour's 1e-6.
    counts = np.array([2**40, 0, 1])
    levels = (np.array([0.0, 1.0, 5.257]),)
    others = device.get(others_transform(device.put(counts), levels, np.array([1.0]), device))
    assert others[0] == pytest.approx(np.exp(-(5.257**2) / 2), rel=1e-6)


def test_the_transform_does_not_change_its_input(device):
    grid = device.put(np.ones((3, 4), np.float32))
    before = device.get(grid).copy()
    levels = (np.arange(3.0), np.arange(4.0))
    matrices = [gaussian_matrix(axis, axis, 1.0) for axis in levels]
    separable_transform(grid, matrices, device)
    others_transform(grid, levels, np.ones(2), device)
    np.testing.assert_array_equal(device.get(grid), before)
