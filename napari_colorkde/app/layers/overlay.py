"""The overlay: a density in napari's layer list, and the tie between a layer and the session.

napari's layers are used through their public attributes only; a `ViewerModel` without a window
will do. `Overlay.attach` chooses the image; densities that the session announces are painted on a
layer beside it, which follows it when it is moved or renamed.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from napari_colorkde.app.density.compute import ColorValues
from napari_colorkde.app.image.pixel_index import PixelIndex
from napari_colorkde.app.image.placement import Placement
from napari_colorkde.app.image.source import is_image, source_of, unwrap_proxy
from napari_colorkde.app.layers.metadata import METADATA_KEY, OverlayMetadata
from napari_colorkde.app.layers.overlay_colormap import overlay_colormap, uses_user_colormap
from napari_colorkde.app.layers.painting import PaletteImage
from napari_colorkde.app.session import Session
from napari_colorkde.app.state import State

if TYPE_CHECKING:
    from napari.layers import Image

OPACITY = 0.6
BLENDING = "translucent_no_depth"

# The overlay of each image: choosing an image again, even in another dock, goes on with it.
_overlays: WeakKeyDictionary[Any, "ref[Image]"] = WeakKeyDictionary()

PLACEMENT_EVENTS = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")


class Overlay:
    """Keeps a density layer in a viewer as the session says.

    Parameters
    ----------
    viewer
        A napari viewer, its model, or a proxy of one.
    session
        Whose densities are shown.
    """

    def __init__(self, viewer: Any, session: Session) -> None:
        self._viewer = unwrap_proxy(viewer)
        self._session = session
        self._painting: PaletteImage | None = None
        self._limits: tuple[float, float] | None = None
        self._shown: ColorValues | None = None
        self._image: ref[Any] | None = None
        session.densities_changed.connect(self._show)
        session.state_changed.connect(self._on_state)
        self._viewer.layers.events.removed.connect(self._on_removed)

    @property
    def image(self) -> Any:
        """The layer whose colors are looked at, or None."""
        return None if self._image is None else self._image()

    @property
    def layer(self) -> "Image | None":
        """The density layer of that image, or None."""
        image = self.image
        found = _overlays.get(image) if image is not None else None
        layer = None if found is None else found()
        return layer if layer in self._viewer.layers else None

    @property
    def index(self) -> PixelIndex | None:
        """Which color each pixel of that image has; None before they are counted."""
        return self._session.index

    def new_image(self, kind: type[PaletteImage] = PaletteImage) -> PaletteImage | None:
        """A painting with the axes of the image's layer; None where there is nothing to paint on.

        Parameters
        ----------
        kind
            Its class.
        """
        index, channels, image = self.index, self._session.channels, self.image
        if index is None or channels is None or image is None:
            return None
        along = channels.axis if not image.rgb else None
        n = 1 if along is None else int(index.source.array.shape[along])
        return kind(index, along, n)

    def attach(self, layer: Any) -> None:
        """Look at this image layer, or with None at no image.

        Raises
        ------
        ValueError, TypeError
            If the layer is no image of colors; nothing is looked at then.
        """
        layer = unwrap_proxy(layer)
        self._detach()
        try:
            source = None if layer is None else source_of(layer, image_layers(self._viewer))
        except (ValueError, TypeError):
            self._session.open(None)
            raise
        if layer is not None:
            self._image = ref(layer)
            self._listen(layer, True)
            if (overlay := self.layer) is not None:
                overlay.events.colormap.connect(self._on_colormap)
        self._session.open(source)

    def close(self) -> None:
        """Let go of the viewer. Layers stay."""
        self._detach()
        self._session.densities_changed.disconnect(self._show)
        self._session.state_changed.disconnect(self._on_state)
        self._viewer.layers.events.removed.disconnect(self._on_removed)

    def _detach(self) -> None:
        image, overlay = self.image, self.layer
        if overlay is not None:
            overlay.events.colormap.disconnect(self._on_colormap)
        if image is not None:
            self._listen(image, False)
        self._image = self._painting = self._limits = self._shown = None

    def _listen(self, layer: Any, on: bool) -> None:
        for names, callback in (
            (("data",), self._on_data),
            (("name",), self._on_name),
            (PLACEMENT_EVENTS, self._on_moved),
        ):
            for name in names:
                event = getattr(layer.events, name)
                (event.connect if on else event.disconnect)(callback)

    # --- what the session says

    def _show(self, densities: ColorValues) -> None:
        image = self.image
        fresh = self._painting is None or self._painting.index is not self.index
        if fresh:
            self._painting = self.new_image()
        painting = self._painting
        if painting is None or image is None:
            return
        painting.write(densities.values)
        layer = self.layer
        if layer is not None and layer.multiscale != (len(painting.levels) > 1):
            self._viewer.layers.remove(layer)
            layer = None
        limits = self._keep_user_contrast(densities)
        other = self._shown is None or self._shown.kind != densities.kind
        self._shown = densities
        if layer is not None and other:
            layer.colormap = self._colormap()
        if layer is None:
            layer = self._add(image, painting, limits)
        elif fresh:
            layer.data = painting.data
            layer.name = self._name(image)
        else:
            layer.refresh(extent=False, highlight=False, thumbnail=False)
        self._set_limits(layer, limits, densities)
        if densities.is_exact:
            query = densities.request.query
            after = replace(
                self._metadata(image, layer),
                log=densities.log,
                classes=query.names if query and query.show == "class" else None,
                origin=self._session.description(),
            )
            self._set_metadata(layer, after)

    def _metadata(self, image: Any, layer: "Image") -> OverlayMetadata:
        return OverlayMetadata.of(layer.metadata) or OverlayMetadata(image.name)

    def _set_metadata(self, layer: "Image", metadata: OverlayMetadata) -> None:
        layer.metadata = {**layer.metadata, METADATA_KEY: metadata.to_dict()}

    def _add(self, image: Any, painting: PaletteImage, limits: tuple[float, float]) -> "Image":
        from napari.layers import Image

        mark = OverlayMetadata(image.name, channel_axis=painting.channel_axis)
        layer = Image(
            painting.data,
            name=self._name(image),
            rgb=False,
            multiscale=len(painting.levels) > 1,
            colormap=self._colormap(),
            contrast_limits=limits,
            opacity=OPACITY,
            blending=BLENDING,
            metadata={METADATA_KEY: mark.to_dict()},
            **Placement.of(image).as_arguments(),
        )
        _overlays[image] = ref(layer)
        self._viewer.layers.insert(self._viewer.layers.index(image) + 1, layer)
        layer.events.colormap.connect(self._on_colormap)
        return layer

    def _keep_user_contrast(self, densities: ColorValues) -> tuple[float, float]:
        """Contrast limits for new densities, changed as the user changed the last ones."""
        low, high = densities.limits
        before, layer, shown = self._limits, self.layer, self._shown
        if before is not None and layer is not None and shown and shown.kind == densities.kind:
            width = before[1] - before[0]
            low, high = (
                densities.limits[0] + (float(limit) - before[0]) / width * (high - low)
                for limit in layer.contrast_limits
            )
        self._limits = densities.limits
        return (low, high) if high > low else densities.limits

    def _set_limits(
        self, layer: "Image", limits: tuple[float, float], densities: ColorValues
    ) -> None:
        # First the limits, which widen the range, then the range they lie in: never clipped.
        layer.contrast_limits = limits
        low = min(limits[0], densities.limits[0])
        high = max(limits[1], densities.limits[1])
        layer.contrast_limits_range = (low, high)

    def _colormap(self) -> Any:
        chosen = self._session.colormap
        return chosen if self._shown is None else overlay_colormap(self._shown, chosen)

    def _name(self, image: Any) -> str:
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
                self._set_limits(layer, self._keep_user_contrast(moved), moved)

    # --- what the user does to the layers

    def _on_colormap(self, event: Any) -> None:
        layer = self.layer
        if layer is not None and uses_user_colormap(self._shown):
            self._session.colormap = layer.colormap.name

    def _on_removed(self, event: Any) -> None:
        removed = unwrap_proxy(event.value)
        if removed is self.image:
            self._detach()
            self._session.open(None)
        elif self.layer is None:
            # The user's will; the next edit makes another.
            self._limits = self._shown = None

    def _on_data(self, event: Any) -> None:
        self.attach(self.image)

    def _on_name(self, event: Any) -> None:
        image, layer = self.image, self.layer
        if image is None or layer is None:
            return
        before = self._metadata(image, layer)
        if layer.name == _overlay_name(before.image):
            layer.name = _overlay_name(image.name)
        self._set_metadata(layer, replace(before, image=image.name))

    def _on_moved(self, event: Any) -> None:
        image, layer = self.image, self.layer
        if image is not None and layer is not None:
            Placement.of(image).apply(layer)


def image_layers(viewer: Any) -> list[Any]:
    """The image layers of a viewer that are no densities, from bottom to top."""
    layers = [unwrap_proxy(layer) for layer in unwrap_proxy(viewer).layers]
    return [layer for layer in layers if is_image(layer) and METADATA_KEY not in layer.metadata]


def _overlay_name(image_name: str) -> str:
    return f"{image_name} density"
