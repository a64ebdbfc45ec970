"""Estimates that end at the walls of the color box, and kernels of varying width."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import logsumexp

from napari_colorkde import ColorKDE, Palette
from napari_colorkde.core import reference
from napari_colorkde.core.kde.estimators.varying import MAX_FACTOR, VaryingSums, abramson_factors

RNG = np.random.default_rng(0)
EDGE = RNG.choice([0, 1, 3, 7, 40, 90, 200, 250, 255], (9, 11, 2)).astype(np.uint8)
FLOATS = RNG.beta(0.4, 0.6, (7, 9, 2))


def mirrored(image: Any, box: Any) -> Any:
    """All images of the colors at the walls, by definition."""
    rows = image.reshape(-1, image.shape[-1]).astype(float)
    for c, (low, high) in enumerate(box):
        parts = []
        for turn in (-1, 0, 1):
            for values in (rows[:, c], 2 * low - rows[:, c]):
                moved = rows.copy()
                moved[:, c] = values + 2 * turn * (high - low)
                parts.append(moved)
        rows = np.concatenate(parts)
    return rows


@pytest.mark.parametrize(("image", "sigmas"), [(EDGE, [20.0, 9.0]), (FLOATS, [0.1, 0.05])])
def test_reflected_density_is_that_of_all_mirror_images(image: Any, sigmas: list[float]) -> None:
    kde = ColorKDE(image, sigmas, boundary="reflected")
    points = image.reshape(-1, 2).astype(float)
    rows = mirrored(image, kde.box)
    expected = reference.kde_log_density(points, rows, np.diag(np.square(sigmas)))
    expected += np.log(len(rows) / len(points))
    peak = np.exp(expected.max())
    np.testing.assert_allclose(kde.density(image).ravel(), np.exp(expected), atol=1e-5 * peak)
    np.testing.assert_allclose(kde.density(image, log=True).ravel(), expected, atol=1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("bits", "whole"), [(8, 255), (12, 65535), (16, 65535)])
def test_walls_of_fractions_are_those_of_the_integers(dtype: type, bits: int, whole: int) -> None:
    """The last level is white, and lies on the wall."""
    levels = np.random.default_rng(2).integers(0, 1 << bits, (6, 7, 3))
    levels[0, 0] = levels[1, 1, 0] = (1 << bits) - 1
    kind = np.uint8 if bits == 8 else np.uint16
    of_integers = ColorKDE(levels.astype(kind), 0.05 * 2**bits, boundary="reflected")
    image = (levels / whole).astype(dtype)
    of_fractions = ColorKDE(image, 0.05 * 2**bits / whole, boundary="reflected")
    np.testing.assert_allclose(np.asarray(of_fractions.box) * whole, of_integers.box, rtol=1e-6)
    found = of_fractions.density(image, log=True) - 3 * np.log(whole)
    np.testing.assert_allclose(found, of_integers.density(levels.astype(kind), log=True), atol=1e-4)


CORNERS = np.array([[0, 0, 0], [0, 255, 128], [255, 255, 255], [1, 254, 0], [128, 0, 255]])


@pytest.mark.parametrize("sigmas", [[3.0, 5.0, 4.0], [20.0, 2.0, 9.0], [300.0, 900.0, 2.0]])
@pytest.mark.parametrize("kind", [np.uint8, np.float64])
def test_reflected_logs_far_from_all_colors_count_each_image(kind: type, sigmas: Any) -> None:
    """On a wall an image is as far as its color: what is left out would double the density."""
    colors = np.array([[[0, 0, 0], [200, 3, 0], [250, 255, 0], [90, 90, 7]]], kind)
    points = CORNERS.astype(np.float64)
    if kind is np.float64:
        colors, points, sigmas = colors / 255, points / 255, np.array(sigmas) / 255
    kde = ColorKDE(colors, sigmas, boundary="reflected")
    box, widths = np.asarray(kde.box, float), np.asarray(sigmas, float)
    logs = np.zeros((len(points), 4))
    for c, (low, high) in enumerate(box):
        reach = int(np.ceil(40 * max(1.0, widths[c] / (high - low))))
        shift = 2 * (high - low) * np.arange(-reach, reach + 1)
        own = colors[0, :, c].astype(float)
        images = np.concatenate([own[:, None] + shift, 2 * low - own[:, None] + shift], axis=1)
        away = (points[:, c, None, None] - images) / widths[c]
        logs += logsumexp(-0.5 * away**2, axis=2) - np.log(widths[c] * np.sqrt(2 * np.pi))
    expected = logsumexp(logs, axis=1) - np.log(4)
    np.testing.assert_allclose(kde.evaluate(points, log=True), expected, atol=1e-4, rtol=1e-6)


@pytest.mark.parametrize(("image", "sigmas"), [(EDGE, [20.0, 9.0]), (FLOATS, [0.1, 0.05])])
def test_renormalized_density_is_that_of_kernels_that_are_cut_at_the_walls(
    image: Any, sigmas: list[float]
) -> None:
    kde = ColorKDE(image, sigmas, boundary="renormalized")
    points = image.reshape(-1, 2).astype(float)
    total = np.ones((len(points), len(points)))
    for c, (low, high) in enumerate(kde.box):
        x = np.linspace(low, high, 4001)
        kernels = np.exp(-0.5 * ((x - points[:, c : c + 1]) / sigmas[c]) ** 2)
        left = np.trapezoid(kernels, x, axis=1)
        total *= np.exp(-0.5 * ((points[:, c : c + 1] - points[:, c]) / sigmas[c]) ** 2) / left
    expected = total.mean(axis=1)
    found = kde.density(image).ravel()
    np.testing.assert_allclose(found, expected, atol=1e-5 * expected.max())
    np.testing.assert_allclose(kde.density(image, log=True).ravel(), np.log(expected), atol=1e-4)


@pytest.mark.parametrize("sigma", [300.0, 760.0, 770.0, 1e8])
def test_kernels_much_wider_than_the_box_are_even_within_it(sigma: float) -> None:
    kde = ColorKDE(EDGE, sigma, boundary="reflected")
    np.testing.assert_allclose(kde.density(), 1 / 255**2, rtol=2e-3 if sigma < 500 else 1e-6)
    np.testing.assert_allclose(kde.density(log=True), -2 * np.log(255), atol=2e-3)
    assert kde.volume(16).mass_inside == pytest.approx(1, abs=1e-6)
    assert kde.volume(16, (0, 127.5)).mass_inside == pytest.approx(0.25, rel=2e-3)


def test_more_mirror_images_than_memory_holds_are_refused() -> None:
    kde = ColorKDE(np.random.default_rng(1).random((40, 50, 3)), 1e6, boundary="reflected")
    with pytest.raises(ValueError, match="mirror images within reach of kernels this wide,"):
        kde.density()


def test_mass_stays_in_the_box() -> None:
    sigmas = [20.0, 9.0]
    masses = {}
    for boundary in ("none", "renormalized", "reflected"):
        volume = ColorKDE(EDGE, sigmas, boundary=boundary).volume(256)  # type: ignore[arg-type]  # names
        masses[boundary] = volume.mass_inside
        integral = np.trapezoid(np.trapezoid(volume.values.astype(float)))
        assert volume.mass_inside == pytest.approx(integral, abs=2e-3)
        assert volume.boundary == boundary
    assert masses["none"] < 0.8
    assert masses["reflected"] == pytest.approx(1, abs=1e-6)
    assert masses["renormalized"] == pytest.approx(1, abs=1e-6)


def test_a_constant_density_is_constant_up_to_the_walls() -> None:
    even = np.arange(256, dtype=np.uint8)
    kde = ColorKDE(even, 9.0, boundary="reflected")
    values = kde.volume(256).values
    assert values[0] == pytest.approx(values[128], rel=0.05)
    plain = ColorKDE(even, 9.0).volume(256).values
    assert plain[0] < 0.55 * plain[128]


@pytest.mark.parametrize("boundary", ["renormalized", "reflected"])
@pytest.mark.parametrize(
    ("image", "extent"), [(EDGE, None), (EDGE, (-30, 270)), (FLOATS * 255, (-30, 270))]
)
def test_cells_that_walls_cut_have_the_average_of_what_is_inside(
    image: Any, extent: Any, boundary: Any
) -> None:
    kde = ColorKDE(image, [3.0, 5.0], boundary=boundary)
    volume = kde.volume(21, extent, sampling="cells")
    ends = []
    for axis, (low, high) in zip(volume.axes, kde.box, strict=True):
        half = (axis[1] - axis[0]) / 2
        ends.append(np.stack([axis - half, axis + half], axis=1).clip(low, high))
    expected = np.zeros(volume.shape)
    for i, j in np.ndindex(volume.shape):
        (left, right), (bottom, top) = ends[0][i], ends[1][j]
        if volume.values[i, j] and right > left and top > bottom:
            steps = (np.arange(24) + 0.5) / 24
            inside = np.meshgrid(left + steps * (right - left), bottom + steps * (top - bottom))
            points = np.stack(inside, axis=-1).reshape(-1, 2)
            expected[i, j] = kde.evaluate(points).mean()
    assert np.count_nonzero(expected) > 100
    np.testing.assert_allclose(volume.values, expected, atol=2e-3 * expected.max())
    assert volume.mass_inside == pytest.approx(1, abs=1e-6)
    if extent is None:  # the grid ends at the walls
        widths = [np.diff(each, axis=1).ravel() for each in ends]
        total = widths[0] @ volume.values.astype(float) @ widths[1]
        assert total == pytest.approx(1, abs=1e-4)
        marginal = volume.marginal(1)
        assert np.trapezoid(marginal.values, marginal.axes[0]) == pytest.approx(1, abs=1e-4)


def test_varying_kernels_can_be_left_alone_between_their_classes() -> None:
    kde = ColorKDE(EDGE, 9.0, varying=True)
    for steps, whole in (
        (kde.density_in_steps(), kde.density()),
        (kde.density_in_steps(log=True), kde.density(log=True)),
        (kde.volume_in_steps(33, None, "points"), np.asarray(kde.volume(33))),
    ):
        parts = []
        try:
            while True:
                parts.append(next(steps))
        except StopIteration as end:
            np.testing.assert_array_equal(np.asarray(end.value).ravel(), whole.ravel())
        assert parts == sorted(parts)
        assert len(parts) > 3


def test_nothing_is_outside_the_box() -> None:
    volume = ColorKDE(EDGE, 15.0, boundary="reflected").volume(32, extent=(-60, 300))
    outside = (volume.axes[0] < 0) | (volume.axes[0] > 255)
    assert not volume.values[outside].any()
    assert volume.values[~outside][:, ~outside].all()
    assert volume.mass_inside == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("image", "sigma", "shape"),
    [
        (RNG.normal(100, 3, (12, 12, 1)), 2.0, 1),
        (np.concatenate([RNG.normal(100, 3, (9, 9, 3)), RNG.normal(120, 30, (4, 9, 3))]), 5.0, 3),
    ],
)
def test_varying_kernels_follow_the_square_root_law(image: Any, sigma: float, shape: int) -> None:
    image = image.clip(0, 255).astype(np.uint8)
    rows = image.reshape(-1, shape).astype(float)
    pilot = reference.kde_log_density(rows, rows, sigma**2 * np.eye(shape))
    factors = np.exp(-0.5 * (pilot - pilot.mean())).clip(1 / MAX_FACTOR, MAX_FACTOR)
    squares = ((rows[:, np.newaxis] - rows) ** 2).sum(axis=2) / (sigma * factors) ** 2
    kernels = np.exp(-0.5 * squares) / (np.sqrt(2 * np.pi) * sigma * factors) ** shape
    expected = kernels.mean(axis=1)
    kde = ColorKDE(image, sigma, varying=True)
    found = kde.density(image).ravel()
    assert np.abs(found - expected).max() < 1e-3 * expected.max()
    is_held = found > 1e-20 * found.max()
    logs = kde.density(image, log=True).ravel()
    np.testing.assert_allclose(logs[is_held], np.log(found[is_held]), atol=2e-4)
    assert isinstance(kde._sums, VaryingSums)
    assert np.ptp(kde._sums.factors) > 0.2


def test_mass_of_varying_kernels_is_one() -> None:
    volume = ColorKDE(EDGE, 6.0, varying=True).volume(300, extent=(-200, 455))
    assert volume.mass_inside == pytest.approx(1, abs=1e-3)
    step = volume.spacing.prod()
    assert volume.values.sum() * step == pytest.approx(volume.mass_inside, abs=2e-3)


def test_factors_have_a_geometric_mean_of_one() -> None:
    logs, weights = RNG.normal(size=50), RNG.integers(1, 9, 50).astype(float)
    factors = abramson_factors(logs, weights)
    assert weights @ np.log(factors) == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(factors[0] / factors[1], np.exp(-(logs[0] - logs[1]) / 2))


REFUSED: dict[str, dict[str, Any]] = {
    "boundary='open' is not known; use one of 'none'": {"boundary": "open"},
    "boundary='reflected' needs a diagonal bandwidth": {
        "boundary": "reflected",
        "bandwidth": [[4, 1], [1, 4]],
    },
    "cannot be combined; give one of them": {"boundary": "reflected", "varying": True},
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_has_no_such_estimate_is_refused(words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ColorKDE(Palette.from_image(EDGE), **REFUSED[words])
    flat = ColorKDE(np.dstack([9 * FLOATS[..., 0], np.full((7, 9), 5.0)]), 1, boundary="reflected")
    with pytest.raises(ValueError, match="channel 2 is 5 everywhere, so its range"):
        flat.density()
    with pytest.raises(ValueError, match="need one bandwidth for all colors"):
        ColorKDE(EDGE, 3.0, varying=True).leave_one_out()
