"""Polygons from an annotation program as a Shapes layer, with names and classes as features."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.image.layer_files import remember_file
from napari_colorkde.app.image.placement import Placement
from napari_colorkde.app.image.source import ImageSource
from napari_colorkde.app.results.layer_regions import CLASS, NAME
from napari_colorkde.core.number_text import counted, shape_text
from napari_colorkde.io.colors.colormaps import CLASS_COLORS
from napari_colorkde.io.formats.geojson import Annotation, read_annotations

if TYPE_CHECKING:
    from napari.layers import Image, Shapes

SUFFIX = ".geojson"

MOST_SHAPES = 5000
"""That napari shows without halting for seconds."""

NAMED_SHAPES = 100
"""Of more shapes, names are not written on the picture."""


def read_shapes(
    path: Path, image: "Image", source: ImageSource, channels: Channels
) -> "Iterator[Progress | Shapes]":
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
        If the image is no single picture, the file holds no polygon that lies in it, or more
        than `MOST_SHAPES`.
    """
    shape = source.shape(channels)
    if len(shape) != 2 or source.pixel_axes(channels)[-1] < image.ndim - 1:
        raise ValueError(
            f"polygons lie in a plane, but the image's pixels are {shape_text(shape)}, with more "
            "axes; choose a single 2-D image, or use a Labels layer."
        )
    yield Progress(f"reading {path.name}")
    if not path.is_file():
        raise FileNotFoundError(f"regions {str(path)!r} does not exist; check the name.")
    found = read_annotations(path, (shape[0], shape[1]))
    n_shapes = sum(len(each.polygons) for each in found)
    if n_shapes > MOST_SHAPES:
        raise ValueError(
            f"regions {str(path)!r} holds {counted(n_shapes, 'polygon')}; the window shows up "
            f"to {MOST_SHAPES}. Measure them with Batch…, with {path.name} as regions."
        )
    yield Progress(f"drawing {counted(n_shapes, 'polygon')}")
    yield _layer(path, found, image)


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
    options: dict[str, Any] = _placed_as(image)
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


def _placed_as(image: "Image") -> dict[str, Any]:
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
