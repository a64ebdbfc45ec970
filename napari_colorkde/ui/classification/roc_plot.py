"""A ROC curve, painted: a square with the curve, the diagonal of chance, and the threshold."""

import numpy as np
from napari.utils.theme import get_theme
from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_colorkde.core.classification.roc import ConfusionMatrix, RocCurve

SIDE = 150
MARGIN = 18
MAX_POINTS = 400
CURVE_COLORS = {"dark": "#56b4e9", "light": "#0072b2"}
POINT_COLORS = {"dark": "#e69f00", "light": "#d55e00"}


class RocPlot(QWidget):
    """The curve of a `RocCurve` and the point of a threshold on it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points: list[tuple[float, float]] = []
        self._at: tuple[float, float] | None = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setToolTip(
            "Receiver operating characteristic (ROC): the fraction of the positive pixels that is "
            "selected, over that of the negative ones. The dot is the threshold, the diagonal is "
            "chance."
        )
        self.setAccessibleName("ROC curve")
        self.set_theme("dark")

    def sizeHint(self) -> QSize:
        """A small square."""
        return QSize(SIDE, SIDE)

    def set_theme(self, theme: str) -> None:
        """Follow napari's theme."""
        look = get_theme(theme)
        self._text, self._frame = (QColor(c.as_hex()) for c in (look.text, look.secondary))
        kind = "light" if QColor(look.background.as_hex()).lightness() > 127 else "dark"
        self._curve_color = QColor(CURVE_COLORS[kind])
        self._point_color = QColor(POINT_COLORS[kind])
        self.update()

    def set_curve(self, curve: RocCurve | None, at: ConfusionMatrix | None = None) -> None:
        """Show a curve and a threshold's decisions, or nothing."""
        self._points, self._at = [], None
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

    def paintEvent(self, event: object) -> None:
        """Paint all of it; a fraction of a millisecond."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = min(self.width(), self.height()) - MARGIN - 4
        square = QRectF(MARGIN, 3, side, side)

        def place(point: tuple[float, float]) -> QPointF:
            return QPointF(square.left() + side * point[0], square.bottom() - side * point[1])

        painter.setPen(QPen(self._frame, 1))
        painter.drawRect(square)
        painter.setPen(QPen(self._frame, 1, Qt.PenStyle.DashLine))
        painter.drawLine(place((0, 0)), place((1, 1)))
        self._write(painter, square)
        if self._points:
            curve = QPainterPath()
            curve.addPolygon(QPolygonF([place(point) for point in self._points]))
            painter.setPen(QPen(self._curve_color, 1.8))
            painter.drawPath(curve)
        if self._at is not None and np.isfinite(self._at).all():
            painter.setPen(QPen(self._text, 1))
            painter.setBrush(self._point_color)
            painter.drawEllipse(place(self._at), 4, 4)
        painter.end()

    def _write(self, painter: QPainter, square: QRectF) -> None:
        font = self.font()
        font.setPixelSize(10)
        painter.setFont(font)
        painter.setPen(self._text)
        below = QRectF(square.left(), square.bottom() + 1, square.width(), MARGIN - 3)
        painter.drawText(below, Qt.AlignmentFlag.AlignCenter, "false positives")
        painter.save()
        painter.translate(0, square.bottom())
        painter.rotate(-90)
        beside = QRectF(0, 1, square.height(), MARGIN - 3)
        painter.drawText(beside, Qt.AlignmentFlag.AlignCenter, "true positives")
        painter.restore()


def _thinned(fpr: np.ndarray, tpr: np.ndarray) -> list[tuple[float, float]]:
    """Points enough to look the same at this size: evenly spaced along the curve."""
    length = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(fpr)) + np.abs(np.diff(tpr)))])
    if len(length) > MAX_POINTS:
        wanted = np.linspace(0, length[-1], MAX_POINTS)
        kept = np.unique(np.minimum(np.searchsorted(length, wanted), len(length) - 1))
        fpr, tpr = fpr[kept], tpr[kept]
    return list(zip(fpr.tolist(), tpr.tolist(), strict=True))
