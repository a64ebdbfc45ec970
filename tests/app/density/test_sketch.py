"""Densities of many colors, seen before they are known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.density import density_steps, estimation, sketch
from napari_colorkde.app.density.density_steps import compute
from napari_colorkde.app.density.request import ColorValues, DensityRequest, Estimate
from napari_colorkde.app.density.sketch import interpolate_volume, interpolated
from napari_colorkde.app.image.source import source_of_array
from napari_colorkde.app.session import Session
from napari_colorkde.core.device import HOST
from napari_colorkde.core.kde.color_kde import ColorKDE
from napari_colorkde.core.kernel_sums.choose_loops import LOOPS
from napari_colorkde.core.palette.palette import Palette


def photograph(dtype: Any, n: int = 4000) -> np.ndarray:
    rng = np.random.default_rng(0)
    gray = rng.beta(2, 3, (1, n, 1))
    colors = np.clip(gray + rng.normal(0, 0.06, (1, n, 3)), 0, 1)
    return (colors if dtype == np.float32 else np.rint(4095 * colors)).astype(dtype)


@pytest.fixture
def deep(monkeypatch: pytest.MonkeyPatch) -> Palette:
    monkeypatch.setattr(sketch, "MANY_COLORS", 1000)
    monkeypatch.setattr(density_steps, "FEW_COLORS", 100)
    palette = Palette.from_image(photograph(np.uint16))
    assert sketch.needs_sketch(palette)
    return palette


def request(palette: Palette, **fields: Any) -> DensityRequest:
    return DensityRequest(palette, (200.0,), False, None, HOST, **fields)


def results(asked: DensityRequest) -> list[Any]:
    return [r for r in compute(asked) if not isinstance(r, Progress)]


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_a_sketch_has_all_pixels_each_near_its_color(dtype: Any) -> None:
    palette = Palette.from_image(photograph(dtype))
    drawn = sketch.sketch(palette)
    assert drawn.lattice is not None
    assert drawn.n_pixels == palette.n_pixels
    span = np.ptp(palette.colors.astype(float), axis=0)
    from_mean = palette.counts @ palette.colors.astype(float) / palette.n_pixels
    drawn_mean = drawn.counts @ drawn.colors / drawn.n_pixels
    assert (np.abs(drawn_mean - from_mean) < 2e-4 * span).all()
    nearest = np.abs(drawn.colors[:, np.newaxis] - palette.colors.astype(float)).max(axis=2)
    assert (nearest.min(axis=0) <= 1.001 * span.max() / 128).all()


def test_weights_stay_weights() -> None:
    palette = Palette.from_image(photograph(np.uint16, 50))
    drawn = sketch.sketch(palette.with_weights(np.full(len(palette), 0.25)))
    assert drawn.total_weight == pytest.approx(len(palette) / 4)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("are_compiled", [False, True])
def test_values_are_those_of_the_volume_between_its_points(
    monkeypatch: pytest.MonkeyPatch, log: bool, are_compiled: bool
) -> None:
    if are_compiled:
        pytest.importorskip("numba")
    loops = LOOPS.prepare(wait=True) if are_compiled else None
    monkeypatch.setattr(LOOPS, "_ready", loops)
    monkeypatch.setattr(sketch, "BLOCK", 700)
    palette = Palette.from_image(photograph(np.uint16))
    volume = ColorKDE(palette, 200.0).volume(32, (0, 3500))
    wanted = interpolate_volume(volume, palette.colors)
    if log:
        wanted = np.log(wanted)
    np.testing.assert_allclose(interpolated(volume, palette.colors, log), wanted, rtol=1e-4)


def test_what_is_on_the_screen_does_not_wait_for_the_exact_volume(deep: Palette) -> None:
    drawn, preview, exact, whole = results(request(deep))
    assert isinstance(drawn, Estimate)
    assert isinstance(preview, ColorValues)
    assert drawn.kde is None
    assert (preview.is_exact, exact.is_exact) == (False, True)
    assert whole.kde is not None
    kde = ColorKDE(deep, 200.0)
    np.testing.assert_allclose(exact.values, kde.density(), rtol=1e-6)
    wanted = kde.volume(32)
    for estimate, tolerance in ((drawn, 2e-2), (whole, 1e-6)):
        for axis, other in zip(estimate.volume.axes, wanted.axes, strict=True):
            np.testing.assert_allclose(axis, other)
        atol = tolerance * wanted.values.max()
        np.testing.assert_allclose(estimate.volume.values, wanted.values, rtol=0, atol=atol)
    off = np.abs(preview.values - exact.values).max()
    assert off < 0.1 * exact.values.max()
    # What is at hand now is the exact one, which need not be computed again.
    *_, again = results(request(deep, previous=whole))
    assert isinstance(again, ColorValues)
    np.testing.assert_array_equal(again.values, exact.values)


def test_of_a_sample_a_preview_will_do(deep: Palette) -> None:
    drawn, preview = results(request(deep, is_sample=True))
    assert isinstance(drawn, Estimate)
    assert not preview.is_exact


def test_stopping_later_work_keeps_the_exact_volume(deep: Palette) -> None:
    session = Session()
    session.open(source_of_array(photograph(np.uint16)))
    exact = session.estimate
    assert exact is not None
    assert exact.kde is not None
    session.stop()
    assert session.estimate is not None
    assert session.estimate.volume is exact.volume


def test_volumes_of_narrow_kernels_are_put_together_from_parts(
    deep: Palette, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimation, "PART_COLORS", 700)
    asked = replace(request(deep), bandwidth=(20.0,))
    whole = results(asked)[-1]
    wanted = ColorKDE(deep, 20.0).volume(
        32, [(axis[0], axis[-1]) for axis in whole.volume.axes], sampling="cells"
    )
    atol = 1e-5 * wanted.values.max()
    np.testing.assert_allclose(whole.volume.values, wanted.values, rtol=0, atol=atol)
    assert whole.volume.mass_inside == pytest.approx(wanted.mass_inside)
    parts = [r.fraction for r in compute(asked) if isinstance(r, Progress) and r.fraction]
    assert len(parts) >= len(deep) // 700
