import warnings

import numpy as np
import pytest

from napari_colorkde.core.kde.binning_error import BinnedColorsWarning, binning_error
from napari_colorkde.core.kde.color_kde import ColorKDE
from napari_colorkde.core.palette.palette import Palette
from tests.core.drawn import log_sums_reference


@pytest.fixture(scope="module")
def image():
    """A smooth picture with the noise of a sensor, 12 bits."""
    rng = np.random.default_rng(3)
    down, across = np.mgrid[:60, :60] / 60
    smooth = np.dstack([down, across, (down + across) / 2]) * 3000 + 500
    return np.rint(smooth + rng.normal(0, 40, smooth.shape)).clip(0, 4095).astype(np.uint16)


@pytest.mark.parametrize("width", [16, 64, 256])
@pytest.mark.parametrize("sigma", [64.0, 200.0])
def test_the_error_of_bins_is_estimated(image, width, sigma):
    exact = Palette.from_image(image)
    binned = exact.binned(width)
    covariance = np.diag([sigma**2, (0.7 * sigma) ** 2, sigma**2])
    points = exact.colors[::7].astype(np.float64)
    right, found = (np.exp(log_sums_reference(points, p, covariance)) for p in (exact, binned))
    error = np.abs(found - right).max() / right.max()
    estimate = binning_error(binned, None, covariance)
    assert error / 3 < estimate < 3 * error
    assert binning_error(exact, None, covariance) == 0


def test_bins_too_wide_for_the_bandwidth_are_warned_of(image):
    binned = Palette.from_image(image, max_colors=400)
    with pytest.warns(
        BinnedColorsWarning, match=r"bins of width .* of the peak.*max_colors"
    ) as said:
        ColorKDE(binned, 64.0)
    assert said[0].filename == __file__
    with pytest.warns(BinnedColorsWarning):
        ColorKDE(binned, 2.0, space="lab")


def test_bins_within_the_promise_are_not(image):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ColorKDE(Palette.from_image(image).binned(2), 400.0)
        ColorKDE(Palette.from_image(image).binned(1), 0.1, space="oklab")
        ColorKDE(image, 4.0)
