from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_colorkde.scene.annotations.marginals import Wall, marginal
from napari_colorkde.scene.axes import SceneAxes
from tests.scene.conftest import AXIS, RGB, blob


@given(st.integers(0, 2), st.integers(0, 2**31))
def test_marginals_are_sums_and_means_along_a_channel(channel: int, seed: int) -> None:
    values = np.random.default_rng(seed).gamma(0.5, size=(5, 6, 7)).astype(np.float32)
    n = values.shape[channel]
    shadow = marginal(values, channel, span=2.0)
    np.testing.assert_allclose(shadow.density, values.sum(axis=channel) * 2 / (n - 1), rtol=1e-5)
    shape = [1, 1, 1]
    shape[channel] = n
    places = np.linspace(0, 1, n).reshape(shape)
    expected = (values * places).sum(axis=channel) / values.sum(axis=channel)
    np.testing.assert_allclose(shadow.mean, expected, rtol=1e-4)


def test_mean_lies_where_the_mass_does() -> None:
    shadow = marginal(blob(200, 60, 100), 0, span=255.0)
    i, j = np.unravel_index(np.argmax(shadow.density), shadow.density.shape)
    assert (AXIS[i], AXIS[j]) == pytest.approx((60, 100), abs=5)
    assert 255 * shadow.mean[i, j] == pytest.approx(200, abs=2)


def test_where_nothing_is_the_mean_is_in_the_middle() -> None:
    shadow = marginal(np.zeros((3, 3, 3), np.float32), 1, span=1.0)
    assert not shadow.density.any()
    assert (shadow.mean == 0.5).all()


def test_a_wall_leaves_out_the_share_of_the_floor() -> None:
    space = SceneAxes.from_axes((AXIS,) * 3, RGB)
    values = (0.9 * blob(200, 60, 100) + 0.1 * blob(60, 200, 200)).astype(np.float32)
    wall = Wall.of(values, 2, space)
    plain, floored = (wall.picture("log", density_floor=floor)[..., 3] for floor in (0.0, 0.25))
    small, large = (np.argmin(np.abs(AXIS - level)) for level in (60, 200))
    assert plain[small, large] > 0.1
    assert floored[small, large] == 0
    assert floored[large, small] == plain[large, small]
    left = wall.density[floored > 0].sum() / wall.density.sum()
    assert left == pytest.approx(0.75, abs=0.03)
