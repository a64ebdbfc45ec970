from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dask.array as da
import numpy as np
import pytest
from sklearn import metrics

from napari_colorkde.app.classification.evaluation import Evaluation
from napari_colorkde.app.classification.ground_truth import EVERY_LABEL
from napari_colorkde.app.classification.threshold import (
    above_threshold,
    active_threshold,
    threshold_range,
)
from napari_colorkde.app.layers.mask_layer import add_labels
from napari_colorkde.app.layers.shown_threshold import ThresholdMask
from tests.app.density.test_class_query import FILE
from tests.app.layers.test_overlay import RGB, Setting

TRUTH = np.zeros(RGB.shape[:2], np.uint8)
TRUTH[RGB[..., 0] >= 58] = 1
TRUTH[:4] = 0


class Judged(Setting):
    """An image whose posterior is shown, its mask and its scores."""

    def __init__(self) -> None:
        super().__init__()
        self.session.set(kernel_sets=FILE, kernel_set="skin")
        self.session.set_classification(show="posterior")
        self.mask = ThresholdMask(self.viewer, self.session, self.overlay)
        self.evaluation = Evaluation(self.session)

    def choose(self, data: Any = TRUTH) -> Any:
        layer = self.viewer.add_labels(data, name="truth")
        self.evaluation.choose(layer)
        return layer

    @property
    def values(self) -> np.ndarray:
        return np.asarray(self.layer.data)

    def close(self) -> None:
        self.evaluation.close()
        self.mask.close()
        self.overlay.close()
        self.session.close()


@pytest.fixture
def judged() -> Iterator[Judged]:
    judged = Judged()
    judged.show()
    yield judged
    judged.close()


@pytest.mark.parametrize("wrap", [np.asarray, da.from_array])
def test_scores_are_scikit_learns_on_all_pixels(judged: Judged, wrap: Any) -> None:
    judged.choose(wrap(TRUTH))
    curve, found = judged.evaluation.curve, judged.evaluation.at(0.5)
    assert curve is not None
    assert found is not None
    truth, scores = TRUTH.ravel() == 1, judged.values.ravel()
    assert curve.auc == pytest.approx(metrics.roc_auc_score(truth, scores))
    assert found.precision == pytest.approx(metrics.precision_score(truth, scores >= 0.5))
    assert found.recall == pytest.approx(metrics.recall_score(truth, scores >= 0.5))
    assert found.f1 == pytest.approx(metrics.f1_score(truth, scores >= 0.5))


def test_beside_other_labels_pixels_without_one_are_not_judged(judged: Judged) -> None:
    labels = TRUTH.copy()
    labels[5:9] = 2
    judged.choose(labels)
    evaluation = judged.evaluation
    assert evaluation.truth is not None
    assert evaluation.curve is not None
    assert evaluation.truth.labels == (1, 2)
    assert evaluation.curve.n_negatives == (labels == 2).sum()
    evaluation.set_unlabeled("negative")
    assert evaluation.curve.n_negatives == (labels != 1).sum()
    evaluation.set_positive(2)
    assert evaluation.curve.n_positives == (labels == 2).sum()
    evaluation.set_positive(EVERY_LABEL)
    assert evaluation.curve.n_positives == (labels > 0).sum()
    evaluation.set_unlabeled("ignore")
    assert evaluation.curve is None
    assert "No pixel is negative" in evaluation.problem


def test_a_map_of_classes_has_a_confusion_matrix(judged: Judged) -> None:
    judged.choose()
    judged.session.set_classification(show="class")
    confusion = judged.evaluation.confusion
    assert confusion is not None
    assert judged.evaluation.curve is None
    assert judged.evaluation.at(0.5) is None
    classes = judged.values.astype(int)
    expected = metrics.confusion_matrix(TRUTH.ravel(), classes.ravel(), labels=[0, 1, 2])[1:2]
    assert confusion.labels == (1,)
    np.testing.assert_array_equal(confusion.counts, expected)
    assert confusion.accuracy == pytest.approx((classes == 1)[TRUTH == 1].mean())


def test_more_labels_than_classes_are_refused_for_a_map_of_classes(judged: Judged) -> None:
    judged.session.set_classification(show="class")
    judged.choose(np.arange(TRUTH.size).reshape(TRUTH.shape) + 1)
    assert "more than 200 labels" in judged.evaluation.problem


def test_labels_of_channels_along_an_axis_are_those_of_the_pixels(judged: Judged) -> None:
    planes = np.ascontiguousarray(np.moveaxis(RGB, -1, 0))
    judged.show(planes, name="planes", rgb=False)
    ours = add_labels(judged.viewer, judged.overlay, TRUTH, "ours")
    assert ours.data.shape == planes.shape
    judged.choose(TRUTH)
    assert judged.evaluation.curve is not None
    wanted = judged.evaluation.curve.auc
    judged.evaluation.choose(ours)
    assert judged.evaluation.problem == ""
    assert judged.evaluation.curve.auc == wanted
    painted = np.zeros(planes.shape, np.uint8)
    painted[1] = TRUTH
    judged.choose(painted)
    assert judged.evaluation.curve.auc == wanted


def test_what_cannot_be_compared_is_told(judged: Judged) -> None:
    judged.choose(np.ones((5, 5), int))
    assert judged.evaluation.problem == (
        "'truth' is 5 × 5 pixels, the image 20 × 30; choose labels of the same size."
    )
    judged.choose(np.zeros_like(TRUTH))
    assert "has no pixel with a label" in judged.evaluation.problem
    judged.choose()
    assert judged.evaluation.problem == ""
    judged.evaluation.choose(None)
    assert judged.evaluation.problem == ""
    assert judged.evaluation.curve is None


def test_painting_edits_and_other_images_are_followed(judged: Judged) -> None:
    layer = judged.choose()
    evaluation = judged.evaluation
    assert evaluation.curve is not None
    before = evaluation.curve
    layer.paint((10, 10), 1)
    assert evaluation.curve is not before
    assert evaluation.curve.n_positives == (np.asarray(layer.data) == 1).sum()
    judged.session.set_classification(cls="other")
    assert evaluation.curve.auc == pytest.approx(1 - before.auc, abs=0.05)
    judged.show(np.zeros((7, 7, 3), np.uint8), name="second")
    assert evaluation.curve is None
    assert "the image 7 × 7" in evaluation.problem


def test_large_labels_are_found_by_sorting(judged: Judged) -> None:
    judged.choose(TRUTH.astype(np.int64) * 10**9)
    assert judged.evaluation.positive == 10**9
    assert judged.evaluation.curve is not None


def test_closing_leaves_no_callback_behind(judged: Judged) -> None:
    layer = judged.viewer.add_labels(TRUTH)
    before = [len(e.callbacks) for e in layer.events.emitters.values()]
    evaluation = Evaluation(judged.session)
    evaluation.choose(layer)
    evaluation.close()
    assert [len(e.callbacks) for e in layer.events.emitters.values()] == before


# --- the mask


def test_a_density_starts_with_most_of_its_pixels_above_the_threshold(judged: Judged) -> None:
    judged.session.show = "kde"
    densities = judged.session.densities
    assert densities is not None
    threshold = active_threshold(densities, judged.session.state)
    assert threshold is not None
    counts = densities.request.palette.counts
    part = counts[above_threshold(densities, threshold)].sum() / counts.sum()
    assert part == pytest.approx(0.95, abs=0.01)


def test_another_quantity_forgets_the_threshold(judged: Judged) -> None:
    judged.session.set_classification(show="density", threshold=1e-5)
    judged.session.log = True
    assert judged.session.state.classification.threshold is None


def test_the_threshold_of_the_images_own_density_is_kept_after_a_judgement(
    judged: Judged,
) -> None:
    session = judged.session
    session.set_classification(threshold=0.75)
    session.show = "kde"
    assert session.densities is not None
    low, high = session.densities.limits
    wanted = (low + high) / 2
    assert active_threshold(session.densities, session.state) != 0.75
    session.set_classification(threshold=wanted, show_mask=True)
    assert active_threshold(session.densities, session.state) == wanted
    session.set_classification(show="posterior")
    assert active_threshold(session.densities, session.state) == 0.5
    session.show = "kde"
    session.set_classification(show="posterior", threshold=0.25)
    assert active_threshold(session.densities, session.state) == 0.25


def test_the_slider_of_a_ratio_reaches_where_the_values_are(judged: Judged) -> None:
    judged.session.set_classification(show="ratio")
    assert judged.session.densities is not None
    low, high = threshold_range(judged.session.densities)
    assert low == pytest.approx(max(judged.values.min(), -27.7), abs=0.1)
    assert high == pytest.approx(min(judged.values.max(), 27.7), abs=0.1)
