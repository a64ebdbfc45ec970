"""Maps of classes beside true labels."""

import math

import numpy as np
import pytest
from sklearn import metrics

from napari_colorkde.core.classification.class_confusion import ClassConfusion

RANDOM = np.random.default_rng(0)
TRUTH = RANDOM.integers(1, 4, 500)
FOUND = np.where(RANDOM.random(500) < 0.7, TRUTH, RANDOM.integers(0, 4, 500))
COUNTS = metrics.confusion_matrix(TRUTH, FOUND, labels=range(4))[1:]


def test_accuracy_and_recall_are_scikit_learns():
    confusion = ClassConfusion((1, 2, 3), ("a", "b", "c"), COUNTS)
    assert confusion.accuracy == pytest.approx(metrics.accuracy_score(TRUTH, FOUND))
    expected = metrics.recall_score(TRUTH, FOUND, labels=[1, 2, 3], average=None)
    np.testing.assert_allclose(confusion.recalls, expected)


def test_a_class_that_is_named_as_a_label_is_compared_with_it():
    confusion = ClassConfusion((1, 2, 3), ("3", "1", "sky"), COUNTS)
    assert confusion.class_of == (2, None, 1)
    assert confusion.accuracy == pytest.approx((COUNTS[0, 2] + COUNTS[2, 1]) / 500)


def test_labels_without_a_class_are_wrong():
    confusion = ClassConfusion((1, 5), ("a", "b"), np.array([[0, 3, 1], [0, 2, 2]]))
    assert confusion.class_of == (1, None)
    assert confusion.accuracy == 3 / 8
    assert confusion.recalls == (0.75, 0.0)


def test_nothing_has_no_accuracy():
    assert math.isnan(ClassConfusion((), ("a",), np.zeros((0, 2), np.int64)).accuracy)
