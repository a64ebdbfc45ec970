"""Clicking and dragging ellipsoids."""

from __future__ import annotations

import numpy as np
from psygnal import Signal
from qtpy.QtCore import Qt
from vispy.scene import SceneCanvas

from napari_colorkde.connections import Connections
from napari_colorkde.scene.camera import FittedCamera
from napari_colorkde.scene.ellipsoids.ellipsoid_set import EllipsoidSet
from napari_colorkde.scene.ellipsoids.ellipsoid_visual import Ellipsoids
from napari_colorkde.scene.geometry.box import ColorBox, Floats
from napari_colorkde.scene.geometry.projection import Projection
from napari_colorkde.scene.geometry.rays import hit_plane, nearest_on_line
from napari_colorkde.scene.input.events import MouseEvent

# Pixels within which a handle or the mean is grasped, and by which a click may slip.
_GRASP, _SLIP = 9.0, 3.0
# What the mouse looks like over what can be grasped.
_CURSORS = {"mean": Qt.CursorShape.OpenHandCursor, "axis": Qt.CursorShape.CrossCursor}
# A half-axis is not dragged below this fraction of the box.
_THINNEST = 1e-3


class EllipsoidMouse:
    """Turns mouse events into what happens to ellipsoids.

    A click selects. Of the selected ellipsoid the body and its middle move the mean, within the
    plane through it that faces the eye, and a handle stretches its axis; elsewhere dragging turns
    the view.

    Parameters
    ----------
    canvas : SceneCanvas
        Whose events are listened to.
    camera : vispy camera
        Kept still during a drag.
    projection : Projection
        Where things of the scene are on the screen, and back.
    ellipsoids : Ellipsoids
        What is clicked and dragged.

    Attributes
    ----------
    is_enabled : bool
        Whether presses are heeded.
    """

    clicked = Signal(object, description="Number of an ellipsoid, or None: none was hit.")
    moved = Signal(int, np.ndarray, description="Its mean (C,) is being dragged; image units.")
    reshaped = Signal(int, np.ndarray, description="Its covariance (C, C) is being dragged.")
    released = Signal(int, description="A drag has ended.")

    def __init__(
        self,
        canvas: SceneCanvas,
        camera: FittedCamera,
        projection: Projection,
        ellipsoids: Ellipsoids,
    ) -> None:
        self._canvas = canvas
        self._camera = camera
        self._projection = projection
        self._ellipsoids = ellipsoids
        self._drag: tuple[str, int, int] | None = None  # what, of which ellipsoid, which axis
        self._grip = np.zeros(3)  # from the mouse to the mean
        self._slack = 0.0  # from the mouse on to the end of the axis, along it in the scene
        self._cursor: str | None = None
        self._pressed_at: Floats | None = None
        self._has_moved = False
        self.is_enabled = True
        events = canvas.events
        # Before the camera hears of it.
        self._connections = Connections()
        self._connections.add_at(events.mouse_press, self._on_press, "first")
        self._connections.add_at(events.mouse_move, self._on_move, "first")
        self._connections.add_at(events.mouse_release, self._on_release, "first")

    @property
    def is_dragging(self) -> bool:
        """Whether an ellipsoid is held."""
        return self._drag is not None

    def close(self) -> None:
        """Let go of the canvas."""
        self._let_go()
        self._connections.close()

    def _on_press(self, event: MouseEvent) -> None:
        shown, space = self._ellipsoids.shown, self._ellipsoids.space
        if event.button != 1 or not self.is_enabled or shown is None or space is None:
            return
        position = np.asarray(event.pos, dtype=float)[:2]
        self._pressed_at = position
        self._drag = self._under_mouse(position)
        if self._drag is None:
            return
        what, k, axis = self._drag
        mean = space.box.to_scene(shown.means[k])
        if what == "mean":
            point = self._under(position, mean)
            self._grip = np.zeros(3) if point is None else mean - point
        else:
            lengths = self._length(position, shown, space.box, k, axis)
            self._slack = 0.0 if lengths is None else lengths[1] - lengths[0]
            self._ellipsoids.is_held = True
        self._camera.interactive = False

    def _under_mouse(self, position: Floats) -> tuple[str, int, int] | None:
        """Return what can be grasped there, of which ellipsoid, and which axis; None: nothing."""
        shown, space = self._ellipsoids.shown, self._ellipsoids.space
        if shown is None or space is None or shown.selected is None:
            return None
        k = shown.selected
        self._ellipsoids.follow(self._projection.homogeneous)
        mean = space.box.to_scene(shown.means[k])
        places = self._projection.on_screen(
            np.concatenate([[mean], self._ellipsoids.handle_places()])
        )
        distances = np.linalg.norm(places - position, axis=1)
        nearest = int(np.argmin(np.where(np.isfinite(distances), distances, np.inf)))
        if distances[nearest] <= _GRASP:
            return ("axis", k, (nearest - 1) // 2) if nearest > 0 else ("mean", k, -1)
        return (
            ("mean", k, -1)
            if self._ellipsoids.is_hit(self._projection.ray_at(position), k)
            else None
        )

    def _on_move(self, event: MouseEvent) -> None:
        shown, space = self._ellipsoids.shown, self._ellipsoids.space
        position = np.asarray(event.pos, dtype=float)[:2]
        if event.button is None and not event.is_dragging:
            self._show_cursor(position)
        if self._drag is None or shown is None or space is None or self._is_click(position):
            return
        what, k, axis = self._drag
        if what == "mean":
            point = self._under(position, space.box.to_scene(shown.means[k]))
            if point is None:
                return
            moved = space.box.to_color(point + self._grip)
            self._ellipsoids.show(shown.with_mean(k, moved))
            self.moved.emit(k, moved)
        else:
            lengths = self._length(position, shown, space.box, k, axis)
            if lengths is None:
                return
            length = max(lengths[0] + self._slack, _THINNEST)
            sigma = float(np.linalg.norm(shown.axes[k, :, axis])) * length / lengths[1]
            reshaped = shown.with_axis(k, axis, sigma)
            self._ellipsoids.show(reshaped)
            self.reshaped.emit(k, reshaped.covariance(k))
        self._canvas.update()

    def _on_release(self, event: MouseEvent) -> None:
        # vispy leaves out moves that follow each other quickly: the last one may come only now.
        self._on_move(event)
        position = np.asarray(event.pos, dtype=float)[:2]
        pressed, was_click = self._pressed_at is not None, self._is_click(position)
        drag = self._drag
        self._let_go()
        if pressed and was_click:
            self.clicked.emit(self._ellipsoids.hit(self._projection.ray_at(position)))
        elif drag is not None:
            self.released.emit(drag[1])

    def _is_click(self, position: Floats) -> bool:
        """Say whether the mouse has not really moved since it was pressed."""
        if self._pressed_at is None or self._has_moved:
            return False
        self._has_moved = bool(np.linalg.norm(position - self._pressed_at) > _SLIP)
        return not self._has_moved

    def _let_go(self) -> None:
        self._pressed_at = None
        self._has_moved = False
        if self._drag is not None:
            self._drag = None
            self._ellipsoids.is_held = False
            self._camera.interactive = not self._camera.is_flat

    def _under(self, position: Floats, point: Floats) -> Floats | None:
        """Return what lies under the mouse in the plane through `point` that faces the eye."""
        middle = np.asarray(self._canvas.size, dtype=float) / 2
        return hit_plane(
            self._projection.ray_at(position), point, self._projection.ray_at(middle).direction
        )

    def _length(
        self, position: Floats, shown: EllipsoidSet, box: ColorBox, k: int, axis: int
    ) -> tuple[float, float] | None:
        """Return how far along an axis the mouse is from the mean, and how long the half-axis is.

        Both in the scene. None where the axis is seen end-on.
        """
        mean = box.to_scene(shown.means[k])
        line = box.to_scene(shown.means[k] + shown.radius * shown.axes[k, :, axis]) - mean
        t = nearest_on_line(self._projection.ray_at(position), mean, line)
        length = float(np.linalg.norm(line))
        return None if t is None else (abs(t) * length, length)

    def _show_cursor(self, position: Floats) -> None:
        """Show what would be grasped at a position."""
        held = self._under_mouse(position) if self.is_enabled else None
        what = None if held is None else held[0]
        if what != self._cursor:
            self._cursor = what
            if what is None:
                self._canvas.native.unsetCursor()
            else:
                self._canvas.native.setCursor(_CURSORS[what])
