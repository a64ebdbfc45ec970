"""The dock widget "Color KDE": image, settings, status, and the lifetime of all of them.

napari makes the widget; on its first show inside a window it opens the dock "Color space" above
itself, and offers it again once that was closed. Closing its own dock ends all that it started.
"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from napari.settings import get_settings
from qtpy.QtCore import QSize, QTimer
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import (
    QPushButton,
)

from napari_colorkde.app.image.source import unwrap_proxy
from napari_colorkde.app.layers.looks import Looks
from napari_colorkde.app.layers.overlay import Overlay
from napari_colorkde.app.session import Session
from napari_colorkde.ui.classification.panel import ClassificationPanel
from napari_colorkde.ui.colorspace.base_view import BaseColorSpaceView
from napari_colorkde.ui.colorspace.color_space_links import ColorSpaceLinks
from napari_colorkde.ui.colorspace.dock import ColorSpaceDock
from napari_colorkde.ui.density.panel import DensityPanel
from napari_colorkde.ui.dropped_files import DroppedFiles
from napari_colorkde.ui.exports import Exports
from napari_colorkde.ui.image.first_steps import FirstSteps
from napari_colorkde.ui.image.image_chooser import ImageChooser
from napari_colorkde.ui.image.profile_notice import ProfileNotice
from napari_colorkde.ui.kernels.fit_dialog import FitButton
from napari_colorkde.ui.kernels.panel import KernelsPanel
from napari_colorkde.ui.kernels.pick_tool import PickTool
from napari_colorkde.ui.likelihood.panel import LikelihoodPanel
from napari_colorkde.ui.results.dock import ResultsDock
from napari_colorkde.ui.widgets.focus_ring import focus_ring
from napari_colorkde.ui.widgets.folding import FoldingGroup
from napari_colorkde.ui.widgets.pages import column_with_tabs, in_scroll_area, pin_to_top, put_above
from napari_colorkde.ui.window.autosave import Autosave
from napari_colorkde.ui.window.background_thread import Activity, QtExecutor
from napari_colorkde.ui.window.device_preference import offer_existing_devices, preferred_device
from napari_colorkde.ui.window.dock_cleanup import COLUMN_WIDTH, delete_later, window_of
from napari_colorkde.ui.window.docked_widget import Docked
from napari_colorkde.ui.window.fitted_picture import is_fitted, keep_fitted
from napari_colorkde.ui.window.open_files import refuse_open_file
from napari_colorkde.ui.window.restore_offer import RestoreOffer
from napari_colorkde.ui.window.status import StatusLines
from napari_colorkde.ui.window.undo_keys import UndoKeysWidget

if TYPE_CHECKING:
    import napari.viewer
    from napari.utils.events import Event

TITLE = "Color KDE"


class ColorKDEWidget(UndoKeysWidget):
    """Density of an image's colors: overlay, color space, settings.

    Parameters
    ----------
    napari_viewer
        The viewer, or a proxy of it.

    Attributes
    ----------
    session
        Set its attributes to do from a script what the widgets do; ``session.wait()`` returns when
        it is on the screen.
    overlay
        The density layer.
    looks
        Grades the image by lookup tables, as further layers.
    colorspace_button
        Opens that view again; shown while it is closed or hidden.
    """

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:
        offer_existing_devices()
        device, self._device_problem = preferred_device()
        super().__init__(Session(QtExecutor(), device=device))
        self._viewer: napari.viewer.Viewer = unwrap_proxy(napari_viewer)
        # Before the dock takes room from it.
        self._was_fitted = is_fitted(self._viewer)
        self.overlay = Overlay(self._viewer, self.session)
        self.looks = Looks(self._viewer, self.session, self.overlay)
        self.activity = Activity(self.session, self)
        self._docked: Docked | None = None
        self._closed = False

        self.chooser = ImageChooser(self._viewer, self.session, self.overlay)
        self.panel = DensityPanel(self.session)
        self.kernels = KernelsPanel(self.session)
        self.picking = PickTool(self._viewer, self.session, self.overlay, self.kernels.table)
        self.fitting = FitButton(self.picking)
        self.picking.add_button(self.fitting)
        self.kernels.add_tool(self.picking)
        self._stage = ColorSpaceDock(
            self._viewer,
            self.session,
            self.overlay,
            self.kernels.table,
            self.picking.picker,
            self.looks,
            self,
        )
        self.classification = ClassificationPanel(self._viewer, self.session, self.overlay)
        self.likelihood = LikelihoodPanel(self._viewer, self.session, QtExecutor())
        self.colorspace_button = QPushButton("Show color space")
        self.colorspace_button.setToolTip("Open the color space again, above this dock.")
        self.colorspace_button.hide()
        self.first_steps = FirstSteps(self.session)
        self.profile = ProfileNotice(self.session, self.overlay)
        self.status = StatusLines(self.session)
        self.exports = Exports(self._viewer, self.session, self.overlay, self)
        check_target = partial(refuse_open_file, self._viewer)
        self.kernels.chooser.check_target = check_target
        self.panel.script_menu.check_target = check_target
        self.results = ResultsDock(self._viewer, self.session, self.overlay, self)
        self.autosave = Autosave(
            self.session, parent=self, results=self.results.table, looks=self.looks
        )
        self.offer = RestoreOffer(self.session, self.autosave)
        self.drops = DroppedFiles(
            self.chooser, self.kernels.chooser, self.looks, self.results, self.offer, self
        )
        self._lay_out()
        self._connect()
        self._follow_theme()
        self.reset_choices()
        self.chooser.choose_first()
        if self._device_problem:
            self.status.show_error(self._device_problem)

    @property
    def colorspace(self) -> BaseColorSpaceView | None:
        """The view of the color space; None until the widget is docked and while it is closed."""
        return self._stage.view

    @property
    def links(self) -> ColorSpaceLinks | None:
        """What ties that view to all else; None while it is closed, or has no canvas."""
        return self._stage.links

    def sizeHint(self) -> QSize:
        """Ask for one column, as high as its pages are."""
        # Qt asks a column whose lines may wrap for the least that it can do with.
        height = self._inside.layout().sizeHint().height() + self.status.sizeHint().height()
        return QSize(COLUMN_WIDTH, height)

    # --- what napari calls

    def reset_choices(self, event: "Event | None" = None) -> None:
        """Follow the layer list. napari calls it when layers come, go, move or are renamed."""
        if self._closed:
            return
        self.chooser.reset_choices()
        self.classification.reset_choices()
        self.likelihood.reset_choices()
        self.fitting.reset_choices()
        if event is None or event.type != "inserted":
            return
        if self.drops.has_awaited(event.value):
            self.chooser.look_at(event.value)
        elif self.overlay.image is None:
            self.chooser.choose_first()

    def showEvent(self, event: QShowEvent | None) -> None:
        """On the first show inside a window, open the view of the color space beside it."""
        super().showEvent(event)
        if self._docked is None and not self._closed:
            # Not within Qt's own showing.
            QTimer.singleShot(0, self._on_docked)

    def export(self, path: str | Path) -> None:
        """Write the density that is shown to a file in the background."""
        self.exports.export(path)

    def _on_look(self, layer: object) -> None:
        self.chooser.reset_choices()

    # --- life

    def _on_volume(self) -> None:
        self.exports.show_volume(lambda: self.colorspace)

    def _lay_out(self) -> None:
        top = (
            self.offer,
            FoldingGroup("Image", self.chooser),
            self.profile,
            self.first_steps,
            self.colorspace_button,
        )
        tabs = {
            "Density": in_scroll_area(pin_to_top(self.panel)),
            "Kernels": in_scroll_area(self.kernels),
            "Classify": in_scroll_area(pin_to_top(self.classification)),
            "Likelihood": in_scroll_area(pin_to_top(self.likelihood)),
        }
        self._inside, self.tabs = column_with_tabs(top, tabs)
        # What is shown, and what went wrong, is seen wherever the column is scrolled to.
        put_above(self, in_scroll_area(self._inside), self.status)

    def _connect(self) -> None:
        tabs = self.panel, self.kernels, self.picking, self.classification, self.likelihood
        others = self.chooser, self.looks, self.autosave, self.exports, self.results, self._stage
        for part in (*tabs, *others):
            part.failed.connect(self.status.show_error)
        self.first_steps.open_asked.connect(self.chooser.ask_open)
        self.first_steps.sample_asked.connect(self.chooser.open_image)
        self.profile.conversion_asked.connect(self.chooser.open_in_srgb)
        self.chooser.converted.connect(self.profile.mark_converted)
        self.looks.changed.connect(self._on_look)
        self.likelihood.asked.connect(self.status.forget_error)
        self.panel.export_asked.connect(self.exports.ask_export)
        self.panel.volume_asked.connect(self._on_volume)
        self.classification.results_asked.connect(self.results.open)
        self.classification.add_asked.connect(self.results.add)
        self.results.saved.connect(self.status.show_saved)
        self.colorspace_button.clicked.connect(self._on_colorspace_asked)
        self._stage.saved.connect(self.status.show_saved)
        self._stage.shown.connect(self._on_colorspace_shown)
        self.session.exported.connect(self.status.show_saved)
        self.kernels.chooser.saved.connect(self.status.show_saved)
        self._viewer.events.theme.connect(self._follow_theme)
        get_settings().appearance.events.font_size.connect(self._follow_theme)

    def _follow_theme(self, event: object = None) -> None:
        theme = self._viewer.theme
        self.setStyleSheet(focus_ring(theme))
        themed = (self.status, self.classification, self.likelihood, self._stage, self.results)
        for part in themed:
            part.set_theme(theme)

    def _on_docked(self) -> None:
        dock = self.parent()
        window = window_of(dock)
        if self._closed or self._docked is not None or window is None:
            return
        if self._was_fitted:
            keep_fitted(self._viewer, window)
        self._docked = docked = Docked(
            dock, window, TITLE, self._on_window_closing, self.close_session
        )
        docked.serve(self._viewer, self.session, self.picking.pick_button.toggled)
        self.drops.watch_canvas(window)
        self._stage.opened.connect(self.drops.watch)
        self._stage.open_above(dock)

    def _on_colorspace_asked(self, *args: object) -> None:
        if self._docked is not None:
            self._stage.open_above(self._docked.dock)

    def _on_colorspace_shown(self, shown: bool) -> None:
        self.colorspace_button.setVisible(not shown)

    def _on_window_closing(self) -> None:
        if self._closed:
            return
        # The window takes the docks along: there is nothing to undock.
        self._stage.leave_window()
        self.results.leave_window()
        if self._docked is not None:
            self._docked.leave_dock()
        self.close_session()

    def close_session(self, *args: object) -> None:
        """Stop all work and let go of the viewer. Layers stay. May be called twice."""
        if self._closed:
            return
        self._closed = True
        events = self._viewer.layers.events
        for name in ("inserted", "removed", "reordered", "renamed"):
            # napari connects these when it docks a widget, and never disconnects them.
            getattr(events, name).disconnect(self.reset_choices)
        self._viewer.events.theme.disconnect(self._follow_theme)
        get_settings().appearance.events.font_size.disconnect(self._follow_theme)
        tabs = self.panel, self.fitting, self.picking, self.kernels, self.classification
        for panel in (self.chooser, *tabs, self.likelihood, self.first_steps, self.profile):
            panel.close_session()
        self.autosave.close()
        self.results.close()
        self.status.close_session()
        self.activity.close()
        self.overlay.close()
        self.session.close()
        self.drops.close()
        if self._docked is not None:
            self._docked.close()
            # Who keeps a widget that is closed does not keep the window.
            self._docked = None
        self._stage.shown.disconnect()
        self._stage.close()
        delete_later(self)
