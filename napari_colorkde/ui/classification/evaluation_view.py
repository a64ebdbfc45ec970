"""The ground truth and how the overlay compares: choices, the ROC curve, numbers."""

import math
from typing import TYPE_CHECKING

from magicgui.widgets import ComboBox
from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_colorkde.app.classification.evaluation import Evaluation
from napari_colorkde.app.classification.ground_truth import EVERY_LABEL
from napari_colorkde.app.image.source import is_labels, unwrap_proxy
from napari_colorkde.app.session import Session
from napari_colorkde.connections import Connections
from napari_colorkde.core.classification.roc import UNLABELED, Unlabeled
from napari_colorkde.core.number_text import grouped
from napari_colorkde.ui.classification.confusion_table import confusion_html
from napari_colorkde.ui.classification.roc_plot import RocPlot
from napari_colorkde.ui.widgets.forms import form
from napari_colorkde.ui.widgets.searchable_choice import SearchableChoice

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Labels

NO_TRUTH = ""

TITLES = {"ignore": "ignored"}


class EvaluationView(QWidget):
    """Chooses a Labels layer as the truth and shows the scores of what is shown beside it.

    Parameters
    ----------
    viewer
        Whose Labels layers are offered.
    session
        Whose densities are scored.
    """

    threshold_chosen = Signal(float, description="The user wants this threshold.")

    def __init__(self, viewer: "Viewer", session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer: Viewer = unwrap_proxy(viewer)
        self.evaluation = Evaluation(session)
        self._threshold: float | None = None
        self.truth = ComboBox(
            name="truth",
            choices=self._layers,
            tooltip="The Labels layer that says which pixels are positive. The overlay is "
            "evaluated against it.",
        )
        self.positive = SearchableChoice(
            name="positive label",
            tooltip="The label that counts as positive. Type to find one of many.",
        )
        self.unlabeled = ComboBox(
            name="unlabeled",
            choices=[(TITLES.get(value, value), value) for value in UNLABELED],
            tooltip="How to treat unlabeled pixels. Automatic: as negative if there is only one "
            "label; otherwise they are ignored.",
        )
        self.best_by = ComboBox(
            name="best_by",
            choices=[("F1", "f1"), ("Youden's J", "youden")],
            tooltip="What the Best button maximizes: F1, the harmonic mean of precision and "
            "recall, or Youden's J, the true positive rate minus the false positive rate.",
        )
        self.plot = RocPlot()
        self.numbers = QLabel()
        self.numbers.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.numbers.setWordWrap(True)
        self.numbers.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self._details = QWidget()
        form(
            [
                ("positive", [self.positive, self.best_by]),
                ("unlabeled", [self.unlabeled]),
            ],
            self._details,
        )
        self._result = QWidget()
        line = QHBoxLayout(self._result)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.plot)
        line.addWidget(self.numbers, 1)
        first = QWidget()
        form([("truth", [self.truth])], first)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(5)
        # The curve before what it is of, so that it is seen without scrolling.
        for part in (first, self.problem, self._result, self._details):
            lines.addWidget(part)
        self.truth.changed.connect(self._on_truth)
        self.positive.changed.connect(self._on_positive)
        self.unlabeled.changed.connect(self._on_unlabeled)
        self.best_by.changed.connect(self._on_best_by)
        self.plot.threshold_chosen.connect(self.threshold_chosen)
        self._connections = Connections()
        self._connections.add(self.evaluation.changed, self._sync)
        self._sync()

    def close_session(self) -> None:
        """Let go of the session and the layers."""
        self._connections.close()
        self.evaluation.close()

    def reset_choices(self) -> None:
        """Follow the layer list; a truth that was deleted is none any more."""
        if self.evaluation.layer is not None and self.evaluation.layer not in self._viewer.layers:
            self.evaluation.choose(None)
        with self.truth.changed.blocked():
            self.truth.reset_choices()
            self.truth.value = self.evaluation.layer or NO_TRUTH

    def set_threshold(self, threshold: float | None) -> None:
        """Show the scores of another threshold."""
        if threshold != self._threshold:
            self._threshold = threshold
            self._show_scores()

    @property
    def best_threshold(self) -> float | None:
        """The threshold that agrees best with the truth; None without a curve."""
        curve = self.evaluation.curve
        if curve is None or not len(curve.thresholds):
            return None
        return curve.best_threshold(self.best_by.value)

    # --- within

    def _on_truth(self, layer: "Labels | str") -> None:
        self.evaluation.choose(None if layer == NO_TRUTH else layer)

    def _on_positive(self, label: int | None) -> None:
        if label is not None:
            self.evaluation.set_positive(label)

    def _on_best_by(self, criterion: str) -> None:
        if self.best_threshold is not None:
            self.threshold_chosen.emit(self.best_threshold)

    def _on_unlabeled(self, unlabeled: Unlabeled) -> None:
        self.evaluation.set_unlabeled(unlabeled)

    def _sync(self) -> None:
        evaluation = self.evaluation
        is_map = evaluation.confusion is not None
        if evaluation.truth is not None:
            self.positive.set_choices(self._labels(), evaluation.truth.positive)
        self._details.setVisible(evaluation.truth is not None and not is_map)
        self.problem.setText(evaluation.problem)
        self.problem.setVisible(bool(evaluation.problem))
        self._show_scores()

    def _show_scores(self) -> None:
        curve, confusion = self.evaluation.curve, self.evaluation.confusion
        if confusion is not None:
            self._result.setVisible(True)
            self.plot.hide()
            self.numbers.setText(confusion_html(confusion))
            return
        self.plot.show()
        found = None if self._threshold is None else self.evaluation.at(self._threshold)
        self._result.setVisible(curve is not None)
        self.plot.set_curve(curve, found)
        if curve is None or found is None:
            self.numbers.setText("" if curve is None else f"AUC {curve.auc:.4f}")
            return
        rows = [
            ("AUC", f"{curve.auc:.4f}"),
            ("precision", _percent(found.precision)),
            ("recall", _percent(found.recall)),
            ("F1", _percent(found.f1)),
            ("true +", grouped(found.true_positives)),
            ("false +", grouped(found.false_positives)),
            ("false −", grouped(found.false_negatives)),
            ("true −", grouped(found.true_negatives)),
        ]
        cells = "".join(
            f"<tr><td>{name}&nbsp;</td><td align='right'>{value}</td></tr>" for name, value in rows
        )
        self.numbers.setText(f"<table cellspacing='1'>{cells}</table>")

    def _layers(self, widget: object) -> "list[tuple[str, Labels | str]]":
        layers = [unwrap_proxy(layer) for layer in self._viewer.layers]
        labels = [layer for layer in reversed(layers) if is_labels(layer)]
        return [("none", NO_TRUTH), *((layer.name, layer) for layer in labels)]

    def _labels(self) -> list[tuple[str, int]]:
        truth = self.evaluation.truth
        if truth is None:
            return []
        every = [("any label", EVERY_LABEL)]
        return [*((str(label), label) for label in truth.labels), *every]


def _percent(part: float) -> str:
    return "–" if math.isnan(part) else f"{100 * part:.1f} %"
