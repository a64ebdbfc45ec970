"""Counting the colors of regions in an image that is read block by block, each block once."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.checks.channels import pixel_shape
from napari_colorkde.core.palette.image_tiles import read_tiles
from napari_colorkde.core.palette.lookup.color_lookup import index_image, pixel_index
from napari_colorkde.core.palette.palette import Palette

if TYPE_CHECKING:
    from dask.array import Array as DaskArray

Box = tuple[slice, ...]


def count_regions(
    regions: Sequence["RegionCounts"],
    palette: Palette,
    image: "DaskArray",
    mask: "DaskArray | None",
    channel_axis: int | None,
    reasons: Callable[..., dict[str, NDArray[np.bool_]]],
) -> None:
    """Count all regions of an image, a dask array, whose palette this is.

    Parameters
    ----------
    reasons
        Says of a block, its mask, the axis of its channels and its index where its pixels do not
        count, and why.
    """
    shape = pixel_shape(image.shape, channel_axis)
    for tile, values in read_tiles(image, channel_axis):
        where = pixel_index(tile, image.ndim, channel_axis)
        marks = None if mask is None else np.asarray(mask[where])
        index = index_image(palette.lookup, values, marks, channel_axis)
        place = tuple(slice(*s.indices(n)[:2]) for s, n in zip(where, shape, strict=True))
        found = reasons(values, marks, channel_axis, index)
        for region in regions:
            region.add(place, index, found)


class RegionCounts:
    """How many pixels of a region have each color, and how many do not count.

    Parameters
    ----------
    box, inside
        See `measure.Region`.
    """

    def __init__(self, box: Box, inside: NDArray[np.bool_]) -> None:
        self.box, self._inside = box, inside
        self.left_out: dict[str, int] = {}
        self._parts: list[tuple[NDArray[Any], NDArray[np.int64]]] = []

    def add(
        self, place: Box, index: NDArray[np.int32], reasons: dict[str, NDArray[np.bool_]]
    ) -> None:
        """Count what lies in the region of a block at this place of the image."""
        both = [
            (max(a.start, b.start), min(a.stop, b.stop))
            for a, b in zip(self.box, place, strict=True)
        ]
        if any(start >= stop for start, stop in both):
            return
        here = tuple(slice(s - p.start, e - p.start) for (s, e), p in zip(both, place, strict=True))
        there = tuple(
            slice(s - b.start, e - b.start) for (s, e), b in zip(both, self.box, strict=True)
        )
        inside = self._inside[there]
        entries = index[here][inside]
        self._parts.append(np.unique(entries[entries >= 0], return_counts=True))
        for name, where in reasons.items():
            n = int(np.count_nonzero(where[here][inside]))
            self.left_out[name] = self.left_out.get(name, 0) + n

    def counted(self) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Return the palette's entries that are in the region, and their counts."""
        if not self._parts:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        codes, counts = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        distinct, inverse = np.unique(codes, return_inverse=True)
        sums = np.zeros(len(distinct), np.int64)
        np.add.at(sums, inverse, counts)
        return distinct, sums
