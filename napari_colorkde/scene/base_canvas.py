"""The canvas and the life of its OpenGL context. It holds elements, not knowing what they show."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal
from qtpy.compat import isalive

from napari_colorkde.connections import Connections
from napari_colorkde.scene.camera import FittedCamera
from napari_colorkde.scene.element import Element, ScreenSpace
from napari_colorkde.scene.geometry.box import Floats
from napari_colorkde.scene.geometry.projection import Projection
from napari_colorkde.scene.gl.context import (
    ContextWatcher,
    OneViewCanvas,
    current_canvas_restored,
    use_full_gl,
)
from napari_colorkde.scene.gl.render import layout_size, render_at
from napari_colorkde.scene.input.events import MouseEvent
from napari_colorkde.scene.input.motion import RestTimer
from napari_colorkde.scene.theme import Rgb, Theme, get_theme

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget


class BaseCanvas:
    """A vispy canvas with a turntable camera, whose parts outlive its OpenGL context.

    Parameters
    ----------
    theme : str or Theme
        "gray", "dark", "light", or one's own.

    Attributes
    ----------
    is_busy : callable or None
        Whether the program computes; fine drawing waits until it does not.
    elements : list of Element
        What is drawn.
    camera : FittedCamera
        Where it is looked from.
    projection : Projection
        Where things of the scene are on the screen, and back.
    """

    context_lost = Signal(
        description="The OpenGL context was replaced, as Qt does when a dock is floated; the view "
        "has rebuilt itself from the arrays it was given."
    )
    idle = Signal(description="The view is drawn finely again after it was moved.")

    def __init__(self, theme: str | Theme = "dark") -> None:
        use_full_gl()
        self._theme = get_theme(theme)
        self._canvas = OneViewCanvas(
            size=(430, 360), show=False, keys=None, bgcolor=self._theme.background
        )
        self._canvas.native.setMinimumSize(120, 120)
        self._view = self._canvas.view
        self.camera = FittedCamera()
        self._view.camera = self.camera
        self.projection = Projection(self._project, self._unproject)
        self.is_busy: Callable[[], bool] | None = None
        self.elements: list[Element] = []
        self._overlay = ScreenSpace(self._canvas.scene)
        self._high_quality = True
        self._built = True
        self._closed = False

        self._rest = RestTimer(self._on_rest)
        events = self._canvas.events
        self._connections = Connections()
        self._connections.add_at(events.draw, self.follow_camera, "first")
        self._connections.add(events.resize, self._on_resize)
        self._connections.add(events.mouse_move, self._on_mouse)
        self._connections.add(events.mouse_wheel, self._on_mouse)
        self._context = ContextWatcher(self._canvas, self._on_context_going, self._on_replaced)

    @property
    def native(self) -> QWidget:
        """The widget (a QWidget) to put into a window."""
        return self._canvas.native

    @property
    def is_high_quality(self) -> bool:
        """Whether it is drawn finely: nothing has moved for a while."""
        return self._high_quality

    @property
    def theme(self) -> Theme:
        """Colors of everything that is not a color of the image."""
        return self._theme

    def set_theme(self, theme: str | Theme) -> None:
        """Recolor background, ticks and texts: "dark", "light" or a `Theme`."""
        self._theme = get_theme(theme)
        self._canvas.bgcolor = self._theme.background
        for element in self.elements:
            element.set_theme(self._theme)
        self._canvas.update()

    @property
    def text_scale(self) -> float:
        """How large numbers and names are, times their usual size."""
        return self._overlay.text_scale

    @text_scale.setter
    def text_scale(self, scale: float) -> None:
        if scale == self._overlay.text_scale:
            return
        self._overlay.text_scale = self.camera.text_scale = scale
        for element in self.elements if self._built else ():
            element.release()
            self._build(element)
        self.camera.refit()
        self._canvas.update()

    # --- pictures

    def render(
        self,
        size: tuple[int, int] | None = None,
        *,
        logical: tuple[float, float] | None = None,
        background: Rgb | None = None,
        fine: bool = True,
    ) -> NDArray[np.uint8]:
        """Return a picture of the view, (height, width, 4) uint8.

        Parameters
        ----------
        size : (width, height) or None
            Pixels. None: the canvas's own. Texts and lines grow with the picture.
        logical : (width, height) or None
            Pixels in which texts and lines have the sizes that they have on the canvas.
        background : tuple of float or None
            In place of the theme's.
        fine : bool
            Whether it is drawn as at rest, not as while the view moves.
        """
        own: tuple[int, int] = tuple(self._canvas.size)
        logical = logical or (own if size is None else layout_size(size))
        if size is None:
            scale = self._canvas.pixel_scale
            size = int(own[0] * scale), int(own[1] * scale)
        if not self._canvas.native.isValid():
            # Never shown: Qt makes the context when it is asked for a picture.
            self._canvas.native.grabFramebuffer()
        shade = self._theme.background if background is None else background
        with self.laid_out(logical, fine=fine), current_canvas_restored(self._canvas):
            return render_at(self._canvas, logical, size, shade)

    @contextmanager
    def laid_out(self, size: tuple[float, float], *, fine: bool = True) -> Iterator[None]:
        """Lay everything out in a canvas of this size while inside."""
        own, before = tuple(self._canvas.size), self._high_quality
        try:
            self._adapt(size, fine)
            yield
        finally:
            self._adapt(own, before)

    # --- life

    def release(self) -> None:
        """Give all OpenGL resources back while their context still exists; nothing is drawn.

        The arrays are kept: `rebuild` makes everything again.
        """
        if not self._built:
            return
        self._built = False
        self._rest.stop()
        self._canvas.events.draw.block()
        for element in self.elements:
            element.release()
        # Its glyphs are a texture; deleted in the next context, that would be someone else's.
        self._overlay = ScreenSpace(self._canvas.scene, self._overlay.text_scale)
        gc.collect()
        with current_canvas_restored(self._canvas):
            self._canvas.set_current()
            self._canvas.context.flush_commands()

    def rebuild(self) -> None:
        """Make everything anew, in the canvas's present context."""
        if self._built or self._closed:
            return
        self._built = True
        self._canvas.events.draw.unblock()
        for element in self.elements:
            self._build(element)
        if not self._high_quality:
            self._rest.restart()
        # vispy still waits for a draw it asked for while drawing was blocked: ask Qt itself.
        self._canvas.native.update()

    def close(self) -> None:
        """Release everything and delete the widget. May be called twice."""
        if self._closed:
            return
        self._closed = True
        self._rest.close()
        self.is_busy = None
        self.context_lost.disconnect()
        self.idle.disconnect()
        self.release()
        native = self._canvas.native
        self._connections.close()
        self._context.close()
        with current_canvas_restored(self._canvas):
            self._canvas.close()
        native.setParent(None)
        native.deleteLater()

    # --- what is drawn

    def add(self, element: Element) -> None:
        """Take an element into the view."""
        self.elements.append(element)
        if self._built:
            self._build(element)

    def remove(self, element: Element) -> None:
        """Take an element out of the view."""
        self.elements.remove(element)
        element.release()

    def draw_fast(self) -> None:
        """Draw fast, and finely again once nothing has moved for a while."""
        self._set_quality(False)
        if not self._closed:
            self._rest.restart()
        self._canvas.update()

    def _build(self, element: Element) -> None:
        element.set_theme(self._theme)
        element.set_quality(self._high_quality)
        element.build(self._view.scene, self._overlay)

    def _project(self, points: Floats) -> Floats:
        return np.asarray(self._view.scene.node_transform(self._canvas.scene).map(points))

    def _unproject(self, pixels: Floats) -> Floats:
        return np.asarray(self._view.scene.node_transform(self._canvas.scene).imap(pixels))

    def follow_camera(self, event: object = None) -> None:
        """Let all elements adapt to the camera, as they do before each drawing."""
        for element in self.elements:
            element.follow(self.projection.homogeneous)

    def _adapt(self, size: tuple[float, float], fine: bool) -> None:
        self._canvas.central_widget.size = size
        self.camera.refit()
        self._set_quality(fine)
        self.follow_camera()

    def _set_quality(self, fine: bool) -> None:
        self._high_quality = fine
        for element in self.elements:
            element.set_quality(fine)

    def _on_resize(self, event: object) -> None:
        self.camera.refit()

    def _on_mouse(self, event: MouseEvent) -> None:
        if event.type == "mouse_wheel" or event.is_dragging:
            self.draw_fast()

    def _on_rest(self) -> bool:
        if self.is_busy is not None and self.is_busy():
            return False
        self._set_quality(True)
        self._canvas.update()
        self.idle.emit()
        return True

    def _on_context_going(self) -> None:
        if isalive(self._canvas.native):
            self.release()
        else:
            # Qt is deleting the widget itself, unclosed; its context's objects go with it.
            self._closed = True

    def _on_replaced(self) -> None:
        self.rebuild()
        self.context_lost.emit()
