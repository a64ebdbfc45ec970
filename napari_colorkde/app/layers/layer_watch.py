"""Watches the layers that an image's colors may come from: its own, and other gray ones."""

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from psygnal import Signal

from napari_colorkde.app.image.source import ImageSource, is_image, unwrap_proxy
from napari_colorkde.app.layers.metadata import METADATA_KEY
from napari_colorkde.connections import Connections

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image
    from napari.utils.events import Event


class LayerWatch:
    """Says when the image layers of a viewer come, go, are renamed, or have other pixels.

    Parameters
    ----------
    viewer
        A napari viewer, or its model.
    """

    changed = Signal(description="Layers came or went, or have other names or data.")
    refreshed = Signal(description="A layer was drawn again: its pixels may have been changed.")

    def __init__(self, viewer: "ViewerModel") -> None:
        self._viewer = viewer
        self._connections, self._layer_connections = Connections(), Connections()
        self._watched: list[Image] = []
        self._planes: WeakKeyDictionary[Image, tuple[object, ...]] = WeakKeyDictionary()

    def start(self) -> None:
        """Begin to watch the layers that are there, and those that come."""
        self.stop()
        for event in (self._viewer.layers.events.inserted, self._viewer.layers.events.removed):
            self._connections.add(event, self._on_layers)
        self._watch()

    def stop(self) -> None:
        """Watch no longer."""
        self._connections.close()
        self._layer_connections.close()
        self._watched = []

    def _watch(self) -> None:
        self._layer_connections.close()
        self._watched = image_layers(self._viewer)
        for layer in self._watched:
            self._planes[layer] = self._plane
            self._layer_connections.add(layer.events.name, self._on_changed)
            self._layer_connections.add(layer.events.data, self._on_changed)
            self._layer_connections.add(layer.events.set_data, self._on_refreshed)

    def _on_layers(self, event: "Event") -> None:
        if image_layers(self._viewer) != self._watched:
            self._watch()
            self.changed.emit()

    def _on_changed(self, event: "Event") -> None:
        self.changed.emit()

    @property
    def _plane(self) -> tuple[object, ...]:
        dims = self._viewer.dims
        return (*dims.point, *dims.order, dims.ndisplay)

    def _on_refreshed(self, event: "Event") -> None:
        layer, plane = event.source, self._plane
        before = self._planes.get(layer, plane)
        self._planes[layer] = plane
        # Another slice, or another part of a pyramid, is drawn in the same way.
        if plane == before and not layer.multiscale:
            self.refreshed.emit()


def image_layers(viewer: "ViewerModel") -> "list[Image]":
    """The image layers of a viewer that are no densities, from bottom to top."""
    layers = [unwrap_proxy(layer) for layer in unwrap_proxy(viewer).layers]
    return [layer for layer in layers if is_image(layer) and METADATA_KEY not in layer.metadata]


def renamed_arrays(before: ImageSource, after: ImageSource) -> dict[str, str]:
    """Names that arrays have, by those that they had; of those that stayed, the same."""
    return {
        old: old if after.arrays.get(old) is array else new
        for old, array in before.arrays.items()
        for new, other in after.arrays.items()
        if other is array
    }
