"""The difference from a second image in the color-space view."""

from typing import Any
from weakref import ref

from psygnal import Signal

from napari_colorkde.app.density.compute import Estimate
from napari_colorkde.app.density.difference import Difference, DifferenceRequest, difference
from napari_colorkde.app.image.source import source_of, unwrap_proxy
from napari_colorkde.app.jobs import user_message
from napari_colorkde.app.layers.overlay import Overlay, image_layers
from napari_colorkde.app.session import Session
from napari_colorkde.app.state import State
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.ui.colorspace.view import ColorSpaceView


class DifferenceChooser:
    """Takes the density of another image layer away from the one that is shown.

    Parameters
    ----------
    viewer
        A napari viewer or a proxy of one.
    session, overlay
        The first image.
    view
        Where the difference is shown.
    """

    failed = Signal(str, description="What the user asked for cannot be; a sentence.")

    def __init__(
        self, viewer: Any, session: Session, overlay: Overlay, view: ColorSpaceView
    ) -> None:
        self._viewer = unwrap_proxy(viewer)
        self._session, self._overlay, self._view = session, overlay, view
        self._layer: ref[Any] | None = None
        self._palette: Palette | None = None
        view.images = self.others
        if view.menu is not None:
            view.menu.difference_chosen.connect(self.choose)
        session.estimate_changed.connect(self._on_estimate)
        session.source_changed.connect(self._on_source)
        session.state_changed.connect(self._on_state)
        session.idle.connect(self._on_settled)
        self._viewer.layers.events.removed.connect(self._on_removed)

    def close(self) -> None:
        """Let go of all of them."""
        if self._view.menu is not None:
            self._view.menu.difference_chosen.disconnect(self.choose)
        self._session.estimate_changed.disconnect(self._on_estimate)
        self._session.source_changed.disconnect(self._on_source)
        self._session.state_changed.disconnect(self._on_state)
        self._session.idle.disconnect(self._on_settled)
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        self._layer = self._palette = None

    def others(self) -> list[Any]:
        """The image layers that may be compared with."""
        return [layer for layer in image_layers(self._viewer) if layer is not self._overlay.image]

    def choose(self, layer: Any) -> None:
        """Show the difference from the density of this layer; None: the density itself."""
        # What is under way is of the layer that was chosen before.
        self._session.stop("difference")
        self._palette = None
        self._layer = None if layer is None else ref(layer)
        if self._session.estimate is None:
            return
        if layer is None:
            self._show_plain()
        else:
            self._ask(self._session.estimate)

    # --- within

    def _ask(self, estimate: Estimate) -> None:
        layer = None if self._layer is None else self._layer()
        channels = self._session.channels
        if layer is None or channels is None:
            self._show_plain()
            return
        try:
            source = source_of(layer, image_layers(self._viewer))
        except (ValueError, TypeError) as error:
            self._on_end(user_message(error))
            return
        self._view.awaits_difference = True
        request = DifferenceRequest(estimate, source, channels, self._session.device, self._palette)
        self._session.run(
            "difference", lambda: difference(request), self._on_difference, self._on_end
        )

    def _on_estimate(self, estimate: Estimate) -> None:
        if self._layer is not None:
            self._ask(estimate)

    def _on_difference(self, result: Difference) -> None:
        estimate = self._session.estimate
        if self._layer is None or estimate is None:
            return
        self._palette = result.palette
        if estimate.volume is result.estimate.volume:
            self._view.awaits_difference = False
            self._view.difference = result.values
            self._view.show_estimate(estimate)

    def _on_end(self, problem: str | None) -> None:
        if problem is None:
            return
        self.failed.emit(problem)
        self._layer = self._palette = None
        self._show_plain()

    def _on_source(self, source: object) -> None:
        self._layer = self._palette = None
        self._show_plain()

    def _on_removed(self, event: Any) -> None:
        if self._layer is not None and unwrap_proxy(event.value) is self._layer():
            self._layer = self._palette = None
            self._show_plain()

    def _on_state(self, state: State, before: State) -> None:
        if state.channels != before.channels:
            self._palette = None  # the colors of other channels

    def _on_settled(self) -> None:
        if self._view.awaits_difference:
            # It was stopped: the view waits for nothing any more.
            self._layer = self._palette = None
            self._show_plain()

    def _show_plain(self) -> None:
        self._session.stop("difference")
        view = self._view
        view.difference, view.awaits_difference = None, False
        if view.menu is not None:
            view.menu.subtracted = None
        if self._session.estimate is not None:
            view.show_estimate(self._session.estimate)
