"""One column of two docks: one above the other in a high window, tabs in a low one."""

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow

from napari_colorkde.ui.widgets.focus_ring import text_scale

MIN_STACKED_HEIGHT = 800
"""Pixels of a window in which both docks have room one above the other, with the usual font."""

WIDTH_FRACTION, MIN_WIDTH = 0.32, 420
"""Of the window, and pixels: the column's width at first."""

MIN_UPPER, MAX_UPPER = 0.5, 0.72
"""What the upper dock has of the column's height, at first."""

LOW_UPPER, LOW_HEIGHT = 0.54, 370
"""What it has of a lower column, up to so many pixels: its legend needs them."""

SETTLE_MS = 200
N_REPEATS = 3
SIDES = (Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea)


class Column(QObject):
    """Arranges two docks when it is made, and again where a window becomes high, or low.

    What the user has moved elsewhere stays there.

    Parameters
    ----------
    window
        Whose docks they are.
    upper
        Gets all height that the lower one does not need.
    lower
        At a side of the window.
    """

    def __init__(self, window: QMainWindow, upper: QDockWidget, lower: QDockWidget) -> None:
        super().__init__()
        self._window: QMainWindow | None = window
        self._upper, self._lower = upper, lower
        self._is_stacked: bool | None = None
        self._total, self._n_left = 0, 0
        self._settled = QTimer(self)
        self._settled.setSingleShot(True)
        self._settled.setInterval(SETTLE_MS)
        self._settled.timeout.connect(self._on_settled)
        self._raised = QTimer(self)
        self._raised.setSingleShot(True)
        self._raised.setInterval(SETTLE_MS)
        self._raised.timeout.connect(self._on_arranged)
        self.arrange()
        window.installEventFilter(self)

    def close(self) -> None:
        """Look at the window no more. May be called twice."""
        self._settled.stop()
        self._raised.stop()
        if self._window is not None and isalive(self._window):
            self._window.removeEventFilter(self)
        self._window = None

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Wait until the window keeps its size; hold nothing back."""
        if event is not None and event.type() == QEvent.Type.Resize:
            self._settled.start()
        return False

    def is_settled(self) -> bool:
        """Whether Qt, too, is done with laying out what was put in its place."""
        return self._n_left == 0

    def arrange(self) -> None:
        """Put the docks where they belong, with the sizes that they have at first."""
        window, upper, lower = self._window, self._upper, self._lower
        if window is None or not self._can_arrange():
            return
        area = window.dockWidgetArea(lower)
        self._is_stacked = window.height() >= MIN_STACKED_HEIGHT * text_scale()
        if not self._is_stacked:
            window.tabifyDockWidget(lower, upper)
        else:
            if upper in window.tabifiedDockWidgets(lower):
                # Beside a tab, Qt would only add another one.
                window.removeDockWidget(upper)
                window.addDockWidget(area, upper)
                upper.show()
            # Qt puts the second one below the first.
            window.splitDockWidget(upper, lower, Qt.Orientation.Vertical)
            # What the docks have now is not settled yet.
            bars = (window.menuBar(), window.statusBar())
            total = window.height() - sum(bar.height() for bar in bars if bar is not None)
            self._total = total
            self._resize()
        width = max(MIN_WIDTH, round(WIDTH_FRACTION * window.width()))
        window.resizeDocks([upper, lower], [width] * 2, Qt.Orientation.Horizontal)
        # Qt goes on to lay its docks out for a while, by what they would like to have.
        self._n_left = N_REPEATS
        self._raised.start()

    def _resize(self) -> None:
        if self._window is not None:
            heights = _heights(self._total, self._lower)
            docks = [self._upper, self._lower]
            self._window.resizeDocks(docks, heights, Qt.Orientation.Vertical)

    def _on_arranged(self) -> None:
        if self._is_stacked is None or not self._can_arrange():
            return
        if self._is_stacked:
            self._resize()
        else:
            self._upper.raise_()
        self._n_left -= 1
        if self._n_left > 0:
            self._raised.start()

    def _can_arrange(self) -> bool:
        if self._window is None or not isalive(self._upper) or not isalive(self._lower):
            return False
        docks = (self._upper, self._lower)
        if any(dock.isFloating() for dock in docks):
            return False
        return self._window.dockWidgetArea(self._lower) in SIDES

    def _on_settled(self) -> None:
        window = self._window
        if window is None or self._is_stacked is None or not self._can_arrange():
            return
        is_stacked = self._upper not in window.tabifiedDockWidgets(self._lower)
        same_side = window.dockWidgetArea(self._upper) == window.dockWidgetArea(self._lower)
        wanted = window.height() >= MIN_STACKED_HEIGHT * text_scale()
        # Where it stands as it was put, the user has not moved it.
        if same_side and is_stacked == self._is_stacked != wanted:
            self.arrange()


def _heights(total: int, lower: QDockWidget) -> list[int]:
    """Return the heights of both docks: the lower one as high as it needs to be."""
    content, bar = lower.widget(), lower.titleBarWidget()
    needed = 0 if content is None else content.sizeHint().height()
    needed += 0 if bar is None else bar.height()
    least = max(MIN_UPPER * total, min(LOW_UPPER * total, LOW_HEIGHT))
    height = round(min(max(total - needed, least), MAX_UPPER * total))
    return [height, total - height]
