"""A ROC curve, painted: a square with the curve, the diagonal of chance, and the threshold."""

import numpy as np
from psygnal import Signal
from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QKeyEvent, QMouseEvent, QPainter, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_colorkde.core.classification.roc import ConfusionMatrix, RocCurve
from napari_colorkde.ui.widgets.painted_plot import MARK_RADIUS, PaintedPlot

LINES_HIGH = 9
"""Height of the plot, in lines of text."""

MAX_POINTS = 400
STEPS = 100
"""Steps of an arrow key along the curve."""


class RocPlot(PaintedPlot):
    """The curve of a `RocCurve` and the point of a threshold on it.

    A click takes the threshold of the nearest point of the curve, arrow keys the next one.
    """

    threshold_chosen = Signal(float, description="The user wants this threshold.")

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("ROC curve", parent)
        self._curve: RocCurve | None = None
        self._points: list[tuple[float, float]] = []
        self._at: tuple[float, float] | None = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setToolTip(
            "Receiver operating characteristic (ROC): the fraction of positive pixels that are "
            "selected, plotted against the fraction of negative ones. The dot is the threshold, "
            "the diagonal is chance. Click the curve to use the threshold at that point."
        )

    def sizeHint(self) -> QSize:
        """A small square, larger with larger text."""
        side = LINES_HIGH * self.line_height
        return QSize(side, side)

    def set_curve(self, curve: RocCurve | None, at: ConfusionMatrix | None = None) -> None:
        """Show a curve and a threshold's decisions, or nothing."""
        self._curve, self._points, self._at = curve, [], None
        description = "no curve"
        if curve is not None:
            self._points = _thinned(*curve.fpr_tpr)
            description = f"area {curve.auc:.3f}"
        if at is not None:
            self._at = (at.false_positive_rate, at.recall)
            description += (
                f"; at the threshold {at.recall:.0%} of the positives and "
                f"{at.false_positive_rate:.0%} of the negatives are selected"
            )
        self.setAccessibleDescription(description)
        self.update()

    # --- what the user does

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the threshold under the mouse."""
        self._take_at(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the mouse while it is pressed."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._take_at(event.position())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Walk along the curve by arrow keys."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Down: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: 1}
        if event.key() not in steps or self._curve is None or self._at is None:
            super().keyPressEvent(event)
            return
        step = max(1, len(self._curve.thresholds) // STEPS)
        self._choose(*self._at, steps[Qt.Key(event.key())] * step)

    def _take_at(self, place: QPointF) -> None:
        square = self.square
        self._choose(
            (place.x() - square.left()) / square.width(),
            (square.bottom() - place.y()) / square.height(),
        )

    def _choose(self, false_positive_rate: float, recall: float, steps: int = 0) -> None:
        if self._curve is None:
            return
        threshold = self._curve.threshold_near(false_positive_rate, recall, steps)
        if threshold is not None:
            self.threshold_chosen.emit(threshold)

    # --- how it is painted

    @property
    def square(self) -> QRectF:
        """Where the curve is painted, from (0, 0) at its bottom left to (1, 1)."""
        margin = self.line_height + 2
        side = min(self.width(), self.height()) - margin - MARK_RADIUS
        return QRectF(margin, MARK_RADIUS - 1, side, side)

    def paintEvent(self, event: object) -> None:
        """Paint all of it; a fraction of a millisecond."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        square = self.square
        side = square.width()

        def place(point: tuple[float, float]) -> QPointF:
            return QPointF(square.left() + side * point[0], square.bottom() - side * point[1])

        self.paint_frame(painter, square, "false positives", "true positives")
        painter.setPen(QPen(self._frame, 1, Qt.PenStyle.DashLine))
        painter.drawLine(place((0, 0)), place((1, 1)))
        if self._points:
            self.paint_curve(painter, [place(point) for point in self._points])
        if self._at is not None and np.isfinite(self._at).all():
            self.paint_mark(painter, place(self._at))
        painter.end()


def _thinned(fpr: np.ndarray, tpr: np.ndarray) -> list[tuple[float, float]]:
    """Points enough to look the same at this size: evenly spaced along the curve."""
    length = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(fpr)) + np.abs(np.diff(tpr)))])
    if len(length) > MAX_POINTS:
        wanted = np.linspace(0, length[-1], MAX_POINTS)
        kept = np.unique(np.minimum(np.searchsorted(length, wanted), len(length) - 1))
        fpr, tpr = fpr[kept], tpr[kept]
    return list(zip(fpr.tolist(), tpr.tolist(), strict=True))
