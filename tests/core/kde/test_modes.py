"""Peaks of densities, beside the textbook's sum around them."""

from itertools import product

import numpy as np
import pytest
from skimage import data

from napari_colorkde import ColorKDE, Palette
from napari_colorkde.core import reference

RNG = np.random.default_rng(0)
CENTERS = np.array([[60.0, 70, 200], [120, 70, 60], [200, 200, 90]])


def clusters(n_channels, sizes=(150, 100, 50)):
    parts = [RNG.normal(c[:n_channels], 6, (n, n_channels)) for c, n in zip(CENTERS, sizes)]  # noqa: B905
    return np.concatenate(parts).round().astype(np.uint8)[np.newaxis]


@pytest.mark.parametrize(
    ("n_channels", "bandwidth"),
    [(1, 8.0), (2, [9.0, 7.0]), (3, 9.0), (3, np.diag([70.0, 90, 110]) + 20)],
)
def test_peaks_are_where_the_density_is_highest(n_channels, bandwidth):
    image = clusters(n_channels) if n_channels > 1 else clusters(3)[..., :1]
    kde = ColorKDE(image, bandwidth)
    peaks, densities = kde.modes()
    assert len(peaks) == 3
    assert (np.diff(densities) <= 0).all()
    pixels = image.reshape(-1, n_channels).astype(float)
    # A hundredth of a sigma away, whichever way, it is lower.
    ways = np.array([way for way in product((-0.1, 0, 0.1), repeat=n_channels) if any(way)])
    places = np.concatenate([[peak, *(peak + ways)] for peak in peaks])
    logs = reference.kde_log_density(places, pixels, kde.covariance).reshape(3, -1)
    assert (logs[:, 1:] < logs[:, :1]).all()
    np.testing.assert_allclose(densities, np.exp(logs[:, 0]), rtol=1e-6)
    np.testing.assert_allclose(kde.modes(1)[0], peaks[:1])


def test_every_color_far_from_the_others_is_a_peak():
    colors = np.array([[10, 10, 10], [100, 20, 200], [250, 250, 10]], np.uint8)
    kde = ColorKDE(Palette(colors, np.array([2, 5, 1]), np.zeros(3)), 3.0)
    peaks, densities = kde.modes()
    np.testing.assert_allclose(peaks, colors[[1, 0, 2]], atol=1e-9)
    np.testing.assert_allclose(densities, np.array([5, 2, 1]) / 8 * (2 * np.pi * 9) ** -1.5)


def test_a_plateau_between_two_colors_is_one_peak():
    # Two kernels of one weight, 1.9 sigma apart: their sum has one peak, halfway.
    colors = np.array([[100], [119]], np.uint8)
    peaks, _ = ColorKDE(Palette(colors, np.array([3, 3]), np.zeros(1)), 10.0).modes()
    np.testing.assert_allclose(peaks, [[109.5]], atol=1e-3)


def test_peaks_of_a_density_with_walls_are_refused():
    with pytest.raises(ValueError, match="modes needs a density without boundary"):
        ColorKDE(clusters(3), 9.0, boundary="reflected").modes()


def test_peaks_of_a_photograph_are_peaks():
    """Its colors lie along ridges, where the mean shift creeps."""
    image = data.coffee()[::8, ::8]
    kde = ColorKDE(image, 6.0)
    peaks, _ = kde.modes(12)
    assert len(peaks) == 12
    ways = np.array([way for way in product((-0.3, 0, 0.3), repeat=3) if any(way)])
    own = kde.evaluate(peaks, log=True)
    for peak, log in zip(peaks, own, strict=True):
        around = reference.kde_log_density(
            peak + ways, image.reshape(-1, 3).astype(float), 36 * np.eye(3)
        )
        assert (around < log + 1e-7).all(), peak
