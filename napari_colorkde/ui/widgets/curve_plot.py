"""A curve, painted: axes, points, a shaded zone, a mark; it says which point was clicked."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_colorkde.ui.widgets.painted_plot import PaintedPlot

LINES_HIGH = 9
"""Height of the plot, in lines of text."""

NUMBER_LETTERS = 8
"""Room for the numbers of the vertical axis, in digits."""

MARGIN = 8
POINT_RADIUS, REACH = 2.6, 12.0


@dataclass(frozen=True)
class Points:
    """What is drawn.

    Attributes
    ----------
    x, y
        Of the points, x ascending.
    marked
        The point with a ring; None without.
    shaded_to
        Up to which x nothing is chosen, shaded; None if there is no such zone.
    is_log
        Whether the horizontal axis is logarithmic.
    """

    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()
    marked: int | None = None
    shaded_to: float | None = None
    is_log: bool = True

    def scaled(self, x: float) -> float:
        """An x as the horizontal axis has it."""
        return math.log10(x) if self.is_log else x

    @cached_property
    def ranges(self) -> tuple[float, float, float, float]:
        """The ends of both axes, horizontally as they are drawn, with room for the mark."""
        x = [self.scaled(value) for value in self.x]
        low, high = min(x), max(x)
        bottom, top = min(self.y), max(self.y)
        if low == high:
            low, high = low - 0.5, high + 0.5
        if bottom == top:
            bottom, top = bottom - 0.5, top + 0.5
        edge = 0.04 * (high - low), 0.07 * (top - bottom)
        return low - edge[0], high + edge[0], bottom - edge[1], top + edge[1]


class CurvePlot(PaintedPlot):
    """Shows `Points`; a click near one is told by its number.

    Parameters
    ----------
    x_label, y_label
        Below and beside the axes.
    """

    clicked = Signal(int)

    def __init__(self, x_label: str, y_label: str, parent: QWidget | None = None) -> None:
        super().__init__(f"{y_label} over {x_label}", parent)
        self._labels = (x_label, y_label)
        self._points = Points()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Wide rather than high, larger with larger text."""
        height = LINES_HIGH * self.line_height
        return QSize(2 * height, height)

    def minimumSizeHint(self) -> QSize:
        """As high as it should be, and half as wide."""
        height = LINES_HIGH * self.line_height
        return QSize(height, height)

    def set_points(self, points: Points) -> None:
        """Show other points."""
        self._points = points
        said = "no curve yet"
        if points.x:
            said = f"{len(points.x)} points"
            if points.marked is not None:
                x, y = points.x[points.marked], points.y[points.marked]
                said += f", the best at {x:.4g}: {y:.4f}"
        self.setAccessibleDescription(said)
        self.update()

    def place(self, number: int) -> QPointF:
        """Where a point is in the widget."""
        return self._place(self._points.x[number], self._points.y[number])

    def nearest(self, position: QPointF) -> int | None:
        """The point within reach of a position; None if there is none."""
        best, shortest = None, REACH
        for number in range(len(self._points.x)):
            offset = self.place(number) - position
            distance = math.hypot(offset.x(), offset.y())
            if distance < shortest:
                best, shortest = number, distance
        return best

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Tell which point was clicked."""
        number = self.nearest(event.position())
        if number is not None:
            self.clicked.emit(number)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right go from point to point; other keys are the window's."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if event.key() not in steps or not self._points.x:
            super().keyPressEvent(event)
            return
        at = self._points.marked or 0
        self.clicked.emit(max(0, min(at + steps[Qt.Key(event.key())], len(self._points.x) - 1)))

    def paintEvent(self, event: object) -> None:
        """Paint all of it; a fraction of a millisecond."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area, points = self._area(), self._points
        if points.shaded_to is not None and points.x:
            right = self._place(points.shaded_to, points.y[0]).x()
            shade = QColor(self._point_color)
            shade.setAlpha(60)
            painter.fillRect(
                QRectF(area.left(), area.top(), right - area.left(), area.height()), shade
            )
        self.paint_frame(painter, area, *self._labels)
        if points.x:
            places = [self.place(i) for i in range(len(points.x))]
            self.paint_curve(painter, places)
            painter.setBrush(self._curve_color)
            for place in places:
                painter.drawEllipse(place, POINT_RADIUS, POINT_RADIUS)
            if points.marked is not None:
                self.paint_mark(painter, places[points.marked])
        self._write_numbers(painter, area)
        painter.end()

    def _area(self) -> QRectF:
        line = self.line_height
        left = line + self.fontMetrics().horizontalAdvance("0" * NUMBER_LETTERS)
        return QRectF(
            left, MARGIN, self.width() - left - MARGIN, self.height() - MARGIN - 2 * line - 2
        )

    def _place(self, x: float, y: float) -> QPointF:
        area = self._area()
        low, high, bottom, top = self._points.ranges
        return QPointF(
            area.left() + area.width() * (self._points.scaled(x) - low) / (high - low),
            area.bottom() - area.height() * (y - bottom) / (top - bottom),
        )

    def _write_numbers(self, painter: QPainter, area: QRectF) -> None:
        painter.setPen(self._text)
        points, line, center = self._points, self.line_height, Qt.AlignmentFlag.AlignCenter
        if not points.x:
            painter.drawText(area, center, "no curve yet")
            return
        for x in _chosen(points.x):
            at = self._place(x, points.y[0]).x()
            width = 8 * line
            box = QRectF(at - width / 2, area.bottom() + 2, width, line)
            painter.drawText(box, center, f"{x:.3g}")
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for y in dict.fromkeys((min(points.y), max(points.y))):
            at = self._place(points.x[0], y).y()
            box = QRectF(line, at - line / 2, area.left() - line - 4, line)
            painter.drawText(box, right, f"{y:.0f}" if abs(y) >= 1000 else f"{y:.4g}")


def _chosen(values: Sequence[float]) -> list[float]:
    """Return the ends and the middle: labels that never overlap."""
    return list(dict.fromkeys((values[0], values[len(values) // 2], values[-1])))
