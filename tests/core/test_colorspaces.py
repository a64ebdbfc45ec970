import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.color import lab2xyz, rgb2lab, rgb2ycbcr

from napari_colorkde import ColorKDE, Palette
from napari_colorkde.core.color_conversions import LINEAR_FROM_XYZ
from napari_colorkde.core.colorspaces import (
    COLOR_SPACES,
    color_space,
    palette_in_space,
    principal_axes,
    rgb_fractions,
)
from napari_colorkde.core.palette.counters.color_counter import ColorCounter
from napari_colorkde.core.reference import kde_log_density

CONVERTED = [name for name in COLOR_SPACES if name not in ("rgb", "principal")]

images = hnp.arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(2, 6), st.just(3)))


@pytest.fixture
def gamut():
    axis = np.linspace(0, 1, 17)
    return np.stack(np.meshgrid(axis, axis, axis), axis=-1).reshape(-1, 3)


@pytest.mark.parametrize("name", CONVERTED)
def test_every_color_comes_back(name, gamut):
    space = color_space(name)
    np.testing.assert_allclose(space.to_rgb(space.from_rgb(gamut)), gamut, atol=1e-9)


@pytest.mark.parametrize("name", CONVERTED)
def test_the_box_holds_the_gamut_and_little_more(name, gamut):
    space = color_space(name)
    values = space.from_rgb(gamut)
    slack = 0.01 * (space.high - space.low)
    assert (values >= space.low - 1e-9).all()
    assert (values <= space.high + 1e-9).all()
    assert (values.min(axis=0) <= space.low + slack).all()
    assert (values.max(axis=0) >= space.high - slack).all()


def test_lab_and_ycbcr_are_those_of_scikit_image(gamut):
    np.testing.assert_array_equal(color_space("lab").from_rgb(gamut), rgb2lab(gamut))
    np.testing.assert_array_equal(color_space("ycbcr").from_rgb(gamut), rgb2ycbcr(gamut))


def test_lab_comes_back_as_in_scikit_image_where_that_warns():
    lab = np.random.default_rng(0).uniform([0, -128, -128], [100, 128, 128], (200, 3))
    with pytest.warns(UserWarning, match="negative Z"):
        xyz = lab2xyz(lab)
    # Linear RGB of these XYZ, by way of colors that linear RGB gives back.
    wanted = color_space("linear").from_rgb(color_space("lab").to_rgb(lab))
    np.testing.assert_allclose(wanted @ np.linalg.inv(LINEAR_FROM_XYZ).T, xyz, atol=1e-9)


@pytest.mark.parametrize("name", CONVERTED)
def test_colors_far_outside_the_gamut_are_no_reason_to_warn(name):
    space = color_space(name)
    corners = np.stack(np.meshgrid(*np.stack([space.low, space.high], axis=1)), -1).reshape(-1, 3)
    assert space.to_rgb(corners).shape == (8, 3)


def test_oklab_of_red_is_the_published_one():
    red = color_space("oklab").from_rgb(np.array([[1.0, 0, 0]]))
    np.testing.assert_allclose(red, [[0.627955, 0.224863, 0.125846]], atol=1e-6)


def test_hue_wraps_so_both_reds_are_neighbors():
    purplish, orangish = np.array([[1.0, 0, 0.01]]), np.array([[1.0, 0.01, 0]])
    space = color_space("hsv")
    assert np.linalg.norm(space.from_rgb(purplish) - space.from_rgb(orangish)) < 0.03


def test_principal_axes_are_uncorrelated_and_sorted_by_spread():
    image = np.random.default_rng(0).normal(128, [[[40, 20, 5]]], (50, 50, 3)).clip(0, 255)
    image[..., 1] = 0.7 * image[..., 0] + 0.3 * image[..., 1]
    palette = Palette.from_image(image.astype(np.uint8))
    space = principal_axes(palette)
    values = space.from_rgb(rgb_fractions(palette.colors))
    covariance = np.cov(values.T, fweights=palette.counts)
    assert (np.diff(np.diag(covariance)) < 0).all()
    np.testing.assert_allclose(covariance - np.diag(np.diag(covariance)), 0, atol=1e-12)


@pytest.mark.parametrize("name", [n for n in COLOR_SPACES if n != "rgb"])
@given(image=images, factor=st.floats(0.3, 8))
@settings(max_examples=8)
def test_densities_keep_their_accuracy_in_every_space(name, device, image, factor):
    palette = Palette.from_image(image)
    space = color_space(name, palette)
    sigmas = factor / 64 * (space.high - space.low)
    kde = ColorKDE(palette, sigmas, space=name, device=device)
    points = space.from_rgb(image.reshape(-1, 3) / 255)
    expected = kde_log_density(points, points, sigmas**2).reshape(image.shape[:2])
    np.testing.assert_allclose(kde.density(image, log=True), expected, rtol=1e-6, atol=1e-4)
    peak = np.exp(expected.max())
    np.testing.assert_allclose(kde.density(image), np.exp(expected), atol=1e-5 * peak)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_integers_are_fractions_of_their_white(dtype):
    white = np.iinfo(dtype).max
    np.testing.assert_array_equal(rgb_fractions(np.array([[0, white, white]], dtype)), [[0, 1, 1]])


def test_the_default_volume_covers_the_gamut():
    image = np.random.default_rng(1).integers(0, 256, (30, 30, 3), dtype=np.uint8)
    volume = ColorKDE(image, space="lab").volume(96)
    assert volume.space == "lab"
    np.testing.assert_allclose([a[0] for a in volume.axes], color_space("lab").low)
    total = volume.values.sum(dtype=np.float64) * np.prod(volume.spacing)
    assert total == pytest.approx(volume.mass_inside, abs=5e-3)


def test_entries_keep_their_order():
    image = np.random.default_rng(2).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    palette = Palette.from_image(image)
    converted = palette_in_space(palette, color_space("oklab"))
    np.testing.assert_array_equal(converted.counts, palette.counts)
    assert len(converted) == len(palette)


def test_an_unknown_space_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="'cmyk' is not known; use one of 'rgb', 'linear', 'lab'"):
        ColorKDE(np.zeros((2, 2, 3), np.uint8), space="cmyk")


def test_a_gray_image_has_no_other_space():
    with pytest.raises(ValueError, match="1 color channel; only sRGB images"):
        ColorKDE(np.zeros((2, 2), np.uint8), space="lab").volume(8)


def test_floats_beyond_white_are_refused():
    with pytest.raises(ValueError, match="sRGB lies between 0 and 1"):
        ColorKDE(np.full((2, 2, 3), 7.5), space="lab")


@pytest.mark.parametrize("name", [n for n in COLOR_SPACES if n != "rgb"])
def test_binned_integers_are_converted_as_the_integers_they_were(name):
    image = np.random.default_rng(0).integers(0, 65536, (60, 60, 3)).astype(np.uint16)
    exact = Palette.from_image(image)
    binned = exact.binned(64)
    assert binned.dtype == np.float64
    spaces = [color_space(name, palette) for palette in (exact, binned)]
    means = [p.counts @ palette_in_space(p, spaces[0]).colors / p.n_pixels for p in (exact, binned)]
    np.testing.assert_allclose(*means, atol=1e-3 * (spaces[0].high - spaces[0].low).max())
    np.testing.assert_allclose(spaces[0].high, spaces[1].high, atol=0.01)
    converted = palette_in_space(binned, spaces[1])
    assert not converted.bin_width.any()
    assert converted.moments is None


@pytest.mark.parametrize("value", [-0.02, 1.01])
def test_what_is_no_srgb_is_refused_before_the_colors_are_counted(value, monkeypatch):
    monkeypatch.setattr(ColorCounter, "counted", None)  # nobody gets as far
    image = np.random.default_rng(0).random((20, 20, 3))
    image[0, 0, 1] = value
    for name in ("principal", "lab"):
        with pytest.raises(ValueError, match="sRGB lies between 0 and 1"):
            ColorKDE(image, space=name)
        with pytest.raises(ValueError, match="1 color channel; only sRGB"):
            ColorKDE(image[..., 0], space=name)
    with pytest.raises(ValueError, match="space='xyz' is not known"):
        ColorKDE(image, space="xyz")
    with pytest.raises(ValueError, match="='wide' is not known"):
        ColorKDE(image, "wide")
    with pytest.raises(ValueError, match="positive and finite"):
        ColorKDE(image, [1, -1, 1])
    with pytest.raises(ValueError, match="device='tpu'"):
        ColorKDE(image, device="tpu")


def test_pixels_that_do_not_count_may_be_no_srgb():
    image = np.random.default_rng(0).random((20, 20, 4))
    image[0, 0, 1], image[0, 0, 3] = 7, 0
    image[1, 1, 0] = np.nan
    assert ColorKDE(image, space="lab").palette.n_pixels == 398
