"""OpenGL beside napari's own canvas."""

from functools import partial
from typing import Any

from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QApplication, QMainWindow

from napari_colorkde.app.image.source import unwrap_proxy


class CurrentContext:
    """Makes napari's OpenGL context current before layers come and go.

    vispy flushes deletions of OpenGL objects in whatever context is current. Beside a second canvas
    that is not napari's, and the next draw ends the process.

    Parameters
    ----------
    viewer
        A napari viewer or a proxy of one.
    main_window
        Its window.
    """

    def __init__(self, viewer: Any, main_window: QMainWindow) -> None:
        self._events = unwrap_proxy(viewer).layers.events
        central = main_window.centralWidget()
        self._canvas = None if central is None else central.findChild(QOpenGLWidget)
        if self._canvas is not None:
            # Weakly held, as a bound method is.
            self._events.inserting.connect(self._make_current)
            self._events.removing.connect(self._make_current)

    def _make_current(self, event: object) -> None:
        if self._canvas is not None:
            self._canvas.makeCurrent()

    def close(self) -> None:
        """Let go of the viewer and its canvas. May be called twice."""
        if self._canvas is not None:
            self._events.inserting.disconnect(self._make_current)
            self._events.removing.disconnect(self._make_current)
            self._canvas = None


def main_windows() -> list[QMainWindow]:
    """All main windows of the application."""
    return [w for w in QApplication.topLevelWidgets() if isinstance(w, QMainWindow)]


def keep_current(viewer: Any, main_window: QMainWindow) -> None:
    """Keep a viewer's context current for as long as its window lives."""
    context = CurrentContext(viewer, main_window)
    # Qt holds a function strongly, and this one the context; a bound method it would not.
    main_window.destroyed.connect(partial(CurrentContext.close, context))
