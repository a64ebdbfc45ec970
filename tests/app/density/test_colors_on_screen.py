"""Kernels that are edited: seen on the screen before the whole image has them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_colorkde.app.density.colors_on_screen import ColorsOnScreen
from napari_colorkde.app.density.density_steps import compute, evaluate_kernels
from napari_colorkde.app.density.request import ColorValues, DensityRequest
from napari_colorkde.core.device import HOST
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.core.palette.palette import Palette

RNG = np.random.default_rng(0)
PALETTE = Palette.from_image(RNG.integers(0, 4096, (1, 500, 3)).astype(np.uint16))
KERNELS = KernelSet([Kernel([900, 800, 700], [4e5] * 3, 0.6), Kernel([3000] * 3, [2e5] * 3, 0.4)])


def request(kernels: KernelSet, screen: ColorsOnScreen, codes: np.ndarray) -> DensityRequest:
    return DensityRequest(
        PALETTE, (100.0,), True, kernels, HOST, on_screen=screen, read_codes=lambda: codes
    )  # fmt: skip


def values_of(asked: DensityRequest) -> list[ColorValues]:
    return [r for r in compute(asked) if isinstance(r, ColorValues)]


def test_the_colors_on_the_screen_come_first_and_others_stay_as_they_were() -> None:
    screen = ColorsOnScreen(PALETTE, HOST)
    codes = np.array([[0, 3, 500], [3, 8, 8]], np.int32)
    seen = np.array([2, 7, 499])
    nothing = np.zeros(len(PALETTE), np.float32)
    first, exact = values_of(replace(request(KERNELS, screen, codes), others=nothing))
    assert (first.is_exact, exact.is_exact) == (False, True)
    np.testing.assert_allclose(first.values[seen], exact.values[seen], rtol=1e-5)
    assert not np.delete(first.values, seen).any()
    assert first.limits[0] < first.limits[1]
    moved = KernelSet([replace(k, mean=k.mean + 200) for k in KERNELS])
    asked = replace(request(moved, screen, codes), others=exact.values)
    before = exact.values.copy()
    again, after = values_of(asked)
    np.testing.assert_allclose(again.values[seen], after.values[seen], rtol=1e-5)
    np.testing.assert_array_equal(np.delete(again.values, seen), np.delete(before, seen))
    np.testing.assert_array_equal(exact.values, before)
    assert (again.values[seen] != before[seen]).all()


def test_another_part_of_the_image_is_evaluated_anew() -> None:
    screen = ColorsOnScreen(PALETTE, HOST)
    for codes, seen in (([[1, 2]], [0, 1]), ([[9, 0]], [8])):
        asked = request(KERNELS, screen, np.array(codes, np.int32))
        asked = replace(asked, others=np.zeros(len(PALETTE), np.float32))
        first = next(r for r in compute(asked) if isinstance(r, ColorValues))
        assert screen.entries.tolist() == seen
        wanted = evaluate_kernels(asked)[seen]
        np.testing.assert_allclose(first.values[seen], wanted, rtol=1e-5)


def test_values_that_are_shown_are_not_written_to_by_the_next_edit() -> None:
    screen = ColorsOnScreen(PALETTE, HOST)
    screen.look_at(np.array([[3, 8]], np.int32))
    first = screen.spread(np.float32([1, 2]), np.zeros(len(PALETTE), np.float32))
    shown = first.copy()
    second = screen.spread(np.float32([5, 6]), first)
    np.testing.assert_array_equal(first, shown)
    assert second[[2, 7]].tolist() == [5, 6]
    assert not np.delete(second, [2, 7]).any()


@pytest.mark.parametrize(("code", "has_others"), [(0, True), (3, False)])
def test_nothing_comes_first_without_pixels_or_values_before(code: int, has_others: bool) -> None:
    asked = request(KERNELS, ColorsOnScreen(PALETTE, HOST), np.full((2, 2), code, np.int32))
    if has_others:
        asked = replace(asked, others=np.zeros(len(PALETTE), np.float32))
    (exact,) = values_of(asked)
    assert exact.is_exact
