"""A curve, painted: axes, points, a shaded zone, a mark; it says which point was clicked.

A few lines of painting show within a hundredth of what a plotting library takes to load.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from napari.utils.theme import get_theme
from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

HEIGHT = 150
LEFT, BOTTOM, TOP, RIGHT = 52, 30, 8, 8
POINT_RADIUS, MARK_RADIUS, REACH = 2.6, 5.0, 12.0
CURVE_COLORS = {"dark": "#56b4e9", "light": "#0072b2"}
POINT_COLORS = {"dark": "#e69f00", "light": "#d55e00"}


@dataclass(frozen=True, slots=True)
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


class CurvePlot(QWidget):
    """Shows `Points`; a click near one is told by its number.

    Parameters
    ----------
    x_label, y_label
        Below and beside the axes.
    """

    clicked = Signal(int)

    def __init__(self, x_label: str, y_label: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._labels = (x_label, y_label)
        self._points = Points()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumHeight(HEIGHT)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(f"{y_label} over {x_label}")
        self.set_theme("dark")

    def sizeHint(self) -> QSize:
        """Wide rather than high."""
        return QSize(2 * HEIGHT, HEIGHT)

    def set_theme(self, theme: str) -> None:
        """Follow napari's theme."""
        look = get_theme(theme)
        self._text, self._frame = (QColor(c.as_hex()) for c in (look.text, look.secondary))
        kind = "light" if QColor(look.background.as_hex()).lightness() > 127 else "dark"
        self._curve_color = QColor(CURVE_COLORS[kind])
        self._point_color = QColor(POINT_COLORS[kind])
        self.update()

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

    def mousePressEvent(self, event: object) -> None:
        """Tell which point was clicked."""
        number = self.nearest(event.position())  # type: ignore[attr-defined]  # QMouseEvent
        if number is not None:
            self.clicked.emit(number)

    def keyPressEvent(self, event: object) -> None:
        """Left and right go from point to point; other keys are the window's."""
        key = event.key()  # type: ignore[attr-defined]  # QKeyEvent
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if key not in steps or not self._points.x:
            super().keyPressEvent(event)
            return
        at = self._points.marked or 0
        self.clicked.emit(max(0, min(at + steps[key], len(self._points.x) - 1)))

    def paintEvent(self, event: object) -> None:
        """Paint all of it; a fraction of a millisecond."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = self.font()
        font.setPixelSize(10)
        painter.setFont(font)
        area, points = self._area(), self._points
        if points.shaded_to is not None and points.x:
            right = self._place(points.shaded_to, points.y[0]).x()
            shade = QColor(self._point_color)
            shade.setAlpha(60)
            painter.fillRect(
                QRectF(area.left(), area.top(), right - area.left(), area.height()), shade
            )
        painter.setPen(QPen(self._frame, 1))
        painter.drawRect(area)
        self._write(painter, area)
        if points.x:
            places = [self.place(i) for i in range(len(points.x))]
            line = QPainterPath()
            line.addPolygon(QPolygonF(places))
            painter.setPen(QPen(self._curve_color, 1.8))
            painter.drawPath(line)
            painter.setBrush(self._curve_color)
            for place in places:
                painter.drawEllipse(place, POINT_RADIUS, POINT_RADIUS)
            if points.marked is not None:
                painter.setPen(QPen(self._text, 1))
                painter.setBrush(self._point_color)
                painter.drawEllipse(places[points.marked], MARK_RADIUS, MARK_RADIUS)
        painter.end()

    def _area(self) -> QRectF:
        return QRectF(LEFT, TOP, self.width() - LEFT - RIGHT, self.height() - TOP - BOTTOM)

    def _ranges(self) -> tuple[float, float, float, float]:
        """The ends of both axes, horizontally as they are drawn."""
        points = self._points
        x = [self._scaled(value) for value in points.x]
        low, high = min(x), max(x)
        bottom, top = min(points.y), max(points.y)
        if low == high:
            low, high = low - 0.5, high + 0.5
        if bottom == top:
            bottom, top = bottom - 0.5, top + 0.5
        # Room for the mark.
        edge = 0.04 * (high - low), 0.07 * (top - bottom)
        return low - edge[0], high + edge[0], bottom - edge[1], top + edge[1]

    def _scaled(self, x: float) -> float:
        return math.log10(x) if self._points.is_log else x

    def _place(self, x: float, y: float) -> QPointF:
        area = self._area()
        low, high, bottom, top = self._ranges()
        return QPointF(
            area.left() + area.width() * (self._scaled(x) - low) / (high - low),
            area.bottom() - area.height() * (y - bottom) / (top - bottom),
        )

    def _write(self, painter: QPainter, area: QRectF) -> None:
        painter.setPen(self._text)
        below = QRectF(area.left(), area.bottom() + 14, area.width(), 14)
        painter.drawText(below, Qt.AlignmentFlag.AlignCenter, self._labels[0])
        painter.save()
        painter.translate(0, area.bottom())
        painter.rotate(-90)
        beside = QRectF(0, 0, area.height(), 12)
        painter.drawText(beside, Qt.AlignmentFlag.AlignCenter, self._labels[1])
        painter.restore()
        if not self._points.x:
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, "no curve yet")
            return
        for x in _chosen(self._points.x):
            at = self._place(x, self._points.y[0]).x()
            painter.drawText(
                QRectF(at - 30, area.bottom() + 2, 60, 12), Qt.AlignmentFlag.AlignCenter, f"{x:.3g}"
            )
        bottom, top = min(self._points.y), max(self._points.y)
        for y in dict.fromkeys((bottom, top)):
            at = self._place(self._points.x[0], y).y()
            box = QRectF(12, at - 7, LEFT - 16, 14)
            flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(box, flags, f"{y:.0f}" if abs(y) >= 1000 else f"{y:.4g}")


def _chosen(values: Sequence[float]) -> list[float]:
    """Return the ends and the middle: labels that never overlap."""
    return list(dict.fromkeys((values[0], values[len(values) // 2], values[-1])))
