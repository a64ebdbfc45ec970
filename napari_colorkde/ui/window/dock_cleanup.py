"""Docks of napari's window: their titles, their position, and cleanup before they close."""

import atexit
from collections.abc import Callable
from weakref import WeakMethod, ref

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QDockWidget, QLabel, QMainWindow

from napari_colorkde.ui.window.background_thread import wait_for_closed

COLUMN_WIDTH = 430


class CloseWatcher(QObject):
    """Calls back when a window has agreed to be closed, while all in it is still whole.

    napari deletes its window within ``viewer.close()``; `destroyed` is then too late for what must
    be taken apart in order, such as a canvas.
    """

    def __init__(self, window: QMainWindow, callback: Callable[[], None]) -> None:
        super().__init__()
        self._window, self._callback = window, callback
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Let the window decide about closing first; hold nothing else back."""
        if watched is None or event is None or event.type() != QEvent.Type.Close:
            return False
        watched.event(event)
        if event.isAccepted():
            self._callback()
        return True

    def close(self) -> None:
        """Look at the window no more. May be called twice."""
        if self._window is not None and isalive(self._window):
            self._window.removeEventFilter(self)
        self._window = None


class TitleOverride(QObject):
    """Keeps a dock's title short: napari's own repeats the name of the plugin.

    napari makes the title bar anew whenever the dock is floated or moved.
    """

    def __init__(self, dock: QDockWidget, title: str) -> None:
        super().__init__(dock)
        self._dock, self._title = dock, title
        dock.topLevelChanged.connect(self._later)
        dock.dockLocationChanged.connect(self._later)
        self._write()

    def _later(self, *args: object) -> None:
        QTimer.singleShot(0, self._write)

    def _write(self) -> None:
        self._dock.setWindowTitle(self._title)  # on its tab
        bar = self._dock.titleBarWidget()
        label = bar.findChild(QLabel) if bar is not None else None
        if label is not None:
            label.setText(self._title)


def delete_later(widget: QObject) -> None:
    """Have Qt delete a widget, unless a window that was closed first took it along."""
    if isalive(widget):
        widget.deleteLater()


def close_at_exit(window: QMainWindow, close: Callable[[], None]) -> None:
    """Call a method, held weakly, if Python ends while the window is open.

    A script need not close its viewer. Qt then deletes in an order of its own what PyQt has not
    deleted before it, and a slot that meets half of it ends the process.
    """
    _open_windows[:] = [pair for pair in _open_windows if pair[0]() is not None]
    _open_windows.append((ref(window), WeakMethod(close)))


_open_windows: list[tuple["ref[QMainWindow]", "WeakMethod[Callable[[], None]]"]] = []


# Later than PyQt's own clean-up was registered, so called before it.
@atexit.register
def _close_open_windows() -> None:
    for window_ref, close_ref in reversed(_open_windows):
        window, close = window_ref(), close_ref()
        if window is not None and isalive(window) and close is not None:
            close()
    wait_for_closed()


def window_of(dock: QObject | None) -> QMainWindow | None:
    """Return the main window a dock widget belongs to, floating or not."""
    parent = dock.parent() if isinstance(dock, QDockWidget) else None
    return parent if isinstance(parent, QMainWindow) else None
