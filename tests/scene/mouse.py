"""The left mouse button on a canvas."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

_LEFT, _NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def pixel_of(canvas: Any, color: Any) -> QPoint:
    """Return the pixel at which a color lies."""
    places = canvas.space.box.to_scene(np.atleast_2d(color))
    x, y = canvas.projection.on_screen(places)[0]
    return QPoint(round(x), round(y))


def click(canvas: Any, position: QPoint) -> None:
    QTest.mouseClick(canvas.native, _LEFT, _NO_KEY, position)


def drag(canvas: Any, *path: QPoint, keys: Qt.KeyboardModifier = _NO_KEY) -> None:
    """Press at the first pixel, move over the others, release at the last; with keys held."""
    QTest.mousePress(canvas.native, _LEFT, keys, path[0])
    for position in path[1:]:
        move(canvas.native, position, keys=keys)
    QTest.mouseRelease(canvas.native, _LEFT, keys, path[-1])


def hover(canvas: Any, position: QPoint) -> None:
    """Move the mouse to a pixel, no button held."""
    move(canvas.native, position, Qt.MouseButton.NoButton)


def move(
    native: Any,
    position: QPoint,
    button: Qt.MouseButton = _LEFT,
    keys: Qt.KeyboardModifier = _NO_KEY,
) -> None:
    """Send a move with a button held, which QTest's own does not."""
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(position),
        QPointF(native.mapToGlobal(position)),
        Qt.MouseButton.NoButton,
        button,
        keys,
    )
    # vispy passes over moves that follow each other within a sixtieth of a second.
    QTest.qWait(20)
    QApplication.sendEvent(native, event)
