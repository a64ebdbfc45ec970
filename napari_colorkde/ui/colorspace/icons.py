"""Icons of the color-space view, drawn in the theme's text color."""

from collections.abc import Callable

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap

SIDE = 18
TEXT_COLORS = {"dark": "#d6d6d8", "light": "#3c3c40"}


def icon(name: str, theme: str) -> QIcon:
    """Return an icon: "rotate", "lasso", "rectangle", "ball", "large", "exposure" or "floor"."""
    return QIcon(pixmap(name, theme))


def pixmap(name: str, theme: str, scale: int = 2) -> QPixmap:
    """Return the same as a picture of `SIDE` pixels, drawn `scale` times as finely."""
    picture = QPixmap(SIDE * scale, SIDE * scale)
    picture.setDevicePixelRatio(scale)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    color = QColor(TEXT_COLORS.get(theme, TEXT_COLORS["dark"]))
    painter.setPen(QPen(color, 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    _DRAWINGS[name](painter, color)
    painter.end()
    return picture


def _rotate(painter: QPainter, color: QColor) -> None:
    painter.drawArc(QRectF(3, 3, 12, 12), 60 * 16, 280 * 16)
    tip = QPainterPath(QPointF(11.2, 1.2))
    tip.lineTo(15.6, 4.6)
    tip.lineTo(10.8, 7.2)
    painter.fillPath(tip, color)


def _lasso(painter: QPainter, color: QColor) -> None:
    path = QPainterPath(QPointF(6, 12))
    path.cubicTo(QPointF(-1, 8), QPointF(5, 1), QPointF(11, 3))
    path.cubicTo(QPointF(19, 6), QPointF(13, 14), QPointF(6, 12))
    path.cubicTo(QPointF(3, 11), QPointF(4, 15), QPointF(8, 16))
    painter.drawPath(path)


def _rectangle(painter: QPainter, color: QColor) -> None:
    painter.setPen(QPen(color, 1.5, Qt.PenStyle.DashLine))
    painter.drawRect(QRectF(2.5, 4, 13, 10))


def _ball(painter: QPainter, color: QColor) -> None:
    painter.drawEllipse(QRectF(2.5, 2.5, 13, 13))
    painter.drawArc(QRectF(2.5, 6, 13, 6), 180 * 16, 180 * 16)


def _exposure(painter: QPainter, color: QColor) -> None:
    painter.drawEllipse(QPointF(9, 9), 3.2, 3.2)
    for x, y in (
        (1, 0),
        (0, 1),
        (-1, 0),
        (0, -1),
        (0.7, 0.7),
        (-0.7, 0.7),
        (0.7, -0.7),
        (-0.7, -0.7),
    ):
        painter.drawLine(QPointF(9 + 5.6 * x, 9 + 5.6 * y), QPointF(9 + 7.4 * x, 9 + 7.4 * y))


def _floor(painter: QPainter, color: QColor) -> None:
    hill = QPainterPath(QPointF(2, 14))
    hill.cubicTo(QPointF(7, 14), QPointF(7, 3), QPointF(9, 3))
    hill.cubicTo(QPointF(11, 3), QPointF(11, 14), QPointF(16, 14))
    painter.drawPath(hill)
    painter.setPen(QPen(color, 1.2, Qt.PenStyle.DotLine))
    painter.drawLine(QPointF(1.5, 9.5), QPointF(16.5, 9.5))


def _large(painter: QPainter, color: QColor) -> None:
    for corner, away in ((QPointF(15, 3), (-4, 4)), (QPointF(3, 15), (4, -4))):
        painter.drawLine(corner, corner + QPointF(*away) * 1.25)
        painter.drawLine(corner, corner + QPointF(away[0], 0))
        painter.drawLine(corner, corner + QPointF(0, away[1]))


_DRAWINGS: dict[str, Callable[[QPainter, QColor], None]] = {
    "rotate": _rotate,
    "lasso": _lasso,
    "rectangle": _rectangle,
    "ball": _ball,
    "large": _large,
    "exposure": _exposure,
    "floor": _floor,
}
