"""What a density of colors says of itself: at colors, of boxes, of masses, of some channels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from napari_colorkde import ColorKDE, Palette
from napari_colorkde.core.reference import kde_log_density

IMAGE = np.random.default_rng(0).integers(60, 120, (9, 11, 3)).astype(np.uint8)
PIXELS = IMAGE.reshape(-1, 3).astype(float)
COLORS = [[80.5, 100.0, 90.25], [10, 20, 200]]
FULL = np.array([[100.0, 40, 0], [40, 90, 10], [0, 10, 80]])
BANDWIDTHS: dict[str, Any] = {"diagonal": [9.0, 12.0, 7.0], "full": FULL}


def covariance(bandwidth: Any) -> np.ndarray:
    given = np.asarray(bandwidth, float)
    return given if given.ndim == 2 else np.diag(given**2)


@pytest.mark.parametrize("bandwidth", BANDWIDTHS.values(), ids=BANDWIDTHS)
def test_colors_have_the_density_of_the_textbook(bandwidth: Any) -> None:
    kde = ColorKDE(IMAGE, bandwidth)
    truth = kde_log_density(np.array(COLORS, float), PIXELS, covariance(bandwidth))
    np.testing.assert_allclose(kde.evaluate(COLORS, log=True), truth, atol=1e-4)
    np.testing.assert_allclose(kde.evaluate(COLORS), np.exp(truth), atol=1e-5 * np.exp(truth[0]))
    assert kde.evaluate(COLORS[0]).shape == (1,)
    np.testing.assert_allclose(kde.evaluate(IMAGE[0]), kde.density(IMAGE)[0], rtol=1e-5)


def test_colors_are_converted_like_the_image() -> None:
    kde = ColorKDE(IMAGE, 5.0, space="lab")
    np.testing.assert_allclose(kde.evaluate(IMAGE[0]), kde.density(IMAGE)[0], rtol=1e-4)


def test_gray_colors_are_numbers() -> None:
    kde = ColorKDE(IMAGE[..., 0], 5.0)
    truth = kde_log_density(np.array([[70.0], [90]]), PIXELS[:, :1], np.array([[25.0]]))
    np.testing.assert_allclose(kde.evaluate([70, 90], log=True), truth, atol=1e-4)
    assert kde.evaluate(70).shape == (1,)


@pytest.mark.parametrize("bandwidth", BANDWIDTHS.values(), ids=BANDWIDTHS)
def test_samples_have_the_mean_and_the_covariance_of_the_density(bandwidth: Any) -> None:
    drawn = ColorKDE(IMAGE, bandwidth).sample(40_000, random_state=1)
    expected = np.cov(PIXELS.T, ddof=0) + covariance(bandwidth)
    np.testing.assert_allclose(drawn.mean(axis=0), PIXELS.mean(axis=0), atol=0.5)
    np.testing.assert_allclose(np.cov(drawn.T), expected, atol=0.04 * expected.max())


def test_the_probability_of_a_box_is_its_integral() -> None:
    kde = ColorKDE(IMAGE, BANDWIDTHS["diagonal"])
    low, high = np.array([70.0, 40, 90]), np.array([100.0, 130, 200])
    expected = np.ones(len(PIXELS))
    for c, sigma in enumerate(BANDWIDTHS["diagonal"]):
        cdf = multivariate_normal(0, sigma**2).cdf
        expected *= cdf(high[c] - PIXELS[:, c]) - cdf(low[c] - PIXELS[:, c])
    assert kde.probability(low, high) == pytest.approx(expected.mean(), rel=1e-9)
    assert kde.probability(-np.inf, np.inf) == pytest.approx(1)


def test_a_level_bounds_its_mass() -> None:
    kde = ColorKDE(IMAGE, 10.0)
    level = kde.level(0.7, n_samples=20_000)
    others = kde.evaluate(kde.sample(20_000, random_state=5))
    assert (others >= level).mean() == pytest.approx(0.7, abs=0.015)


@pytest.mark.parametrize("bandwidth", BANDWIDTHS.values(), ids=BANDWIDTHS)
def test_marginal_times_conditional_is_the_whole(bandwidth: Any) -> None:
    kde = ColorKDE(IMAGE, bandwidth)
    color = np.array(COLORS[0])
    marginal = kde.marginal([2])
    conditional = kde.conditional({2: color[2]})
    product = marginal.evaluate(color[2], log=True) + conditional.evaluate(color[:2], log=True)
    assert product[0] == pytest.approx(kde.evaluate(color, log=True)[0], abs=5e-4)
    assert kde.marginal([2, 0]).palette.n_pixels == 99


def test_weights_count_as_they_are() -> None:
    palette = Palette.from_image(IMAGE)
    weights = np.random.default_rng(2).uniform(0.01, 0.02, len(palette))
    for bandwidth in BANDWIDTHS.values():
        kde = ColorKDE(palette.with_weights(weights), bandwidth)
        terms = [
            multivariate_normal(c, covariance(bandwidth)).pdf(COLORS[0])
            for c in palette.colors.astype(float)
        ]
        expected = weights @ terms / weights.sum()
        assert kde.evaluate(COLORS[0])[0] == pytest.approx(expected, rel=1e-4)
        assert kde.volume(48, (-20, 240)).mass_inside == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda kde: kde.evaluate([[1, 2]]), r"colors have shape \(1, 2\); give \(n, 3\)"),
        (lambda kde: kde.evaluate(IMAGE), "or an image to density"),
        (lambda kde: kde.evaluate([[1, 2, 3], [4]]), "rows of different lengths"),
        (lambda kde: kde.evaluate(None), "colors is None; give"),
        (lambda kde: kde.evaluate("red"), "colors is the text or path 'red'"),
        (lambda kde: kde.evaluate([1, 2, np.nan]), "colors hold NaN"),
        (lambda kde: kde.sample(0), "n_samples=0"),
        (lambda kde: ColorKDE(IMAGE, 9.0, varying=True).sample(), "sample needs a density without"),
        (lambda kde: ColorKDE(IMAGE, 9.0, varying=True).level(0.5), "sample needs a density"),
        (lambda kde: kde.level(90), "mass=90; give a number above 0"),
        (lambda kde: kde.probability(200, 100), "low at most high"),
        (lambda kde: kde.probability([1, 2], 100), "two numbers, or 3 each"),
        (lambda kde: ColorKDE(IMAGE, FULL).probability(0, 100), "needs a diagonal bandwidth"),
        (lambda kde: kde.marginal(3), "axes=3; give channels from 0 to 2"),
        (lambda kde: kde.marginal([0, 0]), "each once"),
        (lambda kde: kde.conditional([1]), r"given=\[1\]"),
        (lambda kde: kde.conditional({0: 1, 1: 2, 2: 3}), "leave a channel free"),
        (lambda kde: kde.density(IMAGE / 255), "image has floats from 0 to 1, but the KDE"),
        (lambda kde: ColorKDE(IMAGE / 255).density(IMAGE), "image has levels up to 119"),
        (lambda kde: kde.log_likelihood(IMAGE / 255), "multiply the"),
    ],
)
def test_what_is_refused(call: Any, said: str) -> None:
    with pytest.raises((ValueError, TypeError), match=said):
        call(ColorKDE(IMAGE, 10.0))
