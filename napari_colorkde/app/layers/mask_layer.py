"""Selected colors, highlighted on the image: a layer that lives as long as the selection.

It is no result; `paint_labels` and `add_labels` make one.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.image.pixels.pixel_blocks import check_labels_fit
from napari_colorkde.app.image.pixels.pixel_index import PixelIndex
from napari_colorkde.app.image.placement import Placement
from napari_colorkde.app.layers.layer_above import LayerAbove
from napari_colorkde.app.layers.mask_drawing import COLORS, MaskImage
from napari_colorkde.app.layers.metadata import METADATA_KEY, OverlayMetadata
from napari_colorkde.app.layers.overlay import Overlay
from napari_colorkde.app.layers.painting import PaletteImage

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels
    from napari.utils.events import Event


class MaskLayer(LayerAbove[MaskImage]):
    """A layer over the image that shows which colors are chosen.

    Parameters
    ----------
    viewer
        A napari viewer, its model, or a proxy of one.
    overlay
        Knows the image and its index.
    name
        What the layer is called after the image's name.
    """

    removed = Signal(description="The user has deleted the layer.")

    def __init__(self, viewer: "ViewerModel", overlay: Overlay, name: str) -> None:
        super().__init__(viewer, overlay)
        self._suffix = name
        self._outlined = False
        self._connections.add(self._viewer.dims.events.ndisplay, self._on_ndisplay)

    def show(self, chosen: NDArray[np.bool_], outlined: bool = False) -> None:
        """Light up the pixels of some colors. Without an image nothing happens.

        Parameters
        ----------
        chosen
            ``(U,)``, for each palette entry.
        outlined
            Whether to draw their border, which is slower and leaves the image to be seen; not in
            three dimensions, where each plane would have its own.

        Raises
        ------
        ValueError
            If it is not one bool for each palette entry.
        """
        from napari.utils.colormaps import Colormap

        self._check(chosen)
        image, painting = self._overlay.image, self._painting
        if painting is None or painting.index is not self._overlay.index:
            painting = self._overlay.new_image(MaskImage)
        if painting is None or image is None:
            return
        name = str(image.name)
        self._outlined = outlined
        painting.outlined = outlined and self._is_flat
        painting.write(chosen)
        if self.image is not image:
            self.hide()
            self._follow(image)
        self._remove_unfit(painting)
        self._put(
            painting,
            f"{name} {self._suffix}",
            OverlayMetadata(name, mask=True),
            colormap=Colormap(COLORS, name=f"{METADATA_KEY} mask", interpolation="zero"),
            # Each value in the middle of its color.
            contrast_limits=(-0.5, len(COLORS) - 0.5),
            interpolation3d="nearest",
        )

    def raise_to_top(self) -> None:
        """Put the layer above all others; what is selected stays so."""
        layer, layers = self.layer, self._viewer.layers
        if layer is None or layers[-1] is layer:
            return
        selected, active = set(layers.selection), layers.selection.active
        layers.move(layers.index(layer), len(layers))
        layers.selection = selected
        layers.selection.active = active

    def show_nothing(self) -> None:
        """Have the layer there with no pixel lit up; without an image, take it away.

        A layer takes napari 0.2 s to add: the first choice is then seen as soon as the next.
        """
        index = self._overlay.index
        if index is None or self._overlay.image is None:
            self.hide()
        else:
            self.show(np.zeros(len(index.palette), bool))

    # --- within

    def _check(self, chosen: NDArray[np.bool_]) -> None:
        index = self._overlay.index
        if index is not None and np.shape(chosen) != (len(index.palette),):
            raise ValueError(
                f"chosen has shape {np.shape(chosen)}; give one bool for each of the "
                f"{len(index.palette)} colors of the palette."
            )

    @property
    def _is_flat(self) -> bool:
        return bool(self._viewer.dims.ndisplay == 2)

    def _on_ndisplay(self, event: "Event") -> None:
        painting, layer = self._painting, self.layer
        if (
            painting is None
            or layer is None
            or painting.outlined == (self._outlined and self._is_flat)
        ):
            return
        painting.outlined = self._outlined and self._is_flat
        painting.write(painting.table[1:])
        layer.refresh(extent=False, highlight=False, thumbnail=False)

    def _on_deleted(self) -> None:
        self.removed.emit()


def paint_labels(index: PixelIndex, values: NDArray[Any]) -> Iterator[Progress | NDArray[np.uint8]]:
    """Paint whole numbers of palette entries on the whole image, as work of a session.

    Parameters
    ----------
    values
        ``(U,)`` from 0 to 255. Excluded pixels become 0.

    Yields
    ------
    Progress or ndarray
        The labels come last, in the shape of the index. 20 ms for 18 million pixels.
    """
    check_labels_fit(index.shape, "labels", "export to .zarr, which is written in blocks")
    labels = np.zeros(index.shape, np.uint8)
    for done in index.paint(values, labels[index.frame], nothing=0):
        yield Progress("painting the labels", done)
    yield labels


def add_labels(
    viewer: "ViewerModel", overlay: Overlay, labels: NDArray[np.uint8], name: str, **options: object
) -> "Labels":
    """Add a Labels layer that lies where the image does.

    Parameters
    ----------
    labels
        Of the shape of the index.
    options
        For the layer.
    """
    from napari.layers import Labels

    painting = overlay.new_image(PaletteImage)
    if painting is not None and painting.channel_axis is not None:
        # The layer has an axis of channels, which the pixels have not.
        axis = painting.channel_axis
        labels = np.repeat(np.expand_dims(labels, axis), painting.n_repeats, axis)
    layer = Labels(labels, name=name, **Placement.of(overlay.image).as_arguments(), **options)
    viewer.layers.append(layer)
    return layer
