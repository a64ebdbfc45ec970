"""Images of 4 to 32 channels: what they are taken for, counted, fitted, judged, and refused."""

from dataclasses import replace

import numpy as np
import pytest

from napari_colorkde import (
    ColorKDE,
    Kernel,
    KernelSet,
    Palette,
    PaletteBuilder,
    classify_image,
    color_kde,
    compare,
    compute_densities,
    fit_classes,
    fit_kernels,
    posteriors,
    select_bandwidth,
)
from napari_colorkde.core import reference
from napari_colorkde.core.classification.measure import measure_regions
from napari_colorkde.core.palette.counters.color_counter import budgets
from napari_colorkde.core.vectors import vector_sums


def stained(n_channels: int, dtype: object = np.uint16, shape: tuple[int, ...] = (24, 40)):
    """Two tissues with their own stains, whose strengths differ by channel."""
    random = np.random.default_rng(n_channels)
    is_right = np.arange(shape[-1]) >= shape[-1] // 2
    base = np.linspace(20, 200, n_channels)
    means = base * (1 + 0.5 * is_right[:, np.newaxis] * np.cos(np.arange(n_channels)))
    image = random.normal(means, 6, (*shape, n_channels)).round().clip(0, 255)
    return (image / 255 if np.dtype(dtype).kind == "f" else image).astype(dtype)


@pytest.mark.parametrize("n_channels", [4, 5, 8, 32])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_palettes_count_and_find_colors(n_channels, dtype):
    image = stained(n_channels, dtype)
    image[3:6] = image[0]
    palette = Palette.from_image(image, n_channels=n_channels)
    colors, counts = np.unique(image.reshape(-1, n_channels), axis=0, return_counts=True)
    assert np.array_equal(palette.colors, colors)
    assert np.array_equal(palette.counts, counts)
    assert np.array_equal(palette.colors[palette.index(image)], image)
    assert (palette.index(255 - image if dtype == np.uint8 else image + 300) == -1).all()
    half = [Palette.from_image(part, n_channels=n_channels) for part in (image[:9], image[9:])]
    assert half[0].merge(half[1]) == palette


def test_four_channels_are_rgba_unless_four_are_wanted():
    image = stained(4)
    image[0, 0, 3] = 0
    assert Palette.from_image(image).n_channels == 3
    assert Palette.from_image(image).n_transparent == 1
    palette = Palette.from_image(image, n_channels=4)
    assert (palette.n_channels, palette.n_excluded) == (4, 0)
    kernels = fit_kernels(image, 2, random_state=0, n_channels=4)
    assert classify_image(image, kernels).all()
    assert compute_densities(image, kernels).shape == image.shape[:2]
    assert ColorKDE(image, n_channels=4).density(image[:4]).shape == (4, 40)
    (row,) = [r for r in measure_regions(image, kernels={"a": kernels}) if r.cls == "a"]
    assert (row.pixels, row.n_transparent) == (image[..., 0].size, 0)


def test_a_stack_of_gray_pictures_is_not_taken_for_channels():
    digits = np.zeros((10, 28, 28), np.uint8)
    with pytest.raises(ValueError, match=r"may be channels or columns; give channel_axis=2"):
        Palette.from_image(digits)
    narrow = np.zeros((40, 64, 30), np.uint8)
    with pytest.raises(ValueError, match=r"channels, or channel_axis=None .* for a gray stack"):
        Palette.from_image(narrow)
    assert Palette.from_image(narrow, channel_axis=2).n_channels == 30
    assert Palette.from_image(narrow, n_channels=30).n_channels == 30
    assert Palette.from_image(digits, n_channels=28).n_channels == 28
    assert Palette.from_image(digits, channel_axis=None).n_channels == 1
    with pytest.raises(ValueError, match="33 channels on axis -1; a color has 1 to 32"):
        Palette.from_image(np.zeros((50, 50, 33)))
    with pytest.raises(ValueError, match="n_channels=33; give a whole number from 1 to 32"):
        Palette.from_image(np.zeros((50, 50, 33)), n_channels=33)
    with pytest.raises(ValueError, match="image has 5 channels, but 6 channels are needed"):
        Palette.from_image(stained(5), n_channels=6)


def test_narrow_tiles_are_of_the_images_channels():
    image = stained(8)
    builder = PaletteBuilder(n_channels=8)
    for column in range(0, 40, 4):
        builder.add(image[:, column : column + 4])
    assert builder.palette() == Palette.from_image(image, channel_axis=2)
    import dask.array as da

    lazy = da.from_array(image, chunks=(10, 3, 2))
    assert Palette.from_image(lazy, channel_axis=2) == builder.palette()
    kernels = fit_kernels(image, 2, random_state=0, channel_axis=2)
    np.testing.assert_array_equal(classify_image(lazy, kernels), classify_image(image, kernels))


def test_beyond_the_budget_colors_of_many_channels_are_binned_and_bins_merge():
    image = stained(6)
    palette = Palette.from_image(image, max_colors=200, channel_axis=2)
    assert palette.bin_width.any()
    assert len(palette) <= 200
    assert palette.within_bin.shape == (len(palette), 21)
    mean = palette.counts @ palette.colors / palette.n_pixels
    np.testing.assert_allclose(mean, image.reshape(-1, 6).mean(axis=0), rtol=1e-12)
    parts = image[:11], image[11:]
    halves = [Palette.from_image(part, None, 2, max_colors=200) for part in parts]
    assert halves[0].merge(halves[1]) == halves[1].merge(halves[0])
    assert budgets(3, 1 << 24) == (1 << 24, 1 << 23)
    assert budgets(32, 1 << 24)[1] * 32 * 33 // 2 <= 6 << 23
    with pytest.raises(
        ValueError, match=r"more than 200 distinct colors of 7 channels.*not binned"
    ):
        Palette.from_image(stained(7), max_colors=200, channel_axis=2)
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (20, 20, 6))
    with pytest.raises(ValueError, match="6 channels around zero lie in more than 8 bins"):
        Palette.from_image(signs, None, 2, max_colors=8)


@pytest.mark.parametrize("n_channels", [4, 5, 8, 32])
@pytest.mark.parametrize("kind", ["scalar", "diagonal", "full"])
def test_mixtures_are_those_of_the_reference(n_channels, kind):
    image = stained(n_channels)
    random = np.random.default_rng(1)
    root = random.normal(size=(n_channels, n_channels)) * 3
    covariance = {
        "scalar": 40.0 * np.eye(n_channels),
        "diagonal": random.uniform(20, 90, n_channels),
        "full": root @ root.T + 30 * np.eye(n_channels),
    }[kind]
    kernels = [Kernel(image[2, x].astype(float), covariance, w) for x, w in ((3, 0.3), (30, 0.7))]
    logs = compute_densities(image, kernels, log=True)
    pixels = image.reshape(-1, n_channels).astype(float)
    expected = np.logaddexp(
        *(
            np.log(k.weight) + reference.gaussian_log_density(pixels, k.mean, k.covariance_matrix)
            for k in kernels
        )
    )
    np.testing.assert_allclose(logs.ravel(), expected, rtol=1e-6, atol=1e-4)


def test_many_kernels_of_many_channels_in_blocks_of_neighbors():
    image = stained(7, shape=(130, 140))
    random = np.random.default_rng(2)
    kernels = [
        Kernel(image[random.integers(130), random.integers(140)].astype(float), [60.0] * 7, 1 / 20)
        for _ in range(20)
    ]
    some = image[:6, :9]
    whole = compute_densities(image, kernels, log=True)[:6, :9]
    np.testing.assert_allclose(
        whole, compute_densities(some, kernels, log=True), rtol=1e-6, atol=1e-4
    )


@pytest.mark.parametrize("n_channels", [4, 5, 16, 32])
def test_em_finds_the_tissues_and_classes_are_told_apart(n_channels):
    image = stained(n_channels, shape=(60, 80))
    kernels = fit_kernels(image, 2, random_state=0, n_channels=n_channels)
    assert kernels.n_channels == n_channels
    order = np.argsort(kernels.means[:, 0])[::-1]
    truth = [image[:, :40].reshape(-1, n_channels), image[:, 40:].reshape(-1, n_channels)]
    truth.sort(key=lambda pixels: -pixels[:, 0].mean())
    for k, pixels in zip(order, truth, strict=True):
        np.testing.assert_allclose(kernels.means[k], pixels.mean(axis=0), atol=1.0)
        assert abs(kernels.weights[k] - 0.5) < 0.01
    classes = KernelSet([replace(k, cls=str(i)) for i, k in enumerate(kernels)])
    found = classify_image(image, classes)
    assert len(np.unique(found[:, :40])) == len(np.unique(found[:, 40:])) == 1
    np.testing.assert_allclose(posteriors(image, classes).sum(axis=-1), 1, rtol=1e-5)
    labels = np.repeat([1, 2], 40) * np.ones((60, 1), int)
    fitted = fit_classes(image, labels, 1, n_channels=n_channels)
    np.testing.assert_array_equal(classify_image(image, fitted, numbers="names"), labels)


def test_pixels_are_judged_as_their_colors_are_and_some_do_not_count():
    import dask.array as da

    image = stained(6, np.float32, shape=(30, 40))
    image[2, 3, 1] = np.nan
    mask = np.ones((30, 40), bool)
    mask[5] = False
    fitted = fit_kernels(Palette.from_image(image, mask, 2), 3, random_state=0)
    kernels = KernelSet([replace(k, cls=str(i % 2)) for i, k in enumerate(fitted)])
    palette = Palette.from_image(image, mask, 2)
    for show in ("class", "posterior", "ratio"):
        found = classify_image(image, kernels, show=show, mask=mask)
        expected = classify_image(palette, kernels, show=show)
        nothing = 0 if show == "class" else np.nan
        wanted = palette.paint_lazily(expected, nothing, image, mask)
        assert found.dtype == wanted.dtype
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
        lazy = classify_image(da.from_array(image, (7, 40, 2)), kernels, show=show, mask=mask)
        assert type(lazy).__module__.startswith("dask")
        np.testing.assert_allclose(lazy, found, rtol=1e-4, atol=1e-5)
    both = posteriors(image, kernels, mask=mask)
    np.testing.assert_allclose(
        both[..., 0], classify_image(image, kernels, show="posterior", mask=mask), rtol=1e-5
    )
    assert np.isnan(both[5]).all()
    with pytest.raises(ValueError, match="image has 5 channels, but 6 channels are needed"):
        classify_image(image[..., :5], kernels)
    with pytest.raises(ValueError, match="no kernel has the class 'none'"):
        classify_image(image, kernels, show="posterior", cls="none")


@pytest.mark.parametrize("n_channels", [4, 5, 12])
def test_kde_is_that_of_the_reference(n_channels):
    image = stained(n_channels, shape=(2, 20))
    root = np.random.default_rng(3).normal(size=(n_channels, n_channels))
    pixels = image.reshape(-1, n_channels).astype(float)
    for covariance in (np.eye(n_channels) * 64.0, 9 * root @ root.T + 50 * np.eye(n_channels)):
        kde = ColorKDE(image, covariance, n_channels=n_channels)
        expected = reference.kde_log_density(pixels, pixels, covariance)
        np.testing.assert_allclose(
            kde.density(image, log=True).ravel(), expected, rtol=1e-6, atol=1e-4
        )
        far = pixels[:5] + 500
        np.testing.assert_allclose(
            kde.evaluate(far, log=True),
            reference.kde_log_density(far, pixels, covariance),
            rtol=2e-6,
        )
        assert abs(kde.leave_one_out() - reference.leave_one_out(pixels, covariance)) < 1e-4
        steps = kde.density_in_steps(log=True)
        assert 0 <= next(steps) < 1


def test_kde_counts_pixels_that_share_a_color():
    image = stained(5, shape=(3, 14))
    image[1] = image[0]
    pixels = image.reshape(-1, 5).astype(float)
    kde = ColorKDE(image, 8, channel_axis=2)
    covariance = np.eye(5) * 64.0
    expected = reference.leave_one_color_out(pixels, covariance)
    assert abs(kde.leave_one_color_out() - expected) < 1e-4
    assert abs(kde.leave_one_out() - reference.leave_one_out(pixels, covariance)) < 1e-4


def test_what_needs_a_grid_is_refused_and_what_would_take_hours(monkeypatch):
    image = Palette.from_image(stained(5), channel_axis=2)
    kde = ColorKDE(image)
    for ask in (kde.volume, kde.log_volume, lambda: color_kde(image)):
        with pytest.raises(ValueError, match=r"5 channels, and grids of colors have up to 3 axes"):
            ask()
    with pytest.raises(ValueError, match=r"modes needs a density of 1 to 3 channels"):
        kde.modes()
    with pytest.raises(ValueError, match=r"boundary='reflected' is for 1 to 3 channels"):
        ColorKDE(image, boundary="reflected")
    with pytest.raises(ValueError, match=r"varying=True is for 1 to 3 channels"):
        ColorKDE(image, varying=True)
    with pytest.raises(ValueError, match=r"5 color channels; only sRGB images have other color"):
        ColorKDE(image, space="lab")
    with pytest.raises(ValueError, match=r"plug-in bandwidth needs 1 to 3 channels"):
        select_bandwidth(image, "plug-in")
    wide = ColorKDE(image, 70)
    assert wide.marginal([0, 2, 4]).volume(12).values.shape == (12, 12, 12)
    monkeypatch.setattr(vector_sums, "MAX_PAIRS", 1000)
    with pytest.raises(ValueError, match=r"takes 9.\de\+05 pairs, more than the limit of 1.0e\+03"):
        kde.density(stained(5))


def test_bandwidths_are_chosen_at_some_pixels_where_there_are_many(monkeypatch):
    from napari_colorkde.core.kde import leave_one_out

    image = Palette.from_image(stained(5), channel_axis=2)
    candidates = [1.5, 4.0, 12.0]
    exact = select_bandwidth(image, "loco", candidates, exact=True)
    monkeypatch.setattr(leave_one_out, "MAX_SCORED_PAIRS", 1000)
    monkeypatch.setattr(leave_one_out, "SAMPLED_PAIRS", 500 * 960)
    sampled = select_bandwidth(image, "loco", candidates)
    assert sampled.n_scored == 500
    assert (np.abs(sampled.scores - exact.scores) < 5 * sampled.standard_errors).all()
    assert sampled.bandwidth[0] == exact.bandwidth[0] == 4.0


def test_divergences_are_means_over_colors_that_are_drawn():
    left, right = stained(5, shape=(20, 60))[:, :30], stained(5, shape=(20, 60))[:, 30:]
    same = compare(left, left, 8, channel_axis=2)
    assert (same.kl_ab, same.kl_ba, same.js) == pytest.approx((0, 0, 0), abs=1e-6)
    found = compare(left, right, 8, channel_axis=2)
    assert found.standard_errors is not None
    assert found.kl_ab > 5 * found.standard_errors[0]
    assert 0.6 < found.js <= np.log(2)
    # Of three of the channels the integral is known.
    three = compare(left[..., :3], right[..., :3], 8)
    assert found.kl_ab > three.kl_ab
