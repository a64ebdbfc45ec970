"""Pixels inside rectangles and polygons of a plane."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from napari_colorkde.app.image.pixels.pixel_index import Axes, PixelIndex
from napari_colorkde.app.selection.selections import (
    Floats,
    Groups,
    PixelBox,
    Selection,
    SlicePlane,
    box_shape,
)
from napari_colorkde.core.classification.polygons import polygon_mask


@dataclass(frozen=True, slots=True, eq=False)
class PolygonSelection:
    """Boxes of the plane, with the number of a group and the polygons in each."""

    boxes: tuple[tuple[int, Axes, tuple[Floats, ...]], ...]

    @property
    def n_pixels(self) -> int:
        """Number of pixels in the boxes."""
        return sum(int(np.prod(box_shape(axes), dtype=np.int64)) for _, axes, _ in self.boxes)

    def tiles(self, index: PixelIndex) -> Iterator[tuple[Axes, Groups]]:
        """The boxes; a pixel of several polygons counts once in each group."""
        for group, axes, polygons in self.boxes:
            first, second = (a for a in axes if isinstance(a, range))
            inside = np.zeros((len(first), len(second)), bool)
            for polygon in polygons:
                inside |= polygon_mask(polygon - (first.start, second.start), inside.shape)
            yield axes, inside * np.int32(group)


def polygon_selection(
    view: SlicePlane, polygons: Sequence[Floats], *, together: bool
) -> PolygonSelection:
    """The pixels whose centers lie in polygons.

    Parameters
    ----------
    polygons
        Corners of each among the pixels, ``(N, ndim)``; their position along the axes that are not
        in the plane says in which slice they lie.
    together
        Whether those of one slice are one group, or each is its own.

    Raises
    ------
    ValueError
        If a polygon is not parallel to the plane, or none lies inside the image.
    """
    members: dict[tuple[tuple[int, ...], int], list[Floats]] = {}
    others = [axis for axis in range(len(view.shape)) if axis not in view.plane]
    for number, polygon in enumerate(polygons, start=1):
        if np.ptp(polygon[:, others], axis=0).max(initial=0) > 0.5:
            raise ValueError(
                f"shape {number} does not lie in the plane on screen; move the view to it."
            )
        place = np.array(view.at)
        place[others] = np.round(polygon[0, others])
        if all(0 <= place[axis] < view.shape[axis] for axis in others):
            key = tuple(place.tolist()), 1 if together else number
            members.setdefault(key, []).append(polygon[:, view.plane])
    boxes = []
    for (at, group), corners in members.items():
        box = _box_around(replace(view, at=at), np.concatenate(corners))
        if box is not None:
            boxes.append((group, box, tuple(corners)))
    if not boxes:
        raise ValueError("no pixel of the image is inside the shape; draw over the image.")
    return PolygonSelection(tuple(boxes))


def _box_around(view: SlicePlane, corners: Floats) -> Axes | None:
    first, second = (
        range(max(int(np.ceil(low)), 0), min(int(np.floor(high)) + 1, view.shape[axis]))
        for low, high, axis in zip(
            corners.min(axis=0), corners.max(axis=0), view.plane, strict=True
        )
    )
    return view.axes(first, second) if len(first) and len(second) else None


def rectangle(view: SlicePlane, corners: Floats) -> Selection:
    """The pixels of a rectangle with these corners among the pixels, ``(4, ndim)``, in order.

    One that does not lie along the image's axes holds the pixels whose centers it holds.

    Raises
    ------
    ValueError
        If it lies outside the image.
    """
    flat = corners[:, view.plane]
    low, high = flat.min(axis=0), flat.max(axis=0)
    is_straight = np.isclose(flat, low, atol=1e-3) | np.isclose(flat, high, atol=1e-3)
    if not is_straight.all():
        return polygon_selection(view, [corners], together=True)
    first, second = (
        range(max(round(float(a)), 0), min(round(float(b)) + 1, view.shape[axis]))
        for a, b, axis in zip(low, high, view.plane, strict=True)
    )
    if not (len(first) and len(second)):
        raise ValueError("no pixel of the image is there; drag over the image.")
    return PixelBox(view.axes(first, second))
