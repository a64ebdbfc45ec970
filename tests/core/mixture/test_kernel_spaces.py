"""Kernels in color spaces: densities are those of the space, and Gaussians stay the same."""

from __future__ import annotations

import warnings
from typing import Any

import dask.array as da
import numpy as np
import pytest

from napari_colorkde import (
    ColorKDE,
    Kernel,
    KernelSet,
    Palette,
    classify_image,
    compute_densities,
    fit_classes,
    fit_kernels,
)
from napari_colorkde.core.colorspaces import color_space
from napari_colorkde.core.mixture.kernel_spaces import UnitsWatch
from napari_colorkde.core.palette.ranges import ColorUnitsWarning

RGB = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
SPREAD = [[900.0, 100, 50], [100, 500, 20], [50, 20, 300]]
SKIN = KernelSet([Kernel([180, 120, 80], SPREAD, 0.7, cls="skin")], "skin")
MASK = np.arange(192).reshape(12, 16) % 3 > 0


@pytest.mark.parametrize("space", ["lab", "oklab", "ycbcr", "linear"])
def test_kernels_of_a_space_are_evaluated_there(space: str) -> None:
    points = color_space(space).from_rgb(RGB.reshape(-1, 3) / 255)
    kernel = Kernel(points.mean(axis=0), np.cov(points.T), 1)
    densities = compute_densities(RGB, KernelSet([kernel], space=space), mask=MASK)
    flat = compute_densities(points[np.newaxis], [kernel])[0].reshape(12, 16)
    np.testing.assert_allclose(densities[MASK], flat[MASK], rtol=1e-5)
    assert np.isnan(densities[~MASK]).all()


def test_channels_are_exchanged_between_orders() -> None:
    bgr = SKIN.to_space("BGR")
    assert (bgr.space, bgr.name, bgr[0].cls) == ("bgr", "skin", "skin")
    np.testing.assert_array_equal(bgr.means, SKIN.means[:, ::-1])
    assert bgr.to_space("rgb") == SKIN
    expected = compute_densities(RGB, SKIN)
    np.testing.assert_allclose(compute_densities(RGB, bgr, space="rgb"), expected, rtol=1e-5)
    np.testing.assert_allclose(compute_densities(RGB[..., ::-1], bgr), expected, rtol=1e-5)
    np.testing.assert_allclose(
        classify_image(RGB, two(bgr), space="rgb"), classify_image(RGB, two(SKIN))
    )


def two(skin: KernelSet) -> dict[str, KernelSet]:
    wall = KernelSet([Kernel([40, 90, 200], SPREAD, 0.3)]).to_space(skin.space)
    return {"skin": skin, "wall": wall}


def test_an_affine_map_keeps_the_density_but_for_its_volume() -> None:
    moved = SKIN.to_space("ycbcr")
    volume = abs(np.linalg.det(color_space("ycbcr").from_rgb(np.eye(3)) - 16 - [[0, 112, 112]]))
    ratio = compute_densities(RGB, moved) / compute_densities(RGB, SKIN)
    np.testing.assert_allclose(ratio, 255**3 / volume, rtol=1e-4)
    fractions = compute_densities(RGB / 255, moved)
    np.testing.assert_allclose(fractions, compute_densities(RGB, moved), rtol=1e-4)
    np.testing.assert_allclose(moved.to_space("rgb").covariances, SKIN.covariances, rtol=1e-9)
    unit = KernelSet([Kernel([0.5, 0.4, 0.2], [0.1, 0.1, 0.1], 1)])
    back = unit.to_space("ycbcr", white=1).to_space("rgb", white=1)
    np.testing.assert_allclose(back.means, unit.means)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: KernelSet(SKIN.kernels, space="foo"),
            "space='foo' is not known; use",
        ),
        (lambda: SKIN.to_space("lab"), "kernels of 'rgb' are not Gaussians there; give"),
        (lambda: SKIN.to_space("principal"), "depends on the image's colors"),
        (lambda: fit_kernels(RGB, 2, space="principal"), "depends on the image's colors"),
        (lambda: compute_densities(RGB, SKIN, space="principal"), "depends on the image's colors"),
        (lambda: SKIN.to_space("bgr", white=0), "white=0; give a number above 0"),
        (lambda: compute_densities(RGB, SKIN, space="lab"), "not Gaussians there"),
        (lambda: KernelSet([Kernel([1], [1], 1)]).to_space("bgr"), "has 1 channels; give"),
        (lambda: classify_image(RGB, {"a": SKIN, "b": SKIN.to_space("bgr")}), "in the spaces rgb,"),
        (lambda: compute_densities(RGB[..., :2], SKIN.to_space("ycbcr")), "only sRGB images"),
    ],
)
def test_what_is_in_no_such_space_is_refused(call: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        call()


@pytest.mark.parametrize("space", ["rgb", "lab"])
def test_fits_are_in_the_space_that_is_asked_for(space: str) -> None:
    palette = Palette.from_image(RGB, MASK)
    kernels = fit_kernels(RGB, 2, mask=MASK, space=space, random_state=0)
    assert kernels == fit_kernels(palette, 2, space=space, random_state=0)
    assert kernels.space == space
    points = color_space(space).from_rgb(palette.colors / 255) if space == "lab" else palette.colors
    mean = points.astype(float).T @ palette.counts / palette.n_pixels
    np.testing.assert_allclose(kernels.weights @ kernels.means, mean, rtol=1e-6)
    labels = np.where(np.arange(16) < 8, 1, 2) * np.ones((12, 1), int)
    by_label = fit_classes(RGB, labels, 1, mask=MASK, space=space)
    assert {each.space for each in by_label.values()} == {space}
    classes = classify_image(RGB, by_label, mask=MASK)
    np.testing.assert_array_equal(classify_image(palette, by_label), palette_of(classes, palette))


def palette_of(classes: Any, palette: Palette) -> Any:
    """The class of each color of a palette, from the image of classes."""
    found = np.zeros(len(palette), classes.dtype)
    found[palette.index(RGB, MASK)[MASK]] = classes[MASK]
    return found


def test_weights_of_pixels_are_repetitions() -> None:
    weights = np.random.default_rng(1).integers(0, 3, RGB.shape[:2])
    repeated = np.repeat(RGB.reshape(-1, 3), weights.ravel(), axis=0)[np.newaxis]
    weighted = Palette.from_image(RGB, weights=weights)
    counted = Palette.from_image(repeated)
    np.testing.assert_array_equal(weighted.colors, counted.colors)
    np.testing.assert_allclose(weighted.counts, counted.counts)
    np.testing.assert_allclose(
        ColorKDE(RGB, 20, weights=weights).evaluate(RGB[0]),
        ColorKDE(repeated, 20).evaluate(RGB[0]),
        rtol=1e-5,
    )
    ours, theirs = (
        fit_kernels(RGB, 2, weights=weights, random_state=0, n_init=3),
        fit_kernels(repeated, 2, random_state=0, n_init=3),
    )
    np.testing.assert_allclose(ours.means, theirs.means, rtol=1e-6)


def test_a_palette_goes_wherever_an_image_goes() -> None:
    palette = Palette.from_image(RGB)
    densities = compute_densities(palette, SKIN, log=True)
    painted = palette.paint(densities, RGB)
    np.testing.assert_allclose(painted, compute_densities(RGB, SKIN, log=True), rtol=1e-6)
    with pytest.raises(ValueError, match="mask applies to pixels, but image is a Palette"):
        compute_densities(palette, SKIN, mask=MASK)


@pytest.mark.parametrize("image", [RGB / 255, (RGB / 255).astype(np.float32)])
def test_fractions_under_kernels_of_levels_are_warned_of(image: Any) -> None:
    for call in (
        lambda: compute_densities(image, SKIN),
        lambda: classify_image(image, two(SKIN)),
        lambda: compute_densities(Palette.from_image(image), SKIN),
    ):
        with pytest.warns(ColorUnitsWarning, match="from 0 to 1, kernels have means up to") as w:
            call()
        assert w[0].filename == __file__


def test_blocks_of_lazy_arrays_are_not_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    monkeypatch.setattr(UnitsWatch, "look", lambda watch, colors: looks.append(len(colors)))
    expected = compute_densities(RGB / 255, SKIN)
    assert looks
    looks.clear()
    lazy = da.from_array(RGB / 255, chunks=(6, 8, 3))
    np.testing.assert_allclose(np.asarray(compute_densities(lazy, SKIN)), expected, rtol=1e-6)
    assert looks == []


def test_levels_under_kernels_of_fractions_are_warned_of() -> None:
    unit = KernelSet([Kernel([0.5, 0.4, 0.2], [0.01, 0.01, 0.01], 1)])
    with pytest.warns(ColorUnitsWarning, match=r"levels, kernels have means up to 0\.5; divide"):
        compute_densities(RGB, unit)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compute_densities(RGB // 255, unit)
        compute_densities(RGB / 255, unit)
        compute_densities(RGB.astype(float), SKIN)
        compute_densities(np.zeros((2, 2, 3)), SKIN)
