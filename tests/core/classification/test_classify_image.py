"""Images classified, beside Bayes' rule written out with the float64 reference."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_colorkde import class_names, classify_image
from napari_colorkde.core.classification import classify_image as class_maps
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.core.reference import mixture_log_density
from tests.core.drawn import images

SKIN = KernelSet([Kernel([200, 150, 120], [900, 400, 400], 0.6),
                  Kernel([90, 50, 40], [400, 200, 100], 0.4)], "skin")  # fmt: skip
SKY = KernelSet([Kernel([90, 130, 220], [800, 500, 300], 0.9)], "sky")
MUD = KernelSet([Kernel([80, 70, 50], [600, 600, 600], 1.0, cls="earth")], "ground")
TWO = {"skin": SKIN, "sky": SKY}
THREE = {**TWO, "ground": MUD}
PRIORS = {"skin": 0.2}


def photograph(seed=0, shape=(20, 30)):
    rng = np.random.default_rng(seed)
    return np.clip(rng.normal([130, 110, 110], 60, (*shape, 3)), 0, 255).astype(np.uint8)


def logs_of(image, kernel_sets):
    """Log-density of each class: weights divided by their sum."""
    pixels = image.reshape(-1, image.shape[-1])
    logs = [mixture_log_density(pixels, s) - np.log(s.weights.sum()) for s in kernel_sets.values()]
    return np.stack(logs).reshape(len(kernel_sets), *image.shape[:-1])


@pytest.mark.parametrize("priors", [None, {"skin": 0.2}, {"skin": 1, "sky": 3}])
def test_posteriors_are_bayes_rule(priors):
    image = photograph()
    prior = {None: [0.5, 0.5], 0.2: [0.2, 0.8], 1: [0.25, 0.75]}[priors and priors["skin"]]
    joint = np.exp(logs_of(image, TWO)) * np.array(prior)[:, None, None]
    for i, cls in enumerate(TWO):
        result = classify_image(image, TWO, show="posterior", cls=cls, priors=priors)
        assert result.dtype == np.float32
        np.testing.assert_allclose(result, joint[i] / joint.sum(axis=0), rtol=1e-5, atol=1e-30)


@given(images(channels=(3,), dtypes=("uint8", "uint16", "float64")), st.booleans())
def test_ratios_are_differences_of_log_densities(image, swapped):
    first, second = ("sky", "skin") if swapped else ("skin", "sky")
    logs = dict(zip(TWO, logs_of(image, TWO), strict=True))
    expected = logs[first] - logs[second]
    result = classify_image(image, TWO, show="ratio", cls=first, against=second)
    size = np.abs(logs[first]) + np.abs(logs[second])
    assert (np.abs(result - expected) <= 1e-4 + 1e-6 * size).all()


@pytest.mark.parametrize("show", ["posterior", "ratio", "class"])
def test_how_much_was_picked_of_a_class_is_not_its_prior(show):
    image = photograph()
    more = KernelSet([replace(kernel, weight=1e-4 * kernel.weight) for kernel in SKIN], "skin")
    expected = classify_image(image, TWO, show=show)
    result = classify_image(image, {**TWO, "skin": more}, show=show)
    np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-5)


def test_a_class_of_weight_0_is_never_likely():
    nothing = KernelSet([replace(kernel, weight=0.0) for kernel in SKIN], "skin")
    assert (classify_image(photograph(), {**TWO, "skin": nothing}) == 2).all()


def test_class_maps_hold_the_most_likely_class():
    image = photograph()
    prior = np.log([0.2, 0.4, 0.4])[:, None, None]
    expected = np.argmax(logs_of(image, THREE) + prior, axis=0) + 1
    result = classify_image(image, THREE, priors=PRIORS)
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, expected)
    assert class_names(THREE) == ("skin", "sky", "earth")


def test_pixels_below_the_level_of_a_mass_are_of_no_class():
    image = photograph()
    density = np.exp(logs_of(image, THREE)).mean(axis=0)
    result = classify_image(image, THREE, keep_mass=0.7)
    level = np.sort(density.ravel())[::-1][int(0.7 * density.size) - 1]
    np.testing.assert_array_equal(result == 0, density < level)
    assert (result > 0).mean() == pytest.approx(0.7, abs=0.01)


def test_a_single_class_can_be_told_from_none_of_it():
    result = classify_image(photograph(), SKIN, keep_mass=0.4)
    assert set(np.unique(result)) == {0, 1}


def test_pixels_that_do_not_count_have_no_value():
    image = photograph()
    mask = np.arange(image[..., 0].size).reshape(image.shape[:2]) % 3 > 0
    posterior = classify_image(image, TWO, show="posterior", mask=mask)
    np.testing.assert_array_equal(np.isnan(posterior), ~mask)
    np.testing.assert_array_equal(classify_image(image, TWO, mask=mask) == 0, ~mask)


def test_the_level_is_that_of_the_pixels_that_count():
    image = photograph()
    mask = np.zeros(image.shape[:2], bool)
    mask[:7] = True
    masked = classify_image(image, THREE, keep_mass=0.5, mask=mask)
    np.testing.assert_array_equal(masked[:7], classify_image(image[:7], THREE, keep_mass=0.5))


def test_own_classes_go_before_names_of_sets():
    mixed = KernelSet([*SKIN, Kernel([1, 2, 3], [4, 4, 4], 1, cls="x")], "skin")
    assert class_names(mixed) == ("skin", "x")
    assert class_names([Kernel([1], [1], 1, cls="a"), Kernel([1], [1], 1, cls="b")]) == ("a", "b")


def test_channels_may_stand_first():
    image = photograph()
    first = classify_image(np.moveaxis(image, -1, 0), TWO, show="ratio", channel_axis=0)
    np.testing.assert_array_equal(first, classify_image(image, TWO, show="ratio"))


def test_blocks_of_colors_give_the_same(monkeypatch):
    image = photograph()
    whole = classify_image(image, THREE, keep_mass=0.9)
    monkeypatch.setattr(class_maps, "BLOCK_DENSITIES", 100)
    monkeypatch.setattr(class_maps, "MIN_COLORS", 1)
    np.testing.assert_array_equal(classify_image(image, THREE, keep_mass=0.9), whole)


def test_many_classes_need_wider_integers():
    kernels = [Kernel([i], [4], 1, cls=str(i)) for i in range(300)]
    image = np.arange(256, dtype=np.uint8).reshape(16, 16)
    result = classify_image(image, kernels)
    assert result.dtype == np.uint16
    np.testing.assert_array_equal(result.ravel(), np.arange(256) + 1)


@pytest.mark.parametrize(
    ("kernels", "options", "message"),
    [
        (TWO, {"show": "odds"}, "show='odds' is not known; use one of 'posterior', 'ratio'"),
        (TWO, {"show": "ratio", "cls": "x"}, "no kernel has the class 'x'; use one of 'skin'"),
        (TWO, {"show": "ratio", "against": "y"}, "against: no kernel has the class 'y'"),
        (TWO, {"show": "ratio", "against": "skin"}, "against='skin' is the class itself"),
        (THREE, {"show": "ratio"}, "against is missing; choose one of the classes 'skin', 'sky'"),
        (SKIN, {"show": "ratio"}, "a ratio compares two classes, but all kernels"),
        (SKIN, {"show": "posterior"}, "a posterior compares two classes, but all kernels"),
        (TWO, {"show": "posterior", "keep_mass": 0.5}, "keep_mass=0.5 is for show='class'"),
        (TWO, {"keep_mass": 1.5}, "keep_mass=1.5; give a number above 0, up to 1"),
        (TWO, {"priors": {"x": 1}}, "priors: no kernel has the class 'x'"),
        (TWO, {"priors": {"skin": -1}}, "priors has -1 for 'skin'; give a number of 0 or more"),
        (TWO, {"priors": {"skin": np.nan}}, "priors\\['skin'\\]=nan; give"),
        (TWO, {"priors": {"skin": 1.2}}, "priors sum to 1.2, which leaves nothing for 'sky'"),
        (TWO, {"priors": {"skin": 0, "sky": 0}}, "priors are all 0"),
        ({}, {}, "kernels is empty"),
        (KernelSet([Kernel([1], [1], 1)]), {}, "kernels has 1 channel, but the image's colors"),
    ],
)
def test_what_cannot_be_classified_is_refused(kernels, options, message):
    with pytest.raises(ValueError, match=message):
        classify_image(photograph(), kernels, **options)


def test_the_former_name_of_keep_mass_works_and_warns():
    image = photograph()
    with pytest.warns(DeprecationWarning, match="none_below is now called keep_mass"):
        result = classify_image(image, THREE, none_below=0.7)
    np.testing.assert_array_equal(result, classify_image(image, THREE, keep_mass=0.7))
    with pytest.raises(TypeError, match="given along with"):
        classify_image(image, THREE, none_below=0.7, keep_mass=0.7)


@pytest.mark.parametrize(("given", "show"), [(2, "class"), (0.5, "ratio")])
def test_the_former_name_is_in_its_refusal(given, show):
    with (
        pytest.warns(DeprecationWarning, match="keep_mass"),
        pytest.raises(ValueError, match=f"^none_below={given}"),
    ):
        classify_image(photograph(), TWO, none_below=given, show=show)
