"""Kernels in the color space that is shown: carried there, stretched there, carried back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_colorkde.app.density.color_coordinates import PaletteCoordinates, convert_palette
from napari_colorkde.app.kernels.in_color_space import (
    MAX_STRETCH,
    convert_kernels,
    kernel_from_ellipsoid,
)
from napari_colorkde.core.palette.palette import Palette

RNG = np.random.default_rng(0)
PALETTE = Palette.from_image(RNG.integers(40, 80, (20, 30, 3)).astype(np.uint8))
SPACES = {
    name: convert_palette(PALETTE, name)
    for name in ("linear", "lab", "oklab", "hsv", "ycbcr", "principal")
}
MEAN = np.array([150.0, 90, 70])
FULL = np.array([[144.0, 30, 10], [30, 64, -20], [10, -20, 100]])


@pytest.mark.parametrize("name", ["ycbcr", "principal"])
def test_kernels_are_carried_exactly_into_affine_spaces(name: str) -> None:
    coordinates = convert_palette(PALETTE, name)
    mean = np.array([[100.0, 50.0, 180.0]])
    factor = RNG.normal(size=(3, 3)) * 5
    covariance = (factor @ factor.T)[np.newaxis]
    means, covariances = convert_kernels(mean, covariance, coordinates)
    np.testing.assert_allclose(means, coordinates.from_colors(mean), rtol=1e-9)
    origin = coordinates.from_colors(np.zeros((1, 3)))
    linear = (coordinates.from_colors(np.eye(3)) - origin).T
    np.testing.assert_allclose(covariances[0], linear @ covariance[0] @ linear.T, atol=1e-9)


@pytest.mark.parametrize("name", ["lab", "oklab", "linear", "hsv"])
def test_kernels_are_carried_into_other_spaces_as_many_samples_are(name: str) -> None:
    coordinates = convert_palette(PALETTE, name)
    mean, sigma = np.array([150.0, 90, 70]), np.array([12.0, 8, 10])
    drawn = RNG.normal(mean, sigma, (200_000, 3))
    points = coordinates.from_colors(drawn)
    (center,), (covariance,) = convert_kernels(
        mean[np.newaxis], np.diag(sigma**2)[np.newaxis], coordinates
    )
    spread = np.sqrt(np.diagonal(np.cov(points.T)))
    np.testing.assert_allclose(center, points.mean(axis=0), atol=0.05 * spread.max())
    np.testing.assert_allclose(np.sqrt(np.diagonal(covariance)), spread, rtol=0.1)


def test_kernels_at_a_corner_of_the_cube_keep_a_volume() -> None:
    for name in ("lab", "hsv", "linear"):
        _, covariances = convert_kernels(
            np.array([[0.0, 0, 0], [-90, -90, -90]]),
            np.array([np.eye(3)] * 2),
            convert_palette(PALETTE, name),
        )
        assert (np.linalg.eigvalsh(covariances) > 0).all()


def stretched(covariance: np.ndarray, axis: int, factor: float) -> np.ndarray:
    """An ellipsoid with one of its axes made longer, as its handle does."""
    values, vectors = np.linalg.eigh(covariance)
    values[axis] *= factor**2
    return np.asarray((vectors * values) @ vectors.T)


def shown_of(
    mean: np.ndarray, covariance: np.ndarray, coordinates: PaletteCoordinates
) -> np.ndarray:
    return convert_kernels(mean[np.newaxis], covariance[np.newaxis], coordinates)[1][0]


@pytest.mark.parametrize("name", ["ycbcr", "principal"])
@pytest.mark.parametrize("axis", range(3))
def test_in_an_affine_space_the_ellipsoid_is_what_it_was_dragged_to(name: str, axis: int) -> None:
    coordinates = SPACES[name]
    wanted = stretched(shown_of(MEAN, FULL, coordinates), axis, 2.5)
    after = kernel_from_ellipsoid(MEAN, FULL, wanted, coordinates)
    np.testing.assert_allclose(shown_of(MEAN, after, coordinates), wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["lab", "oklab", "linear", "hsv"])
@pytest.mark.parametrize("axis", range(3))
def test_in_a_curved_space_it_is_about_that(name: str, axis: int) -> None:
    coordinates = SPACES[name]
    before = shown_of(MEAN, FULL, coordinates)
    wanted = stretched(before, axis, 1.3)
    after = shown_of(MEAN, kernel_from_ellipsoid(MEAN, FULL, wanted, coordinates), coordinates)
    assert np.linalg.norm(after - wanted) < 0.35 * np.linalg.norm(before - wanted)


@pytest.mark.parametrize("name", SPACES)
def test_dragged_out_and_back_it_is_the_kernel_it_was(name: str) -> None:
    shown = shown_of(MEAN, FULL, SPACES[name])
    np.testing.assert_allclose(
        kernel_from_ellipsoid(MEAN, FULL, shown, SPACES[name]), FULL, rtol=1e-9
    )


@given(
    name=st.sampled_from(list(SPACES)),
    mean=st.lists(st.sampled_from([-90.0, 0.0, 1.0, 128.0, 255.0, 300.0]), min_size=3, max_size=3),
    sigma=st.sampled_from([0.1, 3.0, 60.0]),
    axis=st.integers(0, 2),
    factor=st.sampled_from([0.0, 1e-3, 0.5, 3.0, 1e6]),
)
def test_nowhere_does_a_kernel_become_flat_or_boundless(
    name: str, mean: list[float], sigma: float, axis: int, factor: float
) -> None:
    coordinates, center = SPACES[name], np.array(mean)
    before = sigma**2 * FULL / 100
    wanted = stretched(shown_of(center, before, coordinates), axis, factor)
    after = kernel_from_ellipsoid(center, before, wanted, coordinates)
    np.testing.assert_allclose(after, after.T)
    # Lengths along any direction, as parts of what they were.
    inverse = np.linalg.inv(np.linalg.cholesky(before))
    ratios = np.sqrt(np.linalg.eigvalsh(inverse @ after @ inverse.T))
    assert ratios.min() > 0.9 / MAX_STRETCH
    assert ratios.max() < 1.1 * MAX_STRETCH
    # It grows where the ellipsoid has grown, and shrinks where that has shrunk.
    assert np.sign(np.log(np.prod(ratios))) == np.sign(factor - 1)
