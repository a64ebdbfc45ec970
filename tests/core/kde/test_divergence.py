import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_colorkde.core.kde import density_pairs
from napari_colorkde.core.kde.divergence import Comparison, compare
from napari_colorkde.core.palette import lattice
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.reference import kullback_leibler
from tests.core.drawn import one_row_per_pixel, seeds

# Points per axis of the reference's own grid, fine enough for its sums.
POINTS = {1: 2000, 2: 150, 3: 60}


def assert_as_promised(result, expected):
    assert abs(result - expected) <= 1e-4 + 1e-4 * abs(expected)


def reference_of(a, b, covariance):
    a, b = one_row_per_pixel(a), one_row_per_pixel(b)
    reach = 7 * np.sqrt(np.diag(covariance))
    low = np.minimum(a.min(axis=0), b.min(axis=0)) - reach
    high = np.maximum(a.max(axis=0), b.max(axis=0)) + reach
    axes = tuple(np.linspace(*ends, POINTS[a.shape[1]]) for ends in zip(low, high, strict=True))
    return kullback_leibler(a, b, covariance, axes), kullback_leibler(b, a, covariance, axes)


@given(
    seeds,
    st.sampled_from([1, 2, 3]),
    st.sampled_from([np.uint8, np.uint16, np.float64]),
    st.booleans(),
)
@settings(max_examples=6)
def test_divergences_are_those_of_the_textbook(device, seed, n_channels, dtype, full):
    rng = np.random.default_rng(seed)
    images = [
        (rng.integers(40, 80, n_channels) + rng.normal(0, 10, (1, n, n_channels))).astype(dtype)
        for n in (5, 3)
    ]
    sigmas = rng.uniform(8, 15, n_channels)
    covariance = np.diag(sigmas**2)
    if full:
        correlation = np.full((n_channels, n_channels), 0.4) + 0.6 * np.eye(n_channels)
        covariance = sigmas[:, None] * correlation * sigmas
    result = compare(*images, covariance, device=device)
    expected = reference_of(*map(Palette.from_image, images), covariance)
    assert_as_promised(result.kl_ab, expected[0])
    assert_as_promised(result.kl_ba, expected[1])
    assert -1e-12 < result.js < np.log(2)


@pytest.mark.parametrize("distance", [0.5, 5.0, 100.0])
@pytest.mark.parametrize("n_channels", [1, 3])
def test_single_colors_diverge_by_half_their_squared_distance(device, distance, n_channels):
    a, b = np.zeros((2, 2, n_channels)), np.zeros((1, 1, n_channels))
    b[..., 0] = distance
    result = compare(a, b, 1.0, device=device)
    assert_as_promised(result.kl_ab, distance**2 / 2)
    assert_as_promised(result.kl_ba, distance**2 / 2)


def test_kinks_halfway_between_far_colors_are_integrated(device):
    # log f_b bends within 0.1 sigma, right where f_a has its peak.
    a, b = np.array([[0.0]]), np.array([[-5.03, 5.0]])
    palettes = map(Palette.from_image, (a, b))
    axes = (np.linspace(-12, 12, 20_001),)
    pixels = [one_row_per_pixel(p) for p in palettes]
    result = compare(a, b, 1.0, device=device)
    assert_as_promised(result.kl_ab, kullback_leibler(*pixels, np.eye(1), axes))
    assert_as_promised(result.kl_ba, kullback_leibler(*pixels[::-1], np.eye(1), axes))


def test_rare_colors_far_away_count(device):
    # 1 pixel of 10^6 lies 100 sigma from all of b: 1e-6 · (5000 + log 1e-6), less one entropy.
    a = Palette(np.array([[0.0], [100.0]]), np.array([10**6 - 1, 1]), np.zeros(1))
    b = Palette(np.array([[0.0]]), np.array([1]), np.zeros(1))
    share = 1e-6
    expected = share * (5000 + np.log(share)) + (1 - share) * np.log1p(-share)
    result = compare(a, b, 1.0, device=device)
    assert abs(result.kl_ab - expected) < 1e-5
    assert abs(result.kl_ba + np.log1p(-share)) < 1e-5


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("shift", [8.0, 16.0, 60.0])
def test_far_colors_on_no_lattice_are_compared_to_a_part_of_the_value(full, shift, monkeypatch):
    monkeypatch.setattr(density_pairs, "FINE_POINTS", 1 << 13)
    monkeypatch.setattr(lattice, "MAX_LEVELS", 8)
    # At 60 standard deviations float64 underflows, too: sums of the colors themselves.
    rng = np.random.default_rng(8)
    a, b = rng.normal(0, 2, (1, 40, 2)), rng.normal(0, 2, (1, 30, 2))
    b[..., 0] += shift
    covariance = np.array([[1.3, 0.5], [0.5, 0.9]]) if full else np.eye(2)
    result = compare(a, b, covariance)
    expected = reference_of(*map(Palette.from_image, (a, b)), covariance)
    assert_as_promised(result.kl_ab, expected[0])
    assert_as_promised(result.kl_ba, expected[1])


def test_colors_on_no_lattice_may_be_hundreds_of_bandwidths_apart(device, monkeypatch):
    monkeypatch.setattr(lattice, "MAX_LEVELS", 8)
    a = np.linspace(0, 1e-3, 20)[np.newaxis]
    result = compare(a, a + 900, 1.0, device=device)
    assert_as_promised(result.kl_ab, 900**2 / 2)
    assert_as_promised(result.kl_ba, 900**2 / 2)


def test_weights_that_add_up_to_less_than_one_are_normalized():
    random = np.random.default_rng(3)
    a, b = (random.normal(m, 20, (1, 60, 3)).clip(0, 255).astype(np.uint8) for m in (100, 120))
    whole = compare(a, b, 9.0)
    light = Palette.from_image(a, weights=np.full(a.shape[:2], 1e-3))
    assert compare(light, b, 9.0).kl_ab == pytest.approx(whole.kl_ab, rel=1e-4)


def test_images_without_a_color_in_common_reach_log_2():
    black, white = np.zeros((4, 4, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)
    assert compare(black, white, 8).js == pytest.approx(np.log(2), abs=1e-6)


def test_the_middle_is_symmetric_and_the_others_change_places():
    rng = np.random.default_rng(0)
    a, b = (rng.integers(0, 256, (5, n, 2), dtype=np.uint8) for n in (4, 9))
    there, back = compare(a, b, 20), compare(b, a, 20)
    assert there.js == pytest.approx(back.js, rel=1e-12)
    assert (there.kl_ab, there.kl_ba) == pytest.approx((back.kl_ba, back.kl_ab), rel=1e-12)
    assert 0 < there.js < min(there.kl_ab, there.kl_ba)


def test_the_same_colors_in_other_sizes_do_not_differ():
    # Rounding would make the sums of this seed negative.
    a = np.random.default_rng(2).integers(0, 256, (4, 4), dtype=np.uint8)
    result = compare(a, np.concatenate([a, a[::-1]]))
    assert 0 <= result.kl_ab < 1e-9
    assert 0 <= result.kl_ba < 1e-9
    assert 0 <= result.js < 1e-9


@pytest.mark.parametrize("bandwidth", [None, "scott", "silverman", "loco"])
def test_the_bandwidth_is_that_of_both_together(bandwidth):
    rng = np.random.default_rng(0)
    a, b = (rng.normal(mean, 20, (9, 9)).astype(np.uint8) for mean in (100, 140))
    result = compare(a, b, bandwidth)
    assert isinstance(result, Comparison)
    swapped = compare(b, a, bandwidth)
    assert result.kl_ab == pytest.approx(swapped.kl_ba, rel=1e-9)
    assert compare(Palette.from_image(a), Palette.from_image(b), bandwidth) == result


@pytest.mark.parametrize("sigma", [0.5, 1e-6, 1e-12])
def test_kernels_too_narrow_for_a_grid_are_refused(sigma):
    image = np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8)
    with pytest.raises(
        ValueError, match=r"narrow compared with .* would need .* points.*wider bandwidth"
    ):
        compare(image, image, sigma)


def test_images_of_two_kinds_are_refused():
    with pytest.raises(ValueError, match="image_b has 1 channel, image_a has 3; give images with"):
        compare(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.uint8))
    with pytest.raises(ValueError, match="image_b is float64, image_a is uint8; convert one"):
        compare(np.zeros((2, 2), np.uint8), np.zeros((2, 2)))


@pytest.mark.parametrize("bandwidth", [6.0, np.array([[40.0, 6, 0], [6, 40, 5], [0, 5, 40]])])
def test_slabs_of_the_grid_make_the_whole(bandwidth, monkeypatch):
    random = np.random.default_rng(5)
    a, b = (random.normal(m, 4, (1, 150, 3)).clip(0, 255).astype(np.uint8) for m in (100, 106))
    whole = compare(a, b, bandwidth)
    monkeypatch.setattr(density_pairs, "SLAB_POINTS", 1 << 12)
    in_slabs = compare(a, b, bandwidth)
    for field in ("kl_ab", "kl_ba", "js"):
        expected = pytest.approx(getattr(whole, field), rel=1e-5, abs=1e-6)
        assert getattr(in_slabs, field) == expected


@pytest.mark.parametrize("sigma", [1.0, 2.0])
def test_a_bandwidth_of_a_level_or_two_is_compared(sigma, monkeypatch):
    monkeypatch.setattr(density_pairs, "FINE_POINTS", 1 << 12)
    random = np.random.default_rng(6)
    a, b = (random.normal(m, 3, (1, 400, 2)).clip(0, 255).astype(np.uint8) for m in (100, 103))
    found = compare(a, b, sigma)
    axes = tuple(np.arange(80, 125, sigma / 4) for _ in range(2))
    expected = kullback_leibler(a[0].astype(float), b[0].astype(float), np.eye(2) * sigma**2, axes)
    assert found.kl_ab == pytest.approx(expected, abs=1e-3, rel=1e-3)


def test_the_whole_cube_is_compared_at_two_levels():
    ends = np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8)
    found = compare(ends, ends[:, :1], 2.0)
    assert found.js == pytest.approx(
        0.5 * (np.log(4 / 3) + 0.5 * np.log(2 / 3) + 0.5 * np.log(2)), abs=1e-4
    )
