"""What the painted plots of the dock share: their colors, a frame with labels, a curve, a mark.

A few lines of painting show within a hundredth of what a plotting library takes to load.
"""

from collections.abc import Sequence

from napari.utils.theme import get_theme
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF
from qtpy.QtWidgets import QWidget

MARK_RADIUS = 4.0
CURVE_COLORS = {"dark": "#56b4e9", "light": "#0072b2"}
POINT_COLORS = {"dark": "#e69f00", "light": "#d55e00"}


class PaintedPlot(QWidget):
    """A plot that takes the focus, in the colors of napari's theme and the font of the dock.

    Parameters
    ----------
    name
        For those who hear what it is.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(name)
        self.set_theme("dark")

    @property
    def line_height(self) -> int:
        """Height of a line of text, in pixels."""
        return int(self.fontMetrics().height())

    def set_theme(self, theme: str) -> None:
        """Follow napari's theme."""
        look = get_theme(theme)
        self._text, self._frame = (QColor(c.as_hex()) for c in (look.text, look.secondary))
        kind = "light" if QColor(look.background.as_hex()).lightness() > 127 else "dark"
        self._curve_color = QColor(CURVE_COLORS[kind])
        self._point_color = QColor(POINT_COLORS[kind])
        self.update()

    def paint_frame(self, painter: QPainter, area: QRectF, below: str, beside: str) -> None:
        """Paint the frame of the plot, its two labels, and a ring where it has the focus."""
        if self.hasFocus():
            painter.setPen(QPen(self._curve_color, 1, Qt.PenStyle.DotLine))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.setPen(QPen(self._frame, 1))
        painter.drawRect(area)
        painter.setPen(self._text)
        line, center = self.line_height, Qt.AlignmentFlag.AlignCenter
        under = QRectF(area.left(), self.height() - line, area.width(), line)
        painter.drawText(under, center, below)
        painter.save()
        painter.translate(0, area.bottom())
        painter.rotate(-90)
        painter.drawText(QRectF(0, 0, area.height(), line), center, beside)
        painter.restore()

    def paint_curve(self, painter: QPainter, places: Sequence[QPointF]) -> None:
        """Paint a line from place to place."""
        curve = QPainterPath()
        curve.addPolygon(QPolygonF(places))
        painter.setPen(QPen(self._curve_color, 1.8))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(curve)

    def paint_mark(self, painter: QPainter, place: QPointF) -> None:
        """Paint the point that is chosen."""
        painter.setPen(QPen(self._text, 1))
        painter.setBrush(self._point_color)
        painter.drawEllipse(place, MARK_RADIUS, MARK_RADIUS)
