"""The controls of a stack in true color: its visibility, and how values become opacity."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from magicgui.widgets import CheckBox
from psygnal import Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QWidget

from napari_colorkde.app.classification.threshold import threshold_range
from napari_colorkde.app.density.request import ColorValues
from napari_colorkde.app.image.source import unwrap_proxy
from napari_colorkde.app.layers.overlay import Overlay
from napari_colorkde.app.layers.voxels.voxel_layer import VoxelLayer
from napari_colorkde.app.layers.voxels.voxel_opacity import Range, opacity_range
from napari_colorkde.app.session import Session
from napari_colorkde.app.settings.voxel_settings import VoxelSettings
from napari_colorkde.connections import Connections
from napari_colorkde.ui.report_errors import report_errors
from napari_colorkde.ui.widgets.forms import form, set_row_visible
from napari_colorkde.ui.widgets.number_slider import NumberSlider

if TYPE_CHECKING:
    from napari import Viewer

TOOLTIP = (
    "Show the stack in its own colors in napari's 3-D view, with opacity set by the overlay's "
    "values, so that only voxels of the chosen kernels or class are visible. The image and the "
    "overlay are hidden meanwhile."
)

AROUND = 5
"""How many times the automatic range the sliders reach below it."""

LEAST_WIDTH = 1e-3
"""Of the range of the values: the least distance of clear and opaque."""


class VoxelControls(QWidget):
    """Sets the session's voxels, and owns their layer.

    Parameters
    ----------
    viewer
        Is switched to three dimensions when the user asks for them.
    session, overlay
        What is set and followed.
    """

    failed = Signal(str, description="Why a request was refused; a sentence.")

    def __init__(
        self, viewer: "Viewer", session: Session, overlay: Overlay, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer: Viewer = unwrap_proxy(viewer)
        self._session = session
        self._least_width = LEAST_WIDTH
        self.layer = VoxelLayer(viewer, session, overlay)
        self.shown = CheckBox(name="voxels", text="true color", tooltip=TOOLTIP)
        self.clear, self.opaque = (
            NumberSlider(0.0, 1.0, minimum=-1e9, maximum=1e9, decimals=3, tooltip=tooltip)
            for tooltip in (
                "Voxels at or below this value are clear.",
                "Voxels at or above this value are opaque; between the two, opacity increases "
                "linearly.",
            )
        )
        self._form = form(
            [("3-D", [self.shown]), ("clear", [self.clear]), ("opaque", [self.opaque])], self
        )
        self.shown.changed.connect(self._on_shown)
        self.clear.moved.connect(self._on_clear)
        self.opaque.moved.connect(self._on_opaque)
        self._connections = Connections()
        for signal in (
            session.state_changed,
            session.densities_changed,
            session.source_changed,
            session.choices_changed,
        ):
            self._connections.add(signal, self._follow_if_seen)
        self._sync()

    def close_session(self) -> None:
        """Take the layer away, and let go of the session and the viewer."""
        self._connections.close()
        self.layer.close()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Catch up with the session."""
        super().showEvent(event)
        self._sync()

    # --- what the user does

    def _on_shown(self, shown: bool) -> None:
        if self._ask(lambda: self._session.set_voxels(show=shown)) and shown:
            self._viewer.dims.ndisplay = 3

    def _on_clear(self, value: float) -> None:
        opaque = max(self.opaque.value, value + self._least_width)
        self._ask(lambda: self._session.set_voxels("opacity", opacity=(value, opaque)))

    def _on_opaque(self, value: float) -> None:
        clear = min(self.clear.value, value - self._least_width)
        self._ask(lambda: self._session.set_voxels("opacity", opacity=(clear, value)))

    def _ask(self, change: Callable[[], None]) -> bool:
        """Ask the session; where it refuses, say why and show what it has."""
        is_done = report_errors(change, self.failed.emit)
        if not is_done:
            self._sync()
        return is_done

    # --- what the session says

    def _follow_if_seen(self, *args: object) -> None:
        if self.isVisible():
            self._sync()

    def _sync(self) -> None:
        session = self._session
        voxels, densities = session.state.voxels, session.densities
        obstacle = "Open a stack first." if session.source is None else session.voxel_obstacle()
        with self.shown.changed.blocked():
            self.shown.value = voxels.show
        self.shown.enabled = voxels.show or not obstacle
        self.shown.tooltip = obstacle or TOOLTIP
        chosen = None
        if voxels.show and not obstacle and densities is not None and densities.request.kernels:
            chosen = opacity_range(densities, voxels)
            if chosen is not None:
                ends = _slider_ends(densities, chosen)
                self._least_width = LEAST_WIDTH * (ends[1] - ends[0])
                for slider, value in zip((self.clear, self.opaque), chosen, strict=True):
                    slider.set_range(*ends)
                    slider.set(value)
        for row in (1, 2):
            set_row_visible(self._form, row, chosen is not None)


def _slider_ends(densities: ColorValues, chosen: Range) -> Range:
    """Ends that suit the values: around the automatic range, and with the chosen one in them."""
    low, high = threshold_range(densities)
    first, last = opacity_range(densities, VoxelSettings()) or chosen
    low = max(low, first - AROUND * (last - first))
    return min(low, first, chosen[0]), max(high, last, chosen[1])
