"""Polygons from an annotation program as a layer, with names and classes as features.

Shapes over a picture; labels over a stack, and where there are more polygons than napari can draw.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.image.layer_files import remember_file
from napari_colorkde.app.image.pixels.pixel_blocks import check_labels_fit
from napari_colorkde.app.image.placement import Placement
from napari_colorkde.app.image.source import ImageSource
from napari_colorkde.app.results.layer_regions import CLASS, NAME
from napari_colorkde.core.checks.arguments import Keywords
from napari_colorkde.core.number_text import counted
from napari_colorkde.io.colors.colormaps import CLASS_COLORS
from napari_colorkde.io.formats.geojson import Annotation, in_planes, read_annotations

if TYPE_CHECKING:
    from napari.layers import Image, Labels, Shapes

SUFFIX = ".geojson"

MOST_SHAPES = 5000
"""That napari shows without halting for seconds."""

NAMED_SHAPES = 100
"""Of more shapes, names are not written on the picture."""


@dataclass(frozen=True, slots=True, eq=False)
class RegionLayer:
    """Regions as a layer.

    Attributes
    ----------
    layer
        Shapes or labels, which are not in a viewer yet.
    remark
        A sentence about what labels cannot hold; "" where there is nothing of the kind.
    """

    layer: "Shapes | Labels"
    remark: str = ""


def read_region_layer(
    path: Path, image: "Image", source: ImageSource, channels: Channels
) -> "Iterator[Progress | RegionLayer]":
    """Read polygons as a layer that lies over an image.

    Parameters
    ----------
    path
        GeoJSON, see `read_annotations`.
    image, source, channels
        The image that they were drawn on.

    Raises
    ------
    ValueError, OSError
        If the file holds no polygon that lies in the image, or labels of it do not fit in memory.
    """
    shape = source.shape(channels)
    yield Progress(f"reading {path.name}")
    if not path.is_file():
        raise FileNotFoundError(f"regions {str(path)!r} does not exist; check the name.")
    found = read_annotations(path, (shape[-2], shape[-1]))
    n_shapes = sum(len(each.polygons) for each in found)
    yield Progress(f"drawing {counted(n_shapes, 'polygon')}")
    is_picture = len(shape) == 2 and source.pixel_axes(channels)[-1] == image.ndim - 1
    if is_picture and n_shapes <= MOST_SHAPES:
        yield RegionLayer(_layer(path, found, image))
    else:
        yield _labels(path, in_planes(path, found, shape[:-2]), image, source, channels)


def _labels(
    path: Path,
    found: list[Annotation],
    image: "Image",
    source: ImageSource,
    channels: Channels,
) -> RegionLayer:
    """Fill polygons one after the other, each with its own number."""
    from napari.layers import Labels

    shape, axis = source.shape(channels), None if source.rgb else channels.axis
    n_layers = 1 if axis is None else source.array.shape[axis]
    dtype = np.min_scalar_type(len(found))
    n_bytes = (*shape, n_layers, dtype.itemsize)
    check_labels_fit(n_bytes, "labels", f"measure {path.name} with Batch…")
    labels = np.zeros(shape, dtype)
    n_covered = 0
    for number, each in enumerate(found, 1):
        place = labels[each.region.box]
        n_covered += int(np.count_nonzero(place[each.region.inside]))
        place[each.region.inside] = number
    data: NDArray[Any] = labels
    if axis is not None:
        # The layer has an axis of channels, which the pixels have not.
        data = np.repeat(np.expand_dims(labels, axis), n_layers, axis)
    features = {
        NAME: ["", *(each.region.name for each in found)],
        CLASS: ["", *(each.cls for each in found)],
    }
    placement = Placement.of(image).as_arguments()
    layer = Labels(data, name=path.stem, opacity=0.4, features=features, **placement)
    remember_file(layer, path)
    remark = ""
    if n_covered:
        remark = (
            f"Regions overlap in {counted(n_covered, 'pixel')}, which as labels belong to the "
            "last one only; Batch… measures each region whole."
        )
    return RegionLayer(layer, remark)


def _layer(path: Path, found: list[Annotation], image: "Image") -> "Shapes":
    from napari.layers import Shapes

    corners: list[NDArray[np.float64]] = []
    names: list[str] = []
    classes: list[str] = []
    colors: list[tuple[float, float, float, float]] = []
    color_of = _class_colors(found)
    for each in found:
        for rings in each.polygons:
            outline = _outline(rings)
            if len(outline) < 3:  # it encloses nothing
                continue
            corners.append(outline[:, ::-1] - 0.5)  # pixels' centers are whole numbers
            names.append(each.region.name)
            classes.append(each.cls)
            colors.append(color_of[each.cls])
    extent = max(image.extent.data[1][-2:] - image.extent.data[0][-2:])
    options: Keywords = _placed_as(image)
    if len(corners) <= NAMED_SHAPES:
        options["text"] = {"string": f"{{{NAME}}}", "color": colors, "anchor": "upper_left"}
    layer = Shapes(
        corners,
        shape_type="polygon",
        name=path.stem,
        edge_color=colors,
        edge_width=max(1.0, extent / 250),
        face_color="transparent",
        features={NAME: names, CLASS: classes},
        feature_defaults={NAME: "", CLASS: ""},
        **options,
    )
    remember_file(layer, path)
    return layer


def _placed_as(image: "Image") -> dict[str, object]:
    """Return the arguments with which shapes lie on the last two axes of an image."""
    if image.ndim == 2:
        return Placement.of(image).as_arguments()
    origin = np.zeros(image.ndim)
    start = np.array(image.data_to_world(origin))
    affine = np.eye(3)
    for column, axis in enumerate((image.ndim - 2, image.ndim - 1)):
        step = origin.copy()
        step[axis] = 1
        affine[:2, column] = (np.array(image.data_to_world(step)) - start)[-2:]
    affine[:2, 2] = start[-2:]
    return {"affine": affine, "units": image.units[-2:], "axis_labels": image.axis_labels[-2:]}


def _class_colors(found: list[Annotation]) -> dict[str, tuple[float, float, float, float]]:
    """Return a color for each class: the file's own, or one of ours."""
    colors: dict[str, tuple[float, float, float, float]] = {}
    for each in found:
        if each.cls not in colors:
            color = each.color or CLASS_COLORS[len(colors) % len(CLASS_COLORS)]
            colors[each.cls] = (color[0] / 255, color[1] / 255, color[2] / 255, 1.0)
    return colors


def _outline(rings: tuple[NDArray[np.float64], ...]) -> NDArray[np.float64]:
    """Return one closed line around a polygon and its holes, ``(N, 2)``.

    It goes to each hole and back on the same way, which encloses nothing.
    """
    outline = _open(rings[0])
    for ring in rings[1:]:
        from scipy.spatial import cKDTree

        hole = _open(ring)
        distances, nearest = cKDTree(outline).query(hole)
        there = int(distances.argmin())
        here = int(nearest[there])
        around = np.concatenate([hole[there:], hole[: there + 1]])
        outline = np.concatenate([outline[: here + 1], around, outline[here:]])
    return outline


def _open(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    is_closed = len(ring) > 1 and bool((ring[0] == ring[-1]).all())
    return ring[:-1] if is_closed else ring
