"""Drawing a region of colors with the mouse: a lasso, a rectangle, or a ball."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from psygnal import Signal
from vispy.scene import Node, SceneCanvas
from vispy.scene.visuals import Line

from napari_colorkde.connections import Connections
from napari_colorkde.scene.axes import SceneAxes
from napari_colorkde.scene.camera import FittedCamera
from napari_colorkde.scene.element import Element, ScreenSpace
from napari_colorkde.scene.geometry.box import Floats
from napari_colorkde.scene.geometry.projection import Projection
from napari_colorkde.scene.geometry.regions import (
    BallRegion,
    HalfSpace,
    Region,
    ScreenRegion,
    ball_outline,
    distance_from_ray,
)
from napari_colorkde.scene.input.events import KeyEvent, MouseEvent
from napari_colorkde.scene.theme import THEMES, Theme

TOOLS = ("rotate", "lasso", "rectangle", "ball")
_ORDER = 50
# A lasso takes a point where the mouse has moved so many pixels.
_STRIDE = 3.0
# Smaller ones are clicks: they select nothing.
_MIN_PIXELS = 3.0


class RegionTool(Element):
    """Turns drags into regions while another tool than "rotate" is chosen.

    Parameters
    ----------
    canvas : SceneCanvas
        Whose events are listened to.
    camera : vispy camera
        Kept still while a region is drawn.
    projection : Projection
        Where things of the scene are on the screen, and back.
    color_under : callable
        Pixels (2,) → the color (C,) that is seen there, or None.
    visible : callable
        () → what a cut leaves to be seen, or None without a cut.

    Attributes
    ----------
    mode : str
        What the last drag was for: "new", with Shift "add", with Alt "subtract".
    """

    changed = Signal(object, description="A region is being drawn.")
    drawn = Signal(object, description="The drawing has ended: a region, or None.")
    canceled = Signal(description="Esc was pressed while nothing was being drawn.")

    def __init__(
        self,
        canvas: SceneCanvas,
        camera: FittedCamera,
        projection: Projection,
        *,
        color_under: Callable[[Floats], Floats | None],
        visible: Callable[[], HalfSpace | None],
    ) -> None:
        super().__init__()
        self._canvas, self._camera = canvas, camera
        self._projection = projection
        self._color_under, self._visible = color_under, visible
        self._theme = THEMES["dark"]
        self._tool = "rotate"
        self.mode = "new"
        self._path: list[Floats] = []
        self._center: Floats | None = None
        self._canceled = False
        events = canvas.events
        self._connections = Connections()
        self._connections.add_at(events.mouse_press, self._on_press, "first")
        self._connections.add_at(events.mouse_move, self._on_move, "first")
        self._connections.add_at(events.mouse_release, self._on_release, "first")
        self._connections.add(events.key_press, self._on_key)

    @property
    def tool(self) -> str:
        """One of `TOOLS`."""
        return self._tool

    @tool.setter
    def tool(self, tool: str) -> None:
        if tool not in TOOLS:
            raise ValueError(f"tool must be one of {', '.join(TOOLS)}, not {tool!r}.")
        self._tool = tool
        self._end()

    @property
    def is_needed(self) -> bool:
        """Whether a region can be drawn: to make its outline takes longer than to draw it."""
        return self._tool != "rotate"

    def close(self) -> None:
        """Let go of the canvas."""
        self._end()
        self._connections.close()

    def make(self, scene: Node, overlay: ScreenSpace) -> None:
        """Make the outline."""
        node = Line(np.zeros((2, 2), np.float32), method="gl", parent=overlay.node)
        node.set_gl_state("translucent", depth_test=False)
        node.order = _ORDER
        self.nodes = [node]

    def fill(self) -> None:
        """Draw the outline."""
        (node,) = self.nodes
        node.visible = len(self._path) > 1
        if node.visible:
            outline = self._outline()
            closed = np.concatenate([outline, outline[:1]]).astype(np.float32)
            node.set_data(pos=closed, color=(*self._theme.text, 0.9))

    def set_theme(self, theme: Theme) -> None:
        """Recolor the outline."""
        self._theme = theme
        self.refresh()

    # --- the mouse

    def _on_press(self, event: MouseEvent) -> None:
        if event.button != 1 or self._tool == "rotate" or self.space is None:
            return
        position = np.asarray(event.pos, dtype=float)[:2]
        if self._tool == "ball":
            self._center = self._color_under(position)
            if self._center is None:
                return
        held = {key.name for key in event.modifiers}
        self.mode = "add" if "Shift" in held else "subtract" if "Alt" in held else "new"
        self._path = [position]
        self._camera.interactive = False

    def _on_move(self, event: MouseEvent) -> None:
        if not self._path:
            return
        position = np.asarray(event.pos, dtype=float)[:2]
        if self._tool == "lasso":
            if np.linalg.norm(position - self._path[-1]) < _STRIDE:
                return
            self._path.append(position)
        else:
            self._path = [self._path[0], position]
        self.refresh()
        self._canvas.update()
        region = self._region()
        if region is not None:
            self.changed.emit(region)

    def _on_release(self, event: MouseEvent) -> None:
        if not self._path:
            if self._canceled:
                self._give_back_camera()
            return
        self._on_move(event)
        region = self._region()
        self._end()
        self.drawn.emit(region)

    def _on_key(self, event: KeyEvent) -> None:
        if event.key is None or event.key.name != "Escape" or self._tool == "rotate":
            return
        event.handled = True
        if self._path:
            self._end()
            # With the button still held, the mouse would turn the view.
            self._canceled, self._camera.interactive = True, False
            self.drawn.emit(None)
        else:
            self.canceled.emit()

    def _give_back_camera(self) -> None:
        self._canceled = False
        self._camera.interactive = not self._camera.is_flat

    def _end(self) -> None:
        if self._path or self._canceled:
            self._give_back_camera()
        self._path, self._center = [], None
        self.refresh()
        self._canvas.update()

    def _outline(self) -> Floats:
        """Return the outline's corners, (M, 2) pixels."""
        if self._tool == "lasso":
            return np.array(self._path)
        first, last = self._path[0], self._path[-1]
        if self._tool == "rectangle":
            return np.array([first, [last[0], first[1]], last, [first[0], last[1]]])
        space, center = self.space, self._center
        if space is None or center is None:
            return np.array([first, last])
        return ball_outline(center, self._radius(center, space), space.box, self._matrix())

    def _region(self) -> Region | None:
        space = self.space
        if space is None or not self._path:
            return None
        if np.ptp(np.array(self._path), axis=0).max() < _MIN_PIXELS:
            return None
        left = self._visible()
        if self._tool == "ball":
            center = self._center
            return None if center is None else BallRegion(center, self._radius(center, space), left)
        return ScreenRegion.from_outline(self._outline(), self._matrix(), space.box, left)

    def _matrix(self) -> Floats:
        """Return what maps the scene to the screen now; the view may turn later."""
        offset = self._projection.homogeneous(np.zeros((1, 3)))
        return np.concatenate([self._projection.homogeneous(np.eye(3)) - offset, offset])

    def _radius(self, center: Floats, space: SceneAxes) -> float:
        """Return the radius, image units, of the ball that is seen to end under the mouse."""
        return distance_from_ray(self._projection.ray_at(self._path[-1]), center, space.box)
