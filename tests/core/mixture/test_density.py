from collections import namedtuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_colorkde.core.mixture import density as mixture
from napari_colorkde.core.mixture.at_colors import mixture_density, mixture_log_density
from napari_colorkde.core.mixture.density import compute_densities
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.core.reference import gaussian_log_density
from napari_colorkde.core.reference import mixture_density as reference_density
from napari_colorkde.core.reference import mixture_log_density as reference_log_density

DTYPES = [np.uint8, np.uint16, np.int32, np.float32, np.float64, np.bool_]


@st.composite
def kernel_sets(draw):
    channels = draw(st.integers(1, 5))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scale = draw(st.sampled_from([1e-3, 1.0, 255.0, 65535.0]))
    kernels = []
    for _ in range(draw(st.integers(1, 6))):
        sigmas = scale * 10 ** random.uniform(-3, 0.5, channels)
        covariance = sigmas**2
        if draw(st.booleans()):
            mixing = np.tril(random.uniform(-1, 1, (channels, channels)), -1) + np.eye(channels)
            covariance = sigmas[:, None] * (mixing @ mixing.T) * sigmas
        mean = random.uniform(-0.2, 1.2, channels) * scale
        kernels.append(Kernel(mean, covariance, draw(st.sampled_from([0.0, 0.3, 1.0, 40.0]))))
    return KernelSet(kernels)


@st.composite
def images_and_kernels(draw):
    """An image on the scale of its kernels, with some of its pixels at their means."""
    kernels = draw(kernel_sets())
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    shape = (*draw(hnp.array_shapes(min_dims=2, max_dims=3, max_side=6)), kernels.n_channels)
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scale = np.abs(kernels.means).max() * 1.5
    image = random.uniform(-0.2, 1, shape) * scale
    at_means = random.random(shape[:-1]) < 0.5
    image[at_means] = kernels.means[random.integers(len(kernels), size=int(at_means.sum()))]
    if dtype.kind in "iu":
        image = image.clip(np.iinfo(dtype).min, np.iinfo(dtype).max)
    return image.astype(dtype), kernels


def assert_densities_as_promised(result, expected):
    tells = (expected > 1e-30) & (expected < 3e38)
    np.testing.assert_allclose(result[tells], expected[tells], rtol=1e-5)
    assert (result[expected <= 1e-30] < 1.1e-30).all()


def assert_logs_as_promised(result, expected):
    equal = result == expected  # both −inf
    with np.errstate(invalid="ignore"):
        close = np.abs(result - expected) <= 1e-4 + 1e-6 * np.abs(expected)
    assert (equal | close).all()


@given(images_and_kernels(), st.booleans())
def test_densities_equal_the_reference(device, image_and_kernels, normalized):
    image, kernels = image_and_kernels
    before = image.copy()
    colors = image.reshape(-1, kernels.n_channels).astype(np.float64)
    density = compute_densities(image, kernels, normalized=normalized, device=device)
    assert (density.dtype, density.shape) == (np.float32, image.shape[:-1])
    with np.errstate(over="ignore"):
        expected = reference_density(colors, kernels, normalized=normalized)
    assert_densities_as_promised(density.ravel(), expected)
    logs = compute_densities(image, kernels, log=True, normalized=normalized, device=device)
    assert (logs.dtype, logs.shape) == (np.float64, image.shape[:-1])
    with np.errstate(divide="ignore"):
        expected = reference_log_density(colors, kernels, normalized=normalized)
    assert_logs_as_promised(logs.ravel(), expected)
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("log", [False, True])
def test_painting_from_a_table_equals_every_pixel_by_itself(device, monkeypatch, channels, log):
    random = np.random.default_rng(channels)
    image = random.integers(0, 256, (30, 40, channels), np.uint8)
    kernels = [(random.uniform(0, 255, channels), random.uniform(1, 900, channels), 0.5)] * 3
    one_by_one = compute_densities(image, kernels, log=log, device=device)
    monkeypatch.setattr(mixture, "FEW_PIXELS", 0)
    painted = compute_densities(image, kernels, log=log, device=device)
    assert painted.dtype == one_by_one.dtype
    np.testing.assert_allclose(painted, one_by_one, rtol=1e-5)


@given(
    channels=st.integers(1, 3),
    seed=st.integers(0, 2**32 - 1),
    narrowest=st.sampled_from([1e-6, 1e-2, 1.0]),
    weight=st.sampled_from([1e-9, 0.3, 1e6]),
)
def test_diagonal_kernels_on_the_lattice_equal_the_reference(
    device, channels, seed, narrowest, weight
):
    random = np.random.default_rng(seed)
    means = random.integers(0, 256, (70, channels)) + random.choice([0, 0.3], (70, channels))
    variances = narrowest * 10 ** random.uniform(0, 3, (70, channels))
    variances[0] = narrowest
    weights = weight * random.random(70)
    kernels = KernelSet(list(zip(means, variances, weights, strict=True)))
    image = random.integers(0, 256, (40, 50, channels), np.uint8)
    image[0, :35] = means[:35]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mixture, "FEW_PIXELS", 0)
        patch.setattr(mixture, "PIXELS_WORTH", np.inf)
        density = compute_densities(image, kernels, device=device)
    expected = reference_density(image.reshape(-1, channels).astype(float), kernels)
    assert_densities_as_promised(density.ravel(), expected)


def test_peaks_beyond_float32_are_not_evaluated_on_the_lattice(device, monkeypatch):
    monkeypatch.setattr(mixture, "FEW_PIXELS", 0)
    kernels = [([10, 10], [1e-30, 1e-30], 1.0), ([20, 20], [9, 9], 0.5)]
    image = np.tile(np.array([[10, 10], [20, 20], [21, 20]], np.uint8), (4000, 1, 1))
    density = compute_densities(image, kernels, device=device)
    expected = reference_density(image[0].astype(float), KernelSet(kernels))
    np.testing.assert_allclose(density[0], expected, rtol=1e-5)


@given(kernel_sets(), st.integers(0, 2**32 - 1))
def test_contributions_of_kernels_add_up(device, kernels, seed):
    span = np.abs(kernels.means).max() * 1.5
    colors = np.random.default_rng(seed).uniform(-span, span, (50, kernels.n_channels))
    colors[:4] = kernels.means[0]
    parts, logs = [], []
    for kernel in kernels:
        parts.append(mixture_density(colors, [kernel], device=device))
        logs.append(mixture_log_density(colors, [kernel], device=device))
        with np.errstate(divide="ignore"):
            log_weight = np.log(kernel.weight)
        expected = log_weight + gaussian_log_density(colors, kernel.mean, kernel.covariance)
        assert_logs_as_promised(logs[-1], expected)
    total = mixture_density(colors, kernels, device=device)
    np.testing.assert_allclose(np.sum(parts, axis=0), total, rtol=1e-5, atol=1e-35)
    log_total = mixture_log_density(colors, kernels, device=device)
    assert_logs_as_promised(np.logaddexp.reduce(logs, axis=0), log_total)


def test_blocks_join(device, monkeypatch):
    colors = np.random.default_rng(0).uniform(0, 255, (1000, 3))
    kernels = [([100, 50, 200], [900, 400, 100], 0.7), ([10, 50, 20], [90, 400, 100], 0.3)]
    whole = mixture_log_density(colors, kernels, device=device)
    monkeypatch.setattr("napari_colorkde.core.mixture.exponents.BLOCK_TERMS", 300)
    np.testing.assert_array_equal(mixture_log_density(colors, kernels, device=device), whole)


def test_a_narrow_kernel_far_from_the_origin_keeps_its_digits(device):
    kernels = [Kernel([1e6, 0], [1e-6, 1], 1), Kernel([0, 0], [1, 1], 1)]
    colors = np.array([[1e6 + 2e-3, 1.0], [0.5, 0.5], [5e5, 0]])
    logs = mixture_log_density(colors, kernels, device=device)
    assert_logs_as_promised(logs, reference_log_density(colors, kernels))


def test_far_tails_have_logs_where_densities_underflow(device):
    image = np.zeros((1, 1, 3), np.uint8)
    kernels = [([255, 255, 255], [1, 1, 1], 1.0)]
    assert compute_densities(image, kernels, device=device)[0, 0] == 0
    log = compute_densities(image, kernels, log=True, device=device)[0, 0]
    assert log == pytest.approx(-1.5 * 255**2 - 1.5 * np.log(2 * np.pi))


def test_the_loop_of_the_textbook_for_namedtuples():
    # An image as OpenCV gives it, and kernels written down with one row each.
    Row = namedtuple("Row", "mean covariance weight")
    image = np.random.default_rng(0).integers(0, 256, (5, 4, 3), np.uint8)
    rows = [
        Row(np.array([(73.53, 29.94, 17.76)]), np.array([(765.40, 121.44, 112.80)]), 0.0294),
        Row(np.array([(161.68, 116.25, 96.95)]), np.array([(291.03, 60.48, 162.85)]), 0.0654),
    ]
    expected = np.zeros((5, 4))
    for y, line in enumerate(image):
        for x, color in enumerate(line):
            for mean, variances, weight in rows:
                distance = ((color - mean[0]) ** 2 / variances[0]).sum()
                peak = weight / np.sqrt(np.prod(variances[0]))
                expected[y, x] += peak * np.exp(-0.5 * distance)
    result = compute_densities(image, rows, normalized=False)
    assert_densities_as_promised(result, expected)
    normalized = compute_densities(image, rows)
    assert_densities_as_promised(normalized, expected / (2 * np.pi) ** 1.5)


def test_the_density_integrates_to_the_sum_of_the_weights():
    axis = np.arange(256, dtype=np.uint8)
    plane = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)
    kernels = [([100, 150], [[90, 40], [40, 80]], 0.25), ([90, 60], [30, 200], 0.5)]
    assert compute_densities(plane, kernels).sum(dtype=np.float64) == pytest.approx(0.75, 1e-5)


def test_transparent_and_broken_pixels_are_nan(monkeypatch):
    kernels = [([100, 150, 90], [90, 40, 30], 0.25)]
    rgba = np.random.default_rng(0).integers(0, 256, (6, 7, 4), np.uint8)
    rgba[..., 3] = 255
    rgba[2, 3:] = 0
    for few in (0, 1000):
        monkeypatch.setattr(mixture, "FEW_PIXELS", few)
        result = compute_densities(rgba, kernels)
        assert np.isnan(result[2, 3:]).all()
        assert np.isnan(result).sum() == 4
    image = rgba[..., :3].astype(np.float64)
    image[0, 0, 1], image[1, 1, 0], image[5, 6, 2] = np.nan, np.inf, -np.inf
    for log in (False, True):
        result = compute_densities(image, kernels, log=log)
        assert np.isnan(result[[0, 1, 5], [0, 1, 6]]).all()
        assert np.isnan(result).sum() == 3


def test_channels_may_be_on_any_axis_or_on_none():
    image = np.random.default_rng(0).integers(0, 256, (6, 7, 3), np.uint8)
    kernels = [([100, 150, 90], [90, 40, 30], 0.25)]
    expected = compute_densities(image, kernels)
    for axis in (0, 1, -2):
        moved = np.moveaxis(image, -1, axis)
        np.testing.assert_array_equal(
            compute_densities(moved, kernels, channel_axis=axis), expected
        )
    gray = [([100], [90], 0.25)]
    flat = compute_densities(image[..., :1], gray)
    np.testing.assert_array_equal(compute_densities(image[..., 0], gray), flat)
    stack = compute_densities(image, gray, channel_axis=None)
    assert stack.shape == (6, 7, 3)
    np.testing.assert_array_equal(stack[..., 0], flat)


def test_a_list_is_an_image():
    assert compute_densities([[0, 1], [2, 3]], [([1.0], [1.0], 1.0)]).shape == (2, 2)


def test_four_channels_are_colors_when_the_kernels_have_four():
    image = np.zeros((2, 2, 4), np.float32)
    result = compute_densities(image, [([0, 0, 0, 0], [1, 1, 1, 1], 1)])
    np.testing.assert_allclose(result, (2 * np.pi) ** -2, rtol=1e-6)


@pytest.mark.parametrize(
    ("image", "kernels", "error", "message"),
    [
        (np.zeros((2, 2, 3)), [], ValueError, "kernels is empty"),
        (np.zeros((2, 2, 3)), [([0, 0], [1, 1], 1)], ValueError, "3 channels, but 2 channels"),
        (np.zeros((2, 2)), [([0, 0], [1, 1], 1)], ValueError, "1 channel, but 2 channels"),
        (np.zeros((2, 2, 1)), [([0], [0], 1)], ValueError, r"kernel 0: covariance .* above 0"),
        (np.zeros((0, 2, 1)), [([0], [1], 1)], ValueError, "empty"),
        (np.array([["a"]]), [([0], [1], 1)], TypeError, "real numbers"),
    ],
)
def test_bad_input_is_refused_with_a_sentence(image, kernels, error, message):
    with pytest.raises(error, match=message):
        compute_densities(image, kernels)
