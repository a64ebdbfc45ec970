"""`GaussianKDE` to scikit-learn, and what it knows besides."""

from __future__ import annotations

import pickle
import sys
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from napari_colorkde import GaussianKDE
from napari_colorkde.core.reference import kde_log_density
from napari_colorkde.core.vectors import local_kernels, log_densities

RANDOM = np.random.default_rng(0)
MIX = np.array([[1.0, 0, 0], [2.0, 0.5, 0], [0.3, -1, 2]])
TRAIN = RANDOM.normal(size=(60, 3)) @ MIX.T
POINTS = 2 * RANDOM.normal(size=(9, 3))
WEIGHTS = RANDOM.integers(0, 4, 60)
FULL = np.cov(TRAIN.T) / 4
BANDWIDTHS: dict[str, Any] = {"sigma": 0.8, "per feature": [0.5, 1.0, 1.5], "covariance": FULL}


def covariance(bandwidth: Any) -> np.ndarray:
    given = np.asarray(bandwidth, float)
    return given if given.ndim == 2 else np.diag(np.broadcast_to(given**2, 3))


def checks() -> list[Any]:
    with warnings.catch_warnings():
        # That it does not derive from scikit-learn's classes, which are not needed, is meant.
        warnings.filterwarnings("ignore", "Estimator GaussianKDE does not inherit")
        return list(estimator_checks_generator(GaussianKDE()))


@pytest.mark.parametrize(
    "estimator_and_check", checks(), ids=lambda pair: getattr(pair[1], "func", pair[1]).__name__
)
def test_every_check_of_scikit_learn(estimator_and_check: tuple[Any, Any]) -> None:
    estimator, check = estimator_and_check
    check(estimator)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("bandwidth", BANDWIDTHS.values(), ids=BANDWIDTHS)
def test_log_densities_equal_the_textbook(bandwidth: Any, weighted: bool) -> None:
    weights = WEIGHTS if weighted else None
    repeated = np.repeat(TRAIN, WEIGHTS, axis=0) if weighted else TRAIN
    kde = GaussianKDE(bandwidth).fit(TRAIN, sample_weight=weights)
    truth = kde_log_density(POINTS, repeated, covariance(bandwidth))
    np.testing.assert_allclose(kde.score_samples(POINTS), truth, atol=1e-4)
    np.testing.assert_allclose(kde.covariance_, covariance(bandwidth))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("bandwidth", BANDWIDTHS.values(), ids=BANDWIDTHS)
def test_gradients_are_those_of_the_log_density(
    bandwidth: Any, weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_kernels, "PAIRS", 100)
    repeated = np.repeat(TRAIN, WEIGHTS, axis=0) if weighted else TRAIN
    kde = GaussianKDE(bandwidth).fit(TRAIN, sample_weight=WEIGHTS if weighted else None)
    by_difference = np.empty(POINTS.shape)
    for axis in range(3):
        step = 1e-4 * np.eye(3)[axis]
        above, below = (
            kde_log_density(POINTS + s * step, repeated, covariance(bandwidth)) for s in (1, -1)
        )
        by_difference[:, axis] = (above - below) / 2e-4
    np.testing.assert_allclose(kde.score_gradient(POINTS), by_difference, atol=1e-5)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("bandwidth", BANDWIDTHS.values(), ids=BANDWIDTHS)
def test_marginal_times_conditional_is_the_whole(bandwidth: Any, weighted: bool) -> None:
    kde = GaussianKDE(bandwidth).fit(TRAIN, sample_weight=WEIGHTS if weighted else None)
    marginal = kde.marginal([1])
    for point in POINTS[:4]:
        conditional = kde.conditional({1: point[1]})
        product = marginal.score(point[None, 1:2]) + conditional.score(point[None, [0, 2]])
        assert product == pytest.approx(kde.score(point[None]), abs=5e-4)


def test_features_by_name() -> None:
    table = pd.DataFrame(TRAIN, columns=["red", "green", "blue"])
    kde = GaussianKDE([0.5, 1.0, 1.5]).fit(table)
    assert list(kde.feature_names_in_) == ["red", "green", "blue"]
    conditional = kde.conditional({"green": 0.3})
    assert list(conditional.feature_names_in_) == ["red", "blue"]
    assert list(kde.marginal(["blue", "red"]).feature_names_in_) == ["blue", "red"]
    np.testing.assert_array_equal(kde.marginal("blue").bandwidth_, [1.5])
    with pytest.raises(ValueError, match="must be in the same order"):
        kde.score_samples(table[["blue", "green", "red"]])
    with pytest.raises(ValueError, match="- teal"):
        kde.score_samples(table.rename(columns={"blue": "teal"}))
    assert not hasattr(kde.fit(TRAIN), "feature_names_in_")


def test_standard_errors_are_those_of_repeated_samples() -> None:
    random = np.random.default_rng(1)
    point, sigma = np.array([[0.4, -0.2]]), 0.12
    densities = []
    errors = []
    for _ in range(200):
        kde = GaussianKDE(sigma).fit(random.normal(size=(800, 2)))
        densities.append(np.exp(kde.score(point)))
        errors.append(kde.standard_errors(point)[0])
    assert np.mean(errors) == pytest.approx(np.std(densities, ddof=1), rel=0.15)


def test_the_rules_of_thumb_are_scipys_on_each_axis() -> None:
    for rule in ("scott", "silverman"):
        for weights in (None, WEIGHTS):
            kde = GaussianKDE(rule).fit(TRAIN, sample_weight=weights)
            peer = stats.gaussian_kde(TRAIN.T, rule, weights)
            std = np.sqrt(np.diag(np.cov(TRAIN.T, aweights=weights, ddof=0)))
            np.testing.assert_allclose(kde.bandwidth_, peer.factor * std, rtol=1e-10)


@pytest.mark.parametrize("weights", [None, 1 + WEIGHTS])
def test_leave_one_out_finds_the_likeliest_multiple(
    weights: np.ndarray | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_densities, "POINT_ROWS", 16)
    monkeypatch.setattr(log_densities, "TRAIN_ROWS", 7)
    kde = GaussianKDE("loo").fit(TRAIN, sample_weight=weights)
    counts = np.ones(60) if weights is None else weights

    def likelihood(factor: float) -> float:
        total = 0.0
        for i, vector in enumerate(TRAIN):
            others = np.delete(np.arange(60), i)
            terms = stats.norm.logpdf(vector, TRAIN[others], factor * kde.bandwidth_).sum(axis=1)
            share = counts[others] / counts[others].sum()
            total += counts[i] * np.log(share @ np.exp(terms))
        return total

    assert likelihood(1.0) > max(likelihood(0.9), likelihood(1.1))


def test_samples_follow_a_full_covariance_and_weights() -> None:
    kde = GaussianKDE(FULL).fit(TRAIN[:2], sample_weight=[1, 3])
    drawn = kde.sample(20_000, random_state=np.random.RandomState(0))
    share = [0.25, 0.75]
    mean = share @ TRAIN[:2]
    spread = FULL + np.cov(TRAIN[:2].T, aweights=share, ddof=0)
    np.testing.assert_allclose(drawn.mean(axis=0), mean, atol=0.1)
    np.testing.assert_allclose(np.cov(drawn.T), spread, atol=0.05 * np.trace(spread))


def test_pipelines_searches_and_copies() -> None:
    pipeline = make_pipeline(StandardScaler(), GaussianKDE())
    search = GridSearchCV(pipeline, {"gaussiankde__bandwidth": [0.01, 0.3, "scott"]}, cv=3)
    search.fit(TRAIN)
    assert search.best_params_["gaussiankde__bandwidth"] in (0.3, "scott")
    kde = GaussianKDE(FULL).fit(TRAIN)
    again = pickle.loads(pickle.dumps(kde))
    np.testing.assert_array_equal(again.score_samples(POINTS), kde.score_samples(POINTS))
    with pytest.raises(NotFittedError, match="call fit"):
        clone(kde).score_samples(POINTS)


def test_without_scikit_learn_it_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.exceptions", None)
    with pytest.raises(ValueError, match="call fit"):
        GaussianKDE().sample()


class Sparse:
    nnz = 0

    def toarray(self) -> np.ndarray:
        return TRAIN


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: GaussianKDE([0.1, 0.2]).fit(TRAIN), r"bandwidth has shape \(2,\).*3 features"),
        (lambda: GaussianKDE("scot").fit(TRAIN), "bandwidth='scot' is not known; give a sigma"),
        (lambda: GaussianKDE(-FULL).fit(TRAIN), "not positive definite"),
        (lambda: GaussianKDE(MIX).fit(TRAIN), "must be finite and symmetric"),
        (lambda: GaussianKDE(None).fit(TRAIN), "bandwidth is None|bandwidth has the value nan"),
        (lambda: GaussianKDE("scott").fit(TRAIN[:1]), "needs features that vary: feature 0"),
        (lambda: GaussianKDE("loo").fit(np.repeat(TRAIN, 2, axis=0)), "vectors repeat"),
        (lambda: GaussianKDE("loo").fit(TRAIN[:1]), "two or more vectors"),
        (lambda: GaussianKDE().fit(None), "X is None"),
        (lambda: GaussianKDE().fit("data.npy"), "X is the text or path 'data.npy'"),
        (lambda: GaussianKDE().fit(Sparse()), "X is a sparse matrix"),
        (lambda: GaussianKDE().fit([[1, 2], [3]]), "rows of different lengths"),
        (lambda: GaussianKDE().fit(TRAIN * 1j), "Complex data not supported"),
        (lambda: GaussianKDE().fit(TRAIN, sample_weight=[1]), r"sample_weight has shape \(1,\)"),
        (lambda: GaussianKDE().fit(TRAIN, sample_weight=-WEIGHTS), "weights of at least zero"),
        (
            lambda: GaussianKDE().fit(TRAIN).sample(0),
            "n_samples=0; give a whole number of 1",
        ),
        (lambda: GaussianKDE().fit(TRAIN).marginal([0, 0]), "each once"),
        (lambda: GaussianKDE().fit(TRAIN).marginal([3]), "feature 3 does not exist; give 0 to 2"),
        (lambda: GaussianKDE().fit(TRAIN).conditional([1]), r"given=\[1\]; give values by feature"),
        (lambda: GaussianKDE().fit(TRAIN).conditional({0: 1, 1: 1, 2: 1}), "fixes every feature"),
        (lambda: GaussianKDE().fit(TRAIN).conditional({0: np.nan}), "given holds NaN"),
    ],
)
def test_what_is_refused(call: Any, said: str) -> None:
    with pytest.raises((ValueError, TypeError), match=said):
        call()


def test_a_tensor_with_a_gradient_is_sent_to_the_torch_operations() -> None:
    import torch

    with pytest.raises(TypeError, match=r"napari_colorkde\.torch\.log_density"):
        GaussianKDE().fit(torch.zeros(3, 2, requires_grad=True))
