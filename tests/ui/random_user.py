"""A user who does at random what can be done in a window, by real events of mouse and keyboard."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from qtpy.QtCore import QPoint, QPointF, Qt, QTimer
from qtpy.QtGui import QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QDockWidget,
    QHeaderView,
    QLineEdit,
    QMainWindow,
    QMenu,
    QScrollBar,
    QTabBar,
    QWidget,
)

from napari_colorkde.ui.widgets.painted_plot import PaintedPlot

ANSWER_MS = 25
"""How soon a menu or dialog that waits for an answer gets one."""

MOST_ANSWERS = 20
"""Then a dialog is closed."""

KEYS = (
    *(Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home),
    *(Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Plus, Qt.Key.Key_Minus, Qt.Key.Key_Tab),
    *(Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Escape, Qt.Key.Key_Delete, Qt.Key.Key_1),
    *(Qt.Key.Key_5, Qt.Key.Key_Period, Qt.Key.Key_E, Qt.Key.Key_Backspace),
)
CONTROL_KEYS = (Qt.Key.Key_Z, Qt.Key.Key_Y, Qt.Key.Key_C, Qt.Key.Key_V, Qt.Key.Key_A)
TEXTS = ("0", "1", "-1", "3.5", "1e3", "0.05", "50, 90", "nonsense", "")
MODIFIERS = (Qt.KeyboardModifier.NoModifier,) * 4 + (
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.AltModifier,
)
CONTROLS = (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QTabBar,
    QAbstractItemView,
    PaintedPlot,
)
CANVAS = "CanvasBackendDesktop"
NOT_OURS = ("QtCustomTitleBar", "QtViewerButtons", "QtLayerButtons")
"""Of napari: what takes docks away, and makes and shows layers of its own."""


class RandomUser:
    """Does one thing after another.

    Parameters
    ----------
    window
        Whose docks, canvases and dialogs are used.
    seed
        The same events come again, as far as what is on the screen is the same.

    Attributes
    ----------
    done
        What was done, in words.
    """

    def __init__(self, window: QMainWindow, seed: int) -> None:
        self._window, self._rng = window, np.random.default_rng(seed)
        self._n_answers = 0
        self.done: list[str] = []

    def act(self) -> None:
        """Do one thing, while `answering`."""
        dialogs = [
            w for w in QApplication.topLevelWidgets() if isinstance(w, QDialog) and w.isVisible()
        ]
        if dialogs and self._rng.random() < 0.15:
            self._say("close", dialogs[0])
            dialogs[0].close()
            return
        docks = [d for d in self._window.findChildren(QDockWidget) if d.isVisible()]
        # Layer controls are napari's own; its canvas and its list are used.
        ours = [d for d in docks if d.objectName() != "layer controls"]
        root = self._pick([*dialogs * 6, *ours * 3, self._window.centralWidget()])
        controls = [w for w in root.findChildren(QWidget) if _is_control(w)]
        if controls:
            self._use(self._pick(controls))

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Answer menus and dialogs that keep whoever opened them waiting, whenever they open."""
        timer = QTimer()
        timer.setInterval(ANSWER_MS)
        timer.timeout.connect(self._answer)
        timer.start()
        try:
            yield
        finally:
            timer.stop()

    def _answer(self) -> None:
        popup, dialog = QApplication.activePopupWidget(), QApplication.activeModalWidget()
        self._n_answers += 1
        with self.answering():
            if popup is not None:
                self._answer_popup(popup)
            elif dialog is not None:
                self._answer_dialog(dialog)

    def _answer_popup(self, popup: QWidget) -> None:
        actions = [a for a in popup.actions() if a.isVisible() and a.isEnabled()]
        if not isinstance(popup, QMenu) or not actions or self._rng.random() < 0.2:
            QTest.keyClick(
                popup, self._pick((Qt.Key.Key_Escape, Qt.Key.Key_Down, Qt.Key.Key_Return))
            )
            return
        action = self._pick(actions)
        self.done.append(f"menu {action.text()!r}")
        QTest.mouseClick(
            popup, Qt.MouseButton.LeftButton, pos=popup.actionGeometry(action).center()
        )

    def _answer_dialog(self, dialog: QWidget) -> None:
        controls = [w for w in dialog.findChildren(QWidget) if _is_control(w)]
        if not controls or self._n_answers > MOST_ANSWERS or self._rng.random() < 0.3:
            self._say("close", dialog)
            dialog.close()
        else:
            self._use(self._pick(controls))

    # --- what is done with what

    def _use(self, widget: QWidget) -> None:
        do: Callable[[QWidget], None] = self._point
        if isinstance(widget, QComboBox):
            do = self._pick((self._choose, self._type, self._turn_wheel))
        elif isinstance(widget, QAbstractSlider):
            do = self._pick((self._drag, self._type, self._turn_wheel, self._point))
        elif isinstance(widget, QAbstractSpinBox | QLineEdit):
            do = self._pick((self._write, self._type, self._turn_wheel))
        elif isinstance(widget, QAbstractButton):
            do = self._pick((self._point,) * 3 + (self._type,))
        elif isinstance(widget, QAbstractItemView) and widget.dragEnabled():
            do = self._type  # Qt's own loop of a drag would wait for a real mouse
        elif isinstance(widget, QAbstractItemView):
            do = self._pick((self._point, self._double, self._type, self._write))
        elif isinstance(widget, PaintedPlot) or type(widget).__name__ == CANVAS:
            do = self._pick((self._drag,) * 3 + (self._point, self._turn_wheel, self._type))
        self._say(do.__name__.strip("_"), widget)
        do(widget)

    def _point(self, widget: QWidget) -> None:
        target, place = self._place(widget)
        button = Qt.MouseButton.LeftButton
        if self._rng.random() < 0.1 and not isinstance(widget, QAbstractButton):
            button = Qt.MouseButton.RightButton
        QTest.mouseMove(target, place)
        QTest.mouseClick(target, button, self._pick(MODIFIERS), place)

    def _double(self, widget: QWidget) -> None:
        target, place = self._place(widget)
        QTest.mouseDClick(target, Qt.MouseButton.LeftButton, pos=place)

    def _drag(self, widget: QWidget) -> None:
        modifier = self._pick(MODIFIERS)
        target, place = self._place(widget)
        QTest.mouseMove(target, place)
        QTest.mousePress(target, Qt.MouseButton.LeftButton, modifier, place)
        for _ in range(self._rng.integers(2, 8)):
            _, place = self._place(widget)
            QTest.mouseMove(target, place)
            QApplication.processEvents()
        QTest.mouseRelease(target, Qt.MouseButton.LeftButton, modifier, place)

    def _choose(self, widget: QComboBox) -> None:
        widget.setFocus()
        for _ in range(self._rng.integers(1, 6)):
            QTest.keyClick(widget, self._pick((Qt.Key.Key_Down, Qt.Key.Key_Up)))

    def _type(self, widget: QWidget) -> None:
        widget.setFocus()
        if self._rng.random() < 0.2:
            control = Qt.KeyboardModifier.ControlModifier
            QTest.keyClick(widget, self._pick(CONTROL_KEYS), control)
        else:
            QTest.keyClick(widget, self._pick(KEYS))

    def _write(self, widget: QWidget) -> None:
        widget.setFocus()
        QTest.keyClick(widget, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        QTest.keyClicks(widget, self._pick(TEXTS))
        QTest.keyClick(widget, Qt.Key.Key_Return)

    def _turn_wheel(self, widget: QWidget) -> None:
        target, place = self._place(widget)
        turn = int(self._pick((-240, -120, 120, 240)))
        event = QWheelEvent(
            QPointF(place),
            QPointF(target.mapToGlobal(place)),
            QPoint(),
            QPoint(0, turn),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(target, event)

    # --- where, and in which words

    def _place(self, widget: QWidget) -> tuple[QWidget, QPoint]:
        target = widget.viewport() if isinstance(widget, QAbstractItemView) else widget
        if isinstance(widget, QAbstractButton):
            return target, target.rect().center()
        x, y = (self._rng.integers(1, max(2, n - 1)) for n in (target.width(), target.height()))
        return target, QPoint(int(x), int(y))

    def _pick(self, choices: Sequence[Any]) -> Any:
        return choices[int(self._rng.integers(len(choices)))]

    def _say(self, what: str, widget: QWidget) -> None:
        text = widget.text() if isinstance(widget, QAbstractButton) else ""
        name = text or widget.accessibleName() or widget.objectName() or widget.toolTip()[:30]
        self.done.append(f"{what} {type(widget).__name__} {name!r}")


def _is_control(widget: QWidget) -> bool:
    is_one = isinstance(widget, CONTROLS) or type(widget).__name__ == CANVAS
    is_part = isinstance(widget, QHeaderView | QScrollBar) or isinstance(
        widget.parent(), QComboBox | QAbstractSpinBox
    )
    leaves = type(widget.parent()).__name__ in NOT_OURS
    return is_one and not is_part and not leaves and widget.isVisible() and widget.isEnabled()


class GapWatch:
    """Measures how long the window's thread works without looking at events.

    Attributes
    ----------
    longest
        The longest time, in seconds of that thread's work: others may have the processor.
    """

    def __init__(self) -> None:
        self.longest, self._before = 0.0, 0.0
        self._timer = QTimer()
        self._timer.setInterval(5)
        self._timer.timeout.connect(self._on_beat)

    def __enter__(self) -> GapWatch:
        self._before = time.thread_time()
        self._timer.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._timer.stop()

    def _on_beat(self) -> None:
        now = time.thread_time()
        self.longest, self._before = max(self.longest, now - self._before), now
