"""Which image layer's density is taken away from the one that is shown."""

from typing import TYPE_CHECKING
from weakref import ref

from psygnal import Signal

from napari_colorkde.app.background.error_sentences import user_message
from napari_colorkde.app.image.source import ImageSource, is_image, source_of, unwrap_proxy
from napari_colorkde.app.layers.layer_watch import image_layers
from napari_colorkde.app.layers.overlay import Overlay
from napari_colorkde.app.session import Session
from napari_colorkde.connections import Connections

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Image, Layer
    from napari.utils.events import Event


class DifferenceChooser:
    """Gives the session its second image: a layer of the viewer, while it is there.

    Parameters
    ----------
    viewer
        A napari viewer or a proxy of one.
    session, overlay
        The first image.
    """

    failed = Signal(str, description="What the user asked for cannot be done; a sentence.")

    def __init__(self, viewer: "Viewer", session: Session, overlay: Overlay) -> None:
        self._viewer = unwrap_proxy(viewer)
        self._session, self._overlay = session, overlay
        self._layer: ref[Layer] | None = None
        self._source: ImageSource | None = None
        self._connections = Connections()
        self._connections.add(self._viewer.layers.events.removed, self._on_removed)

    def close(self) -> None:
        """Let go of the viewer; the session forgets the second image."""
        self._connections.close()
        self._layer = self._source = None
        self._session.subtract(None)

    @property
    def subtracted(self) -> "Layer | None":
        """The layer whose density is taken away, None if there is none."""
        source = self._session.subtracted
        if source is None:
            return None
        if source is self._source and self._layer is not None:
            return self._layer()
        # It was chosen elsewhere, as by a look.
        return next((each for each in image_layers(self._viewer) if _has(each, source)), None)

    def others(self) -> "list[Layer]":
        """Return the image layers that may be compared with."""
        layers = image_layers(self._viewer)
        return [layer for layer in layers if layer is not self._overlay.image]

    def choose(self, layer: "Layer | None") -> None:
        """Show the difference from the density of this layer; None: the density itself."""
        self._layer = None if layer is None else ref(layer)
        try:
            source = None if layer is None else source_of(layer, image_layers(self._viewer))
        except (ValueError, TypeError) as error:
            self._session.subtract(None)
            self.failed.emit(user_message(error))
        else:
            self._source = source
            self._session.subtract(source)

    def _on_removed(self, event: "Event") -> None:
        removed, source = unwrap_proxy(event.value), self._session.subtracted
        is_chosen = self._layer is not None and removed is self._layer()
        if is_chosen or (source is not None and is_image(removed) and _has(removed, source)):
            self.choose(None)


def _has(layer: "Image", source: ImageSource) -> bool:
    """Whether the pixels of a source are those of a layer."""
    data = unwrap_proxy(layer.data)
    return (data[0] if layer.multiscale else data) is source.array
