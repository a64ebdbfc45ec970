"""A stack in true color: a layer whose opacity follows the kernels' values shown.

One RGBA layer, which napari draws as a volume. Hidden while it is there are the layers that would
cover it: the image, those that are further channels of it, and the density.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakSet, ref

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.app.density.request import ColorValues
from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.image.placement import Placement
from napari_colorkde.app.layers.layer_above import LayerAbove
from napari_colorkde.app.layers.metadata import METADATA_KEY, OverlayMetadata
from napari_colorkde.app.layers.overlay import Overlay
from napari_colorkde.app.layers.voxels.voxel_colors import COLOR_EVENTS, true_colors
from napari_colorkde.app.layers.voxels.voxel_image import SPACE, PaintedAhead, VoxelImage
from napari_colorkde.app.layers.voxels.voxel_opacity import color_opacity
from napari_colorkde.app.session import Session
from napari_colorkde.app.state import State
from napari_colorkde.connections import Connections
from napari_colorkde.core.palette.palette import Palette

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Layer
    from napari.utils.events import Event

AT_ONCE = 1 << 20
"""So many voxels are painted when they are drawn, in 10 ms; more in the background before that."""

VOXELS_NAME = "true color"


class VoxelLayer(LayerAbove[VoxelImage]):
    """Shows the voxels of the chosen kernels while the session's state asks for it.

    Parameters
    ----------
    viewer
        A napari viewer, its model, or a proxy of one.
    session, overlay
        What is followed, and what knows the image and its index.
    """

    is_rgb = True

    def __init__(self, viewer: "ViewerModel", session: Session, overlay: Overlay) -> None:
        super().__init__(viewer, overlay)
        self._session = session
        self._hidden: list[ref[Layer]] = []
        self._covered: WeakSet[Layer] = WeakSet()
        self._said: tuple[str, tuple[int, ...]] | None = None
        self._channels: Channels | None = None
        self._colors: NDArray[np.uint8] | None = None
        self._colored: Palette | None = None
        self._color_connections = Connections()
        self._connections.add(session.source_changed, self._on_source)
        self._connections.add(session.choices_changed, self._on_source)
        self._connections.add(session.state_changed, self._on_state)
        self._connections.add(session.densities_changed, self._on_densities)
        self._connections.add(session.failed, self._on_failed)

    def update(self) -> None:
        """Show the voxels as the session has them."""
        session, image = self._session, self._overlay.image
        densities, settings = session.densities, session.state.shown_voxels
        if settings is None or image is None or not session.is_stack:
            self.hide()
            return
        channels = session.channels
        if densities is None or densities.request.kernels is None or channels is None:
            return  # those that the state asks for will follow
        if self.image is not image:
            self.hide()
            self._follow(image)
        if channels != self._channels:
            self._watch_colors(channels)
        painting = self._painting
        fresh = painting is None or painting.index is not self._overlay.index
        if fresh:
            painting = self._overlay.new_image(VoxelImage)
        if painting is None or len(painting.table) != len(densities.values) + 1:
            return
        colors = self._colors_of(painting.index.palette, channels)
        table = painting.table_of(colors, color_opacity(densities, settings))
        if painting.n_seen <= AT_ONCE or self._viewer.dims.ndisplay < len(SPACE):
            self._show(painting, table)
            return

        def paint(painting: VoxelImage = painting) -> Iterator[PaintedAhead]:
            yield painting.paint_ahead(table)

        def show(ahead: PaintedAhead, painting: VoxelImage = painting) -> None:
            self._show(painting, ahead.table, ahead)

        self._session.run("voxels", paint, show, self._on_painted)

    def _show(
        self,
        painting: VoxelImage,
        table: NDArray[np.uint32],
        ahead: PaintedAhead | None = None,
    ) -> None:
        """Show voxels in new colors, unless they are no longer those of the image."""
        image = self._overlay.image
        if image is None or self._session.state.shown_voxels is None:
            return
        name = str(image.name)
        if self.image is not image or painting.index is not self._overlay.index:
            return
        is_new, fresh = not self.shown, painting is not self._painting
        painting.color(table, ahead)
        layer = self._put(
            painting,
            _layer_name(name),
            OverlayMetadata(name, voxels=True, channel_axis=painting.channel_axis),
            rendering="translucent",
            # Between a voxel that is seen and one that is clear there is no darker third.
            interpolation3d="nearest",
        )
        if fresh and not is_new:
            self._placement(image).apply(layer)
        self._tell_steps(painting, name)
        if is_new:
            self._cover()

    def hide(self) -> None:
        """Take the layer away; the layers that it hid are seen again."""
        super().hide()
        self._uncover()

    # --- within

    def _placement(self, image: "Image") -> Placement:
        """Where the image lies, with larger voxels where some are left out."""
        place, painting = Placement.of(image), self._painting
        if painting is None:
            return place
        steps = list(painting.steps)
        if painting.channel_axis is not None:
            steps.insert(painting.channel_axis, 1)
        scale = tuple(float(a * step) for a, step in zip(place.scale, steps, strict=True))
        return replace(place, scale=scale)

    def _follow(self, image: "Image") -> None:
        super()._follow(image)
        self._image_connections.add(image.events.name, self._on_name)

    def _let_go(self) -> None:
        self._color_connections.close()
        self._channels = self._colors = self._colored = None
        super()._let_go()

    def _watch_colors(self, channels: Channels) -> None:
        """Follow the colors of the layers that these channels are."""
        self._color_connections.close()
        self._channels, self._colors = channels, None
        for layer in self._colored_layers():
            for name in COLOR_EVENTS:
                self._color_connections.add(getattr(layer.events, name), self._on_colors)
        if self.shown:
            self._cover()

    def _colors_of(self, palette: Palette, channels: Channels) -> NDArray[np.uint8]:
        if self._colors is None or self._colored is not palette:
            self._colors = true_colors(palette.colors, channels, self._colored_layers())
            self._colored = palette
        return self._colors

    def _colored_layers(self) -> "list[Image]":
        """The image, and the layers that are further channels of it, in their order."""
        image, channels = self._overlay.image, self._session.channels
        if image is None or channels is None:
            return []
        names = set(channels.layers)
        others = {str(layer.name): layer for layer in self._viewer.layers if layer.name in names}
        return [image, *(others[name] for name in channels.layers if name in others)]

    def _cover(self) -> None:
        """Hide what would cover the voxels; layers that the user shows again stay so."""
        for layer in (*self._colored_layers(), self._overlay.layer):
            if layer is None or layer in self._covered:
                continue
            self._covered.add(layer)
            if layer.visible:
                self._hidden.append(ref(layer))
                layer.visible = False

    def _uncover(self) -> None:
        hidden, self._hidden = self._hidden, []
        self._covered.clear()
        for layer in (reference() for reference in hidden):
            if layer is not None and layer in self._viewer.layers:
                layer.visible = True

    def _tell_steps(self, painting: VoxelImage, name: str) -> None:
        said = name, painting.steps
        if said == self._said or max(painting.steps) == 1:
            return
        self._said = said
        size = " × ".join(map(str, painting.index.shape[-3:]))
        axes = zip(("plane", "row", "column"), painting.steps[-3:], strict=True)
        kept = ", ".join(f"{axis} 1 of {step}" for axis, step in axes if step > 1)
        self._session.say(f"Of {size} voxels some are drawn in true color: {kept}.")

    # --- what happens elsewhere

    def _on_source(self, source: object) -> None:
        if source is None or self.image is not self._overlay.image:
            self.hide()
            return
        self._channels = None  # other layers may be its channels
        self.update()

    def _on_state(self, state: State, before: State) -> None:
        if state.shown_voxels != before.shown_voxels:
            self.update()

    def _on_densities(self, densities: ColorValues) -> None:
        self.update()

    def _on_failed(self, problem: str) -> None:
        densities = self._session.densities
        if densities is not None and densities.request.kernels != self._session.state.kernels:
            self.hide()  # other kernels than those that are chosen now

    def _on_painted(self, problem: str | None) -> None:
        if problem is not None:
            self._session.say(f"The voxels in true color are not up to date: {problem}")

    def _on_colors(self, event: "Event") -> None:
        self._colors = None
        self.update()

    def _on_name(self, event: "Event") -> None:
        image, layer = self.image, self.layer
        if image is None or layer is None:
            return
        before = OverlayMetadata.from_json(layer.metadata[METADATA_KEY])
        if layer.name == _layer_name(before.image):
            layer.name = _layer_name(str(image.name))
        after = replace(before, image=str(image.name))
        layer.metadata = {**layer.metadata, METADATA_KEY: after.to_json()}

    def _on_deleted(self) -> None:
        self._session.set_voxels(show=False)


def _layer_name(image_name: str) -> str:
    return f"{image_name} {VOXELS_NAME}"
