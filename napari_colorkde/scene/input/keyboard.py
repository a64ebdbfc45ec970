"""Keys that rotate and zoom the view."""

from __future__ import annotations

from collections.abc import Callable

from vispy.scene import SceneCanvas

from napari_colorkde.connections import Connections
from napari_colorkde.scene.camera import FittedCamera
from napari_colorkde.scene.input.events import KeyEvent

# Degrees that a key turns by, and with Shift; what a key zooms by.
_STEP, _FINE_STEP, _ZOOM = 10.0, 2.0, 1.15
_TURNS = {"Left": (-1.0, 0.0), "Right": (1.0, 0.0), "Up": (0.0, 1.0), "Down": (0.0, -1.0)}
_ZOOMS = {"+": _ZOOM, "=": _ZOOM, "-": 1 / _ZOOM}


class Keyboard:
    """Turns the view with the arrows, by small steps with Shift; + and − zoom, Home resets.

    Parameters
    ----------
    canvas : SceneCanvas
        Whose keys are listened to.
    camera : FittedCamera
        Where it is looked from.
    on_moved : callable
        Called when the camera was moved.
    """

    def __init__(
        self, canvas: SceneCanvas, camera: FittedCamera, on_moved: Callable[[], None]
    ) -> None:
        self._camera, self._on_moved = camera, on_moved
        self._connections = Connections()
        self._connections.add(canvas.events.key_press, self._on_key)

    def close(self) -> None:
        """Let go of the canvas."""
        self._connections.close()

    def _on_key(self, event: KeyEvent) -> None:
        if event.handled or event.key is None:
            return
        name = event.key.name
        step = _FINE_STEP if any(key.name == "Shift" for key in event.modifiers) else _STEP
        if self._camera.is_flat:
            return
        if name in _TURNS:
            right, up = _TURNS[name]
            self._camera.orbit(step * right, step * up)
        elif name in _ZOOMS:
            self._camera.scale_factor /= _ZOOMS[name]
        elif name == "Home":
            self._camera.reset()
        else:
            return
        event.handled = True
        self._on_moved()
