"""The canvas and the life of its OpenGL context. It holds parts, not knowing what they show."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal
from vispy import app
from vispy.scene import SceneCanvas

from napari_colorkde.scene.annotations.rulers import on_screen
from napari_colorkde.scene.camera import FittedCamera
from napari_colorkde.scene.element import Element, ScreenSpace
from napari_colorkde.scene.geometry.box import Floats
from napari_colorkde.scene.geometry.rays import Ray
from napari_colorkde.scene.gl import current_canvas_restored, use_full_gl
from napari_colorkde.scene.render import layout_size, render_at
from napari_colorkde.scene.theme import Theme, get_theme

# Fine drawing comes back this many seconds after the last movement.
_IDLE = 0.2
# Auto-rotation: degrees a second, and pictures a second that are asked for.
_ROTATION, _ROTATION_RATE = 20.0, 30.0


class BaseCanvas:
    """A vispy canvas with a turntable camera, whose parts outlive its OpenGL context.

    Parameters
    ----------
    theme : str or Theme
        "dark", "light", or a theme of one's own.

    Attributes
    ----------
    is_busy : callable or None
        Whether the program computes; fine drawing waits until it does not.
    """

    context_lost = Signal(
        description="The OpenGL context was replaced, as Qt does when a dock is floated; the view "
        "has rebuilt itself from the arrays it was given."
    )
    idle = Signal(description="The view is drawn finely again after it was moved.")

    def __init__(self, theme: str | Theme = "dark") -> None:
        use_full_gl()
        self._theme = get_theme(theme)
        self._canvas = SceneCanvas(
            size=(430, 360), show=False, keys=None, bgcolor=self._theme.background
        )
        self._canvas.native.setMinimumSize(120, 120)
        self._view = self._canvas.central_widget.add_view()
        self._camera = FittedCamera()
        self._view.camera = self._camera
        self.is_busy: Callable[[], bool] | None = None
        self._elements: list[Element] = []
        self._overlay = ScreenSpace(self._canvas.scene)
        self._high_quality = True
        self._built = True
        self._initialized = False
        self._closed = False

        self._idle_timer = app.Timer(interval=_IDLE, connect=self._on_idle)
        self._rotation_timer = app.Timer(interval=1 / _ROTATION_RATE, connect=self._on_rotation)
        self._rebuild_timer = app.Timer(interval=0, connect=self._on_rebuild)
        events = self._canvas.events
        events.draw.connect(self._on_draw, position="first")
        events.resize.connect(self._on_resize)
        events.mouse_move.connect(self._on_mouse)
        events.mouse_wheel.connect(self._on_mouse)
        events.initialize.connect(self._on_initialize)

    @property
    def native(self) -> Any:
        """The widget (a QWidget) to put into a window."""
        return self._canvas.native

    @property
    def is_high_quality(self) -> bool:
        """Whether it is drawn finely: nothing has moved for a while."""
        return self._high_quality

    def set_theme(self, theme: str | Theme) -> None:
        """Recolor background, ticks and texts: "dark", "light" or a `Theme`."""
        self._theme = get_theme(theme)
        self._canvas.bgcolor = self._theme.background
        for element in self._elements:
            element.set_theme(self._theme)
        self._canvas.update()

    # --- the camera

    def reset_camera(self) -> None:
        """Go back to the first view."""
        self._camera.reset()
        self._moved()

    @property
    def viewpoint(self) -> tuple[float, ...] | None:
        """Where it is looked from, see `FittedCamera.viewpoint`; None: the first view."""
        return self._camera.viewpoint

    @viewpoint.setter
    def viewpoint(self, viewpoint: tuple[float, ...] | None) -> None:
        self._camera.viewpoint = viewpoint
        self._moved()

    @property
    def perspective(self) -> bool:
        """Whether the projection is perspective, not orthographic."""
        return self._camera.perspective

    @perspective.setter
    def perspective(self, on: bool) -> None:
        self._camera.perspective = on
        self._canvas.update()

    @property
    def auto_rotate(self) -> bool:
        """Whether the view turns by itself."""
        return bool(self._rotation_timer.running)

    @auto_rotate.setter
    def auto_rotate(self, on: bool) -> None:
        if on and not self._closed:
            self._rotation_timer.start()
        else:
            self._rotation_timer.stop()

    def rotate(self, azimuth: float, elevation: float = 0.0) -> None:
        """Rotate the view by degrees, to the right and upwards."""
        self._camera.orbit(azimuth, elevation)
        self._moved()

    # --- pictures

    def render(self, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
        """Return a picture of the view, finely drawn.

        Parameters
        ----------
        size : (width, height) or None
            Pixels. None: the canvas's own. Texts and lines grow with the picture.

        Returns
        -------
        (height, width, 4) uint8 array
        """
        own: tuple[int, int] = tuple(self._canvas.size)
        logical: tuple[float, float] = own
        if size is None:
            scale = self._canvas.pixel_scale
            size = int(own[0] * scale), int(own[1] * scale)
        else:
            logical = layout_size(size)
        if not self._canvas.native.isValid():
            # Never shown: Qt makes the context when it is asked for a picture.
            self._canvas.native.grabFramebuffer()
        central = self._canvas.central_widget
        fine = self._high_quality
        try:
            central.size = logical
            self._camera.refit()
            self._set_quality(True)
            self._follow_camera()
            with current_canvas_restored(self._canvas):
                return render_at(self._canvas, logical, size)
        finally:
            central.size = own
            self._camera.refit()
            self._set_quality(fine)
            self._follow_camera()

    # --- life

    def release(self) -> None:
        """Give all OpenGL resources back while their context still exists; nothing is drawn.

        The arrays are kept: `rebuild` makes everything again.
        """
        if not self._built:
            return
        self._built = False
        self._idle_timer.stop()
        self._canvas.events.draw.block()
        for element in self._elements:
            element.release()
        # Its glyphs are a texture; deleted in the next context, that would be someone else's.
        self._overlay = ScreenSpace(self._canvas.scene)
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
        for element in self._elements:
            self._build(element)
        if not self._high_quality:
            self._idle_timer.start()
        # vispy still waits for a draw it asked for while drawing was blocked: ask Qt itself.
        self._canvas.native.update()

    def close(self) -> None:
        """Release everything and delete the widget. May be called twice."""
        if self._closed:
            return
        self._closed = True
        for timer in (self._idle_timer, self._rotation_timer, self._rebuild_timer):
            timer.stop()
            timer.disconnect()
        self.is_busy = None
        for signal in (self.context_lost, self.idle):
            signal.disconnect()
        self.release()
        native = self._canvas.native
        events = self._canvas.events
        events.initialize.disconnect(self._on_initialize)
        events.mouse_move.disconnect(self._on_mouse)
        events.mouse_wheel.disconnect(self._on_mouse)
        events.resize.disconnect(self._on_resize)
        with current_canvas_restored(self._canvas):
            self._canvas.close()
        native.setParent(None)
        native.deleteLater()

    # --- for subclasses

    def _add(self, element: Element) -> None:
        """Take `element` into the view."""
        self._elements.append(element)
        if self._built:
            self._build(element)

    def _remove(self, element: Element) -> None:
        """Take `element` out of the view."""
        self._elements.remove(element)
        element.release()

    def _project(self, points: Floats) -> Floats:
        """Map scene points (N, 3) to homogeneous pixels of the canvas (N, 4)."""
        transform = self._view.scene.node_transform(self._canvas.scene)
        return np.asarray(transform.map(np.asarray(points, dtype=float)))

    def _on_screen(self, points: Floats) -> Floats:
        """Map scene points (N, 3) to pixels of the canvas (N, 2)."""
        return on_screen(self._project, points)

    def _ray_at(self, pixel: Floats) -> Ray:
        """Return what lies behind a pixel of the canvas, in the scene."""
        transform = self._view.scene.node_transform(self._canvas.scene)
        ends = transform.imap(np.array([[*pixel[:2], z, 1.0] for z in (-1.0, 1.0)]))
        near, far = ends[:, :3] / ends[:, 3:]
        return Ray(near, (far - near) / np.linalg.norm(far - near))

    def _moved(self) -> None:
        """Draw fast, and finely again once nothing has moved for a while."""
        self._set_quality(False)
        self._idle_timer.stop()
        if not self._closed:
            self._idle_timer.start()
        self._canvas.update()

    # --- within

    def _build(self, element: Element) -> None:
        element.set_theme(self._theme)
        element.set_quality(self._high_quality)
        element.build(self._view.scene, self._overlay)

    def _follow_camera(self) -> None:
        for element in self._elements:
            element.follow(self._project)

    def _set_quality(self, fine: bool) -> None:
        self._high_quality = fine
        for element in self._elements:
            element.set_quality(fine)

    def _on_draw(self, event: Any) -> None:
        self._follow_camera()

    def _on_resize(self, event: Any) -> None:
        self._camera.refit()

    def _on_mouse(self, event: Any) -> None:
        if event.type == "mouse_wheel" or event.is_dragging:
            self._moved()

    def _on_idle(self, event: Any) -> None:
        if self.is_busy is not None and self.is_busy():
            return  # asked again after another interval
        # By itself, a vispy timer ends one interval after its last event.
        self._idle_timer.stop()
        self._set_quality(True)
        self._canvas.update()
        self.idle.emit()

    def _on_rotation(self, event: Any) -> None:
        self.rotate(_ROTATION / _ROTATION_RATE)

    def _on_initialize(self, event: Any) -> None:
        """Note that a context was made: the first one, or one that replaces a lost one."""
        # Everything that lives in a context goes before the context does.
        self._canvas.native.context().aboutToBeDestroyed.connect(self._on_context_going)
        if self._initialized:
            # Not within Qt's own initialization.
            self._rebuild_timer.start()
        self._initialized = True

    def _on_context_going(self) -> None:
        try:
            self._canvas.native.isVisible()
        except RuntimeError:
            # Qt is deleting the widget itself, unclosed; its context's objects go with it.
            self._closed = True
        else:
            self.release()

    def _on_rebuild(self, event: Any) -> None:
        self._rebuild_timer.stop()
        self.rebuild()
        self.context_lost.emit()
