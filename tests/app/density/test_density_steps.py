from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.density import density_steps as module
from napari_colorkde.app.density.density_steps import compute
from napari_colorkde.app.density.request import ColorValues, DensityRequest, Estimate
from napari_colorkde.app.density.sketch import interpolate_volume
from napari_colorkde.core import reference
from napari_colorkde.core.device import HOST
from napari_colorkde.core.kde.color_kde import ColorKDE
from napari_colorkde.core.kernel_sums import spreading
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.core.palette.palette import Palette

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(40, 80, (20, 30, 3)).astype(np.uint8)
SKIN = KernelSet([Kernel([60, 55, 50], [90, 80, 70], 0.6), Kernel([70, 60, 40], [30] * 3, 0.4)])


def request(image: np.ndarray = IMAGE, **fields: Any) -> DensityRequest:
    wanted: dict[str, Any] = {"bandwidth": (6.0,), "log": False, "kernels": None, "device": HOST}
    return DensityRequest(Palette.from_image(image), **{**wanted, **fields})


def results(request: DensityRequest) -> list[Any]:
    return [r for r in compute(request) if not isinstance(r, Progress)]


def pixels_of(palette: Palette) -> np.ndarray:
    return np.repeat(palette.colors, palette.counts, axis=0).astype(np.float64)


def test_the_density_is_that_of_the_formula() -> None:
    asked = request()
    estimate, densities = results(asked)
    assert isinstance(estimate, Estimate)
    assert estimate.sigmas == (6.0, 6.0, 6.0)
    some = RNG.choice(len(asked.palette), 50, replace=False)
    wanted = np.exp(
        reference.kde_log_density(
            asked.palette.colors[some].astype(float), pixels_of(asked.palette), np.full(3, 36.0)
        )
    )
    np.testing.assert_allclose(
        densities.values[some], wanted, atol=1e-6 * densities.values.max(), rtol=0
    )


def test_kernels_of_varying_width_are_shown_as_far_out_as_plain_ones() -> None:
    image = RNG.normal(100, 10, (10, 10, 2)).astype(np.float32)
    plain, varying = (
        next(r for r in compute(request(image, varying=v)) if isinstance(r, Estimate)).volume
        for v in (False, True)
    )
    np.testing.assert_allclose(varying.extent, plain.extent)
    assert varying.mass_inside > 0.9


def test_logarithms_are_those_of_the_density() -> None:
    (_, linear), (_, log) = results(request()), results(request(log=True))
    np.testing.assert_allclose(log.values, np.log(linear.values), atol=1e-4)


def test_kernels_give_their_mixture_and_the_volume_stays_that_of_the_image() -> None:
    asked = request(kernels=SKIN)
    estimate, densities = results(asked)
    wanted = reference.mixture_density(asked.palette.colors.astype(float), SKIN)
    np.testing.assert_allclose(densities.values, wanted, rtol=1e-5)
    np.testing.assert_array_equal(estimate.volume.values, results(request())[0].volume.values)


def test_kernels_of_other_channels_are_refused_with_a_sentence() -> None:
    gray = KernelSet([Kernel([60], [9], 1.0)])
    with pytest.raises(ValueError, match="these kernels are for 1 channel; the image has 3"):
        results(request(kernels=gray))


def test_bandwidths_of_other_channels_are_refused_with_a_sentence() -> None:
    with pytest.raises(ValueError, match="the image has 3 color channels"):
        results(request(bandwidth=(1.0, 2.0)))


def test_a_large_palette_gives_a_preview_close_to_the_density(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "FEW_COLORS", 10)
    monkeypatch.setattr(module, "BINS", {3: 128})
    _, preview, exact = results(request())
    assert (preview.is_exact, exact.is_exact) == (False, True)
    np.testing.assert_allclose(preview.values, exact.values, rtol=0.1)


def test_what_is_at_hand_is_not_computed_again() -> None:
    estimate, densities = results(request())
    (again,) = results(request(previous=estimate, log=True))
    assert isinstance(again, ColorValues)
    np.testing.assert_allclose(again.values, np.log(densities.values), atol=1e-4)


@pytest.mark.parametrize("rule", ["loco", "loo"])
def test_choosing_a_bandwidth_tells_how_far_it_is(rule: str) -> None:
    image = np.round(RNG.normal(60, 8, (30, 40, 3))).astype(np.uint8)
    parts = [
        r.fraction
        for r in compute(request(image, bandwidth=rule))
        if isinstance(r, Progress) and r.what == "choosing the bandwidth"
    ]
    assert parts == sorted(parts)  # type: ignore[type-var]
    assert len(parts) > 10


def test_a_bandwidth_at_the_edge_of_what_was_tried_is_said() -> None:
    repeated = np.concatenate(3 * [np.round(RNG.normal(60, 8, (30, 40, 3))).astype(np.uint8)])
    said = results(request(repeated, bandwidth="loo"))[0].notice
    assert said.startswith("The best bandwidth, sigma 1.26, is the narrowest at which pixels are")
    assert said.endswith("narrower always looks better; choose leave one color out.")
    assert results(request(repeated, bandwidth="loco"))[0].notice == ""
    scattered = np.random.default_rng(0).integers(0, 256, (6, 7, 3), dtype=np.uint8)
    assert results(request(scattered, bandwidth="loco"))[0].notice == (
        "The best bandwidth, sigma 32, is the widest that was tried; wider ones may be better "
        "still: choose one by hand."
    )
    assert results(request(scattered, bandwidth="scott"))[0].notice == ""


def test_rules_of_thumb_are_kept_apart_by_channel() -> None:
    image = np.stack([RNG.normal(100, s, (40, 50)) for s in (4, 20, 40)], -1).astype(np.uint8)
    estimate = results(request(image, bandwidth="scott"))[0]
    assert estimate.sigmas[0] < estimate.sigmas[1] < estimate.sigmas[2]


@pytest.mark.parametrize("shape", [(9, 9), (9, 9, 2), (9, 9, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_every_number_of_channels_and_dtype_has_a_volume_and_a_density(
    shape: tuple[int, ...], dtype: Any
) -> None:
    image = (RNG.random(shape) * (1 if dtype == np.float32 else 250)).astype(dtype)
    estimate, densities = results(request(image, bandwidth=None))
    assert estimate.volume.values.ndim == (1 if len(shape) == 2 else shape[-1])
    assert np.isfinite(densities.values).all()
    assert (densities.values > 0).all()


def test_kernels_narrower_than_the_grid_are_shown_by_cell_averages() -> None:
    # Sampled at points, the volume would hold any mass at all, and warn.
    estimate = results(request(bandwidth=(0.3,)))[0]
    mass = estimate.volume.values.sum(dtype=np.float64) * np.prod(estimate.volume.spacing)
    assert mass == pytest.approx(1.0, abs=1e-3)


def test_interpolation_is_exact_at_grid_points_and_linear_between() -> None:
    kde = ColorKDE(Palette.from_image(IMAGE), 8.0)
    volume = kde.volume(52)  # every fifth level
    at = np.array([[50, 55, 60], [255, 0, 255], [52, 55, 60]], np.uint8)
    values = interpolate_volume(volume, at)
    np.testing.assert_allclose(values[0], volume.values[10, 11, 12], rtol=1e-5)
    np.testing.assert_allclose(values[1], volume.values[51, 0, 51], rtol=1e-5)
    wanted = 0.6 * volume.values[10, 11, 12] + 0.4 * volume.values[11, 11, 12]
    np.testing.assert_allclose(values[2], wanted, rtol=1e-5)


@pytest.mark.parametrize("log", [False, True])
def test_colors_off_the_lattice_are_computed_in_steps(
    monkeypatch: pytest.MonkeyPatch, log: bool
) -> None:
    monkeypatch.setattr(spreading, "MAX_NODES", 1)
    monkeypatch.setattr(spreading, "BRICK_PAIRS", 0)
    monkeypatch.setattr(spreading, "BRICK_PAIRS_COMPILED", 0)
    monkeypatch.setattr(spreading, "POINT_PAIRS", 0)
    image = RNG.random((20, 30, 3))
    asked = request(image, bandwidth=(0.08,), log=log)
    *steps, exact = compute(asked)
    assert isinstance(exact, ColorValues)
    parts = [s for s in steps if isinstance(s, Progress) and s.what.endswith("exact density")]
    fractions = [part.fraction for part in parts]
    assert len(parts) > 8
    assert fractions == sorted(fractions)
    wanted = ColorKDE(asked.palette, 0.08, device=HOST).density(log=log)
    np.testing.assert_allclose(exact.values, wanted, rtol=1e-5, atol=1e-5)
