"""The color-space view with its controls: the contents of the dock "Color space"."""

from collections.abc import Sequence
from pathlib import Path

from numpy.typing import ArrayLike
from psygnal import Signal
from qtpy.compat import isalive
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QGridLayout, QLabel, QWidget

from napari_colorkde.app.background.error_sentences import user_message
from napari_colorkde.app.density.color_coordinates import PaletteCoordinates, gamut_outline
from napari_colorkde.app.density.request import Estimate
from napari_colorkde.app.session import Session
from napari_colorkde.app.settings.view_settings import ViewSettings
from napari_colorkde.app.state import State
from napari_colorkde.connections import Connections
from napari_colorkde.scene.canvas import ColorSpaceCanvas
from napari_colorkde.scene.gl import context
from napari_colorkde.ui.colorspace.available_controls import AvailableControls
from napari_colorkde.ui.colorspace.base_view import BaseColorSpaceView, known_theme
from napari_colorkde.ui.colorspace.canvas_settings import CanvasSettings
from napari_colorkde.ui.colorspace.marginal_planes import MarginalPlanesView
from napari_colorkde.ui.colorspace.menus.menu import ColorSpaceMenu, DifferenceSource
from napari_colorkde.ui.colorspace.region_bar import RegionBar
from napari_colorkde.ui.colorspace.toolbar import ColorSpaceToolbar
from napari_colorkde.ui.pictures.dialog import Pictures, PictureSettings
from napari_colorkde.ui.widgets.axes_choice import AxesChoice
from napari_colorkde.ui.widgets.focus_ring import focus_ring, text_scale
from napari_colorkde.ui.window.dock_cleanup import delete_later


def make_view(session: Session, theme: str) -> BaseColorSpaceView:
    """Return a view with a canvas, or where there is no OpenGL one that says so."""
    try:
        context.probe()
    except context.NoOpenGLError as error:
        return MarginalPlanesView(session, str(error), theme)
    return ColorSpaceView(session, theme)


class ColorSpaceView(BaseColorSpaceView):
    """The density over the color space, with rows of controls under it.

    Parameters
    ----------
    session
        Whose estimate, or difference, is shown, as its view settings say.
    theme
        "dark" or "light".

    Attributes
    ----------
    canvas
        None once the view was closed.
    pictures
        Saves them.
    """

    large_asked = Signal(bool, description="Whether the view shall have most of the screen.")
    tool_changed = Signal(str, description="What dragging does: one of the toolbar's tools.")

    def __init__(self, session: Session, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self._outlined: PaletteCoordinates | None = None
        self._counted: PaletteCoordinates | None = None
        self._shown_source: object = None
        self._followed = session.view
        self._settings: CanvasSettings | None = None
        self.pictures = Pictures()
        self._connections = Connections()
        canvas = ColorSpaceCanvas(session.view.background)
        self.canvas: ColorSpaceCanvas | None = canvas
        self.controls = ColorSpaceToolbar(session, known_theme(theme))
        self.bar = RegionBar()
        self.note = QLabel("Kernels: samples converted from RGB.")
        self.note.setWordWrap(True)
        self.note.setToolTip(
            "Kernels are defined in RGB. Here, each ellipsoid shows the mean and covariance of "
            "samples of the kernel, converted to this space. Edits made here are converted back "
            "linearly; a kernel without correlations in RGB stays uncorrelated."
        )
        self.note.setContentsMargins(6, 0, 6, 0)
        self.note.hide()
        self._stage = QGridLayout()
        self._stage.addWidget(canvas.native, 0, 0)
        self._stage.addWidget(self.bar, 0, 0, Qt.AlignmentFlag.AlignBottom)
        self._lines.addLayout(self._stage, 1)
        canvas.is_busy = lambda: session.busy
        self._lines.addWidget(self.note)
        self.axes = AxesChoice()
        self.axes.changed.connect(self._on_axes)
        self._lines.addWidget(self.axes)
        self._lines.addWidget(self.controls)
        self._back = QShortcut(QKeySequence("Escape"), self)
        self._back.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self._back.setEnabled(False)
        self.menu = ColorSpaceMenu(session, canvas, self.channel_names, self)
        self.controls.set_menu(self.menu)
        self._available = AvailableControls(session, self.controls, self.menu)
        self._connect(canvas)
        self.setStyleSheet(focus_ring(theme))
        canvas.text_scale = text_scale()
        if session.estimate is not None:
            self.show_estimate(session.estimate)
        self._settings = CanvasSettings(session, canvas)
        self._available.show()

    def _connect(self, canvas: ColorSpaceCanvas) -> None:
        controls, session = self.controls, self._session
        controls.space.changed.connect(self._on_space)
        controls.tool_group.buttonClicked.connect(self._on_tool)
        controls.large_button.clicked.connect(self.large_asked.emit)
        self._back.activated.connect(controls.large_button.click)
        canvas.tool_canceled.connect(self._on_tool_canceled)
        self.menu.failed.connect(self.failed)
        self.pictures.failed.connect(self.failed)
        self.pictures.saved.connect(self.saved)
        self.menu.picture_asked.connect(self._on_picture)
        for signal, callback in (
            (session.counted_changed, self._on_counted),
            (session.estimate_changed, self.show_estimate),
            (session.difference_changed, self._on_difference),
            (session.source_changed, self._on_source),
            (session.state_changed, self._on_state),
            (session.view_changed, self._on_view),
        ):
            self._connections.add(signal, callback)
        self._on_state(session.state, session.state)

    def close_view(self) -> None:
        """Give OpenGL its resources back and let go of the session. May be called twice."""
        canvas, self.canvas = self.canvas, None
        if canvas is None:
            return
        if self._settings is not None:
            self._settings.close()
        self._connections.close()
        self.controls.close_toolbar()
        self.menu.close_menu()
        if isalive(self):
            self._stage.removeWidget(canvas.native)
            delete_later(self.menu)
        canvas.close()
        self._shown_source = self._outlined = self._counted = None

    def set_difference_source(self, source: DifferenceSource | None) -> None:
        """Offer the difference from other images, or none."""
        self.menu.difference_source = source

    # --- what is shown

    def show_estimate(self, estimate: Estimate) -> None:
        """Show a volume, or its difference; the viewpoint stays while image and space do."""
        session, canvas = self._session, self.canvas
        channels, difference = session.channels, session.difference
        if canvas is None or channels is None:
            return
        if session.subtracted is not None and difference is None:
            return  # it is on its way
        coordinates = estimate.coordinates
        projection = coordinates.projection
        key = (session.source, coordinates.name, None if projection is None else projection.axes)
        another = self._shown_source != key
        self._shown_source = key
        volume, signed = estimate.volume, difference is not None
        self._show_outline(coordinates)
        self._available.show_for(signed=signed, n_channels=volume.values.ndim)
        canvas.set_volume(
            volume.values if difference is None else difference.values,
            volume.axes,
            coordinates.names(channels),
            color_of=self.color_of(estimate.palette, coordinates),
            up=coordinates.up,
            signed=signed,
            compared=self._compared(),
            reset_camera=another,
        )
        if self._settings is not None:
            self._settings.on_new_volume(is_of_another=another)
        self.axes.show_axes(
            channels.names,
            session.view.axes,
            None if projection is None else projection.about(channels.names),
        )
        if self._counted is not coordinates:
            self._show_counts()
        self._available.show_spaces()

    def _compared(self) -> tuple[str, str]:
        first, second = self._session.source, self._session.subtracted
        return ("" if first is None else first.name, "" if second is None else second.name)

    def _show_outline(self, coordinates: PaletteCoordinates) -> None:
        # Principal axes are those of the palette; they change with it alone.
        if self._outlined is coordinates or self.canvas is None:
            return
        self._outlined = coordinates
        lines: Sequence[ArrayLike] = (
            gamut_outline(coordinates) if self._session.view.outline else []
        )
        self.canvas.set_outline(lines)

    def _show_counts(self) -> None:
        estimate = self._session.estimate
        if self.canvas is not None and self._session.view.mode == "points" and estimate:
            self._counted = estimate.coordinates
            points = self._counted.drawn
            self.canvas.set_counts(points.colors, points.counts)

    # --- the session

    def _on_counted(self, counted: object) -> None:
        self._available.show_spaces()

    def _on_source(self, source: object) -> None:
        if self.canvas is not None:
            # What it shows is of another image, and the new one may take a while to count.
            self.canvas.set_outline([])
            self.canvas.clear()
        self._shown_source = self._outlined = self._counted = None
        self._available.show_spaces()

    def _on_difference(self, difference: object) -> None:
        if self._session.estimate is not None:
            self.show_estimate(self._session.estimate)

    def _on_state(self, state: State, before: State) -> None:
        with self.controls.space.changed.blocked():
            self.controls.space.value = state.space
        self.note.setVisible(state.space != "rgb" and state.show == "kernels")

    def _on_view(self, view: ViewSettings) -> None:
        before, self._followed = self._followed, view
        estimate = self._session.estimate
        if view.outline != before.outline and estimate is not None:
            self._outlined = None
            self._show_outline(estimate.coordinates)
        if view.mode != before.mode:
            self._show_counts()
        self._available.show()

    # --- the controls

    def _on_space(self, space: str) -> None:
        try:
            self._session.space = space
        except ValueError as error:
            self.failed.emit(user_message(error))
            self._on_state(self._session.state, self._session.state)

    def _on_axes(self, axes: tuple[int, ...] | None) -> None:
        self._session.set_view(axes=axes)

    def _on_tool(self, button: object) -> None:
        if self.canvas is not None:
            self.canvas.set_tool(self.controls.tool)
            # For Esc, which puts the tool away.
            self.canvas.native.setFocus()
            self._show_way_back()
            self.tool_changed.emit(self.controls.tool)

    def show_large(self, large: bool) -> None:
        """Know whether the view has most of the screen: then Esc takes it back."""
        self.controls.large_button.setChecked(large)
        self._show_way_back()

    def _show_way_back(self) -> None:
        # Esc puts a tool away first.
        is_large = self.controls.large_button.isChecked()
        self._back.setEnabled(is_large and self.controls.tool == "rotate")

    def _on_tool_canceled(self) -> None:
        self.controls.tools["rotate"].click()

    def set_theme(self, theme: str) -> None:
        """Follow napari's theme."""
        if self.canvas is not None:
            self.controls.set_theme(known_theme(theme))
            self.setStyleSheet(focus_ring(theme))
            self.canvas.text_scale = text_scale()

    def _on_picture(self) -> None:
        if self.canvas is not None:
            self.pictures.ask(self.canvas, " − ".join(filter(None, self._compared())), self)

    def save_picture(self, path: str | Path, size: tuple[int, int]) -> None:
        """Write a picture of the view, ``size`` (width, height) pixels; say so if that fails."""
        if self.canvas is not None:
            settings = PictureSettings.of_pixels(size, self._session.view.background)
            self.pictures.save(self.canvas, path, settings)
