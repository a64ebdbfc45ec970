"""A layer that is painted lazily and follows an image. Works with a windowless `ViewerModel`."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar
from weakref import WeakKeyDictionary, WeakSet, ref

from napari_colorkde.app.image.placement import Placement
from napari_colorkde.app.image.source import unwrap_proxy
from napari_colorkde.app.layers.metadata import METADATA_KEY, OverlayMetadata
from napari_colorkde.app.layers.painting import PaletteImage
from napari_colorkde.connections import Connections

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image
    from napari.utils.events import Event

BLENDING = "translucent_no_depth"
PLACEMENT_EVENTS = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")

_orphans: "WeakSet[Image]" = WeakSet()

P = TypeVar("P", bound=PaletteImage)


class PaintedLayer(ABC, Generic[P]):
    """A layer that shows a `PaletteImage` where an image lies, and goes where that image goes.

    Parameters
    ----------
    viewer
        A napari viewer, its model, or a proxy of one.
    """

    is_rgb: ClassVar[bool] = False
    """Whether the last axis of what is painted holds colors."""

    def __init__(self, viewer: "ViewerModel") -> None:
        self._viewer = unwrap_proxy(viewer)
        self._layers: WeakKeyDictionary[Image, ref[Image]] = WeakKeyDictionary()
        self._image: ref[Image] | None = None
        self._painting: P | None = None
        self._connections, self._image_connections = Connections(), Connections()
        self._connections.add(self._viewer.layers.events.removed, self._on_removed)
        # napari takes several away one after the other, and looks for each by then.
        self._is_batch = False
        self._connections.add(self._viewer.layers.events.begin_batch, self._on_batch)
        self._connections.add(self._viewer.layers.events.end_batch, self._on_batch_end)

    @property
    def image(self) -> "Image | None":
        """The image that is followed, or None."""
        return None if self._image is None else self._image()

    @property
    def layer(self) -> "Image | None":
        """The layer of that image, None while there is none in the viewer."""
        image = self.image
        found = self._layers.get(image) if image is not None else None
        layer = None if found is None else found()
        return layer if layer in self._viewer.layers else None

    def close(self) -> None:
        """Let go of the viewer."""
        self._let_go()
        self._connections.close()

    def _follow(self, image: "Image") -> None:
        self._image = ref(image)
        for name in PLACEMENT_EVENTS:
            self._image_connections.add(getattr(image.events, name), self._on_moved)

    def _let_go(self) -> None:
        self._image_connections.close()
        self._image = self._painting = None

    def _remove(self) -> None:
        """Take the layer away; the image is still followed."""
        self._discard(self._forget_layer())

    def _forget_layer(self) -> "Image | None":
        """Return the layer, which is no longer that of the image."""
        layer = self.layer
        if layer is not None:
            del self._layers[self.image]
        return layer

    def _discard(self, layer: "Image | None") -> None:
        """Take a layer away that was forgotten before, as it is not the user who removes it."""
        layers = self._viewer.layers
        if layer is None or layer not in layers:
            return
        if self._is_orphan(layer):
            # Perhaps it is about to be removed with others, and must be there then.
            _orphans.add(layer)
        else:
            layers.remove(layer)

    def _is_orphan(self, layer: "Image") -> bool:
        image, layers = self.image, self._viewer.layers
        is_left = image is None or image not in layers
        return layer in layers.selection and (is_left or self._is_batch)

    def _on_batch(self, event: "Event") -> None:
        self._is_batch = True

    def _on_batch_end(self, event: "Event") -> None:
        self._is_batch = False
        remove_orphans(self._viewer)

    def _remove_unfit(self, painting: P) -> None:
        """Take the layer away where it has no pyramid and the painting has, or the reverse."""
        layer = self.layer
        if layer is not None and layer.multiscale != (len(painting.levels) > 1):
            self._remove()

    def _put(self, painting: P, name: str, mark: OverlayMetadata, **options: object) -> "Image":
        """Show a painting: on the layer that is there, or on a new one with these options."""
        from napari.layers import Image

        image, layer, fresh = self.image, self.layer, painting is not self._painting
        self._painting = painting
        if layer is None:
            layer = Image(
                painting.data,
                name=name,
                rgb=self.is_rgb,
                multiscale=len(painting.levels) > 1,
                blending=BLENDING,
                metadata={METADATA_KEY: mark.to_json()},
                **self._placement(image).as_arguments(),
                **options,
            )
            self._layers[image] = ref(layer)
            self._insert(layer)
        elif fresh:
            layer.data = painting.data
        else:
            layer.refresh(extent=False, highlight=False, thumbnail=False)
        return layer

    def _insert(self, layer: "Image") -> None:
        self._viewer.layers.insert(self._viewer.layers.index(self.image) + 1, layer)

    def _placement(self, image: "Image") -> Placement:
        """Where the layer lies: where the image does."""
        return Placement.of(image)

    def _on_moved(self, event: "Event") -> None:
        image, layer = self.image, self.layer
        if image is not None and layer is not None:
            self._placement(image).apply(layer)

    @abstractmethod
    def _on_removed(self, event: "Event") -> None:
        """Follow the removal of a layer from the viewer, which may be the image or this layer."""


def remove_orphans(viewer: "ViewerModel") -> None:
    """Take away what was left of images that the user has deleted; not while that goes on."""
    layers = unwrap_proxy(viewer).layers
    for layer in [layer for layer in layers if layer in _orphans]:
        layers.remove(layer)
