"""The truth is changed while it is being counted: what comes is of the choice that holds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from napari.layers import Labels

from napari_colorkde.app.classification.evaluation import Evaluation
from napari_colorkde.app.classification.ground_truth import EVERY_LABEL, GroundTruth
from napari_colorkde.app.image.source import source_of_array
from napari_colorkde.app.session import Session
from tests.app.density.test_class_query import FILE
from tests.app.layers.test_overlay import RGB
from tests.app.stepping import SteppingExecutor

SHAPE = RGB.shape[:2]
LEFT = np.broadcast_to(np.where(np.arange(SHAPE[1]) < 10, 3, 0), SHAPE)
TOP = np.broadcast_to(np.where(np.arange(SHAPE[0]) < 5, 7, 8)[:, np.newaxis], SHAPE)


class Counting:
    """An evaluation whose work goes on only when it is told to."""

    def __init__(self) -> None:
        self.executor = SteppingExecutor()
        self.session = Session(self.executor)
        self.session.open(source_of_array(RGB))
        self.session.set(kernel_sets=FILE, kernel_set="skin")
        self.session.set_classification(show="posterior")
        self.executor.run()
        self.evaluation = Evaluation(self.session)
        self.truths: list[GroundTruth] = []
        self.evaluation.changed.connect(self._on_changed)

    def _on_changed(self) -> None:
        if self.evaluation.truth is not None:
            self.truths.append(self.evaluation.truth)

    def begin(self, labels: Labels) -> None:
        """Choose labels, and stop where their count is done but not handed over."""
        self.evaluation.choose(labels)
        while not any(isinstance(item.value, GroundTruth) for item in self.executor.on_the_way):
            self.executor.on_the_way.clear()
            assert self.executor.compute()

    def finish(self) -> None:
        self.executor.deliver()
        self.executor.run()


@pytest.fixture
def counting() -> Iterator[Counting]:
    counting = Counting()
    yield counting
    counting.evaluation.close()
    counting.session.close()


def test_without_a_truth_none_appears_that_was_still_counted(counting: Counting) -> None:
    counting.begin(Labels(LEFT))
    counting.evaluation.choose(None)
    counting.finish()
    assert counting.evaluation.truth is None
    assert counting.evaluation.curve is None
    assert counting.truths == []


def test_of_two_layers_the_one_chosen_last_is_the_truth(counting: Counting) -> None:
    left, top = Labels(LEFT), Labels(TOP)
    counting.begin(left)
    counting.evaluation.choose(top)
    counting.finish()
    assert counting.evaluation.truth is not None
    assert counting.evaluation.truth.labels == (7, 8)
    assert {truth.labels for truth in counting.truths} == {(7, 8)}
    assert counting.evaluation.curve is not None
    assert counting.evaluation.curve.n_positives == (TOP == 7).sum()


def test_another_positive_label_is_counted_anew(counting: Counting) -> None:
    top = Labels(TOP)
    counting.begin(top)
    counting.evaluation.set_positive(8)
    counting.finish()
    assert {truth.positive for truth in counting.truths} == {8}
    counting.evaluation.set_positive(EVERY_LABEL)
    counting.executor.run()
    assert counting.evaluation.positive == EVERY_LABEL


def test_after_closing_nothing_is_counted_any_more(counting: Counting) -> None:
    left = Labels(LEFT)
    counting.begin(left)
    counting.evaluation.close()
    counting.finish()
    assert counting.truths == []
