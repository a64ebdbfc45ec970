import itertools
import warnings
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from napari_colorkde.core import reference
from napari_colorkde.core.kde.color_kde import ColorKDE
from napari_colorkde.core.kde.grids import MAX_VOXELS
from napari_colorkde.core.kde.volumes.image_volume import color_kde
from napari_colorkde.core.kde.volumes.on_grid import NarrowBandwidthWarning
from napari_colorkde.core.palette import lattice
from napari_colorkde.core.palette.palette import Palette
from tests.core.drawn import (
    assert_logs_as_promised,
    assert_within_peak,
    diagonal_covariances,
    full_covariances,
    grid_points,
    images,
    log_sums_reference,
    masks,
    one_row_per_pixel,
    seeds,
)

RGB = np.random.default_rng(0).integers(0, 256, (6, 7, 3), dtype=np.uint8)
GRAY = RGB[..., 0]


@contextmanager
def narrow_allowed():
    """Volumes on grids wider than the kernels, on purpose."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NarrowBandwidthWarning)
        yield


def densities_reference(points, palette, covariance):
    return np.exp(
        reference.kde_log_density(
            np.asarray(points, np.float64), one_row_per_pixel(palette), covariance
        )
    )


@given(st.data())
def test_volumes_are_the_direct_sum_on_any_grid(device, data):
    image = data.draw(images())
    full = data.draw(st.booleans())
    covariance = data.draw(
        full_covariances(image, lowest=1 / 20, spread=30.0) if full else diagonal_covariances(image)
    )
    n_channels = image.shape[-1]
    bins = data.draw(st.lists(st.integers(2, 6), min_size=n_channels, max_size=n_channels))
    rng = np.random.default_rng(data.draw(seeds))
    values = image.reshape(-1, n_channels).astype(float)
    low = rng.choice(values) - rng.random(n_channels) * np.sqrt(np.diag(covariance))
    high = low + rng.uniform(0.1, 5, n_channels) * np.sqrt(np.diag(covariance))
    extent = data.draw(st.sampled_from([None, np.stack([low, high], axis=1)]))
    kde = ColorKDE(image, covariance, device=device)
    with narrow_allowed():
        volume = kde.volume(bins, extent)
    assert volume.values.shape == tuple(bins)
    points = np.concatenate([grid_points(volume.axes), kde.palette.colors])
    expected = densities_reference(points, kde.palette, covariance)
    tolerance = 1e-6 if image.dtype == np.uint8 and not full else 1e-5
    np.testing.assert_allclose(
        volume.values.ravel(), expected[: volume.values.size], atol=tolerance * expected.max()
    )
    assert (volume.values >= 0).all()


@pytest.fixture(scope="module")
def naive():
    """The loop over pixels that everybody writes first: image, sigma, points, probabilities."""
    image = np.random.default_rng(1).integers(0, 256, (2, 3, 3), dtype=np.uint8)
    sigma = 5.0
    x = np.linspace(0.0, 256, 128)
    color_space = np.stack(np.meshgrid(x, x, x, indexing="ij"), axis=-1)
    const1, const2 = (2 * np.pi * sigma**2) ** -1.5, 2 * sigma**2
    prob = np.zeros((128, 128, 128))
    for pixel in image.reshape(-1, 3).astype(float):
        prob += const1 * np.exp(-((pixel - color_space) ** 2).sum(axis=-1) / const2) / 6
    return image, sigma, x, prob


def test_the_naive_loop_over_a_grid_of_128_points_is_matched(device, naive):
    image, sigma, x, prob = naive
    volume = color_kde(image, sigma, extent=(0, 256), device=device)
    np.testing.assert_array_equal(volume.axes[2], x)
    assert_within_peak(volume.values, prob, 1e-6)


@given(st.data())
@settings(max_examples=15)
def test_densities_at_pixels_are_those_of_the_direct_sum(device, data):
    image = data.draw(images(channels=(2, 3)))
    covariance = data.draw(
        st.one_of(diagonal_covariances(image), full_covariances(image, lowest=1 / 20, spread=30.0))
    )
    mask = data.draw(masks(image.shape[:2]))
    palette = Palette.from_image(image, mask)
    kde = ColorKDE(palette, covariance, device=device)
    pixels = image.reshape(-1, image.shape[-1]).astype(float)
    logs = reference.kde_log_density(pixels, one_row_per_pixel(palette), covariance)
    logs = logs.reshape(image.shape[:2])
    assert_logs_as_promised(kde.density(image, log=True), logs)
    peak = np.exp(logs).max()
    density = kde.density(image)
    assert density.dtype == np.float32
    np.testing.assert_allclose(density, np.exp(logs), atol=1e-5 * peak)
    np.testing.assert_array_equal(np.isnan(kde.density(image, mask=mask)), ~mask)
    assert kde.log_likelihood(image) == pytest.approx(logs.mean(), abs=1e-4, rel=1e-6)
    assert kde.log_likelihood(palette) == pytest.approx(logs[mask].mean(), abs=1e-4, rel=1e-6)
    assert kde.log_likelihood(image, mask=mask) == kde.log_likelihood(palette)


@given(st.data())
@settings(max_examples=15)
def test_left_out_likelihoods_are_those_of_the_direct_sum(device, data):
    image = data.draw(images())
    covariance = data.draw(st.one_of(diagonal_covariances(image), full_covariances(image)))
    kde = ColorKDE(image, covariance, device=device)
    pixels = one_row_per_pixel(kde.palette)
    if len(pixels) > 1:
        expected = reference.leave_one_out(pixels, covariance)
        assert kde.leave_one_out() == pytest.approx(expected, abs=1e-4, rel=1e-6)
    else:
        with pytest.raises(ValueError, match="image has one pixel; leaving it out leaves nothing"):
            kde.leave_one_out()
    if len(kde.palette) > 1:
        expected = reference.leave_one_color_out(pixels, covariance)
        assert kde.leave_one_color_out() == pytest.approx(expected, abs=1e-4, rel=1e-6)
    else:
        with pytest.raises(ValueError, match="image has a single color; leaving it out"):
            kde.leave_one_color_out()


@pytest.mark.parametrize("count", [2**24 + 1, 2**31 + 1, 2**40])
@pytest.mark.parametrize("full", [False, True])
def test_isolated_colors_among_huge_counts_are_left_out_without_cancellation(device, count, full):
    colors = np.array([[20, 20], [24, 30], [180, 7], [255, 255]], np.uint8)
    palette = Palette(colors, np.array([count, 3, 1, 1]), np.zeros(2))
    covariance = np.array([[4.0, 1.5], [1.5, 4.0]]) if full else np.diag([4.0, 4.0])
    kde = ColorKDE(palette, covariance, device=device)
    log_norm = 0.5 * np.linalg.slogdet(2 * np.pi * covariance)[1]
    n = palette.n_pixels
    others = log_sums_reference(colors, palette, covariance, leave_out=np.arange(4))
    with np.errstate(divide="ignore"):
        one_less = np.logaddexp(np.log(palette.counts - 1), others)
    expected = palette.counts @ (one_less - np.log(n - 1) - log_norm) / n
    assert kde.leave_one_out() == pytest.approx(expected, abs=1e-4, rel=1e-6)
    expected = palette.counts @ (others - np.log(n - palette.counts) - log_norm) / n
    assert kde.leave_one_color_out() == pytest.approx(expected, abs=1e-4, rel=1e-6)


@pytest.mark.parametrize("count", [2**24 + 1, 2**31 + 1])
def test_huge_counts_make_the_same_density(device, count):
    colors = np.array([[10], [30]], np.uint8)
    few, many = (Palette(colors, np.array([1, 1]) * k, np.zeros(1)) for k in (1, count))
    volumes = [ColorKDE(p, 3.0, device=device).volume(100).values for p in (few, many)]
    np.testing.assert_allclose(*volumes, atol=1e-6 * volumes[0].max())


def test_paths_agree_where_the_limits_move(device, monkeypatch):
    kde = ColorKDE(RGB, (9.0, 12.0, 30.0), device=device)
    exact, logs = kde.volume(40).values, kde.density(log=True)
    monkeypatch.setattr(lattice, "MAX_NODES", 0)
    spread = ColorKDE(RGB, (9.0, 12.0, 30.0), device=device)
    assert_within_peak(spread.volume(40).values, exact, 1e-5)
    assert_logs_as_promised(spread.density(log=True), logs)


@pytest.mark.parametrize(
    ("image", "axis_low", "axis_high", "sigma"),
    [
        (RGB, 0.0, 255.0, 4.0),
        (GRAY.astype(np.uint16) * 16, None, None, 64.0),
        (GRAY / np.float32(255), None, None, 1 / 64),
        (GRAY > 100, -3 / 64, 1 + 3 / 64, 1 / 64),
    ],
    ids=["uint8", "12 bits in 16", "float", "bool"],
)
def test_defaults_follow_the_dtype(image, axis_low, axis_high, sigma):
    kde = ColorKDE(image)
    np.testing.assert_allclose(np.sqrt(np.diag(kde.covariance)), sigma)
    axis = kde.volume().axes[0]
    low = image.min() - 3 * sigma if axis_low is None else axis_low
    high = image.max() + 3 * sigma if axis_high is None else axis_high
    np.testing.assert_allclose([axis[0], axis[-1], len(axis)], [low, high, 128])


def test_bins_and_extents_are_one_or_one_per_channel():
    kde = ColorKDE(RGB, 130)
    volume = kde.volume((3, 4, 5), [(0, 255), (-10, 300), (7, 9.5)])
    assert volume.values.shape == (3, 4, 5)
    assert [axis[[0, -1]].tolist() for axis in volume.axes] == [[0, 255], [-10, 300], [7, 9.5]]
    np.testing.assert_allclose(volume.spacing, [127.5, 310 / 3, 0.625])
    assert kde.volume(np.int64(9), (0, 9)).axes[1].tolist() == list(np.linspace(0, 9, 9))


def test_axis_0_is_the_first_channel():
    red = np.zeros((2, 2, 3), np.uint8)
    red[..., 0] = 255
    values = color_kde(red, 20, bins=32).values
    assert np.unravel_index(values.argmax(), values.shape) == (31, 0, 0)


@pytest.mark.parametrize(
    ("image", "bandwidth", "extent"),
    [
        (RGB, 4.0, None),
        (RGB, (3.0, 20.0, 60.0), (20, 200)),
        (RGB[..., :2], [[900.0, 500], [500, 600]], None),
        (RGB[..., :2] / 255.0, 0.05, (-1, 2)),
        (GRAY, 0.4, (0, 255)),
    ],
)
def test_mass_inside_is_the_integral_over_the_extent(device, image, bandwidth, extent):
    kde = ColorKDE(image, bandwidth, device=device)
    with narrow_allowed():
        mass = kde.volume(4, extent).mass_inside if image is GRAY else None
        volume = kde.volume(600 if image.ndim == 2 else 100, extent)
    total = volume.values.astype(float)
    for axis in reversed(volume.axes):
        total = np.trapezoid(total, axis, axis=-1)
    assert volume.mass_inside == pytest.approx(total, abs=2e-3)
    assert mass is None or mass == pytest.approx(volume.mass_inside)
    assert 0 < volume.mass_inside <= 1 + 1e-6


@pytest.mark.parametrize("sigma", [0.02, 0.5, 3.0, 40.0, (0.1, 5.0, 30.0)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_cell_averages_add_up_to_the_mass_inside(device, sigma, dtype):
    image = RGB if dtype == np.uint8 else np.random.default_rng(0).random((8, 8, 3)) * 255
    volume = ColorKDE(image.astype(dtype), sigma, device=device).volume(
        (24, 30, 20), (0, 255), sampling="cells"
    )
    cell = np.prod(volume.spacing)
    assert volume.values.sum(dtype=float) * cell == pytest.approx(volume.mass_inside, rel=1e-5)


def test_cells_reach_half_a_step_beyond_the_extent():
    volume = ColorKDE(np.full((2, 2), 10, np.uint8), 3.0).volume(6, (0, 10), sampling="cells")
    assert volume.mass_inside == pytest.approx(norm.cdf(11, 10, 3) - norm.cdf(-1, 10, 3))
    volume = ColorKDE(np.full((2, 2), 10, np.uint8), 3.0).volume(6, (0, 10))
    assert volume.mass_inside == pytest.approx(norm.cdf(10, 10, 3) - norm.cdf(0, 10, 3))


@pytest.mark.parametrize(
    ("image", "bandwidth", "bins", "ratio"),
    [
        (RGB, 1.0, 128, "0.498"),
        (RGB[..., :2], (3.0, 30.0), (64, 128), "0.741"),  # narrow where the grid is coarse
        (RGB[..., :2], [[100.0, 99.0], [99.0, 100.0]], 128, "0.498"),  # narrow along a diagonal
    ],
)
def test_a_bandwidth_below_the_spacing_is_warned_of(image, bandwidth, bins, ratio):
    kde = ColorKDE(image, bandwidth)
    words = rf'below the grid spacing \(sigma is {ratio} of it\).*bins.*sampling="cells"'
    for volume in (kde.volume, lambda bins: color_kde(image, bandwidth, bins=bins)):
        with pytest.warns(NarrowBandwidthWarning, match=words) as told:
            volume(bins)
        assert told[0].filename == __file__


@pytest.mark.parametrize(
    ("bandwidth", "bins", "sampling"),
    [
        (None, 128, "points"),
        (255 / 127, 128, "points"),
        (0.1, 128, "cells"),
        ((30.0, 30.0, 2.0), (10, 10, 200), "points"),
    ],
)
def test_other_volumes_come_without_a_warning(bandwidth, bins, sampling):
    volume = ColorKDE(RGB, bandwidth).volume(bins, sampling=sampling)
    assert np.isfinite(volume.values).all()


def test_excluded_pixels_are_nan_and_the_rest_is_not():
    image = np.dstack([RGB, np.full(RGB.shape[:2], 9)]).astype(np.float32)
    image[0, 0, 3] = 0
    image[1, 1, 2] = np.inf
    mask = np.ones(RGB.shape[:2], bool)
    mask[2, 2] = False
    kde = ColorKDE(RGB)
    for log in (False, True):
        density = kde.density(image, log=log, mask=mask)
        assert np.argwhere(np.isnan(density)).tolist() == [[0, 0], [1, 1], [2, 2]]
    assert ColorKDE(image).palette.n_excluded == 2
    assert color_kde(image, mask=mask, extent=(0, 255)).values.shape == (128, 128, 128)


def test_densities_without_an_image_are_those_of_the_palette(device):
    kde = ColorKDE(RGB, device=device)
    index = kde.palette.index(RGB)
    np.testing.assert_array_equal(kde.density()[index], kde.density(RGB))
    np.testing.assert_array_equal(kde.density(log=True)[index], kde.density(RGB, log=True))
    other = Palette.from_image(RGB[:2])
    np.testing.assert_allclose(kde.density(other)[other.index(RGB[:2])], kde.density(RGB[:2]))


@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.float64])
def test_images_of_other_dtypes_are_compared_as_numbers(dtype):
    kde = ColorKDE(RGB, 10)
    np.testing.assert_allclose(kde.density(RGB.astype(dtype)), kde.density(RGB), rtol=1e-6)


def test_channels_may_be_first():
    first = np.moveaxis(RGB, -1, 0)
    kde = ColorKDE(RGB)
    np.testing.assert_array_equal(kde.density(first, channel_axis=0), kde.density(RGB))
    np.testing.assert_array_equal(color_kde(first, channel_axis=0).values, color_kde(RGB).values)


def test_a_gray_stack_is_an_image():
    stack = np.stack([GRAY, GRAY + 1])
    volume = color_kde(stack, channel_axis=None)
    assert volume.values.shape == (128,)
    density = ColorKDE(GRAY).density(stack, channel_axis=None)
    assert density.shape == stack.shape


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1e6, 1e10])
def test_densities_fit_float32_at_any_scale_of_three_channels(scale):
    image = np.random.default_rng(0).random((20, 20, 3)) * scale
    volume = ColorKDE(image, 0.1 * scale).volume(24)
    assert volume.values.max() == pytest.approx(
        ColorKDE(image / scale, 0.1).volume(24).values.max() / scale**3, rel=1e-4
    )


@pytest.mark.parametrize("bandwidth", ["scott", "silverman", "loco", "loo"])
def test_bandwidths_may_be_chosen_by_name(device, bandwidth):
    image = np.random.default_rng(0).normal(120, 25, (12, 12, 3)).astype(np.uint8)
    kde = ColorKDE(image, bandwidth, device=device)
    sigmas = np.sqrt(np.diag(kde.covariance))
    assert ((sigmas > 0.2) & (sigmas < 64)).all()
    assert not np.any(kde.covariance - np.diag(sigmas**2))


def test_bandwidths_of_all_forms_mean_standard_deviations_or_a_covariance():
    full = np.array([[9.0, 2, 0], [2, 16, 1], [0, 1, 25]])
    for given_, expected in (
        (3, np.eye(3) * 9),
        (np.float32(3), np.eye(3) * 9),
        ([3, 4, 5], np.diag([9.0, 16, 25])),
        (full, full),
        (full.tolist(), full),
    ):
        np.testing.assert_allclose(ColorKDE(RGB, given_).covariance, expected)


def test_the_same_state_gives_the_same_numbers(device):
    one, two = ColorKDE(RGB, device=device), ColorKDE(RGB.copy(), device=device)
    volume = one.volume(32, (0, 255), sampling="cells")
    volume.values[:] = 7  # what was returned is the caller's
    one.density()[:] = 7
    again = one.volume(32, (0, 255), sampling="cells")
    np.testing.assert_array_equal(again.values, two.volume(32, (0, 255), sampling="cells").values)
    np.testing.assert_array_equal(one.density(), two.density())
    np.testing.assert_array_equal(one.density(log=True), two.density(log=True))
    assert one.leave_one_out() == two.leave_one_out()


def test_the_input_is_never_changed():
    image = RGB.astype(np.float32)
    before = image.copy()
    image.flags.writeable = False
    kde = ColorKDE(image, 9)
    kde.volume(20, sampling="cells"), kde.density(image), kde.leave_one_color_out()
    np.testing.assert_array_equal(image, before)


KDE = ColorKDE(RGB, 20)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: ColorKDE(RGB, space="cmyk"), ValueError, "space='cmyk'"),
        (lambda: ColorKDE(RGB, device="tpu"), ValueError, "device='tpu' is not known"),
        (lambda: KDE.volume(1), ValueError, "bins=1; give at least 2 points"),
        (lambda: KDE.volume(12.5), ValueError, "bins=12.5: give a whole number"),
        (
            lambda: KDE.volume("many"),
            TypeError,
            "bins is the text or path 'many'; give",
        ),
        (lambda: KDE.volume((8, 8)), ValueError, r"one for each of the 3 channels"),
        (lambda: KDE.volume(1024), ValueError, "would exceed 268435456 points .*fewer bins"),
        (lambda: ColorKDE(GRAY).volume(1 << 20), ValueError, "give at most 16384 points per axis"),
        (lambda: KDE.volume(8, (0, 1, 2)), ValueError, r"extent has shape \(3,\); give one \(low"),
        (lambda: KDE.volume(8, [(0, 1)] * 2), ValueError, r"extent has shape \(2, 2\).*3 of them"),
        (lambda: KDE.volume(8, (5, 5)), ValueError, "give finite pairs, with low below high"),
        (lambda: KDE.volume(8, (0, np.nan)), ValueError, "give finite pairs, with low below high"),
        (lambda: KDE.volume(8, sampling="cell"), ValueError, "sampling='cell' is not known"),
        (lambda: KDE.density(GRAY), ValueError, "image has 1 color channel, but the KDE has 3"),
        (lambda: KDE.density(ColorKDE(GRAY).palette), ValueError, "image has 1 color channel"),
        (lambda: KDE.log_likelihood(GRAY), ValueError, "image has 1 color channel"),
        (lambda: KDE.log_likelihood(ColorKDE(GRAY).palette), ValueError, "the KDE has 3; give an"),
        (lambda: KDE.density(RGB, mask=GRAY[:2]), ValueError, "mask has shape"),
        (lambda: KDE.density("photo.png"), TypeError, "image is the text or path 'photo.png'"),
        (
            lambda: ColorKDE(RGB[..., :2], [[2.0, 1], [1, 2]]).volume(8, sampling="cells"),
            ValueError,
            "needs a diagonal bandwidth",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_the_largest_volume_is_one_gigabyte():
    assert MAX_VOXELS * 4 == 1 << 30


def test_every_pair_of_options_of_color_kde_works(device):
    for bandwidth, bins, extent in itertools.product(
        (None, 30.0, np.diag([900.0] * 3) + 50), (7, (5, 6, 7)), (None, (-20, 280))
    ):
        with narrow_allowed():
            volume = color_kde(RGB, bandwidth, bins=bins, extent=extent, device=device)
        points = grid_points(volume.axes)
        palette = Palette.from_image(RGB)
        expected = densities_reference(points, palette, volume.covariance)
        peak = densities_reference(palette.colors, palette, volume.covariance).max()
        np.testing.assert_allclose(volume.values.ravel(), expected, atol=1e-5 * peak)
        assert volume.space == "rgb"
