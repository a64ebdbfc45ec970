"""The overlay: a density in napari's layer list, and the link between layer and session.

`Overlay.attach` chooses the image; densities that the session announces are painted on a layer
beside it, which follows it when it is moved or renamed.
"""

from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, ref

import numpy as np
from psygnal import Signal

from napari_colorkde.app.density.colors_on_screen import ReadCodes
from napari_colorkde.app.density.request import ColorValues
from napari_colorkde.app.image.pixels.pixel_index import PixelIndex
from napari_colorkde.app.image.source import ImageSource, source_of, unwrap_proxy
from napari_colorkde.app.layers.contrast import moved_contrast, set_contrast
from napari_colorkde.app.layers.layer_watch import LayerWatch, image_layers, renamed_arrays
from napari_colorkde.app.layers.metadata import METADATA_KEY, OverlayMetadata
from napari_colorkde.app.layers.overlay_colormap import (
    is_class_map,
    overlay_colormap,
    uses_user_colormap,
    volume_options,
)
from napari_colorkde.app.layers.painted_layer import P, PaintedLayer
from napari_colorkde.app.layers.painting import PaletteImage
from napari_colorkde.app.layers.pixels_on_screen import codes_on_screen
from napari_colorkde.app.session import Session
from napari_colorkde.app.state import State

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image
    from napari.utils.colormaps import Colormap
    from napari.utils.events import Event

OPACITY = 0.6

# Overlays whose dock looks at another image: choosing theirs again, even in another dock, goes on
# with them. Those of an image that is looked at are their dock's own.
_left: "WeakKeyDictionary[Image, ref[Image]]" = WeakKeyDictionary()


class Overlay(PaintedLayer[PaletteImage]):
    """Keeps a density layer in a viewer as the session says.

    Parameters
    ----------
    viewer
        A napari viewer, its model, or a proxy of one.
    session
        Whose densities are shown.
    """

    image_removed = Signal(
        description="The user is deleting the image, and none is looked at. See `remove_orphans`."
    )

    def __init__(self, viewer: "ViewerModel", session: Session) -> None:
        super().__init__(viewer)
        self._session = session
        self._watch = LayerWatch(self._viewer)
        self._per_frame = False
        self._limits: tuple[float, float] | None = None
        self._shown: ColorValues | None = None
        self._connections.add(session.densities_changed, self._show)
        self._connections.add(session.state_changed, self._on_state)
        self._connections.add(self._watch.changed, self._on_layers)
        self._connections.add(self._viewer.dims.events.current_step, self._follow_frame)
        self._connections.add(self._watch.refreshed, self._on_refreshed)
        session.computation.codes_on_screen = self._codes_on_screen

    @property
    def index(self) -> PixelIndex | None:
        """Which color each pixel of that image has; None before they are counted."""
        return self._session.index

    def new_image(self, kind: type[P]) -> P | None:
        """A painting with the axes of the image's layer; None where there is nothing to paint on.

        Parameters
        ----------
        kind
            Its class.
        """
        index, image = self.index, self.image
        if index is None or image is None:
            return None
        # Those that were counted: others may have been chosen meanwhile.
        along = index.channels.axis if not image.rgb else None
        n = 1 if along is None else int(index.source.array.shape[along])
        return kind(index, along, n)

    def attach(self, layer: "Image | None") -> None:
        """Look at this image layer, or with None at no image.

        Raises
        ------
        ValueError, TypeError
            If the layer is no image of colors; nothing is looked at then.
        """
        layer = unwrap_proxy(layer)
        self._let_go()
        try:
            source = None if layer is None else self._source_of(layer)
        except (ValueError, TypeError):
            self._session.open(None)
            raise
        if layer is not None:
            self._follow(layer)
            if (left := _left.pop(layer, None)) is not None:
                self._layers[layer] = left
            self._watch.start()
            self._image_connections.add(layer.events.name, self._on_name)
            if (overlay := self.layer) is not None:
                self._image_connections.add(overlay.events.colormap, self._on_colormap)
        self._session.open(source)

    @property
    def per_frame(self) -> bool:
        """Whether of a stack the frame on the screen alone counts, not all of them together."""
        return self._per_frame

    @per_frame.setter
    def per_frame(self, per_frame: bool) -> None:
        if per_frame != self._per_frame:
            self._per_frame = per_frame
            self._follow_frame()

    def _source_of(self, layer: "Image") -> ImageSource:
        source = source_of(layer, image_layers(self._viewer))
        if not self._per_frame:
            return source
        position = np.round(layer.world_to_data(self._viewer.dims.point)).astype(int)
        last = np.array(source.array.shape[: layer.ndim]) - 1
        return replace(source, at=tuple(np.clip(position, 0, last).tolist()))

    def _follow_frame(self, event: "Event | None" = None) -> None:
        """Count the frame that is on the screen now, if one alone counts."""
        image, before, channels = self.image, self._session.source, self._session.channels
        if image is None or before is None or channels is None:
            return
        if self._per_frame or before.at is not None:
            after = self._source_of(image)
            if after.frame(channels) != before.frame(channels):
                self._session.update(after, {})

    def _let_go(self) -> None:
        self._watch.stop()
        if (image := self.image) is not None and self.layer is not None:
            _left[image] = self._layers.pop(image)
        super()._let_go()
        self._limits = self._shown = None

    def _codes_on_screen(self) -> ReadCodes | None:
        """Return what reads the codes of the pixels drawn now; None without a layer of two axes."""
        layer, index = self.layer, self.index
        if layer is None or index is None or self._painting is None:
            return None
        return codes_on_screen(layer, index) if self._painting.index is index else None

    # --- what the session says

    def _show(self, densities: ColorValues) -> None:
        image, painting = self.image, self._painting
        fresh = painting is None or painting.index is not self.index
        if fresh:
            painting = self.new_image(PaletteImage)
        if painting is None or image is None:
            return
        painting.write(densities.values)
        self._remove_unfit(painting)
        limits = self._keep_user_contrast(densities)
        layer, other = self.layer, self._shown is None or self._shown.kind != densities.kind
        if layer is not None and is_class_map(self._shown) != is_class_map(densities):
            for name, option in volume_options(densities).items():
                setattr(layer, name, option)
        self._shown = densities
        if layer is not None and other:
            layer.colormap = self._colormap()
        layer = self._put(
            painting,
            self._name(image),
            OverlayMetadata(image.name, channel_axis=painting.channel_axis),
            colormap=self._colormap(),
            contrast_limits=limits,
            opacity=OPACITY,
            **volume_options(densities),
        )
        if fresh:
            layer.name = self._name(image)
        set_contrast(layer, limits, densities.limits)
        if densities.is_exact:
            query = densities.request.query
            after = replace(
                self._metadata(image, layer),
                log=densities.log,
                classes=query.names if query and query.show == "class" else None,
                origin=self._session.description(),
            )
            self._set_metadata(layer, after)

    def _metadata(self, image: "Image", layer: "Image") -> OverlayMetadata:
        return OverlayMetadata.of(layer.metadata) or OverlayMetadata(image.name)

    def _set_metadata(self, layer: "Image", metadata: OverlayMetadata) -> None:
        layer.metadata = {**layer.metadata, METADATA_KEY: metadata.to_json()}

    def _insert(self, layer: "Image") -> None:
        super()._insert(layer)
        self._image_connections.add(layer.events.colormap, self._on_colormap)

    def _keep_user_contrast(self, densities: ColorValues) -> tuple[float, float]:
        layer, before, shown = self.layer, self._limits, self._shown
        self._limits = densities.limits
        if layer is None or before is None or shown is None or shown.kind != densities.kind:
            return densities.limits
        return moved_contrast(layer.contrast_limits, before, densities.limits)

    def _colormap(self) -> "str | Colormap":
        chosen = self._session.colormap
        return chosen if self._shown is None else overlay_colormap(self._shown, chosen)

    def _name(self, image: "Image") -> str:
        index = self._session.index
        counting = index is not None and index.is_preview
        return _overlay_name(image.name) + (" (preview)" if counting else "")

    def _on_state(self, state: State, before: State) -> None:
        layer, shown = self.layer, self._shown
        if layer is None or shown is None:
            return
        if uses_user_colormap(shown) and layer.colormap.name != state.colormap:
            layer.colormap = state.colormap
        query = shown.request.query
        if (
            query is not None
            and state.classification.without_display == query.classification.without_display
        ):
            # The middle of a ratio's colors is its threshold, which asks for no other values.
            query = replace(query, classification=state.classification)
            if query.limits != self._limits:
                moved = replace(shown, limits=query.limits)
                set_contrast(layer, self._keep_user_contrast(moved), moved.limits)

    # --- what the user does to the layers

    def _on_colormap(self, event: "Event") -> None:
        layer = self.layer
        if layer is not None and uses_user_colormap(self._shown):
            self._session.colormap = layer.colormap.name

    def _on_removed(self, event: "Event") -> None:
        removed, layer = unwrap_proxy(event.value), self.layer
        if removed is self.image:
            layer = self._forget_layer()
            self._let_go()
            self._session.open(None)
            # Last, as others hear of that removal, too.
            self._discard(layer)
            self.image_removed.emit()
        elif layer is None:
            # The user removed it; the next edit makes another.
            self._limits = self._shown = None

    def _on_layers(self) -> None:
        image, source = self.image, self._session.source
        if image is None or source is None or image not in self._viewer.layers:
            return
        try:
            after = self._source_of(image)
        except (ValueError, TypeError):
            self.attach(None)
            raise
        self._session.update(after, renamed_arrays(source, after))

    def _on_refreshed(self) -> None:
        self._session.check_pixels()

    def _on_name(self, event: "Event") -> None:
        image, layer = self.image, self.layer
        if image is None or layer is None:
            return
        before = self._metadata(image, layer)
        if layer.name == _overlay_name(before.image):
            layer.name = _overlay_name(image.name)
        self._set_metadata(layer, replace(before, image=image.name))


def _overlay_name(image_name: str) -> str:
    return f"{image_name} density"
