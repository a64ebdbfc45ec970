"""What is drawn on the image lights up in the color space."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from superqt.utils import QSignalThrottler

from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.image.source import is_labels, unwrap_proxy
from napari_colorkde.app.layers.metadata import METADATA_KEY
from napari_colorkde.app.layers.overlay import Overlay
from napari_colorkde.app.selection.from_layers import (
    drawing_events,
    labels_selection,
    shapes_selection,
    view_of,
)
from napari_colorkde.app.selection.samples import Samples
from napari_colorkde.app.selection.selections import Selection, collect_samples
from napari_colorkde.app.session import Session
from napari_colorkde.connections import Connections
from napari_colorkde.scene.canvas import ColorSpaceCanvas

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Layer
    from napari.utils.events import Event

SETTLE_MS = 80
"""Strokes of a brush are gathered for so long before their colors are looked up."""


class LayerHighlight:
    """Lights up the colors under the active Labels layer (its chosen label) or Shapes layer.

    Parameters
    ----------
    viewer
        A napari viewer or a proxy of one.
    session, overlay
        Whose image is drawn on.
    canvas
        The color-space view.
    """

    def __init__(
        self, viewer: "Viewer", session: Session, overlay: Overlay, canvas: ColorSpaceCanvas
    ) -> None:
        self._viewer = unwrap_proxy(viewer)
        self._session, self._overlay, self._canvas = session, overlay, canvas
        self._layer: Layer | None = None
        self._is_lit = False
        self._throttler = QSignalThrottler(QSignalThrottler.EmissionPolicy.Trailing)
        self._throttler.setTimeout(SETTLE_MS)
        layers = self._viewer.layers
        self._connections, self._strokes = Connections(), Connections()
        self._connections.add(self._throttler.triggered, self._look_up)
        self._connections.add(layers.selection.events.active, self._on_active)
        self._connections.add(layers.events.removed, self._on_removed)
        self._connections.add(session.estimate_changed, self._later)
        self._connections.add(session.source_changed, self._later)
        self._on_active()

    def close(self) -> None:
        """Let go of the viewer, its layers and the session."""
        self._throttler.cancel()
        self._watch(None)
        self._connections.close()

    # --- within

    def _on_active(self, event: object = None) -> None:
        active = unwrap_proxy(self._viewer.layers.selection.active)
        drawn = (
            active is not None and drawing_events(active) and METADATA_KEY not in active.metadata
        )
        self._watch(active if drawn else None)
        self._later()

    def _on_removed(self, event: "Event") -> None:
        if unwrap_proxy(event.value) is self._layer:
            self._watch(None)
            self._later()

    def _watch(self, layer: "Layer | None") -> None:
        if layer is self._layer:
            return
        self._strokes.close()
        self._layer = layer
        if layer is not None:
            # Of labels the chosen one is lit.
            chosen = ("selected_label",) if is_labels(layer) else ()
            for name in (*drawing_events(layer), *chosen):
                self._strokes.add(getattr(layer.events, name), self._later)

    def _later(self, event: object = None) -> None:
        if self._layer is not None or self._is_lit:
            self._throttler.throttle()

    def _look_up(self) -> None:
        index = self._session.index
        try:
            selection = self._selection()
        except ValueError:
            # Nothing is drawn yet, or elsewhere than on this image: no colors.
            selection = None
        if index is None or index.is_preview or selection is None:
            self._show(None)
            return

        def work() -> Iterator[Progress | Samples | None]:
            found: dict[int, Samples] = {}
            for step in collect_samples(selection, index):
                if isinstance(step, dict):
                    found = step
                else:
                    yield Progress("looking up the colors", step)
            yield found.get(1)

        self._session.run("light", work, self._show, _ignore)

    def _selection(self) -> Selection | None:
        layer, image, source = self._layer, self._overlay.image, self._session.source
        channels = self._session.channels
        if layer is None or image is None or source is None or channels is None:
            return None
        view = view_of(image, source, channels, self._viewer.dims)
        if is_labels(layer):
            return labels_selection(layer, source, channels, view, "selected")
        return shapes_selection(layer, image, channels, view, together=True)

    def _show(self, samples: Samples | None) -> None:
        estimate = self._session.estimate
        if samples is None or estimate is None or self._layer is None:
            self._canvas.highlight_colors(np.empty((0, 1)))
            self._is_lit = False
            return
        self._canvas.highlight_colors(estimate.coordinates.from_colors(samples.colors))
        self._is_lit = True


def _ignore(problem: str | None) -> None:
    """Colors that cannot be looked up are not lit."""
