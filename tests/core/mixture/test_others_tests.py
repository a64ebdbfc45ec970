"""What scikit-learn asks of its own Gaussian mixtures, asked of ours.

Its test functions run with our EM, densities and posteriors in place of its own. What is left out
is listed with its reason, so that nothing of theirs is left out without one.
"""

import inspect
import warnings
from functools import partial

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.mixture import _gaussian_mixture as theirs
from sklearn.utils.validation import check_is_fitted

from napari_colorkde import posteriors
from napari_colorkde.core.mixture.at_colors import mixture_log_density
from napari_colorkde.core.mixture.em.iterate import bic_of, iterate_em
from napari_colorkde.core.mixture.em.start import seed_kernels
from napari_colorkde.core.mixture.em.steps import Sums, maximization
from napari_colorkde.core.mixture.fit_kernels import ConvergenceWarning, fit_kernels, report_of
from napari_colorkde.core.mixture.kernel_arrays import build_kernels
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.core.palette.palette import Palette
from tests.core.others import AnySentence, names_of_tests

of_mixture = pytest.importorskip("sklearn.mixture.tests.test_gaussian_mixture")
of_base = pytest.importorskip("sklearn.mixture.tests.test_mixture")


def in_matrices(values, covariance_type, shape):
    """Covariances, or precisions, of each kernel, from the form that scikit-learn keeps them in."""
    if covariance_type == "full":
        return np.asarray(values)
    if covariance_type == "tied":
        return np.broadcast_to(values, (*shape, shape[1]))
    wide = values if covariance_type == "diag" else np.broadcast_to(values, shape[::-1]).T
    return wide[..., None] * np.eye(shape[1])


def palette_of(X):
    vectors, index, counts = np.unique(X, axis=0, return_inverse=True, return_counts=True)
    return Palette(vectors, counts, np.zeros(X.shape[1])), index.ravel()  # NumPy 2.0 has columns


class GaussianMixture(BaseEstimator):
    """Our fit with the arguments and attributes of scikit-learn's, starting from k-means++."""

    def __init__(
        self, n_components=1, *, covariance_type="full", tol=1e-3, reg_covar=1e-6, max_iter=100,
        n_init=1, init_params="k-means++", weights_init=None, means_init=None,
        precisions_init=None, random_state=None, warm_start=False,
    ):  # fmt: skip
        for name, value in locals().items():
            if name != "self":
                setattr(self, name, value)

    def fit(self, X, y=None):
        assert self.init_params in ("k-means++", "kmeans")
        palette = palette_of(X)[0]
        options = {name: getattr(self, name) for name in ("covariance_type", "reg_covar")}
        stop = {"max_iter": self.max_iter, "tol": self.tol}
        random = self.random_state
        seed = random.randint(2**31) if isinstance(random, np.random.RandomState) else random
        start = self.kernels_ if self.warm_start and hasattr(self, "kernels_") else self.start()
        if start is not None:
            *_, last = iterate_em(palette, start, **options, **stop)
            self.kernels_, report = last.kernels, report_of(palette, last, self.covariance_type)
            self.warn_unless(report.converged)
        elif self.max_iter == 0:
            self.kernels_ = seed_kernels(palette, self.n_components, random_state=seed, **options)
            return self
        else:
            self.kernels_, report = fit_kernels(
                palette, self.n_components, n_init=self.n_init, means_init=self.means_init,
                random_state=seed, return_report=True, **options, **stop,
            )  # fmt: skip
            self.warn_unless(report.converged)
        before = getattr(self, "lower_bound_", -np.inf) if self.warm_start else -np.inf
        self.lower_bound_, self.n_iter_ = report.log_likelihood, report.iterations
        self.converged_ = report.converged or self.lower_bound_ - before < self.tol
        return self

    def start(self):
        if self.precisions_init is None:
            return None
        shape = np.shape(self.means_init)
        precisions = in_matrices(self.precisions_init, self.covariance_type, shape)
        members = build_kernels(self.means_init, np.linalg.inv(precisions), self.weights_init)
        return KernelSet(members)

    def warn_unless(self, converged):
        if not converged:
            warnings.warn("did not converge", ConvergenceWarning, stacklevel=2)

    def fit_predict(self, X):
        return self.fit(X).predict(X)

    def predict_proba(self, X):
        check_is_fitted(self)
        names = [f"{k:03}" for k in range(len(self.kernels_))]
        weights, means = self.kernels_.weights, self.kernels_.means
        ones = np.ones(len(names))
        members = build_kernels(means, self.kernels_.covariances, ones, classes=names)
        priors = dict(zip(names, weights, strict=True))
        palette, index = palette_of(X)
        return posteriors(palette, KernelSet(members), priors=priors)[index]

    def predict(self, X):
        return self.predict_proba(X).argmax(axis=1)

    def score_samples(self, X):
        check_is_fitted(self)
        return mixture_log_density(X, self.kernels_)

    def score(self, X):
        return self.score_samples(X).mean().round(12)  # steps that are rounding are none

    def _n_parameters(self):
        shape = self.kernels_.means.shape
        return round(bic_of(0.0, 8, shape, self.covariance_type) / np.log(8))

    def bic(self, X):
        return bic_of(self.score(X), len(X), self.kernels_.means.shape, self.covariance_type)

    def aic(self, X):
        return self.bic(X) - (np.log(len(X)) - 2) * self._n_parameters()

    @property
    def weights_(self):
        return self.kernels_.weights

    @property
    def means_(self):
        return self.kernels_.means

    @property
    def covariances_(self):
        matrices = np.stack([kernel.covariance_matrix for kernel in self.kernels_])
        variances = np.diagonal(matrices, axis1=1, axis2=2)
        return {
            "full": matrices,
            "tied": matrices[0],
            "diag": variances,
            "spherical": variances[:, 0],
        }[self.covariance_type]

    @property
    def precisions_(self):
        if self.covariance_type in ("full", "tied"):
            return np.linalg.inv(self.covariances_)
        return 1 / self.covariances_


def m_step(covariance_type):
    def covariances(resp, X, nk, means, reg_covar):
        first = resp.T @ X
        second = np.einsum("nk,ni,nj->kij", resp, X, X)
        sums = Sums(resp.sum(axis=0), first, second, np.zeros_like(first))
        found = maximization(sums, covariance_type, reg_covar).covariances
        return found[0] if covariance_type == "tied" else found

    return covariances


def log_densities(X, means, precisions_chol, covariance_type):
    roots = in_matrices(precisions_chol, covariance_type, means.shape)
    covariances = np.linalg.inv(roots @ np.swapaxes(roots, 1, 2))
    kernels = [KernelSet([(*numbers, 1.0)]) for numbers in zip(means, covariances, strict=True)]
    return np.stack([mixture_log_density(X, kernel) for kernel in kernels], axis=1)


TESTS = [
    of_mixture.test_check_means,
    of_mixture.test_suffstat_sk_tied,
    of_mixture.test_suffstat_sk_diag,
    of_mixture.test_gaussian_mixture_log_probabilities,
    of_mixture.test_gaussian_mixture_estimate_log_prob_resp,
    of_mixture.test_gaussian_mixture_predict_predict_proba,
    *(
        partial(of_mixture.test_gaussian_mixture_fit_predict, *case)
        for case in ((0, 2, 1e-7), (1, 2, 1e-1), (3, 300, 1e-7), (4, 300, 1e-1))
    ),
    of_mixture.test_gaussian_mixture_fit_predict_n_init,
    of_mixture.test_gaussian_mixture_fit,
    of_mixture.test_gaussian_mixture_fit_best_params,
    of_mixture.test_gaussian_mixture_fit_convergence_warning,
    of_mixture.test_multiple_init,
    of_mixture.test_gaussian_mixture_n_parameters,
    of_mixture.test_bic_1d_1component,
    of_mixture.test_gaussian_mixture_aic_bic,
    *(partial(of_mixture.test_warm_start, seed) for seed in (0, 1, 2)),
    of_mixture.test_convergence_detected_with_warm_start,
    of_mixture.test_score,
    of_mixture.test_score_samples,
    of_mixture.test_monotonic_likelihood,
    of_mixture.test_init,
    partial(of_mixture.test_init_means_not_duplicated, "k-means++"),
    partial(of_mixture.test_means_for_all_inits, "k-means++"),
    partial(of_base.test_gaussian_mixture_n_iter, GaussianMixture()),
    partial(of_base.test_mixture_n_components_greater_than_n_samples_error, GaussianMixture()),
]

ARRAYS = "is of arrays of other libraries"

LEFT_OUT = {
    "test_gaussian_mixture_attributes": "looks at arguments that the adapter keeps",
    "test_check_weights": "refuses weights that do not sum to one, which a kernel set may have",
    "test_check_precisions": "gives precisions to start from, which ours does not take",
    "test_gaussian_mixture_precisions_init": "gives precisions to start from",
    "test_gaussian_mixture_precisions_init_diag": "gives precisions to start from",
    "test_suffstat_sk_full": "gives covariances about means that are not those of the data",
    "test_gaussian_suffstat_sk_spherical": "gives a single number for the mean of two features",
    "test_compute_log_det_cholesky": "is of a function that ours has no counterpart of",
    "test_gaussian_mixture_verbose": "is of what is printed",
    "test_regularisation": "fits more kernels than there are distinct vectors, which ours refuses",
    "test_fitted_precision_covariance_concistency": "inverts what the adapter itself inverts",
    "test_sample": "draws from a mixture, which ours does not",
    "test_gaussian_mixture_setting_best_params": "gives precisions to start from",
    "test_max_iter_zero": "makes no iteration; ours makes one or more",
    "test_gaussian_mixture_single_component_stable": "draws from the mixture that it fits",
    "test_gaussian_mixture_all_init_does_not_estimate_gaussian_parameters": "looks at its calls",
    "test_gaussian_mixture_array_api_compliance": ARRAYS,
    "test_gaussian_mixture_raises_where_array_api_not_implemented": ARRAYS,
}
"""Tests of theirs that are not asked of ours, and why."""


def name_of(test):
    return test.func.__name__ if isinstance(test, partial) else test.__name__


@pytest.mark.parametrize("test", TESTS, ids=name_of)
@pytest.mark.filterwarnings("ignore::napari_colorkde.core.mixture.fit_kernels.ConvergenceWarning")
def test_of_scikit_learn(test, monkeypatch):
    monkeypatch.setattr(of_mixture, "GaussianMixture", GaussianMixture)
    monkeypatch.setattr(of_mixture, "ConvergenceWarning", ConvergenceWarning)
    for module in (of_mixture, of_base):
        monkeypatch.setattr(module, "pytest", AnySentence())
    for kind in ("tied", "diag"):
        name = f"_estimate_gaussian_covariances_{kind}"
        monkeypatch.setattr(of_mixture, name, m_step(kind))
    monkeypatch.setattr(theirs, "_estimate_log_gaussian_prob", log_densities)
    given = {"global_dtype": np.float64, "global_random_seed": 0}
    test(**{name: given[name] for name in inspect.signature(test).parameters})


def test_nothing_of_theirs_is_left_out_without_a_reason():
    known = names_of_tests(of_mixture) | names_of_tests(of_base)
    asked = {name_of(test) for test in TESTS}
    assert known - asked - set(LEFT_OUT) == set()
    assert asked & set(LEFT_OUT) == set()
