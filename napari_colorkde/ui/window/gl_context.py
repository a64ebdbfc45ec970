"""OpenGL beside napari's own canvas."""

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QApplication, QMainWindow

from napari_colorkde.app.image.source import unwrap_proxy
from napari_colorkde.connections import Connections

if TYPE_CHECKING:
    from napari import Viewer


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

    def __init__(self, viewer: "Viewer", main_window: QMainWindow) -> None:
        events = unwrap_proxy(viewer).layers.events
        self._connections = Connections()
        central = main_window.centralWidget()
        self._canvas = None if central is None else central.findChild(QOpenGLWidget)
        if self._canvas is not None:
            # Weakly held, as a bound method is.
            self._connections.add(events.inserting, self._make_current)
            self._connections.add(events.removing, self._make_current)

    def _make_current(self, event: object) -> None:
        if self._canvas is not None:
            self._canvas.makeCurrent()

    def close(self) -> None:
        """Let go of the viewer and its canvas. May be called twice."""
        self._connections.close()
        self._canvas = None


def main_windows() -> list[QMainWindow]:
    """Return all main windows of the application."""
    return [w for w in QApplication.topLevelWidgets() if isinstance(w, QMainWindow)]


def keep_current(viewer: "Viewer", main_window: QMainWindow) -> None:
    """Keep a viewer's context current for as long as its window lives."""
    context = CurrentContext(viewer, main_window)
    # Qt holds a function strongly, and this one the context; a bound method it would not.
    main_window.destroyed.connect(partial(CurrentContext.close, context))
