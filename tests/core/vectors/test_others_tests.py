"""What SciPy and scikit-learn ask of their own density estimators, asked of ours.

Their test functions run with our estimator in place of theirs, and with the tolerance that is
promised here in place of rounding. What is left out is listed with its reason, so that nothing of
theirs is left out without one.
"""

import inspect
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.stats
from numpy.testing import assert_allclose

from napari_colorkde import GaussianKDE
from tests.core.others import AnySentence, names_of_tests

# Their tests change with their versions: those of earlier ones take other arguments.
pytest.importorskip("scipy", minversion="1.17")
of_scipy = pytest.importorskip("scipy.stats.tests.test_kdeoth")
of_sklearn = pytest.importorskip("sklearn.neighbors.tests.test_kde")


class KernelDensity(GaussianKDE):
    """Ours, with the arguments of scikit-learn's that do not change a Gaussian."""

    def __init__(
        self, bandwidth=1.0, device="auto", kernel="gaussian", algorithm="auto",
        metric="euclidean", atol=0, rtol=0,
    ):  # fmt: skip
        super().__init__(bandwidth, device)
        self.kernel, self.algorithm, self.metric = kernel, algorithm, metric
        self.atol, self.rtol = atol, rtol

    def fit(self, X, y=None, sample_weight=None):
        assert self.kernel == "gaussian"
        return super().fit(X, y, sample_weight)


class OfScipy(scipy.stats.gaussian_kde):
    """SciPy's bandwidth and integrals with our densities."""

    @property
    def ours(self):
        return GaussianKDE(self.covariance).fit(self.dataset.T, sample_weight=self.weights)

    def logpdf(self, x):
        points = np.atleast_2d(x)
        return self.ours.score_samples(points.T if len(points) == self.d else points)

    def evaluate(self, points):
        return np.exp(self.logpdf(points))

    __call__ = pdf = evaluate

    def resample(self, size=None, seed=None):
        return self.ours.sample(size, seed).T

    def marginal(self, dimensions):
        part = self.ours.marginal(dimensions)

        def logpdf(x):
            return part.score_samples(np.atleast_2d(x).T)

        return SimpleNamespace(logpdf=logpdf, pdf=lambda x: np.exp(logpdf(x)))


class Stats:
    """`scipy.stats` with ours in it."""

    gaussian_kde = OfScipy

    def __getattr__(self, name):
        return getattr(scipy.stats, name)


def close(actual, desired, rtol=0.0, atol=0.0, **rest):
    assert_allclose(actual, desired, rtol=max(rtol, 1e-5), atol=atol, **rest)


def nearly_equal(actual, desired, nulp=1):
    close(actual, desired)


SCIPY_TESTS = [
    of_scipy.test_kde_1d,
    of_scipy.test_kde_1d_weighted,
    partial(of_scipy.test_kde_2d, 20),
    partial(of_scipy.test_kde_2d_weighted, 20),
    of_scipy.test_kde_bandwidth_method,
    of_scipy.test_kde_bandwidth_method_weighted,
    of_scipy.test_gaussian_kde_subclassing,
    of_scipy.test_gaussian_kde_covariance_caching,
    of_scipy.test_gaussian_kde_monkeypatch,
    of_scipy.test_kde_integer_input,
    of_scipy.test_pdf_logpdf,
    of_scipy.test_pdf_logpdf_weighted,
    of_scipy.test_pdf_logpdf_validation,
    of_scipy.test_marginal_1_axis,
    of_scipy.test_marginal_iv,
    of_scipy.test_weights_intact,
    of_scipy.test_weights_integer,
    of_scipy.test_seed,
]

LEFT_OUT = {
    "test_kde_output_dtype": "asks for densities in longdouble, where ours are float64",
    "test_marginal_2_axis": "integrates densities one point at a time, for minutes",
    "test_logpdf_overflow": "takes minutes in 2500 dimensions; theirs is marked as slow, too",
    "test_singular_data_covariance_gh10205": "asks SciPy's own bandwidth for a sentence",
    "test_fewer_points_than_dimensions_gh17436": "asks SciPy's own bandwidth for a sentence",
    "test_kernel_density_sampling": "is of a tophat kernel, too",
    "test_kde_algorithm_metric_choice": "is of trees and metrics, which ours has none of",
    "test_kde_score": "is empty",
}
"""Tests of theirs that are not asked of ours, and why."""

SKLEARN_TESTS = [
    *(partial(of_sklearn.test_kernel_density, "gaussian", h) for h in (0.01, 0.1, 1)),
    of_sklearn.test_kde_sample_weights_error,
    of_sklearn.test_kde_pipeline_gridsearch,
    of_sklearn.test_kde_sample_weights,
    partial(of_sklearn.test_pickling, sample_weight=None),
    partial(of_sklearn.test_pickling, sample_weight=[0.1, 0.2, 0.3]),
    partial(of_sklearn.test_check_is_fitted, "score_samples"),
    partial(of_sklearn.test_check_is_fitted, "sample"),
    partial(of_sklearn.test_bandwidth, 0.1),
]


def name_of(test):
    return test.func.__name__ if isinstance(test, partial) else test.__name__


@pytest.mark.parametrize("test", SCIPY_TESTS, ids=name_of)
def test_of_scipy(test, monkeypatch):
    monkeypatch.setattr(of_scipy, "stats", Stats())
    monkeypatch.setattr(of_scipy, "assert_allclose", close)
    monkeypatch.setattr(of_scipy, "assert_array_almost_equal_nulp", nearly_equal)
    monkeypatch.setattr(of_scipy, "pytest", AnySentence())
    test()


@pytest.mark.parametrize("test", SKLEARN_TESTS, ids=name_of)
def test_of_scikit_learn(test, monkeypatch, tmpdir):
    monkeypatch.setattr(of_sklearn, "KernelDensity", KernelDensity)
    monkeypatch.setattr(of_sklearn, "assert_allclose", close)
    takes_folder = "tmpdir" in inspect.signature(test).parameters
    test(tmpdir) if takes_folder else test()


def test_nothing_of_theirs_is_left_out_without_a_reason():
    known = names_of_tests(of_scipy) | names_of_tests(of_sklearn)
    asked = {name_of(test) for test in (*SCIPY_TESTS, *SKLEARN_TESTS)}
    assert known - asked - set(LEFT_OUT) == set()
    assert asked & set(LEFT_OUT) == set()
