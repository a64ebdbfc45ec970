"""A painted layer that lies above an overlay and belongs to the overlay's image."""

from abc import abstractmethod
from typing import TYPE_CHECKING

from napari_colorkde.app.image.source import unwrap_proxy
from napari_colorkde.app.layers.overlay import Overlay
from napari_colorkde.app.layers.painted_layer import P, PaintedLayer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image
    from napari.utils.events import Event


class LayerAbove(PaintedLayer[P]):
    """A layer that is hidden with its image, and told of where the user deletes it.

    Parameters
    ----------
    viewer
        A napari viewer, its model, or a proxy of one.
    overlay
        Knows the image and its index.
    """

    def __init__(self, viewer: "ViewerModel", overlay: Overlay) -> None:
        super().__init__(viewer)
        self._overlay = overlay

    @property
    def shown(self) -> bool:
        """Whether the layer is there."""
        return self.layer is not None

    def hide(self) -> None:
        """Take the layer away."""
        self._remove()
        self._let_go()

    def close(self) -> None:
        """Take the layer away and let go of the viewer."""
        self.hide()
        super().close()

    @abstractmethod
    def _on_deleted(self) -> None:
        """Act on the user's having deleted the layer."""

    def _insert(self, layer: "Image") -> None:
        """Insert the layer above the density, or the image; what is selected stays so."""
        layers = self._viewer.layers
        below = self._overlay.layer or self._overlay.image
        selected, active = set(layers.selection), layers.selection.active
        layers.insert(layers.index(below) + 1, layer)
        layers.selection = selected
        layers.selection.active = active

    def _on_removed(self, event: "Event") -> None:
        removed, image = unwrap_proxy(event.value), self.image
        if image is None:
            return
        if removed is image:
            self.hide()
        elif image in self._layers and removed is self._layers[image]():
            self.hide()
            self._on_deleted()
