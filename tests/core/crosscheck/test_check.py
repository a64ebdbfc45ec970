"""What other libraries are asked, and how their answers are judged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_colorkde.core.crosscheck import libraries
from napari_colorkde.core.crosscheck.check import cross_check, is_ours
from napari_colorkde.core.crosscheck.task import Task, direct
from napari_colorkde.core.reference import kde_log_density


def task(n: int = 30, d: int = 2, sigmas: object = 1.0, *, is_image: bool = False) -> Task:
    rng = np.random.default_rng(0)
    widths = np.broadcast_to(np.asarray(sigmas, np.float64), d).copy()
    return Task(rng.normal(size=(n, d)), rng.normal(size=(8, d)), 4, widths, is_image)


def test_yardstick_is_the_sum_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = task(d=3)
    covariance = np.array([[2, 0.5, 0.1], [0.5, 1, 0.2], [0.1, 0.2, 0.7]])
    expected = kde_log_density(asked.points, asked.data, covariance)
    np.testing.assert_allclose(direct(asked, covariance), expected, rtol=1e-12)
    # By blocks of points, of which the last is shorter.
    monkeypatch.setattr("napari_colorkde.core.crosscheck.task.MAX_PAIRS", 100)
    np.testing.assert_allclose(direct(asked, covariance), expected, rtol=1e-12)


def test_scratch_formula_is_the_sum_too() -> None:
    asked = task(sigmas=[0.5, 2.0])
    np.testing.assert_allclose(
        libraries.scratch(asked), direct(asked, np.diag(asked.sigmas**2)), rtol=1e-12
    )


@pytest.mark.parametrize("sigmas", [0.7, (0.5, 2.0, 1.0)])
@pytest.mark.parametrize("is_image", [False, True])
def test_every_library_that_applies_is_right_with_its_own_bandwidth(
    sigmas: object, is_image: bool
) -> None:
    pytest.importorskip("sklearn", reason="the group test-engine is not installed")
    answers = list(cross_check(task(d=3, sigmas=sigmas, is_image=is_image)))
    asked = [answer for answer in answers if answer.near is not None]
    assert [answer for answer in asked if answer.near > 1e-4] == []
    assert all(answer.bandwidth and answer.log_likelihood is not None for answer in asked)
    isotropic = [
        a.log_likelihood
        for a in asked
        if a.library not in ("SciPy gaussian_kde", "napari-colorkde, full")
    ]
    np.testing.assert_allclose(isotropic, isotropic[0], atol=1e-4)
    assert sum(is_ours(answer) for answer in answers) == 2


@pytest.mark.parametrize("is_image", [False, True])
def test_every_library_that_applies_is_right_with_a_full_covariance(is_image: bool) -> None:
    pytest.importorskip("sklearn", reason="the group test-engine is not installed")
    covariance = np.array([[2, 0.5, 0.1], [0.5, 1, 0.2], [0.1, 0.2, 0.7]])
    sigmas = np.sqrt(np.diagonal(covariance))
    asked = replace(task(d=3, sigmas=sigmas, is_image=is_image), full_covariance=covariance)
    answers = [answer for answer in cross_check(asked) if answer.near is not None]
    assert len(answers) >= 6
    assert [answer.library for answer in answers if answer.near > 1e-4] == []
    truth = kde_log_density(asked.points[:4], asked.data, covariance).mean()
    assert answers[0].log_likelihood == pytest.approx(truth)


def test_in_one_dimension_scipys_kernel_is_the_given_one() -> None:
    asked = task(d=1, sigmas=0.3)
    found = libraries.data_covariance(asked)
    assert not isinstance(found, str)
    factor, covariance = found
    assert factor == pytest.approx(0.3 / asked.data.std(ddof=1))
    assert covariance == pytest.approx(0.09)
    np.testing.assert_allclose(libraries.scipy(asked, factor), direct(asked, covariance), atol=1e-9)


def test_univariate_library_is_asked_in_one_dimension() -> None:
    pytest.importorskip("statsmodels", reason="the group bench is not installed")
    asked = task(d=1, sigmas=0.3)
    np.testing.assert_allclose(
        libraries.statsmodels_univariate(asked), direct(asked, np.diag(asked.sigmas**2)), atol=1e-9
    )


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (task(n=3, d=3), "(3 samples span less than 3 dimensions)"),
        (
            Task(np.eye(6)[:, :5] * [1, 1, 0, 0, 1], np.ones((1, 5)), 1, np.ones(5), False),
            "(2 of 5 numbers never vary)",
        ),
        (
            Task(np.outer(np.arange(9.0), [1, 2]), np.ones((1, 2)), 1, np.ones(2), False),
            "(some numbers follow from others)",
        ),
    ],
)
def test_singular_covariance_is_a_reason(asked: Task, reason: str) -> None:
    found = libraries.data_covariance(asked)
    assert found == f"does not apply: the samples' covariance is singular {reason}"
    *_, last = cross_check(asked)
    assert (last.library, last.remark, last.near) == ("SciPy gaussian_kde", found, None)


def test_many_dimensions_are_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    monkeypatch.setattr(libraries, "sklearn", lambda asked, leaf: libraries.scratch(asked))
    monkeypatch.setattr(libraries, "grid_search_cv", lambda asked, factors: 1 / 0)
    remarks = {answer.library: answer.remark for answer in cross_check(task(d=11))}
    reason = "does not apply: it multiplies densities, which underflow in 11 dimensions"
    assert remarks["statsmodels KDEMultivariate"] == remarks["KDEpy NaiveKDE"] == reason
    assert remarks["statsmodels KDEUnivariate"].endswith("it has one dimension, the samples 11")
    assert remarks["scikit-learn GridSearchCV"] == "refuses: division by zero"


def test_grid_search_of_scikit_learn_has_our_scores_and_choice() -> None:
    pytest.importorskip("sklearn", reason="the group test-engine is not installed")
    asked = task(sigmas=[0.5, 2.0])
    best, scores = libraries.grid_search_cv(asked, (0.5, 1.0, 2.0))
    expected = [
        kde_log_density(asked.points[:4], asked.data, np.diag((f * asked.sigmas) ** 2)).mean()
        for f in (0.5, 1.0, 2.0)
    ]
    np.testing.assert_allclose(scores, expected, rtol=1e-9)
    assert best == (0.5, 1.0, 2.0)[int(np.argmax(expected))]


def test_a_library_that_is_wrong_is_called_so(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = task(is_image=True)
    right = direct(asked, np.eye(2))
    wrong_in_tails = right - [0, 0, 0, 0, 1, 0, 0, 0]
    underflow = np.where(np.arange(8) == 7, -np.inf, right)
    lost = np.where(np.arange(8) == 0, -np.inf, right)
    monkeypatch.setattr(libraries, "sklearn", lambda asked, leaf: right + 0.01)
    monkeypatch.setattr(libraries, "statsmodels_multivariate", lambda asked: wrong_in_tails)
    monkeypatch.setattr(libraries, "kdepy", lambda asked: underflow)
    monkeypatch.setattr(libraries, "scipy", lambda asked, factor: lost)
    monkeypatch.setattr(libraries, "grid_search_cv", lambda asked, f: (2.0, np.zeros(3)))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    answers = {answer.library: answer for answer in cross_check(asked)}
    assert answers["napari-colorkde"].is_right
    tree = answers["scikit-learn KernelDensity"]
    assert (tree.remark, tree.is_right) == ("OFF", False)
    product = answers["statsmodels KDEMultivariate"]
    assert product.remark == "OFF in the tails"
    assert product.cells()[3:5] == ["0.0e+00", "1.0e+00"]
    assert answers["KDEpy NaiveKDE"].is_right
    assert answers["KDEpy NaiveKDE"].cells()[-1] == "right, 0 at 1 points"
    assert answers["SciPy gaussian_kde"].log_likelihood is None
    assert answers["scikit-learn GridSearchCV"].remark == "OFF, chooses 2 × this of 0.5, 1, 2"
