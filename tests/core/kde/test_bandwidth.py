import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import gaussian_kde

from napari_colorkde.core import reference
from napari_colorkde.core.checks.covariance import log_normalizer
from napari_colorkde.core.device import HOST
from napari_colorkde.core.kde import leave_one_out as leave_one_out_module
from napari_colorkde.core.kde.bandwidth import (
    BandwidthEdgeWarning,
    bandwidth_covariance,
    iterate_selection,
    select_bandwidth,
)
from napari_colorkde.core.kde.bandwidth_rules import BANDWIDTH_RULES, default_sigmas
from napari_colorkde.core.kde.color_kde import ColorKDE
from napari_colorkde.core.kde.leave_one_out import SampledLeaveOut
from napari_colorkde.core.kernel_sums.kernel_sums import kernel_sums
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.palette.ranges import channel_ranges
from tests.core.drawn import images, one_row_per_pixel

SMOOTH = np.random.default_rng(0).normal(120, [[[40, 25, 10]]], (12, 12, 3)).clip(0, 255)
RGB = SMOOTH.astype(np.uint8)
# A ramp of grays, as a photograph has them: neighbors in value, each many times.
GRAY = np.repeat(np.random.default_rng(0).normal(128, 40, (16, 16, 1)).clip(0, 255), 3, axis=2)
GRAY = GRAY.astype(np.uint8)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (RGB, 4.0),
        (RGB[..., 0], 4.0),
        (np.zeros((2, 2), np.uint8), 4.0),
        (np.full((2, 2), 1023, np.uint16), 16.0),
        (np.full((2, 2), 1024, np.uint16), 32.0),
        (np.full((2, 2), 65535, np.uint16), 1024.0),
        (np.zeros((2, 2), np.uint16), 2 / 64),
        (np.array([[0.25, 0.5]]), 1 / 64),
        (np.array([[False, True]]), 1 / 64),
        (np.array([[-1.0, 3.0]]), 4 / 64),
        (np.array([[7.0, 7.0]]), 1 / 64),
    ],
)
def test_the_default_is_a_64th_of_the_range_of_the_dtype(image, expected):
    sigmas = default_sigmas(Palette.from_image(image))
    np.testing.assert_allclose(sigmas, expected)


@pytest.mark.parametrize("rule", ["scott", "silverman"])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_rules_of_thumb_take_the_factors_of_scipy(rule, channels):
    image = SMOOTH[..., :channels]
    pixels = image.reshape(-1, channels)
    factor = gaussian_kde(pixels.T, bw_method=rule).factor
    selection = select_bandwidth(image, rule)
    np.testing.assert_allclose(selection.bandwidth, factor * pixels.std(axis=0))
    assert selection.method == rule
    assert selection.scores.size == 0
    np.testing.assert_array_equal(selection.candidates, [selection.bandwidth])


@pytest.mark.parametrize("rule", ["scott", "silverman"])
def test_rules_of_thumb_count_pixels_not_colors(rule):
    few = Palette(np.array([[10], [90]], np.uint8), np.array([1, 1]), np.zeros(1))
    many = Palette(few.colors, few.counts * 10**5, few.bin_width)
    ratio = select_bandwidth(few, rule).bandwidth / select_bandwidth(many, rule).bandwidth
    np.testing.assert_allclose(ratio, 10 ** (5 / 5))


def test_rules_of_thumb_stay_above_the_spacing_of_the_usual_grid():
    np.testing.assert_allclose(select_bandwidth(np.full((2, 2), 9, np.uint8), "scott").bandwidth, 2)
    flat = np.dstack([RGB[..., 0], np.full(RGB.shape[:2], 5, np.uint8)])
    sigmas = select_bandwidth(flat, "silverman").bandwidth
    assert sigmas[0] > 2 == sigmas[1]


@given(images(channels=(1, 2), max_side=4), st.sampled_from(["loco", "loo"]))
@settings(max_examples=15)
def test_likelihood_methods_pick_the_best_candidate(device, image, method):
    palette = Palette.from_image(image)
    if len(palette) < 2:
        with pytest.raises(ValueError, match="image has a single color"):
            select_bandwidth(palette, method, device=device)
        return
    ranges = channel_ranges(palette)
    candidates = np.array([0.3, 0.02, 0.1])[:, None] * ranges
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BandwidthEdgeWarning)
        selection = select_bandwidth(image, method, candidates, device=device)
    np.testing.assert_array_equal(selection.candidates, candidates[[1, 2, 0]])
    textbook = {"loo": reference.leave_one_out, "loco": reference.leave_one_color_out}[method]
    expected = [textbook(one_row_per_pixel(palette), c**2) for c in selection.candidates]
    np.testing.assert_allclose(selection.scores, expected, rtol=1e-6, atol=1e-4)
    told = np.where(selection.degenerate, -np.inf, selection.scores)
    best = np.argmax(told) if np.isfinite(told).any() else len(told) - 1
    np.testing.assert_array_equal(selection.bandwidth, selection.candidates[best])
    assert selection.method == method


def test_single_numbers_are_sigmas_of_all_channels():
    selection = select_bandwidth(RGB, "loco", [3, 9])
    np.testing.assert_array_equal(selection.candidates, [[3] * 3, [9] * 3])
    assert select_bandwidth(RGB, "loco", [5.0]).bandwidth.tolist() == [5.0] * 3


@pytest.mark.parametrize("image", [RGB, GRAY, SMOOTH / 255, (SMOOTH * 16).astype(np.uint16)])
@pytest.mark.parametrize("method", ["loco", "loo"])
def test_the_default_candidates_close_in_on_the_best(image, method):
    palette = Palette.from_image(image)
    selection = select_bandwidth(palette, method)
    fractions = selection.candidates / channel_ranges(palette)
    assert 11 < len(fractions) <= 15
    assert (np.diff(selection.candidates[:, 0]) > 0).all()
    assert (np.ptp(fractions, axis=1) < 1e-12).all()
    np.testing.assert_allclose(fractions[[0, -1], 0], [1 / 1024, 1 / 8])
    assert np.isfinite(selection.scores).all()
    best = int(np.argmax(np.where(selection.degenerate, -np.inf, selection.scores)))
    np.testing.assert_array_equal(selection.bandwidth, selection.candidates[best])
    if 0 < best < len(fractions) - 1:
        around = fractions[best + 1, 0] / fractions[best - 1, 0]
        assert around < 1.45  # seven steps between candidates 2.6 times apart


@pytest.mark.parametrize("image", [GRAY, GRAY[..., 0]])
def test_gray_pictures_have_a_best_bandwidth_when_whole_colors_are_left_out(image):
    selection = select_bandwidth(image, "loco")
    assert selection.candidates[0, 0] < selection.bandwidth[0] < selection.candidates[-1, 0]


def test_where_repeated_pixels_predict_themselves_nothing_is_chosen():
    doubled = np.concatenate([RGB, RGB, RGB])
    words = 'is the narrowest at which pixels are not mostly predicted by .* use "loco"'
    with pytest.warns(BandwidthEdgeWarning, match=words) as told:
        loo = select_bandwidth(doubled, "loo")
    assert [warning.filename for warning in told] == [__file__]
    # The likelihood itself grows without end.
    assert (np.diff(loo.scores[loo.degenerate]) < 0).all()
    assert np.argmax(loo.scores) == 0
    narrower = loo.candidates[:, 0] < loo.bandwidth[0]
    assert narrower.any()
    np.testing.assert_array_equal(loo.degenerate, narrower)
    loco = select_bandwidth(doubled, "loco")
    assert loco.bandwidth[0] == select_bandwidth(RGB, "loco").bandwidth[0] > 2
    assert not loco.degenerate.any()
    with pytest.warns(BandwidthEdgeWarning, match=words) as told:
        ColorKDE(doubled, "loo")
    assert [warning.filename for warning in told] == [__file__]


def test_share_of_a_pixels_own_color_is_that_of_the_definition():
    palette = Palette.from_image(np.concatenate([RGB[:6], RGB[:6], RGB[6:]]))
    pixels = np.repeat(palette.colors.astype(float), palette.counts, axis=0)
    shares = []
    for i, pixel in enumerate(pixels):
        terms = np.exp(-0.5 * ((np.delete(pixels, i, axis=0) - pixel) ** 2).sum(axis=1) / 8.0**2)
        shares.append(terms[terms == 1].sum() / terms.sum())
    found = select_bandwidth(palette, "loo", [8.0])
    assert found.own_shares[0] == pytest.approx(np.mean(shares), rel=1e-5)


def test_if_repeated_pixels_predict_themselves_at_all_sigmas_the_widest_is_kept():
    poster = np.repeat(np.array([[0, 0, 0], [255, 0, 0], [0, 255, 255]], np.uint8), 9, axis=0)
    with pytest.warns(BandwidthEdgeWarning, match="At every bandwidth tried, repeated"):
        found = select_bandwidth(poster.reshape(3, 9, 3), "loo")
    assert found.degenerate.all()
    assert found.bandwidth.tolist() == [32.0] * 3


@pytest.mark.parametrize(
    ("candidates", "words"),
    [
        ([20, 30, 40], "sigma 20, is the narrowest that was tried; narrower ones may be better"),
        ([[0.1, 0.1, 0.2], [0.2, 0.2, 0.3], [0.3, 0.4, 0.5]],
         "sigma 0.3, 0.4, 0.5, is the widest that was tried; wider ones may be better still: give"),
    ],
)  # fmt: skip
def test_a_best_bandwidth_at_the_edge_of_the_candidates_is_warned_of(candidates, words):
    with pytest.warns(BandwidthEdgeWarning, match=words):
        selection = select_bandwidth(RGB, "loco", candidates)
    assert selection.edge in words


def test_bandwidths_between_others_and_of_a_few_candidates_are_no_edge():
    assert select_bandwidth(RGB, "loco", [0.1, 8, 90]).edge == ""
    for few in ([20, 30], [20], [0.1]):
        selection = select_bandwidth(RGB, "loco", few)
        assert (selection.edge, selection.caveat) == ("", "")
    # Narrowest in one channel, not in all.
    mixed = [[8, 8, 1], [9, 9, 0.1], [90, 90, 90]]
    assert select_bandwidth(RGB, "loco", mixed).edge == ""


def test_selection_can_be_watched():
    palette = Palette.from_image(RGB)
    steps = list(iterate_selection(palette, "loco", None, HOST))
    assert [len(step.scores) for step in steps] == list(range(1, len(steps) + 1))
    final = select_bandwidth(palette, "loco")
    np.testing.assert_array_equal(steps[-1].scores, final.scores)
    np.testing.assert_array_equal(steps[-1].bandwidth, final.bandwidth)


def test_the_same_image_gives_the_same_bandwidth(device):
    first, second = (select_bandwidth(RGB, device=device) for _ in range(2))
    np.testing.assert_array_equal(first.scores, second.scores)
    assert first.method == "loco"


def test_a_name_is_the_selected_bandwidth():
    for method in BANDWIDTH_RULES:
        covariance = ColorKDE(RGB, method).covariance
        np.testing.assert_array_equal(covariance, select_bandwidth(RGB, method).covariance)


@pytest.mark.parametrize("method", ["loco", "loo"])
@pytest.mark.parametrize("image", [np.full((3, 3), 7, np.uint8), np.full((1, 1, 3), 0.5)])
def test_a_constant_image_has_no_best_bandwidth_and_that_is_said(method, image):
    with pytest.raises(ValueError, match="image has a single color"):
        select_bandwidth(image, method)
    with pytest.raises(ValueError, match="image has a single color"):
        ColorKDE(image, method)


def test_the_normalizer_is_the_integral_of_a_kernel():
    covariance = np.array([[2.0, 1], [1, 3]])
    log_peak = reference.gaussian_log_density(np.zeros((1, 2)), np.zeros(2), covariance)[0]
    assert log_normalizer(covariance) == pytest.approx(-log_peak)


@pytest.mark.parametrize(
    ("candidates", "words"),
    [
        ([], "candidates is empty; give at least one sigma"),
        ([1.0, 0.0], "a sigma must be positive and finite"),
        ([-1.0], "a sigma must be positive and finite"),
        ([np.nan], "a sigma must be positive and finite"),
        (5.0, r"candidates has shape \(\); give n sigmas, or n rows of 3"),
        ([[1.0, 2.0]], "2 sigmas, the image 3 channels"),
        (np.ones((1, 1, 1)), r"candidates has shape \(1, 1, 1\)"),
    ],
)
def test_candidates_that_are_no_sigmas_are_refused(candidates, words):
    with pytest.raises(ValueError, match=words):
        select_bandwidth(RGB, "loco", candidates)


@pytest.mark.parametrize(
    ("bandwidth", "words"),
    [
        (
            "scot",
            "bandwidth='scot' is not known; use one of 'auto', 'loco', .*, 'scott', 'silverman'",
        ),
        (0, "bandwidth=0.0: a sigma must be positive and finite; give .* such as 4"),
        (-2, "must be positive"),
        (np.nan, "must be positive and finite"),
        (np.inf, "must be positive and finite"),
        (1e-300, "must be positive and finite"),
        (1e300, "must be positive and finite"),
        ([1, 2], "bandwidth has 2 sigmas, the image 3 channels; give one sigma"),
        ([], "bandwidth has 0 sigmas"),
        ([1, 0, 3], "must be positive"),
        (True, "give a sigma, one for each channel, a covariance, or one of auto"),
        ([None] * 3, "give a sigma, one for each"),
        (1j, "give a sigma"),
        (np.eye(2), r"bandwidth has shape \(2, 2\); a covariance of 3 channels has \(3, 3\)"),
        (np.ones((3, 3, 3)), r"bandwidth has shape \(3, 3, 3\)"),
        ([[1, 2, 0], [0, 1, 0], [0, 0, 1]], "must be finite and symmetric"),
        (np.diag([1, np.nan, 1]), "must be finite and symmetric"),
        (np.diag([1, -1, 1]), "not positive definite; add a little"),
        (np.ones((3, 3)), "not positive definite"),
        (np.ones((3, 3)) + 1e-16 * np.eye(3), "not positive definite"),
    ],
)
def test_what_is_no_bandwidth_is_refused(bandwidth, words):
    with pytest.raises(ValueError, match=words):
        ColorKDE(RGB, bandwidth)


def test_a_covariance_may_have_been_rotated_in_floating_point():
    rng = np.random.default_rng(0)
    palette = Palette.from_image(RGB)
    for _ in range(100):
        rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        rotated = rotation @ np.diag([1e4, 1e4, 1.0]) @ rotation.T
        covariance = bandwidth_covariance(rotated, palette, HOST)
        np.testing.assert_array_equal(covariance, covariance.T)
        np.testing.assert_allclose(covariance, rotated, atol=1e-10)


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="method='plugin' is not known; use one of"):
        select_bandwidth(RGB, "plugin")


def many_colors(seed=0, n=4000):
    """A palette on no small lattice: three populations of floats, some colors more than once."""
    random = np.random.default_rng(seed)
    means = np.array([[0.2, 0.3, 0.4], [0.6, 0.5, 0.3], [0.7, 0.8, 0.75]])
    pixels = means[random.integers(0, 3, n)] + random.normal(0, 0.05, (n, 3))
    pixels[: n // 20] = pixels[0]
    return Palette.from_image(np.clip(pixels, 0, 1)[np.newaxis])


@pytest.mark.parametrize("method", ["loco", "loo"])
def test_random_pixels_score_within_their_standard_error(method, device, monkeypatch):
    palette = many_colors()
    sigmas = [0.004, 0.01, 0.02, 0.05]
    exact = select_bandwidth(palette, method, sigmas, exact=True, device=device)
    assert exact.n_scored == 0
    assert not exact.standard_errors.any()
    monkeypatch.setattr(leave_one_out_module, "MAX_SCORED", 100)
    drawn = select_bandwidth(palette, method, sigmas, device=device)
    assert drawn.n_scored == 1 << 16
    errors = np.abs(drawn.scores - exact.scores) / drawn.standard_errors
    assert (errors < 4).all()
    assert (drawn.standard_errors < 0.1).all()
    again = select_bandwidth(palette, method, sigmas, exact=True, device=device)
    np.testing.assert_array_equal(again.scores, exact.scores)


@given(
    seed=st.integers(0, 1000), method=st.sampled_from(["loco", "loo"]), sigma=st.floats(1e-3, 0.3)
)
def test_what_is_left_out_at_random_pixels_is_the_textbooks(seed, method, sigma):
    palette = many_colors(seed, 60)
    pixels = np.repeat(palette.colors.astype(float), palette.counts, axis=0)
    covariance = np.diag(np.array([sigma, sigma * 2, sigma / 2]) ** 2)
    likelihood = reference.leave_one_color_out if method == "loco" else reference.leave_one_out
    drawn = SampledLeaveOut(palette, method, n_drawn=200_000)
    sums = kernel_sums(palette, covariance, HOST)
    score = drawn.score(sums, np.sqrt(np.diag(covariance)), log_normalizer(covariance))
    expected = likelihood(pixels, covariance)
    assert score.mean == pytest.approx(expected, abs=6 * score.standard_error + 1e-4)


def test_the_search_finds_the_best_of_many_sigmas_in_eight_tries(monkeypatch):
    for seed in range(3):
        palette = many_colors(seed, 1500)
        every = select_bandwidth(palette, "loco", np.geomspace(1 / 1024, 1 / 8, 40), exact=True)
        monkeypatch.setattr(leave_one_out_module, "MAX_SCORED", 100)
        found = select_bandwidth(palette, "loco")
        monkeypatch.undo()
        assert len(found.scores) <= 8
        assert abs(np.log2(found.bandwidth[0] / every.bandwidth[0])) < 0.3


def test_a_search_that_ends_at_an_edge_says_so(monkeypatch):
    random = np.random.default_rng(0)
    lone = Palette.from_image(random.random((1, 300, 3)))
    monkeypatch.setattr(leave_one_out_module, "MAX_SCORED", 100)
    twice = Palette.from_image(np.repeat(lone.colors, 2, axis=0)[np.newaxis])
    with pytest.warns(BandwidthEdgeWarning, match="the narrowest at which|At all band"):
        found = select_bandwidth(twice, "loo")
    assert found.edge == "narrowest"
