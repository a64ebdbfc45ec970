"""Selections of pixels from napari's layers: what is on screen, shapes, and labels.

Made on the main thread, from public attributes of layers. Positions go through the world, so that
layers of other scales, places and turns agree.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.image.source import ImageSource, unwrap_proxy
from napari_colorkde.app.selection.polygons import PolygonSelection, polygon_selection
from napari_colorkde.app.selection.selections import (
    DiskSelection,
    Floats,
    LabelMode,
    LabelSelection,
    SlicePlane,
    disk,
)
from napari_colorkde.core.number_text import shape_text

if TYPE_CHECKING:
    from napari.components import Dims
    from napari.layers import Image, Labels, Layer, Points, Shapes

ELLIPSE_CORNERS = 256
DECIMALS = 6
"""Of corners, in pixels."""

DRAWING_EVENTS = {
    "Labels": ("data", "paint", "labels_update"),
    "Shapes": ("data", "set_data", "features"),
}
"""Events after which other pixels may be drawn on, or be called otherwise, by the kind of layer."""


def drawing_events(layer: "Layer") -> tuple[str, ...]:
    """Return the names of a layer's events after which it may hold other pixels; none of images."""
    kinds = (each.__name__ for each in type(layer).__mro__)
    return next((DRAWING_EVENTS[kind] for kind in kinds if kind in DRAWING_EVENTS), ())


def view_of(layer: "Image", source: ImageSource, channels: Channels, dims: "Dims") -> SlicePlane:
    """The plane of an image layer that a viewer with these `dims` shows.

    Raises
    ------
    ValueError
        If it shows a volume, or another plane than one of pixels.
    """
    if dims.ndisplay != 2:
        raise ValueError("pixels can only be picked in the 2-D view; leave the 3-D view first.")
    pixel_axes = _pixel_axes(layer, channels)
    shown = [axis - (dims.ndim - layer.ndim) for axis in dims.displayed]
    if not set(shown) <= set(pixel_axes):
        raise ValueError(
            "the axes on screen are not both pixel axes of the image; change the displayed axes."
        )
    first, second = sorted(pixel_axes.index(axis) for axis in shown)
    shape = source.shape(channels)
    position = pixel_positions(layer, channels, [dims.point])[0]
    at = np.clip(np.round(position), 0, np.array(shape) - 1).astype(int)
    view = SlicePlane(shape, (first, second), tuple(at.tolist()))
    outside = [a for a in range(len(shape)) if a not in view.plane and position[a].round() != at[a]]
    if outside:
        raise ValueError("the slice on screen is outside the image; move to a slice of the image.")
    return view


def pixel_positions(layer: "Image", channels: Channels, world: Sequence[ArrayLike]) -> Floats:
    """Where points of the world lie among a layer's pixels, whose centers are whole numbers."""
    data = np.array([layer.world_to_data(point) for point in world], np.float64)
    return data[:, list(_pixel_axes(layer, channels))]


def _pixel_axes(layer: "Image", channels: Channels) -> tuple[int, ...]:
    return tuple(axis for axis in range(layer.ndim) if layer.rgb or axis != channels.axis)


def shapes_selection(
    shapes: "Shapes", image: "Image", channels: Channels, view: SlicePlane, *, together: bool
) -> PolygonSelection:
    """The pixels of an image layer that lie in the shapes of a Shapes layer.

    Lines and paths enclose nothing and are left out.

    Raises
    ------
    ValueError
        If no shape encloses pixels.
    """
    shapes = unwrap_proxy(shapes)
    missing = image.ndim - shapes.ndim
    polygons = []
    for corners, kind in zip(shapes.data, shapes.shape_type, strict=True):
        if kind in ("line", "path"):
            continue
        world = [
            shapes.data_to_world(corner) for corner in _outline(np.asarray(corners, float), kind)
        ]
        # Rounding on the way through the world shall not move a corner off a pixel's center.
        polygon = np.round(pixel_positions(image, channels, world), DECIMALS)
        # Shapes of fewer dimensions lie in every slice: they mean the one on the screen.
        for position, axis in enumerate(_pixel_axes(image, channels)):
            if axis < missing:
                polygon[:, position] = view.at[position]
        polygons.append(polygon)
    if not polygons:
        raise ValueError(
            f"{shapes.name!r} has no shape that encloses pixels; draw a rectangle, an ellipse or a "
            "polygon."
        )
    return polygon_selection(view, polygons, together=together)


def _outline(corners: Floats, kind: str) -> Floats:
    """The corners of a shape; of an ellipse, those of a polygon close to it."""
    if kind != "ellipse":
        return corners
    center = corners.mean(axis=0)
    first, second = (corners[1] - corners[0]) / 2, (corners[3] - corners[0]) / 2
    angles = np.linspace(0, 2 * np.pi, ELLIPSE_CORNERS, endpoint=False)[:, None]
    return np.asarray(center + first * np.cos(angles) + second * np.sin(angles))


def points_selection(
    points: "Points", image: "Image", channels: Channels, view: SlicePlane, *, together: bool
) -> DiskSelection:
    """The pixels of an image layer about the points of a Points layer, as many as a click picks.

    Raises
    ------
    ValueError
        If no point lies on the image.
    """
    points = unwrap_proxy(points)
    missing = image.ndim - points.ndim
    world = [points.data_to_world(each) for each in points.data]
    places = pixel_positions(image, channels, world) if world else np.empty((0, 0))
    for position, axis in enumerate(_pixel_axes(image, channels)):
        if axis < missing and len(places):
            places[:, position] = view.at[position]  # in every slice: the one on the screen
    disks = []
    for number, place in enumerate(places, start=1):
        at = np.round(place).astype(int)
        if np.all((at >= 0) & (at < view.shape)):
            slice_of_point = replace(view, at=tuple(at.tolist()))
            disks.append((1 if together else number, disk(slice_of_point, place)))
    if not disks:
        raise ValueError(f"{points.name!r} has no point on the image; add points to it there.")
    return DiskSelection(tuple(disks))


def labels_selection(
    layer: "Labels", source: ImageSource, channels: Channels, view: SlicePlane, which: LabelMode
) -> LabelSelection:
    """The pixels of an image that a Labels layer marks.

    Raises
    ------
    ValueError
        If its shape is neither that of the image nor that of its plane.
    """
    layer = unwrap_proxy(layer)
    labels = unwrap_proxy(layer.data)
    labels = labels[0] if layer.multiscale else labels
    given, shape = tuple(labels.shape), source.shape(channels)
    label = int(layer.selected_label)
    if given == shape:
        return LabelSelection(labels, which, label)
    if given == tuple(shape[axis] for axis in view.plane):
        axes = view.axes(*(range(shape[axis]) for axis in view.plane))
        return LabelSelection(labels, which, label, axes)
    if channels.axis is not None and not source.rgb and given == tuple(source.array.shape):
        return LabelSelection(labels, which, label, channel_axis=channels.axis)
    raise ValueError(
        f"{layer.name!r} is {shape_text(given)} pixels, the image {shape_text(shape)}; paint on "
        "labels of the image's size."
    )
