import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_colorkde.core.device import HOST
from napari_colorkde.core.reference import kde_log_density
from napari_colorkde.core.vectors import log_densities as module
from napari_colorkde.core.vectors.log_densities import log_densities

SIGMAS = np.array([0.05, 0.08, 0.1, 0.2, 0.5, 1.0, 1.5, 2.0])


def vectors(seed, n, d, spread=1.0, offset=0.0):
    return np.random.default_rng(seed).normal(offset, spread, (n, d))


def assert_as_promised(result, expected):
    np.testing.assert_array_less(np.abs(result - expected), 1e-4 + 1e-6 * np.abs(expected))


@given(
    seed=st.integers(0, 2**32 - 1),
    n_train=st.integers(1, 40),
    n=st.integers(1, 40),
    d=st.integers(1, 60),
    sigma=st.floats(0.01, 10),
    spread=st.sampled_from([0.0, 1e-3, 1.0, 1e3]),
    offset=st.sampled_from([0.0, 100.0, -1e6]),
)
def test_log_densities_equal_the_reference(device, seed, n_train, n, d, sigma, spread, offset):
    train, points = vectors(seed, n_train, d, spread, offset), vectors(seed + 1, n, d, 1, offset)
    sigmas = np.array([sigma, 3 * sigma, 0.5 * sigma])
    result = log_densities(train, points, sigmas, device=device)
    for row, s in zip(result, sigmas, strict=True):
        assert_as_promised(row, kde_log_density(points, train, np.full(d, s**2)))


@pytest.mark.parametrize(
    ("sigma", "spread"),
    [(1.0, 1.0), (1e-3, 1.0), (1e-9, 1.0)],
    ids=["float32 products", "float64 products", "differences"],
)
def test_every_way_to_the_distances_is_accurate(device, sigma, spread):
    train = vectors(0, 50, 30, spread)
    points = np.concatenate([vectors(1, 20, 30, spread), train[:5] + sigma])
    result = log_densities(train, points, np.array([sigma]), device=device)[0]
    assert_as_promised(result, kde_log_density(points, train, np.full(30, sigma**2)))


def test_tiles_add_up(device, monkeypatch):
    train, points = vectors(0, 53, 7), vectors(1, 31, 7, 3)
    whole = log_densities(train, points, SIGMAS, device=device)
    monkeypatch.setattr(module, "POINT_ROWS", 8)
    monkeypatch.setattr(module, "TRAIN_ROWS", 10)
    np.testing.assert_allclose(log_densities(train, points, SIGMAS, device=device), whole, 1e-6)


def test_far_points_do_not_underflow():
    result = log_densities(np.zeros((3, 2)), np.array([[1e6, 0.0]]), np.array([0.1]), device=HOST)
    assert result[0, 0] == pytest.approx(-5e13, rel=1e-6)
