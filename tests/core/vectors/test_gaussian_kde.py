import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity

from napari_colorkde.core.reference import kde_log_density
from napari_colorkde.core.vectors import log_densities as vectors_module
from napari_colorkde.core.vectors.gaussian_kde import GaussianKDE
from napari_colorkde.core.vectors.grid_search import grid_search

DATA = Path(__file__).parents[2] / "data"
SIGMAS = np.array([0.05, 0.08, 0.1, 0.2, 0.5, 1.0, 1.5, 2.0])


@pytest.fixture(scope="module")
def digits():
    with np.load(DATA / "mnist_30_digits.npz") as file:
        return {name: file[name].reshape(10, -1) / 256 for name in ("train", "valid", "test")}


@pytest.fixture(scope="module")
def published():
    return json.loads((DATA / "mnist_30_digits.json").read_text())


def vectors(seed, n, d, spread=1.0, offset=0.0):
    return np.random.default_rng(seed).normal(offset, spread, (n, d))


def test_thirty_digits_have_the_published_likelihoods(digits, published, device):
    result = grid_search(**digits, sigmas=published["sigmas"], device=device)
    np.testing.assert_allclose(result.scores, published["valid_float64"], atol=1e-3, rtol=0)
    np.testing.assert_allclose(result.scores, published["valid_published"], rtol=1e-6)
    assert result.best_sigma == published["best_sigma"]
    assert result.test_score == pytest.approx(published["test_float64"], abs=1e-3)
    assert result.sigmas.tolist() == published["sigmas"]
    assert result.seconds > 0


@pytest.mark.parametrize("d", [3, 100])
def test_it_agrees_with_scikit_learn_where_that_is_exact(d):
    train, points = vectors(0, 60, d), vectors(1, 40, d)
    peer = KernelDensity(bandwidth=0.7, leaf_size=len(train)).fit(train)
    ours = GaussianKDE(0.7).fit(train)
    np.testing.assert_allclose(ours.score_samples(points), peer.score_samples(points), atol=1e-4)
    assert ours.score(points) == pytest.approx(peer.score(points), rel=1e-6)


def test_it_is_an_estimator_to_scikit_learn():
    train = vectors(0, 60, 4)
    kde = GaussianKDE(bandwidth=0.3)
    assert clone(kde).get_params() == kde.get_params()
    ours = GridSearchCV(kde, {"bandwidth": [0.1, 0.5, 2.0]}, cv=3).fit(train)
    peer = GridSearchCV(KernelDensity(leaf_size=60), {"bandwidth": [0.1, 0.5, 2.0]}, cv=3)
    peer.fit(train)
    np.testing.assert_allclose(
        ours.cv_results_["mean_test_score"], peer.cv_results_["mean_test_score"], rtol=1e-6
    )
    assert ours.best_estimator_.bandwidth == peer.best_params_["bandwidth"]


def test_parameters_are_set_by_name():
    kde = GaussianKDE().set_params(bandwidth=2.0, device="cpu")
    assert kde.get_params() == {"bandwidth": 2.0, "device": "cpu"}
    with pytest.raises(ValueError, match="no parameter 'sigma'; use one of bandwidth, device"):
        kde.set_params(sigma=1)


def test_samples_follow_the_density():
    train = np.array([[0.0, 0.0], [100.0, -50.0]])
    kde = GaussianKDE(2.0).fit(train)
    samples = kde.sample(20_000, random_state=0)
    near_first = samples[:, 0] < 50
    assert near_first.mean() == pytest.approx(0.5, abs=0.02)
    np.testing.assert_allclose(samples[near_first].std(axis=0), 2, rtol=0.05)
    np.testing.assert_array_equal(samples, kde.sample(20_000, random_state=0))
    assert kde.sample().shape == (1, 2)


def test_fitting_keeps_its_own_copy():
    train = vectors(0, 10, 3)
    kde = GaussianKDE(0.5).fit(train)
    before = kde.score_samples(train[:2].copy())
    points = train[:2].copy()
    train[:] = 0
    np.testing.assert_array_equal(kde.score_samples(points), before)


def test_the_lengths_of_the_sets_may_differ():
    result = grid_search(vectors(0, 5, 3), vectors(1, 9, 3), [1.0, 2.0], vectors(2, 2, 3))
    expected = [
        kde_log_density(vectors(1, 9, 3), vectors(0, 5, 3), np.full(3, s**2)).mean()
        for s in (1.0, 2.0)
    ]
    np.testing.assert_allclose(result.scores, expected, atol=1e-4)
    assert result.best_sigma == [1.0, 2.0][int(np.argmax(expected))]


def test_progress_ends_at_one_and_can_stop_the_search(monkeypatch):
    monkeypatch.setattr(vectors_module, "POINT_ROWS", 4)
    seen = []
    arguments = vectors(0, 5, 3), vectors(1, 9, 3), [1.0], vectors(2, 2, 3)
    grid_search(*arguments, progress=seen.append)
    assert seen == sorted(seen)
    assert len(seen) == 4
    assert seen[-1] == pytest.approx(1)

    def stop(fraction):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        grid_search(*arguments, progress=stop)


def test_without_a_test_set_there_is_no_test_score():
    assert grid_search(vectors(0, 5, 3), vectors(1, 9, 3), 1.0).test_score is None


GOOD = np.zeros((4, 3))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros(4), GOOD, [1]), r"train has shape \(4,\)"),
        ((np.zeros((4, 2, 2)), GOOD, [1]), r"train\.reshape\(len\(train\), -1\)"),
        ((np.zeros((0, 3)), GOOD, [1]), r"train has shape \(0, 3\)"),
        ((GOOD, GOOD[:, :2], [1]), "valid has vectors of 2 numbers .* have 3"),
        ((GOOD, GOOD, [1], GOOD[:, :2]), "test has vectors of 2 numbers"),
        ((GOOD, np.full((4, 3), np.nan), [1]), "valid holds NaN"),
        ((GOOD, np.full((4, 3), 1e200), [1]), "valid has values above 1e150"),
        ((np.array([["a"]]), GOOD, [1]), "train holds <U1"),
        ((GOOD, GOOD, [0.5, 0]), "sigmas has the value 0; give positive"),
        ((GOOD, GOOD, [-1]), "sigmas has the value -1"),
        ((GOOD, GOOD, [np.inf]), "sigmas has the value inf"),
        ((GOOD, GOOD, []), r"sigmas has shape \(0,\)"),
        ((GOOD, GOOD, "scott"), "sigmas is the text or path 'scott'"),
        ((GOOD, GOOD, [1e-10, 1e10]), "spans less than a factor"),
    ],
)
def test_bad_input_is_refused_with_a_sentence(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        grid_search(*arguments)


def test_an_estimator_must_be_fitted_and_asked_for_the_same_features():
    with pytest.raises(ValueError, match="call fit"):
        GaussianKDE().score_samples(GOOD)
    with pytest.raises(ValueError, match="bandwidth has the value 0"):
        GaussianKDE(0).fit(GOOD)
    with pytest.raises(ValueError, match="X has 2 features, but GaussianKDE is expecting 3"):
        GaussianKDE().fit(GOOD).score_samples(GOOD[:, :2])


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int8, np.float16, np.uint16])
def test_vectors_of_small_dtypes_are_numbers(dtype):
    random = np.random.default_rng(0)
    train, valid = (random.integers(0, 2, (n, 5)).astype(dtype) for n in (30, 7))
    as_floats = GaussianKDE(0.5).fit(train.astype(np.float64)).score_samples(valid)
    np.testing.assert_allclose(GaussianKDE(0.5).fit(train).score_samples(valid), as_floats)
    found = grid_search(train, valid, [0.3, 1.0])
    expected = grid_search(train.astype(np.float64), valid.astype(np.float64), [0.3, 1.0])
    np.testing.assert_allclose(found.scores, expected.scores)
