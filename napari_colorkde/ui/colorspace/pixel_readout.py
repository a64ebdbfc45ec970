"""The pixel under the mouse: marked in the color space, shown in the status bar."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari_colorkde.app.density.readout import Readout, entry_at, readout, readout_text
from napari_colorkde.app.image.source import unwrap_proxy
from napari_colorkde.app.layers.overlay import Overlay
from napari_colorkde.app.selection.from_layers import pixel_positions
from napari_colorkde.app.session import Session
from napari_colorkde.connections import Connections
from napari_colorkde.scene.canvas import ColorSpaceCanvas

if TYPE_CHECKING:
    from napari import Viewer
    from napari.utils.events import Event

Status = str | dict[str, object]
"""What napari shows in its status bar."""

SEPARATOR = "   "
"""Between napari's own status and ours."""


class PixelReadout:
    """Follows the mouse over napari's canvas.

    napari writes its status from a thread of its own, some time after the mouse has moved; each
    time it does, what is known of the pixel is written behind.

    Parameters
    ----------
    viewer
        A napari viewer or a proxy of one.
    session, overlay
        Whose image is read.
    canvas
        The color-space view that shows the marker.
    """

    def __init__(
        self, viewer: "Viewer", session: Session, overlay: Overlay, canvas: ColorSpaceCanvas
    ) -> None:
        self._viewer = unwrap_proxy(viewer)
        self._session, self._overlay, self._canvas = session, overlay, canvas
        self._entry: int | None = None
        self._base: Status = self._viewer.status
        self._written: Status | None = None
        self.text = ""
        self._viewer.mouse_move_callbacks.append(self._on_move)
        # Behind napari's own, which would write the older status over ours.
        self._connections = Connections()
        self._connections.add_at(self._viewer.events.status, self._on_status, "last")
        self._connections.add(self._viewer.events.mouse_over_canvas, self._on_over)
        self._connections.add(session.source_changed, self._forget)
        self._connections.add(session.counted_changed, self._forget)
        self._connections.add(session.densities_changed, self._on_densities)

    def close(self) -> None:
        """Let go of the viewer and the session."""
        self._take_back()
        self._viewer.mouse_move_callbacks.remove(self._on_move)
        self._connections.close()

    # --- napari

    def _on_move(self, viewer: object, event: "Event") -> None:
        self._show(self._entry_under(event.position))

    def _on_over(self, event: "Event") -> None:
        if not event.value:
            self._forget()

    def _on_status(self, event: "Event") -> None:
        # napari announces what is written here once it has announced its own.
        if self._viewer.status != self._written:
            self._base = self._viewer.status
            self._write()

    # --- the session

    def _on_densities(self, densities: object) -> None:
        if self._entry is not None:
            self._tell(self._entry)
            self._write()

    def _forget(self, *args: object) -> None:
        self._show(None)

    # --- within

    def _entry_under(self, position: Sequence[float]) -> int | None:
        image, index, channels = self._overlay.image, self._session.index, self._session.channels
        if image is None or index is None or channels is None:
            return None
        if self._viewer.dims.ndisplay != 2 or image not in self._viewer.layers:
            return None
        world = position[-image.ndim :]
        return entry_at(index, pixel_positions(image, channels, [world])[0])

    def _show(self, entry: int | None) -> None:
        if entry == self._entry:
            return
        self._entry = entry
        if entry is None or self._session.palette is None:
            self._entry, self.text = None, ""
            self._canvas.set_marker(None)
            self._take_back()
            return
        self._canvas.set_marker(self._tell(entry).place)

    def _tell(self, entry: int) -> Readout:
        session = self._session
        coordinates = None if session.estimate is None else session.estimate.coordinates
        palette, densities = session.palette, session.densities
        if palette is None:
            raise RuntimeError("there is no image.")
        known = readout(entry, palette, coordinates, densities)
        self.text = readout_text(known, coordinates, densities)
        return known

    def _write(self) -> None:
        """Put what is known behind what napari has written."""
        if not self.text:
            return
        base = self._base
        if isinstance(base, dict):
            before = base.get("coordinates", "")
            self._written = {**base, "coordinates": f"{before}{SEPARATOR}{self.text}"}
        else:
            self._written = f"{base}{SEPARATOR}{self.text}"
        self._viewer.status = self._written

    def _take_back(self) -> None:
        """Leave napari's own status alone, unless it has said something else meanwhile."""
        if self._written is not None and self._viewer.status == self._written:
            self._viewer.status = self._base
        self._written = None
