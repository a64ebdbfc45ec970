"""Whether this machine can draw the view, and vispy's OpenGL set-up for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import vispy
from qtpy.compat import isalive
from vispy import app
from vispy.gloo import gl
from vispy.gloo.context import get_current_canvas
from vispy.scene import SceneCanvas

_GL_MAX_3D_TEXTURE_SIZE = 0x8073
# A volume of 256 points along an edge must fit.
_ENOUGH = 256


class NoOpenGLError(RuntimeError):
    """The view cannot be drawn here; the message is a sentence for the user."""


def use_full_gl() -> None:
    """Give vispy the whole of OpenGL: 3-D textures and instances are beyond its default subset."""
    vispy.use(gl="gl+")


@contextmanager
def current_canvas_restored(canvas: SceneCanvas | None = None) -> Iterator[None]:
    """Give OpenGL back to the canvas that had it, unless that is `canvas` itself.

    vispy sends commands, deletions among them, to whatever context is current: another canvas in
    the same process, napari's for one, must not find ours in its place.
    """
    before = get_current_canvas()
    try:
        yield
    finally:
        # One that was closed with its window had it last until something else is drawn.
        if before is not None and before is not canvas and isalive(before.native):
            before.set_current()


@cache
def _obstacle() -> str:
    """Try a hidden canvas; return what stands in the way, or an empty string."""
    use_full_gl()
    with current_canvas_restored():
        return _try_hidden_canvas()


def _try_hidden_canvas() -> str:
    canvas = SceneCanvas(size=(16, 16), show=False, create_native=True)
    native = canvas.native
    try:
        # Qt makes the context of a widget that was never shown only when asked for a picture.
        native.grabFramebuffer()
        if not native.isValid():
            return "OpenGL is not available on this display, so the color space cannot be drawn."
        canvas.set_current()
        size = gl.glGetParameter(_GL_MAX_3D_TEXTURE_SIZE)
        if size < _ENOUGH:
            return f"This OpenGL has no 3-D textures of {_ENOUGH}³ (at most {size}³)."
        return ""
    finally:
        canvas.close()
        native.deleteLater()


def probe() -> None:
    """Raise `NoOpenGLError` where the view cannot be drawn. Needs a QApplication; asked once."""
    obstacle = _obstacle()
    if obstacle:
        raise NoOpenGLError(obstacle)


class OneViewCanvas(SceneCanvas):
    """A canvas of one view, which gets all that the mouse does.

    vispy would draw the whole scene once more to find out what was clicked. That takes as long as a
    picture, and fails in a context that has come since.
    """

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        self.unfreeze()
        self.view = self.central_widget.add_view()
        self.freeze()

    def visual_at(self, pos: object) -> object:
        """Return the view, wherever the mouse is."""
        return self.view


class ContextWatcher:
    """Says when a canvas loses its OpenGL context, and when it has another.

    Parameters
    ----------
    canvas : SceneCanvas
        A new one.
    on_going : callable
        Called while the context that goes is still there.
    on_replaced : callable
        Called once there is another, out of Qt's own initialization.
    """

    def __init__(
        self, canvas: SceneCanvas, on_going: Callable[[], None], on_replaced: Callable[[], None]
    ) -> None:
        self._canvas, self._on_going, self._on_replaced = canvas, on_going, on_replaced
        self._has_context = False
        self._timer = app.Timer(interval=0, connect=self._on_time)
        canvas.events.initialize.connect(self._on_initialize)

    def close(self) -> None:
        """Let go of the canvas."""
        self._timer.stop()
        self._timer.disconnect()
        self._canvas.events.initialize.disconnect(self._on_initialize)

    def _on_initialize(self, event: object) -> None:
        # Everything that lives in a context goes before the context does.
        self._canvas.native.context().aboutToBeDestroyed.connect(self._on_going)
        if self._has_context:
            self._timer.start()
        self._has_context = True

    def _on_time(self, event: object) -> None:
        self._timer.stop()
        self._on_replaced()
