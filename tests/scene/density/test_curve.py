from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_colorkde.scene.density.curve import histogram
from tests.scene.conftest import AXIS


def test_every_gray_level_has_a_bar_of_its_own() -> None:
    edges, densities = histogram(np.array([0, 3, 255], np.uint8), np.array([1, 2, 1]), 0, 255)
    assert len(densities) == 256
    np.testing.assert_allclose((edges[1:] + edges[:-1]) / 2, np.arange(256))
    np.testing.assert_allclose(densities[[0, 3, 255]], [0.25, 0.5, 0.25])
    assert densities.sum() == pytest.approx(1)


@pytest.mark.parametrize("scale", [1, 1 / 4095])
def test_many_levels_share_bars_evenly(scale: float) -> None:
    values = (np.arange(4096) * scale).astype(np.uint16 if scale == 1 else np.float32)
    edges, densities = histogram(values, np.ones(4096, int), -300 * scale, 4400 * scale)
    assert 200 < len(densities) <= 257
    assert (densities * np.diff(edges)).sum() == pytest.approx(1)
    np.testing.assert_allclose(densities[:-1], 1 / 4096 / scale, rtol=1e-3)


def test_levels_that_are_fractions_make_no_comb() -> None:
    values = (np.arange(256) / 255).astype(np.float32)
    _, densities = histogram(values, np.ones(256), -0.06, 1.06)
    np.testing.assert_allclose(densities, np.full(256, 255 / 256), rtol=1e-3)


def test_a_single_value_has_a_narrow_bar() -> None:
    edges, densities = histogram(np.array([0.5]), np.array([7]), 0, 1)
    np.testing.assert_allclose(edges, [0.5, 0.5 + 1 / 256])
    np.testing.assert_allclose(densities, [256])


def test_values_without_levels_fill_even_bars() -> None:
    values = np.sort(np.random.default_rng(2).random(5000))
    edges, densities = histogram(values, np.ones(5000), 0, 1)
    assert 250 < len(densities) <= 257
    assert (densities * np.diff(edges)).sum() == pytest.approx(1)


@pytest.mark.window
def test_counts_of_one_channel_are_bars_as_high_as_the_curve(canvas: Any) -> None:
    # A uniform density has a flat curve, and bars that reach it.
    canvas.set_volume(np.full(len(AXIS), 1 / 256, np.float32), (AXIS,), ("gray",))
    canvas.set_mode("points")
    empty = canvas.render((300, 200)).astype(int)
    levels = np.arange(256, dtype=np.uint8)[:, np.newaxis]
    canvas.set_counts(levels[128:], np.ones(128))
    half = canvas.render((300, 200)).astype(int)
    canvas.set_counts(levels, np.ones(256))
    whole = canvas.render((300, 200)).astype(int)
    bars = np.abs(half - empty)[..., :3].max(axis=-1) > 20
    assert bars.any()
    # All pixels in half of the levels: twice as dense as the curve.
    assert (np.abs(whole - empty)[..., :3].max(axis=-1) > 20).any()
    top_of = [np.nonzero(_whiter(picture))[0].min() for picture in (half, whole)]
    assert top_of[0] > top_of[1] + 20


def _whiter(picture: np.ndarray) -> np.ndarray:
    """Say where the curve's line is, near white."""
    return np.asarray(picture[:, :140, :3].min(axis=-1) > 215)
