"""The mouse on napari's canvas while pixels are picked: clicks and rectangles.

The viewer's own drags and double clicks are set aside meanwhile (Alt is one of its keys, too) and
put back afterwards. Wheel and right button stay napari's, to zoom.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from napari.components.overlays import ZoomOverlay
from numpy.typing import NDArray
from psygnal import Signal
from qtpy.QtCore import QObject, Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut, QWidget

from napari_colorkde.app.image.source import unwrap_proxy
from napari_colorkde.app.layers.layer_watch import image_layers
from napari_colorkde.connections import Connections
from napari_colorkde.ui.kernels.pick_modifiers import mode_of_event

if TYPE_CHECKING:
    from napari import Viewer
    from napari._vispy.mouse_event import NapariMouseEvent
    from napari.layers import Layer

BOX = "napari-colorkde picking"
"""Name of the rectangle among the canvas's overlays."""

CLICK_PIXELS = 4
"""Drags that are shorter on the screen are clicks."""

PAN_ZOOM = "pan_zoom"

Position = NDArray[np.float64]
Callback = Callable[..., object]


class PickMouse(QObject):
    """Turns drags on the canvas of a viewer into places of the world, while it is on.

    Parameters
    ----------
    viewer
        Whose canvas it is.
    parent
        In whose application Escape ends it.
    image
        Tells the layer that is picked from.
    """

    picked = Signal(object, str, description="World positions, one or four corners; and how.")
    missed = Signal(str, description="Of another picture, in whose cell of the grid was pressed.")
    stopped = Signal()

    def __init__(
        self, viewer: "Viewer", parent: QWidget, image: Callable[[], "Layer | None"]
    ) -> None:
        super().__init__(parent)
        self._owner, self._image = parent, image
        self._viewer: Viewer = unwrap_proxy(viewer)
        self.is_on = False
        self._box = ZoomOverlay()
        self._set_aside: tuple[list[Callback], list[Callback]] = ([], [])
        self._cursor = "standard"
        self._escape: QShortcut | None = None

    def start(self) -> None:
        """Take the mouse."""
        if self.is_on:
            return
        self.is_on = True
        viewer = self._viewer
        active = viewer.layers.selection.active
        if active is not None and active.mode != PAN_ZOOM:
            active.mode = PAN_ZOOM
        self._set_aside = (
            list(viewer.mouse_drag_callbacks),
            list(viewer.mouse_double_click_callbacks),
        )
        viewer.mouse_drag_callbacks[:] = [self._on_drag]
        viewer.mouse_double_click_callbacks.clear()
        viewer.canvas.overlays[BOX] = self._box
        self._cursor = viewer.cursor.style
        viewer.cursor.style = "crosshair"
        self._connections = Connections()
        self._connections.add(viewer.layers.selection.events.active, self._on_active)
        # Wherever the focus is, the canvas included.
        self._escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self._owner.window())
        self._escape.setContext(Qt.ShortcutContext.ApplicationShortcut)
        self._escape.activated.connect(self.stop)

    def stop(self) -> None:
        """Give the mouse back. May be called twice."""
        if not self.is_on:
            return
        self.is_on = False
        viewer = self._viewer
        for callbacks, before in zip(
            (viewer.mouse_drag_callbacks, viewer.mouse_double_click_callbacks),
            self._set_aside,
            strict=True,
        ):
            # What others have added meanwhile stays.
            later = [c for c in callbacks if c != self._on_drag and c not in before]
            callbacks[:] = before + later
        self._set_aside = ([], [])
        self._connections.close()
        self._box.visible = False
        viewer.canvas.overlays.pop(BOX, None)
        viewer.cursor.style = self._cursor
        if self._escape is not None:
            self._escape.setEnabled(False)
            self._escape.deleteLater()
            self._escape = None
        self.stopped.emit()

    def _on_active(self, event: object) -> None:
        # A layer that is selected brings its own cursor.
        self._viewer.cursor.style = "crosshair"

    def _on_drag(self, viewer: "Viewer", event: "NapariMouseEvent") -> Iterator[None]:
        active = viewer.layers.selection.active
        if active is not None and active.mode != PAN_ZOOM:
            # The user has taken up a brush.
            self.stop()
            return
        if event.button != 1:
            return
        event.handled = True
        other = other_picture(viewer, self._image(), event.viewbox)
        if other is not None:
            self.missed.emit(other.name)
            return
        how = mode_of_event(event.modifiers)
        pressed, first = np.array(event.pos), np.array(event.position)
        yield
        while event.type == "mouse_move":
            event.handled = True
            if self._is_drag(pressed, event):
                self._box.position = (tuple(pressed[::-1]), tuple(np.array(event.pos)[::-1]))
                self._box.visible = True
            yield
        event.handled = True
        self._box.visible = False
        if not self.is_on:
            return
        corners = [first]
        if self._is_drag(pressed, event):
            corners = _corners(first, np.array(event.position), list(event.dims_displayed)[-2:])
        self.picked.emit(corners, how)

    def _is_drag(self, pressed: Position, event: "NapariMouseEvent") -> bool:
        return bool(np.abs(np.array(event.pos) - pressed).max() >= CLICK_PIXELS)


def other_picture(viewer: "Viewer", image: "Layer | None", cell: tuple[int, int]) -> "Layer | None":
    """Return another picture in whose cell of napari's grid the mouse is.

    What we paint of the image, and layers that are no pictures, lie over it in cells of their own.

    Parameters
    ----------
    image
        The one that is meant.
    cell
        Row and column.
    """
    grid = viewer.canvas.grid
    if not grid.enabled:
        return None
    layers = [unwrap_proxy(layer) for layer in viewer.layers]
    inside = [layers[i] for at, found in grid.iter_viewboxes(layers) if at == cell for i in found]
    if image in inside:
        return None
    pictures = [layer for layer in image_layers(viewer) if layer in inside]
    return pictures[-1] if pictures else None


def _corners(first: Position, last: Position, displayed: list[int]) -> list[Position]:
    """The corners of the rectangle on the screen, in order."""
    second, fourth = first.copy(), first.copy()
    second[displayed[1]], fourth[displayed[0]] = last[displayed[1]], last[displayed[0]]
    return [first, second, last, fourth]
