"""The color-space view with its controls: what stands in the dock "Color space"."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal
from qtpy.compat import isalive
from qtpy.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_colorkde.app.density.color_coordinates import (
    PaletteCoordinates,
    display_of_rgb,
    gamut_outline,
)
from napari_colorkde.app.density.compute import Estimate
from napari_colorkde.app.image.counting import CountedImage
from napari_colorkde.app.jobs import user_message
from napari_colorkde.app.session import Session
from napari_colorkde.app.state import State
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.ui.colorspace.marginal_planes import MarginalPlanes
from napari_colorkde.ui.colorspace.menu import ColorSpaceMenu
from napari_colorkde.ui.colorspace.picture_dialog import ask_picture, save_picture
from napari_colorkde.ui.colorspace.region_selection import RegionBar
from napari_colorkde.ui.colorspace.toolbar import ColorSpaceToolbar
from napari_colorkde.ui.colorspace.view_settings import LookKeeper
from napari_colorkde.ui.colorspace.volume_viewer import SHELL_FRACTIONS
from napari_colorkde.ui.window.docking import delete_later

NO_COUNTS = "Counts belong to one image, but a difference of two is shown."
NO_DEPTH = "Available for three color channels."
NO_SCALE = "Available where densities are shown: counts have no opacity."
NO_SHELLS = "Available in the mode shells, for three color channels."
NO_MARGINALS = "Marginals belong to one image, but a difference of two is shown."


class ColorSpaceView(QWidget):
    """The density over the color space, with rows of controls under it.

    Where there is no OpenGL a sentence stands in its place.

    Parameters
    ----------
    session
        Whose estimate is shown.
    theme
        "dark" or "light".

    Attributes
    ----------
    images
        Gives the image layers from whose densities this one can be taken away; set by the owner.
    difference
        A volume of the estimate's shape that is shown in its place, colored by its sign; or None.
    """

    failed = Signal(str, description="What the user asked for cannot be; a sentence.")
    saved = Signal(Path, description="A picture of the view was written.")
    tool_changed = Signal(str, description="What dragging does: one of the toolbar's tools.")

    def __init__(self, session: Session, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._outlined: PaletteCoordinates | None = None
        self._counted: PaletteCoordinates | None = None
        self._shown_source: object = None
        self.images: Callable[[], Sequence[Any]] = tuple
        self.difference: NDArray[np.float32] | None = None
        self.awaits_difference = False
        self._keeper: LookKeeper | None = None
        self.canvas = _canvas_or_reason(theme)
        self.controls = ColorSpaceToolbar(_known(theme))
        self.bar = RegionBar()
        self.note = QLabel("Kernels: samples converted from RGB.")
        self.note.setWordWrap(True)
        self.note.setToolTip(
            "Kernels are given in RGB. In this space each ellipsoid is that of the mean and "
            "covariance of the kernel's converted samples. What is dragged here is carried back "
            "linearly; a kernel without correlations in RGB stays without them."
        )
        self.note.setContentsMargins(6, 0, 6, 0)
        self.note.hide()
        self.menu: ColorSpaceMenu | None = None
        self.planes: MarginalPlanes | None = None
        lines = self._lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(2)
        if isinstance(self.canvas, str):
            self.planes = MarginalPlanes(self.canvas, _known(theme))
            lines.addWidget(self.planes, 1)
            session.estimate_changed.connect(self._show_planes)
            session.source_changed.connect(self._clear_planes)
            if session.estimate is not None:
                self._show_planes(session.estimate)
        else:
            lines.addWidget(self.canvas.native, 1)
            self.canvas.is_busy = lambda: session.busy
            for widget in (self.note, self.bar, self.controls):
                lines.addWidget(widget, 0)
            self.menu = ColorSpaceMenu(self.canvas, self.channel_names, self._other_images, self)
            self.controls.set_menu(self.menu)
            self._connect()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)

    def _connect(self) -> None:
        controls, session = self.controls, self._session
        controls.space.changed.connect(self._on_space)
        controls.mode.changed.connect(self._on_mode)
        controls.scale.changed.connect(self._on_scale)
        controls.exposure.changed.connect(self._on_exposure)
        controls.density_floor.changed.connect(self._on_density_floor)
        controls.tool_group.buttonClicked.connect(self._on_tool)
        self.canvas.on_tool_cancelled = controls.tools["rotate"].click
        if self.menu is not None:
            self.menu.failed.connect(self.failed.emit)
            self.menu.outline_toggled.connect(self._on_outline)
            self.menu.picture_asked.connect(self._on_picture)
            self.menu.changed.connect(self._offer_in_mode)
        session.counted_changed.connect(self._on_counted)
        session.estimate_changed.connect(self.show_estimate)
        session.source_changed.connect(self._on_source)
        session.state_changed.connect(self._on_state)
        self._on_state(session.state, session.state)
        if session.estimate is not None:
            self.show_estimate(session.estimate)
        if self.menu is not None:
            self._keeper = LookKeeper(session, self.canvas, controls, self.menu)
        self._offer_in_mode()

    def show_estimate(self, estimate: Estimate) -> None:
        """Show a volume; the point of view stays while image and space do."""
        channels = self._session.channels
        if isinstance(self.canvas, str) or channels is None or self.awaits_difference:
            return
        coordinates = estimate.coordinates
        key = (self._session.source, coordinates.name)
        another = self._shown_source != key
        self._shown_source = key
        volume, difference = estimate.volume, self.difference
        signed = difference is not None and difference.shape == volume.values.shape
        self._show_outline(coordinates)
        self._offer(signed, volume.values.ndim)
        self.canvas.set_volume(
            difference if signed else volume.values,
            volume.axes,
            coordinates.names(channels),
            color_of=self.color_of(estimate.palette, coordinates),
            up=coordinates.up,
            signed=signed,
            reset_camera=another,
        )
        if another and self._keeper is not None:
            self._keeper.on_new_box()
        if self.menu is not None:
            self.menu.follow_space()
        if self._counted is not coordinates:
            self._show_counts()
        self._follow_space()

    def _offer(self, signed: bool, n_channels: int) -> None:
        """Offer what a density has and a difference has not, and a cube and nothing flat."""
        flat = "" if n_channels == 3 else NO_DEPTH
        self.controls.offer_counts(NO_COUNTS if signed else "")
        self.controls.offer_depth(flat)
        if self.menu is not None:
            self.menu.offer_marginals(flat or (NO_MARGINALS if signed else ""))
            self.menu.offer_depth(flat)
        self._offer_in_mode()

    def _offer_in_mode(self) -> None:
        """Offer what has an effect in the mode that is chosen."""
        if self.menu is None:
            return
        mode, estimate = self.controls.mode.value, self._session.estimate
        n_channels = 3 if estimate is None else estimate.volume.values.ndim
        # The curve of one channel stays above its counts, and marginals beside them.
        has_density = n_channels == 1 or (n_channels == 3 and self.menu.marginals.isChecked())
        self.controls.offer_scales("" if mode != "points" or has_density else NO_SCALE)
        self.menu.offer_shells("" if mode == "shells" and n_channels == 3 else NO_SHELLS)

    def _show_planes(self, estimate: Estimate) -> None:
        if self.planes is not None:
            volume, coordinates = estimate.volume, estimate.coordinates
            colors = self.color_of(estimate.palette, coordinates)
            self.planes.show_volume(volume.values, volume.axes, self.channel_names(), colors)

    def _clear_planes(self, source: object) -> None:
        if self.planes is not None:
            self.planes.clear()

    def channel_names(self) -> tuple[str, ...]:
        """Names of the axes that are shown; none without an image."""
        estimate, channels = self._session.estimate, self._session.channels
        if estimate is None or channels is None:
            return ()
        return estimate.coordinates.names(channels)

    @property
    def shells(self) -> tuple[float, ...]:
        """The fractions of the pixels within the surfaces of mode "shells"."""
        return SHELL_FRACTIONS if isinstance(self.canvas, str) else tuple(self.canvas.shells)

    def set_theme(self, theme: str) -> None:
        """Follow napari's theme."""
        if self.planes is not None:
            self.planes.set_theme(_known(theme))
        elif not isinstance(self.canvas, str):
            self.canvas.set_theme(_known(theme))
            self.controls.set_theme(_known(theme))

    def close_view(self) -> None:
        """Give OpenGL its resources back and let go of the session. May be called twice."""
        if self.planes is not None:
            self._session.estimate_changed.disconnect(self._show_planes)
            self._session.source_changed.disconnect(self._clear_planes)
            self.planes = None
        if isinstance(self.canvas, str):
            return
        if self._keeper is not None:
            self._keeper.close()
            self._keeper = None
        canvas, self.canvas = self.canvas, "The color space was closed."
        self._session.counted_changed.disconnect(self._on_counted)
        self._session.estimate_changed.disconnect(self.show_estimate)
        self._session.source_changed.disconnect(self._on_source)
        self._session.state_changed.disconnect(self._on_state)
        if isalive(self):
            self._lines.removeWidget(canvas.native)
        if self.menu is not None:
            self.menu.close_menu()
            delete_later(self.menu)
            self.menu = None
        canvas.close()
        self._shown_source = self._outlined = self._counted = None
        self.difference = None
        self.images = tuple

    def sizeHint(self) -> Any:
        """Ask for a column of a third of a common screen."""
        hint = super().sizeHint()
        hint.setWidth(430)
        hint.setHeight(max(hint.height(), 360))
        return hint

    def color_of(
        self, palette: Palette, coordinates: PaletteCoordinates | None = None
    ) -> Callable[[NDArray[Any]], NDArray[Any]] | None:
        """Return the colors of an RGB image's numbers; None where the view's own will do."""
        if coordinates is not None and coordinates.color_of is not None:
            return coordinates.color_of
        source, channels = self._session.source, self._session.channels
        if source is None or channels is None or not source.rgb or len(channels) != 3:
            return None
        return None if palette.dtype == np.uint8 else display_of_rgb(palette)

    def _other_images(self) -> Sequence[Any]:
        return self.images()

    # --- the session

    def _on_source(self, source: object) -> None:
        self.difference, self.awaits_difference = None, False
        if not isinstance(self.canvas, str):
            # What it shows is of another image, and the new one may take a while to count.
            self.canvas.set_outline([])
            self.canvas.clear()
            self._shown_source = self._outlined = self._counted = None
        self._follow_space()

    def _on_counted(self, counted: CountedImage) -> None:
        self._follow_space()

    def _on_state(self, state: State, before: State) -> None:
        with self.controls.space.changed.blocked():
            self.controls.space.value = state.space
        self.note.setVisible(state.space != "rgb" and state.show == "kernels")

    def _follow_space(self) -> None:
        self.controls.offer_spaces(self._session.space_obstacle())

    def _show_outline(self, coordinates: PaletteCoordinates) -> None:
        # Principal axes are those of the palette; they change with it alone.
        if self._outlined is coordinates or isinstance(self.canvas, str):
            return
        self._outlined = coordinates
        shown = self.menu is not None and self.menu.outline.isChecked()
        self.canvas.set_outline(gamut_outline(coordinates) if shown else [])

    def _show_counts(self) -> None:
        estimate = self._session.estimate
        if not isinstance(self.canvas, str) and self.canvas.mode == "points" and estimate:
            self._counted = estimate.coordinates
            points = self._counted.points
            self.canvas.set_counts(points.colors, points.counts)

    # --- the controls

    def _on_space(self, space: str) -> None:
        try:
            self._session.space = space
        except ValueError as error:
            self.failed.emit(user_message(error))
            self._on_state(self._session.state, self._session.state)

    def _on_mode(self, mode: str) -> None:
        if not isinstance(self.canvas, str):
            self.canvas.set_mode(mode)
            self._show_counts()
            self._offer_in_mode()

    def _on_scale(self, scale: str) -> None:
        if not isinstance(self.canvas, str):
            self.canvas.set_scale(scale)

    def _on_exposure(self, step: int) -> None:
        if not isinstance(self.canvas, str):
            self.canvas.set_exposure(self.controls.exposure_factor)

    def _on_density_floor(self, step: int) -> None:
        if not isinstance(self.canvas, str):
            self.canvas.set_density_floor(self.controls.density_floor_fraction)

    def _on_tool(self, button: object) -> None:
        if not isinstance(self.canvas, str):
            self.canvas.set_tool(self.controls.tool)
            # For Esc, which puts the tool away.
            self.canvas.native.setFocus()
            self.tool_changed.emit(self.controls.tool)

    def _on_outline(self, shown: bool) -> None:
        self._outlined = None
        if self._session.estimate is not None:
            self._show_outline(self._session.estimate.coordinates)

    def _on_picture(self) -> None:
        if isinstance(self.canvas, str):
            return
        native = self.canvas.native
        asked = ask_picture(self, (native.width(), native.height()))
        if asked is not None:
            self.save_picture(*asked)

    def save_picture(self, path: str | Path, size: tuple[int, int]) -> None:
        """Write a picture of the view, ``size`` (width, height) pixels; say so if that fails."""
        if isinstance(self.canvas, str):
            return
        try:
            save_picture(path, self.canvas.render(size))
        except (ValueError, OSError) as error:
            self.failed.emit(user_message(error))
        else:
            self.saved.emit(Path(path))


def _known(theme: str) -> str:
    return theme if theme in ("dark", "light") else "dark"


def _canvas_or_reason(theme: str) -> Any:
    from napari_colorkde.scene.canvas import ColorSpaceCanvas
    from napari_colorkde.scene.gl import NoOpenGLError, probe

    try:
        probe()
    except NoOpenGLError as error:
        return str(error)
    return ColorSpaceCanvas(_known(theme))
