import numpy as np
import pytest
import torch

from napari_colorkde.core.device import HOST
from napari_colorkde.core.mixture.exponents import LOG2_E, Exponents, features, log_sum, moments
from napari_colorkde.core.reference import gaussian_log_density


@pytest.mark.parametrize("n_channels", [1, 2, 3, 6])
def test_sums_of_features_are_moments(n_channels):
    colors = np.random.default_rng(0).normal(size=(40, n_channels))
    weights = np.random.default_rng(1).random((2, 40))
    mass, first, second = moments(weights @ features(colors.T).T, n_channels)
    np.testing.assert_allclose(mass, weights.sum(axis=1))
    np.testing.assert_allclose(first, weights @ colors)
    np.testing.assert_allclose(second, np.einsum("kn,ni,nj->kij", weights, colors, colors))


@pytest.mark.parametrize("sigma", [1e-3, 1e-7], ids=["squares expanded", "differences first"])
def test_both_ways_to_exponents_are_exact(sigma):
    means = np.array([[1.0, 2.0], [1.5, -3.0]])
    covariances = np.array([[[2.0, 0.6], [0.6, 1.0]], [[1.0, 0.0], [0.0, 3.0]]]) * sigma**2
    exponents = Exponents(means, covariances, np.log([0.25, 4.0]), HOST)
    colors = np.concatenate([means + 3 * sigma, means - sigma])
    ((_, result, _),) = exponents.blocks(colors)
    for k in range(2):
        expected = np.log([0.25, 4.0])[k] + gaussian_log_density(colors, means[k], covariances[k])
        np.testing.assert_allclose(result[k] / LOG2_E, expected, rtol=1e-6)


def test_a_sum_of_nothing_is_minus_infinity():
    exponents = torch.tensor([[0.0, -torch.inf, -5000.0], [0.0, -torch.inf, -5000.0]])
    np.testing.assert_array_equal(log_sum(exponents), [1, -np.inf, -4999])
