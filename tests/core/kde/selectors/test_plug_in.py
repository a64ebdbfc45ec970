"""Plug-in bandwidths beside the output of the authors' own programs."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm

from napari_colorkde import ColorKDE, select_bandwidth
from napari_colorkde.core.kde.selectors.plug_in import (
    fourth_functionals,
    normal_functional,
    orders,
    plug_in_covariance,
)
from napari_colorkde.core.kde.selectors.sheather_jones import fixed_point, isj, solve

COUNT = np.arange(1, 81)


def quasi(step: float) -> NDArray[np.float64]:
    """Numbers that are normal and the same in every program."""
    return np.asarray(norm.ppf((COUNT * step) % 1))


A, B, C = (quasi(step) for step in (0.7548776662466927, 0.5698402909980532, 0.8191725133961645))
SAMPLES = {
    "one cloud": np.stack([3 * A, A + 0.5 * B], axis=1),
    "two clouds": np.stack([np.where(COUNT % 3 == 0, 4, 0) + A, 0.5 * A + B], axis=1),
    "three dimensions": np.stack(
        [10 * A, 4 * A + 3 * B, np.where(COUNT % 2 == 0, 5, 0) + C], axis=1
    ),
}
# ks 1.14.0: Hpi(x, pilot="dscalar", pre="sphere", binned=FALSE), whose optimizer ends earlier.
HPI = {
    "one cloud": [[1.76106365389, 0.601631927360], [0.601631927360, 0.262319952838]],
    "two clouds": [[0.3816313190482, 0.0262422180029], [0.0262422180029, 0.1835025141529]],
    "three dimensions": [
        [11.895183617499, 4.7911065211531, -0.3749851558678],
        [4.7911065211531, 3.1702390826761, 0.0949440002138],
        [-0.3749851558678, 0.0949440002138, 0.5690510778216],
    ],
}


@pytest.mark.parametrize("name", SAMPLES)
def test_full_plug_in_is_that_of_ks(name: str) -> None:
    found = plug_in_covariance(SAMPLES[name])
    spread = np.sqrt(np.outer(np.diag(found), np.diag(found)))
    np.testing.assert_allclose(found / spread, HPI[name] / spread, atol=2e-4)


def test_functionals_of_a_normal_density_are_derivatives_of_its_convolution() -> None:
    # ψ_r = φ_{2Σ}^(r)(0), in one dimension (−1)^{r/2} (r − 1)!! / (2^{(r+1)/2} √2π).
    assert normal_functional((4,), np.eye(1)) == pytest.approx(3 / (2**2.5 * np.sqrt(2 * np.pi)))
    assert normal_functional((2, 1), np.eye(2)) == 0
    estimated = fourth_functionals(quasi_normal(2000))
    for r in orders(4, 2):
        expected = normal_functional(r, np.eye(2))
        # Smoothed by the pilot, so somewhat flatter.
        assert estimated[r] == pytest.approx(expected, rel=0.35, abs=0.006)


def quasi_normal(n: int) -> NDArray[np.float64]:
    count = np.arange(1, n + 1)[:, None]
    points = norm.ppf((count * [0.7548776662466927, 0.5698402909980532]) % 1)
    return np.asarray((points - points.mean(axis=0)) / points.std(axis=0))


def test_bandwidth_of_an_image_is_for_all_of_its_pixels() -> None:
    few = np.clip(120 + 30 * SAMPLES["one cloud"], 0, 255).astype(np.uint8)[np.newaxis, :, :]
    selection = select_bandwidth(few, "plug-in")
    np.testing.assert_allclose(
        selection.covariance, plug_in_covariance(few[0].astype(float)), rtol=1e-6
    )
    np.testing.assert_array_equal(ColorKDE(few, "plug-in").covariance, selection.covariance)
    np.testing.assert_allclose(selection.bandwidth**2, np.diag(selection.covariance))
    many = 120 + 20 * quasi_normal(8192)
    # Rounded to levels, and functionals of random ones: n^(−2/(d+4)) of so many pixels.
    rounded = np.clip(np.rint(many), 0, 255).astype(np.uint8)[np.newaxis]
    found = select_bandwidth(rounded, "plug-in").covariance
    best = 400 * (4 / (4 * 8192)) ** (1 / 3)
    np.testing.assert_allclose(np.diag(found), best, rtol=0.4)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((4, 4, 3), np.uint8), "channel 0, 1, 2 .* is constant"),
        (np.arange(48, dtype=np.uint8).reshape(4, 4, 3), "channels depend linearly on each other"),
        (np.eye(3, dtype=np.uint8)[np.newaxis], "image has 3 pixels of 3 channels; a full"),
    ],
)
def test_images_without_a_full_bandwidth_are_refused(image: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        select_bandwidth(image, "plug-in")  # type: ignore[arg-type]  # an array


def test_fixed_point_is_that_of_the_papers_program() -> None:
    """As the program of Botev, in MATLAB, prints."""

    def to(n: int) -> NDArray[np.float64]:
        return np.arange(1, n + 1, dtype=float)

    assert fixed_point(0.01, 50, to(50), to(50)) == pytest.approx(0.0099076220293967618515)
    assert fixed_point(0.07, 25, to(10), to(10)) == pytest.approx(0.068342291525717486795)
    assert solve(50, to(50), to(50)) == pytest.approx(9.237610787616029e-05)


def test_sheather_jones_of_a_normal_sample_is_near_the_best() -> None:
    values = norm.ppf((np.arange(1, 2001) * 0.7548776662466927) % 1)
    found = isj(np.asarray(values), np.ones(2000), step=1e-3)
    best = (4 / 3) ** 0.2 * 2000**-0.2
    assert found == pytest.approx(best, rel=0.15)
    # It follows the scale, and a distance between two clouds does not widen it.
    assert isj(50 * values, np.ones(2000), step=5e-2) == pytest.approx(50 * found, rel=1e-6)
    apart = isj(np.concatenate([values, values + 30]), np.ones(4000), step=1e-3)
    assert apart == pytest.approx(found, rel=0.15)


def test_sheather_jones_goes_channel_by_channel_and_not_below_half_a_level() -> None:
    random = np.random.default_rng(0)
    image = np.stack(
        [
            random.normal(120, 30, (64, 64)),
            random.normal(120, 8, (64, 64)),
            np.full((64, 64), 7),
        ],
        axis=2,
    )
    sigmas = select_bandwidth(image.clip(0, 255).astype(np.uint8), "isj").bandwidth
    assert sigmas[0] > 2 * sigmas[1] > 1
    assert sigmas[2] == 2.0  # the floor of the rules of thumb
    assert select_bandwidth(np.eye(9, dtype=np.uint8) * 255, "isj").bandwidth[0] >= 0.5
