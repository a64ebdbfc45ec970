"""Mixtures for labels: the fit of each is that of its own pixels."""

import numpy as np
import pytest

from napari_colorkde import Palette, classify_image, fit_classes, fit_kernels
from napari_colorkde.core.mixture.fit_classes import LabelWarning
from napari_colorkde.core.mixture.label_palettes import palettes_of_labels, some_of_palette

RNG = np.random.default_rng(0)
CENTERS = np.array([[60, 60, 60], [200, 90, 60], [60, 100, 210]])
LABELS = np.repeat(np.repeat(np.array([[0, 1], [2, 0]]), 12, axis=0), 14, axis=1)
IMAGE = np.clip(RNG.normal(CENTERS[LABELS], 12), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("covariance_type", ["full", "diag", "spherical", "tied"])
def test_each_label_is_fitted_as_if_alone(covariance_type):
    options = {"covariance_type": covariance_type, "random_state": 3}
    fitted = fit_classes(IMAGE, LABELS, 2, names={2: "sky"}, **options)
    assert list(fitted) == ["1", "sky"]
    for label, cls in ((1, "1"), (2, "sky")):
        alone = fit_kernels(IMAGE, 2, mask=label == LABELS, **options)
        np.testing.assert_allclose(fitted[cls].means, alone.means, rtol=1e-9)
        np.testing.assert_allclose(fitted[cls].covariances, alone.covariances, rtol=1e-9)
        assert fitted[cls].weights.sum() == pytest.approx(1)
        assert {kernel.cls for kernel in fitted[cls]} == {fitted[cls].name} == {cls}


def test_classes_find_their_labels_again():
    fitted = fit_classes(IMAGE, LABELS, 1)
    found = classify_image(IMAGE, fitted)
    np.testing.assert_array_equal(found[LABELS > 0], LABELS[LABELS > 0])


def test_palettes_hold_the_pixels_under_a_label():
    mask = RNG.random(LABELS.shape) < 0.7
    for label, palette in palettes_of_labels(IMAGE, LABELS, mask):
        alone = Palette.from_image(IMAGE, mask & (label == LABELS))
        np.testing.assert_array_equal(palette.colors, alone.colors)
        np.testing.assert_array_equal(palette.counts, alone.counts)
        assert palette.n_excluded == alone.n_excluded


def test_part_of_a_palette_without_some_pixels():
    palette = Palette.from_image(IMAGE)
    counts = np.where(np.arange(len(palette)) % 2, palette.counts, 0)
    kept = np.flatnonzero(counts)
    part = some_of_palette(palette, kept, counts[kept])
    np.testing.assert_array_equal(part.colors, palette.colors[1::2])
    assert part.n_pixels + part.n_masked == palette.n_pixels


def test_true_and_false_are_labels_too():
    fitted = fit_classes(IMAGE, LABELS == 2, 1)
    assert list(fitted) == ["1"]
    np.testing.assert_allclose(fitted["1"].means[0], IMAGE[LABELS == 2].mean(axis=0))


def test_channels_may_stand_first():
    first = fit_classes(np.moveaxis(IMAGE, -1, 0), LABELS, 1, channel_axis=0, random_state=0)
    assert first == fit_classes(IMAGE, LABELS, 1, random_state=0)


ONE_COLOR = np.where(LABELS[..., None] == 2, 7, IMAGE).astype(np.uint8)
TRANSPARENT = np.dstack([IMAGE, np.where(LABELS == 2, 0, 255)]).astype(np.uint8)


@pytest.mark.parametrize(
    ("image", "labels", "options", "error", "message"),
    [
        (IMAGE, LABELS * 0, {}, ValueError, "labels are all 0; label some pixels"),
        (IMAGE, LABELS[:-1], {}, ValueError, "labels has shape"),
        (IMAGE, LABELS / 1, {}, TypeError, "labels is an array of float64; give whole numbers"),
        (IMAGE, LABELS, {"names": {1: "a", 2: "a"}}, ValueError, "names gives 'a' to two labels"),
        (ONE_COLOR, LABELS == 2, {"reg_covar": 0.0}, ValueError, "label 1: kernel 0 collapsed"),
        (TRANSPARENT, LABELS, {}, ValueError, "label 2: none of its pixels counts"),
    ],
)
def test_labels_that_allow_no_fit_are_refused(image, labels, options, error, message):
    with pytest.raises(error, match=message):
        fit_classes(image, labels, 1, **options)


def test_a_label_of_one_color_is_fitted_with_the_others():
    """Saturated white glass: scikit-learn fits it with ``reg_covar=1/12``, too."""
    fitted = fit_classes(ONE_COLOR, LABELS, 1, random_state=0)
    assert list(fitted) == sorted(fitted, key=int)
    (kernel,) = fitted["2"]
    np.testing.assert_allclose(kernel.mean, 7)
    np.testing.assert_allclose(kernel.covariance_matrix, np.eye(3) / 12)
    alone = fit_classes(IMAGE, LABELS, 1, random_state=0)
    assert {name: fitted[name] for name in fitted if name != "2"} == {
        name: alone[name] for name in alone if name != "2"
    }


def test_a_label_of_few_colors_has_as_many_kernels_and_says_so():
    with pytest.warns(LabelWarning, match="label 2 has 1 color, so it was fitted with 1 kernel, n"):
        fitted = fit_classes(ONE_COLOR, LABELS, 2, random_state=0)
    assert len(fitted["2"]) == 1
    assert {len(kernels) for name, kernels in fitted.items() if name != "2"} == {2}


def test_a_label_that_cannot_be_fitted_is_left_out_and_named():
    with pytest.warns(
        LabelWarning, match="label 2: kernel 0 collapsed .* The other labels were fit"
    ):
        fitted = fit_classes(ONE_COLOR, LABELS, 1, reg_covar=0.0, random_state=0)
    assert "2" not in fitted
    assert fitted


def test_reports_say_how_each_fit_went() -> None:
    names = {1: "skin", 2: "wall"}
    kernels, reports = fit_classes(IMAGE, LABELS, 2, names=names, seed=0, return_report=True)
    plain = fit_classes(IMAGE, LABELS, 2, names=names, seed=0)
    assert list(kernels) == list(reports) == list(plain) == ["skin", "wall"]
    for name, report in reports.items():
        np.testing.assert_allclose(kernels[name].means, plain[name].means, atol=0.1)
        assert {kernel.cls for kernel in kernels[name]} == {name}
        alone = Palette.from_image(IMAGE, mask={"skin": 1, "wall": 2}[name] == LABELS)
        _, expected = fit_kernels(alone, 2, seed=0, return_report=True)
        assert (report.n_pixels, report.converged) == (expected.n_pixels, expected.converged)
        assert report.log_likelihood == pytest.approx(expected.log_likelihood, abs=1e-6)
        assert report.bic == pytest.approx(expected.bic, rel=1e-6)
