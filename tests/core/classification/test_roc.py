"""Curves beside scikit-learn's, which is given each color with its number of pixels as weight."""

import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given
from sklearn import metrics

from napari_colorkde.core.classification.roc import ConfusionMatrix, roc_curve


@st.composite
def labeled(draw):
    n = draw(st.integers(2, 40))
    number = st.integers(0, 9)
    scores = draw(
        st.lists(st.sampled_from([-3.5, -1.0, 0.0, 0.25, 2.0, 7.0]), min_size=n, max_size=n)
    )
    positives = draw(st.lists(number, min_size=n, max_size=n))
    negatives = draw(st.lists(number, min_size=n, max_size=n))
    assume(sum(positives) and sum(negatives))
    return np.array(scores), np.array(positives), np.array(negatives)


def as_samples(scores, positives, negatives):
    truth = np.repeat([1, 0], len(scores))
    return truth, np.tile(scores, 2), np.concatenate([positives, negatives])


@given(labeled())
def test_curve_and_area_are_scikit_learns(case):
    truth, scores, weights = as_samples(*case)
    curve = roc_curve(*case)
    used = weights > 0
    fpr, tpr, thresholds = metrics.roc_curve(
        truth[used], scores[used], sample_weight=weights[used], drop_intermediate=False
    )
    np.testing.assert_array_equal(curve.thresholds, thresholds[1:])
    np.testing.assert_allclose(curve.fpr_tpr[0][:-1], fpr)
    np.testing.assert_allclose(curve.fpr_tpr[1][:-1], tpr)
    area = metrics.roc_auc_score(truth[used], scores[used], sample_weight=weights[used])
    assert curve.auc == pytest.approx(area)


@given(labeled(), st.sampled_from([-9.0, -3.5, -0.5, 0.0, 1.0, 2.0, 7.0, 9.0]))
def test_scores_at_a_threshold_are_scikit_learns(case, threshold):
    truth, scores, weights = as_samples(*case)
    found = roc_curve(*case).confusion_at(threshold)
    chosen = scores >= threshold
    options = {"sample_weight": weights, "zero_division": np.nan}
    assert found.precision == pytest.approx(
        metrics.precision_score(truth, chosen, **options), nan_ok=True
    )
    assert found.recall == pytest.approx(metrics.recall_score(truth, chosen, **options))
    assert found.f1 == pytest.approx(metrics.f1_score(truth, chosen, **options))
    table = metrics.confusion_matrix(truth, chosen, sample_weight=weights, labels=[0, 1])
    counts = [[found.true_negatives, found.false_positives],
              [found.false_negatives, found.true_positives]]  # fmt: skip
    np.testing.assert_array_equal(table, counts)
    assert found.false_positive_rate == pytest.approx(table[0, 1] / table[0].sum())


def test_perfect_useless_and_inverted_scores():
    assert roc_curve([2, 1], [5, 0], [0, 3]).auc == 1
    assert roc_curve([1, 1], [5, 0], [0, 3]).auc == 0.5
    assert roc_curve([1, 2], [5, 0], [0, 3]).auc == 0


def test_what_has_no_score_is_never_chosen():
    curve = roc_curve([np.nan, 1.0, np.nan], [4, 6, 0], [0, 2, 8])
    found = curve.confusion_at(-math.inf)
    assert found == ConfusionMatrix(6, 2, 4, 8)
    # As if it scored below all others.
    assert curve.auc == roc_curve([-9, 1, -9], [4, 6, 0], [0, 2, 8]).auc


def test_no_score_at_all_is_as_good_as_chance():
    curve = roc_curve([np.nan, np.nan], [4, 0], [0, 3])
    assert curve.auc == 0.5
    assert curve.confusion_at(0.0) == ConfusionMatrix(0, 0, 4, 3)


def test_where_nothing_is_chosen_there_is_no_precision():
    found = roc_curve([2, 1], [5, 0], [0, 3]).confusion_at(3)
    assert math.isnan(found.precision)
    assert found.recall == 0
    assert found.f1 == 0


def test_scores_that_overflow_are_ordered_too():
    curve = roc_curve([np.inf, 0, -np.inf], [1, 1, 0], [0, 1, 1])
    assert curve.confusion_at(np.inf) == ConfusionMatrix(1, 0, 1, 2)
    assert curve.confusion_at(-1e308) == ConfusionMatrix(2, 1, 0, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2], [0, 0], [1, 1]), "no pixel is positive; a comparison needs"),
        (([1, 2], [1, 0], [0, 0]), "no pixel is negative"),
        (([1, 2], [1], [1, 1]), r"scores has shape \(2,\), positives \(1,\), negatives \(2,\)"),
    ],
)
def test_what_cannot_be_compared_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        roc_curve(*arguments)


@given(labeled(), st.sampled_from(["f1", "youden"]))
def test_the_best_threshold_is_that_of_all_that_were_tried(case, criterion):
    truth, scores, weights = as_samples(*case)
    curve = roc_curve(*case)

    def quality(threshold):
        chosen = scores >= threshold
        if criterion == "f1":
            return metrics.f1_score(truth, chosen, sample_weight=weights, zero_division=0)
        return metrics.balanced_accuracy_score(truth, chosen, sample_weight=weights)

    best = max(quality(score) for score in set(scores[weights > 0]))
    assert quality(curve.best_threshold(criterion)) == pytest.approx(best)


def test_the_threshold_of_a_place_is_that_of_the_nearest_point():
    curve = roc_curve([3.0, 2.0, 1.0], [4, 0, 4], [0, 2, 2])
    assert curve.threshold_near(0.0, 0.5) == 3
    assert curve.threshold_near(0.45, 0.55) == 2
    assert curve.threshold_near(0.9, 1.0) == 1
    assert curve.threshold_near(0.0, 0.5, 1) == 2
    assert curve.threshold_near(0.0, 0.5, 9) == 1
    assert curve.threshold_near(0.0, 0.5, -9) == 3


def test_what_is_best_must_be_known():
    with pytest.raises(ValueError, match="criterion='auc' is not known; use one of 'f1', 'youden'"):
        roc_curve([1.0, 2.0], [1, 0], [0, 1]).best_threshold("auc")
    nothing = roc_curve([np.nan, np.nan], [1, 0], [0, 1])
    with pytest.raises(ValueError, match="no pixel that the ground truth covers has a value"):
        nothing.best_threshold()
    assert nothing.threshold_near(0, 0) is None
