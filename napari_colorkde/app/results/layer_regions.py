"""Regions to measure, from layers: each label of a Labels layer, each shape of a Shapes layer.

Read off the layers on the main thread; made in the background.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.image.pixels.pixel_index import PixelIndex
from napari_colorkde.app.image.source import (
    ImageSource,
    is_labels,
    is_shapes,
    unwrap_proxy,
)
from napari_colorkde.app.results.row_layout import regions_of_frame
from napari_colorkde.app.selection.from_layers import shapes_selection, view_of
from napari_colorkde.app.selection.polygons import PolygonSelection
from napari_colorkde.core.classification.regions import Region, regions_of_labels
from napari_colorkde.core.image import SliceableArray
from napari_colorkde.core.number_text import shape_text

if TYPE_CHECKING:
    from napari.components import Dims
    from napari.layers import Image, Labels, Shapes

NAME, CLASS = "name", "class"
"""Features of shapes: shapes of one name are one region."""

MakeRegions = Callable[[PixelIndex], list[Region]]
"""Makes the regions of an image whose pixels are known, in the frame that counts."""


def can_be_regions(layer: "Labels | Shapes") -> bool:
    """Whether a layer is of a kind that holds regions."""
    return is_labels(layer) or is_shapes(layer)


def regions_of_layer(
    layer: "Labels | Shapes",
    image: "Image",
    source: ImageSource,
    channels: Channels,
    dims: "Dims",
) -> MakeRegions:
    """Return what makes regions of a layer.

    Parameters
    ----------
    layer
        Labels of the image's shape, or shapes that lie in the plane that is shown.
    image, source, channels, dims
        The image, and what the viewer shows of it.

    Raises
    ------
    ValueError
        If the layer does not fit the image, or holds no regions.
    """
    layer = unwrap_proxy(layer)
    if is_shapes(layer):
        view = view_of(image, source, channels, dims)
        shapes = shapes_selection(layer, image, channels, view, together=False)
        return partial(_regions_of_shapes, shapes, _names_of(layer))
    data = unwrap_proxy(layer.data)
    data = data[0] if layer.multiscale else data
    shape = source.shape(channels)
    axis = None if source.rgb else channels.axis
    if axis is not None and tuple(data.shape) == tuple(source.array.shape):
        # As labels over an image with an axis of channels have it, too; they are alike along it.
        data = data[(slice(None),) * axis + (0,)]
    if tuple(data.shape) != shape:
        raise ValueError(
            f"{layer.name!r} is {shape_text(data.shape)} pixels, the image {shape_text(shape)}; "
            "choose labels of the image's size, or the whole image."
        )
    return partial(_regions_of_labels, data, _names_of_labels(layer))


def _regions_of_labels(
    labels: SliceableArray, names: dict[int, str], index: PixelIndex
) -> list[Region]:
    return regions_of_labels(np.asarray(labels[index.frame]), names)


def _names_of_labels(layer: "Labels") -> dict[int, str]:
    """Return the names of labels, one for each row of the features, as far as there are any."""
    if NAME not in layer.features:
        return {}
    names = [name.strip() if isinstance(name, str) else "" for name in layer.features[NAME]]
    numbers = layer.features["index"] if "index" in layer.features else range(len(names))
    found: dict[int, str] = {}
    for number, name in zip(numbers, names, strict=True):
        if name and name not in found.values():
            found[int(number)] = name
    return found


def _names_of(layer: "Shapes") -> list[str]:
    """Return the names of the shapes that enclose pixels; "" where they have none."""
    names = layer.features[NAME] if NAME in layer.features else [""] * len(layer.data)
    return [
        name.strip() if isinstance(name, str) else ""
        for name, kind in zip(names, layer.shape_type, strict=True)
        if kind not in ("line", "path")
    ]


def _regions_of_shapes(
    shapes: PolygonSelection, names: Sequence[str], index: PixelIndex
) -> list[Region]:
    found: dict[str, Region] = {}
    for axes, groups in shapes.tiles(index):
        box = tuple(slice(a, a + 1) if isinstance(a, int) else slice(a.start, a.stop) for a in axes)
        inside = (groups > 0).reshape([each.stop - each.start for each in box])
        number = int(groups.max())
        name = names[number - 1] if number else ""
        if not name:
            name = str(number) if str(number) not in names else f"{number} (2)"
        region = Region(name, box, inside)
        found[name] = region if name not in found else _together(found[name], region)
    kept = regions_of_frame(list(found.values()), index.frame)
    if not kept or not any(region.inside.any() for region in kept):
        raise ValueError("there is no pixel of the image inside these shapes; draw over the image.")
    return kept


def _together(first: Region, second: Region) -> Region:
    """Return the pixels of both."""
    both = list(zip(first.box, second.box, strict=True))
    box = tuple(slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in both)
    inside = np.zeros([each.stop - each.start for each in box], np.bool_)
    for region in (first, second):
        place = (
            slice(part.start - whole.start, part.stop - whole.start)
            for part, whole in zip(region.box, box, strict=True)
        )
        inside[tuple(place)] |= region.inside
    return Region(first.name, box, inside)
