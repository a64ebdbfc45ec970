"""A Labels layer as the ground truth: its pixels counted by color, and the ROC curve.

Counting and sorting are one job of the session; a threshold is then looked up at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import ref

from psygnal import Signal

from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.classification.ground_truth import (
    GroundTruth,
    count_confusion,
    count_ground_truth,
)
from napari_colorkde.app.density.request import ColorValues
from napari_colorkde.app.image.pixels.pixel_index import PixelIndex
from napari_colorkde.app.image.source import unwrap_proxy
from napari_colorkde.app.selection.selections import LabelSelection
from napari_colorkde.app.session import Session
from napari_colorkde.connections import Connections
from napari_colorkde.core.classification.class_confusion import ClassConfusion
from napari_colorkde.core.classification.roc import (
    ConfusionMatrix,
    RocCurve,
    Unlabeled,
    roc_curve,
)
from napari_colorkde.core.number_text import shape_text

if TYPE_CHECKING:
    from napari.layers import Labels
    from napari.utils.events import Event


@dataclass(frozen=True, eq=False)
class _Evaluated:
    result: RocCurve | ClassConfusion
    densities: ColorValues


class Evaluation:
    """Compares what the session shows with a Labels layer.

    Parameters
    ----------
    session
        Whose densities are compared.

    Attributes
    ----------
    truth, curve
        The newest, None until there are some.
    problem
        Why there is no curve, in a sentence; "" if there is one, or no truth was chosen.
    """

    changed = Signal(description="There is another truth, curve or problem.")

    def __init__(self, session: Session) -> None:
        self._session = session
        self._layer: ref[Labels] | None = None
        self._positive: int | None = None
        self._unlabeled: Unlabeled = "automatic"
        self._scored: _Evaluated | None = None
        self.truth: GroundTruth | None = None
        self.problem = ""
        self._connections = Connections()
        self._connections.add(session.counted_changed, self._on_counted)
        self._connections.add(session.densities_changed, self._on_densities)
        self._connections.add(session.source_changed, self._on_source)

    @property
    def layer(self) -> "Labels | None":
        """The Labels layer that is the truth, or None."""
        return None if self._layer is None else self._layer()

    @property
    def curve(self) -> RocCurve | None:
        """The curve of what is shown; None for a map of classes."""
        result = None if self._scored is None else self._scored.result
        return result if isinstance(result, RocCurve) else None

    @property
    def confusion(self) -> ClassConfusion | None:
        """How a map of classes agrees with the truth; None where none is shown."""
        result = None if self._scored is None else self._scored.result
        return result if isinstance(result, ClassConfusion) else None

    @property
    def positive(self) -> int | None:
        """The label of positives; None before it is known."""
        return self._positive if self.truth is None else self.truth.positive

    @property
    def unlabeled(self) -> Unlabeled:
        """What pixels without a label are."""
        return self._unlabeled

    def choose(self, layer: "Labels | None") -> None:
        """Take a Labels layer for the truth; None for none."""
        layer = None if layer is None else unwrap_proxy(layer)
        self._listen(False)
        self._layer = None if layer is None else ref(layer)
        self._listen(True)
        self._positive = None
        self._recount()

    def set_positive(self, label: int) -> None:
        """Take this label, or `EVERY_LABEL`, for the positives."""
        self._positive = label
        self._recount()

    def set_unlabeled(self, unlabeled: Unlabeled) -> None:
        """Say what pixels without a label are."""
        self._unlabeled = unlabeled
        self._score()

    def at(self, threshold: float) -> ConfusionMatrix | None:
        """Decisions of a threshold; None without a curve."""
        curve = self.curve
        if self._scored is None or curve is None:
            return None
        # As the values are compared with it.
        kind = self._scored.densities.values.dtype.type
        return curve.confusion_at(float(kind(threshold)))

    def close(self) -> None:
        """Let go of the session and the layer."""
        self._listen(False)
        self._session.stop("truth")
        self._layer = None
        self._connections.close()

    # --- within

    def _listen(self, on: bool) -> None:
        layer = self.layer
        if layer is not None:
            # `paint` comes before a fill is written, `labels_update` after it.
            for name in ("data", "paint", "labels_update"):
                event = getattr(layer.events, name)
                (event.connect if on else event.disconnect)(self._on_labels)

    def _on_labels(self, event: "Event") -> None:
        self._recount()

    def _on_counted(self, counted: object) -> None:
        self._recount()

    def _on_source(self, source: object) -> None:
        self._recount()

    def _on_densities(self, densities: ColorValues) -> None:
        if densities.is_exact:
            self._score()

    def _recount(self) -> None:
        # What is being counted is of another choice.
        self._session.stop("truth")
        self.truth = None
        self._score()

    def _fail(self, problem: str) -> None:
        self._scored, self.problem = None, problem
        self.changed.emit()

    def _score(self) -> None:
        layer, index, densities = self.layer, self._session.index, self._session.densities
        if layer is None or index is None or index.is_preview or densities is None:
            self._fail("")
            return
        try:
            labels = _labels_of(layer, index)
        except ValueError as error:
            self._fail(str(error))
            return
        query = densities.request.query
        if query is not None and query.show == "class":
            self._session.run(
                "truth",
                lambda: _compare(index, labels, query.names, densities),
                self._on_result,
                self._on_end,
            )
            return
        truth = self.truth if self.truth is not None and self.truth.index is index else None
        positive, unlabeled = self._positive, self._unlabeled
        self._session.run(
            "truth",
            lambda: _score(index, labels, positive, unlabeled, truth, densities),
            self._on_result,
            self._on_end,
        )

    def _on_result(self, result: GroundTruth | _Evaluated) -> None:
        if isinstance(result, GroundTruth):
            self.truth = result
        elif result.densities is self._session.densities:
            self._scored, self.problem = result, ""
        self.changed.emit()

    def _on_end(self, problem: str | None) -> None:
        if problem is not None:
            self._fail(f"{problem[:1].upper()}{problem[1:]}")


def _labels_of(layer: "Labels", index: PixelIndex) -> LabelSelection:
    """The label of each pixel of an image."""
    labels = unwrap_proxy(layer.data)[0] if layer.multiscale else unwrap_proxy(layer.data)
    shape, source, axis = tuple(map(int, labels.shape)), index.source, index.channels.axis
    if shape == tuple(index.shape):
        return LabelSelection(labels, "each")
    if axis is not None and not source.rgb and shape == tuple(source.array.shape):
        return LabelSelection(labels, "each", channel_axis=axis)
    raise ValueError(
        f"{layer.name!r} is {shape_text(shape)} pixels, the image {shape_text(index.shape)}; "
        "choose labels of the same size."
    )


def _compare(
    index: PixelIndex, labels: LabelSelection, names: tuple[str, ...], densities: ColorValues
) -> Iterator[Progress | _Evaluated]:
    for step in count_confusion(index, labels, densities.values, names):
        yield step if isinstance(step, Progress) else _Evaluated(step, densities)


def _score(
    index: PixelIndex,
    labels: LabelSelection,
    positive: int | None,
    unlabeled: Unlabeled,
    truth: GroundTruth | None,
    densities: ColorValues,
) -> Iterator[Progress | GroundTruth | _Evaluated]:
    if truth is None:
        for step in count_ground_truth(index, labels, positive):
            if isinstance(step, GroundTruth):
                truth = step
            yield step
    if truth is not None:
        negatives = truth.negatives(unlabeled)
        curve = roc_curve(densities.values, truth.positives, negatives)
        yield _Evaluated(curve, densities)
