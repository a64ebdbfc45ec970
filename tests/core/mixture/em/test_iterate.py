import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from napari_colorkde.core.mixture.at_colors import mixture_log_density
from napari_colorkde.core.mixture.color_blocks import COARSE_COLORS
from napari_colorkde.core.mixture.density import compute_densities
from napari_colorkde.core.mixture.em.iterate import bic, iterate_em, iterate_fit
from napari_colorkde.core.mixture.em.many import fit_palettes
from napari_colorkde.core.mixture.em.start import seed_kernels
from napari_colorkde.core.mixture.fit_kernels import fit_kernels, fit_palette
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.reference import mixture_log_density as reference_log_density

TYPES = ["full", "tied", "diag", "spherical"]


def image_of_three(seed=0, channels=3, shape=(50, 60)):
    """Three overlapping populations of 8-bit colors; many pixels share a color."""
    random = np.random.default_rng(seed)
    means = np.array([[60, 90, 40], [140, 100, 180], [150, 130, 100]])[:, :channels]
    which = random.integers(0, 3, shape)
    spread = np.array([[5.0, 2, 1], [0, 4, 2], [0, 0, 3]])[:channels, :channels]
    noise = random.normal(size=(*shape, channels)) @ spread
    return (means[which] + noise).clip(0, 255).round().astype(np.uint8)


def peer_from(initial, covariance_type, reg_covar=1 / 12, **options):
    precisions = np.linalg.inv(initial.covariances)
    start = {
        "full": precisions,
        "tied": precisions[0],
        "diag": np.diagonal(precisions, axis1=1, axis2=2),
        "spherical": precisions[:, 0, 0],
    }[covariance_type]
    return GaussianMixture(
        len(initial),
        covariance_type=covariance_type,
        reg_covar=reg_covar,
        weights_init=initial.weights / initial.weights.sum(),
        means_init=initial.means,
        precisions_init=start,
        **options,
    )


@pytest.mark.parametrize("covariance_type", TYPES)
def test_the_fit_is_that_of_scikit_learn_on_all_pixels(device, covariance_type):
    image = image_of_three()
    palette = Palette.from_image(image)
    assert len(palette) < image.size / 3 / 1.1
    initial = seed_kernels(palette, 3, covariance_type=covariance_type, random_state=1)
    pixels = image.reshape(-1, 3).astype(np.float64)
    peer = peer_from(initial, covariance_type).fit(pixels)
    *_, last = iterate_em(palette, initial, covariance_type=covariance_type, device=device)
    assert last.converged
    assert last.iteration == peer.n_iter_
    assert last.log_likelihood == pytest.approx(peer.lower_bound_, abs=1e-6)
    ours = mixture_log_density(pixels, last.kernels).mean()
    assert ours == pytest.approx(peer.score(pixels), abs=1e-4)
    np.testing.assert_allclose(last.kernels.means, peer.means_, atol=1e-4)
    np.testing.assert_allclose(last.kernels.weights, peer.weights_, atol=1e-6)


@given(
    seed=st.integers(0, 1000),
    channels=st.integers(1, 3),
    k=st.integers(1, 4),
    covariance_type=st.sampled_from(TYPES),
    offset=st.sampled_from([0.0, 1e4]),
)
def test_each_iteration_is_that_of_scikit_learn(seed, channels, k, covariance_type, offset):
    image = image_of_three(seed, channels, (20, 20)).astype(np.float64) + offset
    palette = Palette.from_image(image)
    initial = seed_kernels(palette, k, covariance_type=covariance_type, random_state=seed)
    steps = list(iterate_em(palette, initial, covariance_type=covariance_type, tol=0.0, max_iter=4))
    pixels = image.reshape(-1, channels)
    for step in steps:
        peer = peer_from(initial, covariance_type, max_iter=1)
        with pytest.warns(ConvergenceWarning):
            peer.fit(pixels)
        assert step.log_likelihood == pytest.approx(
            reference_log_density(pixels, initial).mean(), abs=1e-4
        )
        np.testing.assert_allclose(step.kernels.means, peer.means_, rtol=1e-6)
        np.testing.assert_allclose(step.kernels.weights, peer.weights_, rtol=1e-6)
        initial = step.kernels


def image_of_many_colors(seed=0, n=40_000):
    """More colors than are worth while in rows of float64, from four populations."""
    random = np.random.default_rng(seed)
    means = np.array([[600, 900, 400], [1400, 1000, 1800], [1500, 1300, 1000], [3000, 900, 800]])
    spread = np.array([[60.0, 25, 10], [0, 50, 20], [0, 0, 30]])
    pixels = means[random.integers(0, 4, n)] + random.normal(size=(n, 3)) @ spread
    return pixels.clip(0, 4095).round().astype(np.uint16)[np.newaxis]


@pytest.mark.parametrize("covariance_type", TYPES)
def test_with_many_colors_too(device, covariance_type):
    image = image_of_many_colors(1)
    palette = Palette.from_image(image)
    assert len(palette) > COARSE_COLORS
    initial = seed_kernels(palette, 4, covariance_type=covariance_type, random_state=2)
    pixels = image.reshape(-1, 3).astype(np.float64)
    peer = peer_from(initial, covariance_type, max_iter=3, tol=0)
    with pytest.warns(ConvergenceWarning):
        peer.fit(pixels)
    options = {"covariance_type": covariance_type, "tol": 0.0, "max_iter": 3, "device": device}
    *_, last = iterate_em(palette, initial, **options)
    assert last.log_likelihood == pytest.approx(peer.lower_bound_, abs=1e-6)
    np.testing.assert_allclose(last.kernels.means, peer.means_, rtol=1e-6)
    np.testing.assert_allclose(last.kernels.weights, peer.weights_, rtol=1e-5)
    kernels = [(c if c.ndim == 2 else np.diag(c)) for c in (k.covariance for k in last.kernels)]
    theirs = np.linalg.inv(peer.precisions_) if covariance_type == "full" else None
    if theirs is not None:
        np.testing.assert_allclose(kernels, theirs, rtol=1e-5, atol=1e-3)


def test_a_start_on_bins_ends_where_the_colors_say():
    palette = Palette.from_image(image_of_many_colors(2))
    steps = list(iterate_fit(palette, 4, random_state=0))
    assert [step.iteration for step in steps] == list(range(1, len(steps) + 1))
    assert [step.converged for step in steps] == [False] * (len(steps) - 1) + [True]
    rises = np.diff([step.log_likelihood for step in steps])
    assert (rises > -1e-7).all()
    *_, more = iterate_em(palette, steps[-1].kernels, tol=1e-9)
    assert more.log_likelihood - steps[-1].log_likelihood < 5e-3
    np.testing.assert_allclose(
        sorted(steps[-1].kernels.means[:, 0]), [600, 1400, 1500, 3000], atol=10
    )


def test_iterations_on_bins_are_iterations():
    palette = Palette.from_image(image_of_many_colors(3))
    for max_iter in (1, 2, 5):
        steps = list(iterate_fit(palette, 4, random_state=0, tol=0.0, max_iter=max_iter))
        assert len(steps) == max_iter
        truth = reference_log_density(palette.colors.astype(float), steps[-1].kernels)
        found = mixture_log_density(palette.colors, steps[-1].kernels)
        np.testing.assert_allclose(found, truth, rtol=1e-6, atol=1e-4)


@given(
    seed=st.integers(0, 1000),
    n_kernels=st.sampled_from([1, 2, 4, "bic"]),
    covariance_type=st.sampled_from(TYPES),
)
def test_many_fits_are_those_of_each_alone(seed, n_kernels, covariance_type):
    random = np.random.default_rng(seed)
    palettes = [
        Palette.from_image(image_of_three(seed + i, 3, (1, int(random.integers(3, 300)))))
        for i in range(4)
    ]
    palettes.append(Palette.from_image(np.zeros((2, 2, 3), np.uint8)))
    options = {"covariance_type": covariance_type, "random_state": seed}
    for palette, found in zip(palettes, fit_palettes(palettes, n_kernels, **options), strict=True):
        if isinstance(found, ValueError):
            with pytest.raises(ValueError, match=re.escape(str(found))):
                fit_palette(palette, n_kernels, **options)
            continue
        alone = fit_palette(palette, n_kernels, **options)
        np.testing.assert_allclose(found.means, alone.means, rtol=1e-7)
        np.testing.assert_allclose(found.covariances, alone.covariances, rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(found.weights, alone.weights, rtol=1e-6, atol=1e-12)


def test_a_kernel_that_shrinks_is_refused_among_many():
    palettes = [Palette.from_image(image_of_three(i, 3, (8, 8))) for i in range(2)]
    few, enough = fit_palettes(palettes, 30, reg_covar=0.0, random_state=0)
    assert "collapsed onto colors that do not vary" in str(few)
    assert isinstance(enough, ValueError)


def test_narrow_kernels_far_from_the_middle_are_fitted_exactly():
    image = np.array([[[0.0], [1e-6], [2e-6], [1e6], [1e6 + 1]]])
    palette = Palette.from_image(image)
    start = KernelSet([([1e-6], [1e-12], 0.5), ([1e6], [1.0], 0.5)])
    steps = list(iterate_em(palette, start, reg_covar=0.0, max_iter=2, tol=0.0))
    truth = reference_log_density(palette.colors, start)
    assert steps[0].log_likelihood == pytest.approx(truth.mean(), abs=1e-4)
    np.testing.assert_allclose(steps[0].kernels.variances[0], np.var([0, 1e-6, 2e-6]), rtol=1e-4)


def test_the_likelihood_never_falls():
    palette = Palette.from_image(image_of_three(3))
    start = seed_kernels(palette, 5, reg_covar=0.0, random_state=0)
    steps = list(iterate_em(palette, start, reg_covar=0.0, tol=1e-7, max_iter=60))
    rises = np.diff([step.log_likelihood for step in steps])
    assert len(rises) > 5
    assert (rises > -1e-9).all()
    assert steps[-1].iteration == len(steps)


def test_fitting_finds_the_populations():
    image = image_of_three()
    fitted = fit_kernels(image, 3, random_state=0)
    assert fitted.weights.sum() == pytest.approx(1)
    order = np.argsort(fitted.means[:, 0])
    np.testing.assert_allclose(
        fitted.means[order], [[60, 90, 40], [140, 100, 180], [150, 130, 100]], atol=1
    )
    assert np.isfinite(compute_densities(image, fitted, log=True)).all()


def test_the_random_state_decides():
    image = image_of_three()
    assert fit_kernels(image, 4, random_state=5) == fit_kernels(image, 4, random_state=5)
    palette = Palette.from_image(image)
    starts = {seed_kernels(palette, 4, random_state=seed) for seed in range(4)}
    assert len(starts) > 1


def test_masked_pixels_do_not_count():
    image = image_of_three()
    mask = image[..., 0] < 100
    fitted = fit_kernels(image, 1, mask=mask)
    np.testing.assert_allclose(fitted.means[0], image[mask].mean(axis=0))
    expected = np.cov(image[mask].T, bias=True) + np.eye(3) / 12
    np.testing.assert_allclose(fitted.covariances[0], expected, rtol=1e-9)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_covariances_have_the_type_asked_for(covariance_type):
    fitted = fit_kernels(image_of_three(), 3, covariance_type=covariance_type, random_state=0)
    assert fitted.is_diagonal == (covariance_type in ("diag", "spherical"))
    if covariance_type == "tied":
        np.testing.assert_array_equal(fitted.covariances[0], fitted.covariances[2])
    if covariance_type == "spherical":
        np.testing.assert_array_equal(fitted.variances[:, 0], fitted.variances[:, 2])


def test_reg_covar_is_added():
    narrow, wide = (fit_kernels(image_of_three(), 1, reg_covar=reg) for reg in (0.5, 30.5))
    np.testing.assert_allclose(wide.covariances - narrow.covariances, [30 * np.eye(3)], atol=1e-9)


def test_classes_and_names_of_a_start_are_kept_and_its_weights_need_no_sum():
    palette = Palette.from_image(image_of_three())
    start = KernelSet(
        [
            Kernel([60, 90, 40], [50, 50, 50], 3.0, cls="dark", name="a"),
            Kernel([145, 120, 140], [900, 900, 900], 6.0, cls="light", visible=False),
        ],
        name="mine",
        space="bgr",
    )
    *_, last = iterate_em(palette, start)
    assert [(k.cls, k.name, k.visible) for k in last.kernels] == [
        ("dark", "a", True),
        ("light", "", False),
    ]
    assert (last.kernels.name, last.kernels.space) == ("mine", "bgr")
    assert last.kernels.weights.sum() == pytest.approx(1)


def test_bic_is_that_of_scikit_learn():
    image = image_of_three()
    palette = Palette.from_image(image)
    pixels = image.reshape(-1, 3).astype(np.float64)
    for covariance_type in TYPES:
        initial = seed_kernels(palette, 3, covariance_type=covariance_type, random_state=1)
        peer = peer_from(initial, covariance_type).fit(pixels)
        *_, last = iterate_em(palette, initial, covariance_type=covariance_type)
        ours = bic(palette, last.kernels, covariance_type)
        assert ours == pytest.approx(peer.bic(pixels), rel=1e-6)


def test_bic_chooses_the_number_of_populations():
    palette = Palette.from_image(image_of_three())
    steps = list(iterate_fit(palette, "bic", candidates=range(1, 6), random_state=0))
    assert len(steps[-1].kernels) == 3
    assert {len(step.kernels) for step in steps} == {1, 2, 3, 4, 5}
    lowest = min(
        (step.kernels for step in steps if step.converged),
        key=lambda kernels: bic(palette, kernels),
    )
    assert steps[-1].kernels == lowest


def test_bic_tries_no_more_kernels_than_colors():
    palette = Palette.from_image(np.array([[0, 0, 10, 10, 10]], np.uint8))
    assert len(fit_palette(palette, "bic", random_state=0)) <= 2


def test_as_many_kernels_as_colors_can_be_fitted():
    image = np.array([[0, 100, 200, 200]], np.uint8)
    fitted = fit_kernels(image, 3, random_state=0)
    assert sorted(fitted.means[:, 0]) == pytest.approx([0, 100, 200])
    np.testing.assert_allclose(fitted.variances, 1 / 12, rtol=1e-6)


def test_gray_pixels_of_a_color_image_can_be_fitted():
    gray = np.repeat(image_of_three(channels=1), 3, axis=-1)
    fitted = fit_kernels(gray, 2, random_state=0)
    np.testing.assert_allclose(fitted.means[:, 0], fitted.means[:, 2])


IMAGE = image_of_three(shape=(8, 8))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_kernels": 0}, "n_kernels=0; give a whole number"),
        ({"n_kernels": 2.5}, r"n_kernels=2\.5"),
        ({"n_kernels": 65}, "n_kernels=65 is more than the"),
        ({"n_kernels": 2, "mask": np.zeros((8, 8))}, "no pixel counts"),
        ({"n_kernels": 2, "mask": np.eye(8)[:4]}, "mask has shape"),
        ({"n_kernels": 2, "covariance_type": "round"}, "covariance_type='round' is not known"),
        ({"n_kernels": 2, "reg_covar": -1}, "reg_covar=-1"),
        ({"n_kernels": 30, "reg_covar": 0}, "collapsed onto colors that do not vary"),
        (
            {"image": np.zeros((4, 4, 3), np.uint8), "n_kernels": 2},
            "more than the 1 color available",
        ),
    ],
)
def test_bad_input_is_refused_with_a_sentence(arguments, message):
    with pytest.raises(ValueError, match=message):
        fit_kernels(**{"image": IMAGE, "random_state": 0, **arguments})


@pytest.mark.parametrize(
    ("initial", "options", "message"),
    [
        ([], {}, "initial has 0 kernels"),
        ([([0], [1], 1)], {}, "initial has 1 kernels of 1 channels"),
        ([([0, 0, 0], [1, 1, 1], 0)], {}, "no kernel with a weight above 0"),
        ([([0, 0, 0], [1, 1, 1], 1)], {"max_iter": 0}, "max_iter=0"),
    ],
)
def test_a_start_that_cannot_be_is_refused(initial, options, message):
    with pytest.raises(ValueError, match=message):
        next(iterate_em(Palette.from_image(IMAGE), KernelSet(initial), **options))


def test_no_candidate_is_refused():
    with pytest.raises(ValueError, match="candidates holds no number"):
        list(iterate_fit(Palette.from_image(IMAGE), "bic", candidates=[1000]))
