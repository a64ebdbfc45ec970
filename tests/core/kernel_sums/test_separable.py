import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from napari_colorkde.core.kernel_sums import separable
from napari_colorkde.core.kernel_sums.separable import (
    gaussian_matrix,
    multiply_axis,
    separable_transform,
)
from tests.core.drawn import seeds


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


@given(seeds, st.integers(1, 7), st.integers(0, 2))
def test_blocks_of_rows_and_bands_change_nothing(device, seed, rows, axis):
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 1000, (9, 4, 6)) * (rng.random((9, 4, 6)) < 0.3)
    levels = np.sort(rng.random(counts.shape[axis])) * 100
    sigma = float(np.exp(rng.uniform(np.log(1e-4), np.log(100))))
    targets = np.linspace(-5, 105, 70)
    matrix = gaussian_matrix(targets, levels, sigma)
    grid = device.put(counts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(separable, "BLOCK_ROWS", rows)
        product = device.get(multiply_axis(grid, matrix, axis, device))
    expected = np.moveaxis(np.tensordot(matrix, counts.astype(float), (1, axis)), 0, axis)
    np.testing.assert_allclose(product, expected, rtol=2e-6, atol=1e-34 * counts.sum())


def test_every_axis_is_multiplied_by_its_matrix(device):
    rng = np.random.default_rng(3)
    grid, shape = rng.random((7, 5, 6)), (4, 9, 6)
    matrices = [rng.random((m, n)) for m, n in zip(shape, grid.shape, strict=True)]
    product = device.get(separable_transform(device.put(grid), matrices, device))
    expected = np.einsum("ia,jb,kc,abc->ijk", *matrices, grid)
    np.testing.assert_allclose(product, expected, rtol=1e-6)
