"""The mask on the image: the pixels that reach the threshold, painted as it moves.

When there is one and whether it is filled is decided here; `mask_drawing` draws it.
"""

from typing import TYPE_CHECKING

from napari_colorkde.app.classification.threshold import above_threshold, active_threshold
from napari_colorkde.app.density.request import ColorValues
from napari_colorkde.app.layers.mask_layer import MaskLayer
from napari_colorkde.app.layers.overlay import Overlay
from napari_colorkde.app.session import Session
from napari_colorkde.app.state import State
from napari_colorkde.connections import Connections

if TYPE_CHECKING:
    from napari.components import ViewerModel

MASK_NAME = "mask"


class ThresholdMask:
    """Marks the pixels that reach the threshold, while the session's classification asks for it.

    Parameters
    ----------
    viewer
        A napari viewer, its model, or a proxy of one.
    session, overlay
        What is followed, and where it is painted.
    """

    def __init__(self, viewer: "ViewerModel", session: Session, overlay: Overlay) -> None:
        self._session, self._overlay = session, overlay
        self._dragging = False
        self.layer = MaskLayer(viewer, overlay, MASK_NAME)
        self._connections = Connections()
        self._connections.add(self.layer.removed, self._on_removed)
        self._connections.add(session.source_changed, self._on_source)
        self._connections.add(session.state_changed, self._on_state)
        self._connections.add(session.densities_changed, self._on_densities)

    @property
    def dragging(self) -> bool:
        """Whether the threshold is being moved: the mask is filled then, else outlined."""
        return self._dragging

    @dragging.setter
    def dragging(self, dragging: bool) -> None:
        if dragging != self._dragging:
            self._dragging = dragging
            self.update()

    def update(self) -> None:
        """Show the mask as the session has it."""
        session = self._session
        densities, state = session.densities, session.state
        if not state.classification.show_mask or session.source is None:
            self.layer.hide()
            return
        threshold = active_threshold(densities, state)
        if densities is not None and threshold is not None:
            chosen = above_threshold(densities, threshold)
            self.layer.show(chosen, outlined=not self._dragging)
        elif state.shown_classification is not None and state.shown_classification.show == "class":
            self.layer.hide()

    def close(self) -> None:
        """Take the mask away and let go of the session."""
        self._connections.close()
        self.layer.close()

    def _on_source(self, source: object) -> None:
        # Other pixels of the same image keep the layer: it is painted anew.
        if source is None or self.layer.image is not self._overlay.image:
            self.layer.hide()

    def _on_removed(self) -> None:
        self._session.set_classification(show_mask=False)

    def _on_state(self, state: State, before: State) -> None:
        if state.classification != before.classification:
            self.update()

    def _on_densities(self, densities: ColorValues) -> None:
        self.update()
