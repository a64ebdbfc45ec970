"""The arguments of `fit_kernels` and its report, beside scikit-learn's GaussianMixture."""

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

from napari_colorkde.core.mixture.em.iterate import bic, iterate_fit
from napari_colorkde.core.mixture.fit_kernels import ConvergenceWarning, fit_kernels
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.reference import mixture_log_density

RANDOM = np.random.default_rng(4)
CENTERS = np.array([[60.0, 80, 90], [120, 100, 90], [180, 120, 170]])
IMAGE = RANDOM.normal(CENTERS[RANDOM.integers(0, 3, (30, 40))], 14).round().clip(0, 255)
IMAGE = IMAGE.astype(np.uint8)
PIXELS = IMAGE.reshape(-1, 3).astype(float)
MEANS = CENTERS + np.array([[9, -4, 3], [-6, 5, 2], [4, 4, -8]])


def by_order(means):
    return means[np.argsort(means[:, 0])]


def test_given_means_lead_where_scikit_learn_goes():
    found = fit_kernels(IMAGE, 3, means_init=MEANS, tol=1e-9, max_iter=2000)
    expected = GaussianMixture(3, means_init=MEANS, tol=1e-9, max_iter=2000, reg_covar=1 / 12)
    expected.fit(PIXELS)
    np.testing.assert_allclose(by_order(found.means), by_order(expected.means_), atol=2e-3)
    np.testing.assert_allclose(found.weights.sum(), 1)


def test_the_best_of_several_starts_is_kept():
    palette = Palette.from_image(IMAGE)
    options = {"random_state": 0, "max_iter": 3, "tol": 0.0}
    found, report = fit_kernels(IMAGE, 5, n_init=4, return_report=True, **options)
    ends = [step.kernels for step in iterate_fit(palette, 5, n_init=4, **options)][2:12:3]
    assert len(ends) == 4
    likelihoods = [mixture_log_density(PIXELS, kernels).mean() for kernels in ends]
    assert max(likelihoods) > likelihoods[0] + 1e-6
    assert report.log_likelihood == pytest.approx(max(likelihoods), abs=1e-6)
    assert found == ends[int(np.argmax(likelihoods))]


def test_a_report_says_how_it_went():
    found, report = fit_kernels(IMAGE, 3, random_state=0, return_report=True)
    assert report.converged
    assert (report.n_kernels, report.n_pixels) == (3, 1200)
    expected = mixture_log_density(PIXELS, found).mean()
    assert report.log_likelihood == pytest.approx(expected, abs=1e-5)
    assert report.bic == pytest.approx(bic(Palette.from_image(IMAGE), found))
    assert report.tried == ()
    assert not report.is_most_tried
    _, tried = fit_kernels(IMAGE, "bic", random_state=0, return_report=True)
    assert [n for n, _ in tried.tried] == list(range(1, 11))
    assert min(c for _, c in tried.tried) == pytest.approx(tried.bic)


def test_a_fit_that_was_cut_short_warns_unless_the_report_says_so():
    with pytest.warns(ConvergenceWarning, match="not converge after 2 iterations; give a max_ite"):
        fit_kernels(IMAGE, 3, random_state=0, max_iter=2, tol=1e-9)
    _, report = fit_kernels(IMAGE, 3, random_state=0, max_iter=2, tol=1e-9, return_report=True)
    assert not report.converged
    assert report.iterations == 2


def test_one_color_has_a_kernel_as_wide_as_its_rounding():
    white = np.full((4, 5, 3), 255, np.uint8)
    (kernel,) = fit_kernels(white, 1)
    np.testing.assert_allclose(kernel.mean, 255)
    np.testing.assert_allclose(kernel.covariance_matrix, np.eye(3) / 12)
    (same,) = fit_kernels(white, "bic")
    np.testing.assert_allclose(same.covariance_matrix, np.eye(3) / 12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_init": 0}, "n_init=0; give a whole number of 1 or more"),
        ({"tol": -1.0}, "tol=-1.0; give 0 or more"),
        ({"tol": np.nan}, "tol=nan; give 0 or more"),
        ({"max_iter": 0}, "max_iter=0; give a whole number of 1 or more"),
        ({"means_init": MEANS[:2]}, r"means_init has the shape \(2, 3\); give 3 finite means of 3"),
        ({"means_init": MEANS * np.nan}, "means_init has a value that is not finite"),
        ({"means_init": np.repeat(MEANS[:1], 3, 0)}, "no color is nearest to mean 1"),
        ({"means_init": MEANS, "n_init": 2}, "cannot be combined with n_init=2"),
    ],
)
def test_arguments_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        fit_kernels(IMAGE, 3, **options)


def test_given_means_leave_bic_nothing_to_choose():
    with pytest.raises(ValueError, match="bic"):
        fit_kernels(IMAGE, "bic", means_init=MEANS)
