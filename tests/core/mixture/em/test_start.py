import numpy as np
import pytest

from napari_colorkde.core.mixture.em.start import seed_kernels
from napari_colorkde.core.palette.palette import Palette

REG_COVAR = 0.5


def population(center, n, seed):
    random = np.random.default_rng(seed)
    return (np.array(center) + random.integers(-4, 5, (1, n, 3))).astype(np.uint8)


FAR_APART = [population([40, 60, 80], 300, 0), population([200, 180, 90], 100, 1)]
PALETTE = Palette.from_image(np.concatenate(FAR_APART, axis=1))


@pytest.mark.parametrize("seed", range(5))
def test_a_start_has_the_moments_of_the_colors_nearest_to_each_center(seed):
    start = seed_kernels(PALETTE, 2, reg_covar=REG_COVAR, random_state=seed)
    for kernel, pixels in zip(sorted(start, key=lambda k: -k.weight), FAR_APART, strict=True):
        rows = pixels[0].astype(float)
        assert kernel.weight == pytest.approx(len(rows) / 400)
        np.testing.assert_allclose(kernel.mean, rows.mean(axis=0))
        covariance = np.cov(rows.T, bias=True) + REG_COVAR * np.eye(3)
        np.testing.assert_allclose(kernel.covariance, covariance, atol=1e-9)


def test_centers_are_apart_and_their_kernels_sum_to_one():
    start = seed_kernels(PALETTE, 12, random_state=0)
    assert len({tuple(mean) for mean in start.means}) == 12
    assert start.weights.sum() == pytest.approx(1)


def test_each_color_is_the_center_of_its_own_kernel_where_there_are_as_many():
    colors = np.array([[[0, 0, 0], [9, 90, 200], [120, 3, 40], [255, 255, 255]]], np.uint8)
    start = seed_kernels(Palette.from_image(colors), 4, random_state=0)
    np.testing.assert_array_equal(sorted(map(tuple, start.means)), colors[0])


def test_a_seed_gives_the_same_start():
    first, second = (seed_kernels(PALETTE, 5, random_state=3) for _ in range(2))
    assert first == second
