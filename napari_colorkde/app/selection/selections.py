"""Selections of pixels: a disk, a rectangle, polygons, or the labels of a label image.

A selection gives boxes of pixels of the finest level, and for each pixel the number of its group:
that of a label or of a polygon, 0 for none. It is read where the work is done, tile by tile.
`from_layers` makes selections of napari's layers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.app.image.pixels.pixel_index import Axes, PixelIndex
from napari_colorkde.app.selection.samples import Samples, samples_of_counts
from napari_colorkde.core.image import SliceableArray

CLICK_RADIUS = 2.3
"""Pixels: a click takes the 21 of a square of 5 without its corners. One pixel is one color."""

FEW_GROUPS = 1 << 16
"""Groups up to this number are found in a table, others by sorting."""

Groups = NDArray[np.integer[Any]] | NDArray[np.bool_]
Floats = NDArray[np.float64]


class Selection(Protocol):
    """Some pixels of an image, in groups."""

    @property
    def n_pixels(self) -> int:
        """Number of pixels in the boxes, for progress."""

    def tiles(self, index: PixelIndex) -> Iterator[tuple[Axes, Groups]]:
        """Boxes, and the group of each pixel in them."""


@dataclass(frozen=True, slots=True)
class SlicePlane:
    """The plane of an image that is on the screen.

    Attributes
    ----------
    shape
        Of the image in pixels, without channels.
    plane
        The two displayed axes, in ascending order.
    at
        The position along each axis; of those in the plane it does not matter.
    """

    shape: tuple[int, ...]
    plane: tuple[int, int]
    at: tuple[int, ...]

    def axes(self, first: range, second: range) -> Axes:
        """A box in the plane."""
        axes: list[int | range] = list(self.at)
        axes[self.plane[0]], axes[self.plane[1]] = first, second
        return tuple(axes)


def collect_samples(
    selection: Selection, index: PixelIndex
) -> Iterator[float | dict[int, Samples]]:
    """Read a selection: yields the part done so far, then the samples of each group, ascending.

    Groups without a pixel that counts have none. O(n) pixels for one group, else O(n log n).
    """
    size = len(index.palette) + 1
    keys, counts = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    numbers: dict[int, int] = {}
    done = 0
    for axes, groups in selection.tiles(index):
        codes = index.codes(0, axes)
        done += codes.size
        marked = (groups != 0) & (codes != 0)
        codes, number = codes[marked], _numbered(groups[marked], numbers)
        if number.size and number.min() == number.max():
            in_group = np.bincount(codes, minlength=size)
            present = np.flatnonzero(in_group)
            keys.append(number[0] * size + present)
            counts.append(in_group[present])
        else:
            # One number for a group and a code.
            distinct, times = np.unique(number * size + codes, return_counts=True)
            keys.append(distinct)
            counts.append(times)
        yield done / selection.n_pixels
    of_group, code = np.divmod(np.concatenate(keys), size)
    together = np.concatenate(counts)
    total = np.zeros(size, np.int64)
    found: dict[int, Samples] = {}
    for group in sorted(numbers):
        mine = of_group == numbers[group]
        total[:] = 0
        np.add.at(total, code[mine], together[mine])
        found[group] = samples_of_counts(index.palette, total[1:])
    yield found


def _numbered(groups: Groups, numbers: dict[int, int]) -> NDArray[np.int64]:
    """Number groups from 0 as they come, since 64-bit ids leave no room beside them for codes."""
    if groups.size == 0:
        return np.empty(0, np.int64)
    if groups.min() >= 0 and groups.max() < FEW_GROUPS:
        small = groups.astype(np.intp)
        ids = np.flatnonzero(np.bincount(small))
        table = np.zeros(int(ids[-1]) + 1, np.int64)
        table[ids] = [numbers.setdefault(int(each), len(numbers)) for each in ids]
        return table[small]
    ids, positions = np.unique(groups, return_inverse=True)
    of_ids = [numbers.setdefault(int(each), len(numbers)) for each in ids]
    return np.array(of_ids, np.int64)[positions]


# --- clicks and rectangles


@dataclass(frozen=True, slots=True, eq=False)
class PixelBox:
    """One box of pixels, or some of them."""

    axes: Axes
    inside: NDArray[np.bool_] | None = field(default=None, repr=False)

    @property
    def n_pixels(self) -> int:
        """Number of pixels in the box."""
        return int(np.prod(box_shape(self.axes), dtype=np.int64))

    def tiles(self, index: PixelIndex) -> Iterator[tuple[Axes, Groups]]:
        """The box."""
        yield (
            self.axes,
            np.ones(box_shape(self.axes), bool) if self.inside is None else self.inside,
        )


def disk(
    view: SlicePlane, position: Sequence[float] | Floats, radius: float = CLICK_RADIUS
) -> PixelBox:
    """The pixels around a position among the pixels, ``(ndim,)``, those within `radius`.

    Raises
    ------
    ValueError
        If it lies outside the image.
    """
    center = [round(float(position[axis])) for axis in view.plane]
    sizes = [view.shape[axis] for axis in view.plane]
    if not all(0 <= c < n for c, n in zip(center, sizes, strict=True)):
        raise ValueError("no pixel of the image is there; click inside the image.")
    reach = int(radius)
    rows, columns = (
        range(max(c - reach, 0), min(c + reach + 1, n)) for c, n in zip(center, sizes, strict=True)
    )
    squares = np.square(np.array(rows) - center[0])[:, None] + np.square(
        np.array(columns) - center[1]
    )
    return PixelBox(view.axes(rows, columns), squares <= radius**2)


@dataclass(frozen=True, slots=True, eq=False)
class DiskSelection:
    """Disks of pixels, each with the number of its group."""

    disks: tuple[tuple[int, PixelBox], ...]

    @property
    def n_pixels(self) -> int:
        """Number of pixels in the boxes around them."""
        return sum(each.n_pixels for _, each in self.disks)

    def tiles(self, index: PixelIndex) -> Iterator[tuple[Axes, Groups]]:
        """The disks; a pixel of several counts once in each group."""
        seen: set[tuple[int, ...]] = set()
        for group, each in self.disks:
            for axes, inside in each.tiles(index):
                groups = inside * np.int32(group)
                places = [range(at, at + 1) if isinstance(at, int) else at for at in axes]
                for place, corner in enumerate(product(*places)):
                    if not groups.flat[place]:
                        continue
                    if (group, *corner) in seen:
                        groups.flat[place] = 0
                    seen.add((group, *corner))
                yield axes, groups


# --- labels

LabelMode = Literal["selected", "together", "each"]


@dataclass(frozen=True, slots=True, eq=False)
class LabelSelection:
    """The pixels of a label image.

    Attributes
    ----------
    labels
        Array-like, of the image's shape in pixels; or, with `axes`, of its plane; or, with
        `channel_axis`, of the layer's shape with its channels.
    which
        "selected": those with `label`. "together": all that are labeled. "each": each label a
        group.
    """

    labels: SliceableArray = field(repr=False)
    which: LabelMode
    label: int = 0
    axes: Axes | None = None
    channel_axis: int | None = None

    @property
    def n_pixels(self) -> int:
        """Number of pixels that are read."""
        return int(np.prod(self.labels.shape, dtype=np.int64))

    def tiles(self, index: PixelIndex) -> Iterator[tuple[Axes, Groups]]:
        """The image, tile by tile."""
        if self.axes is not None:
            yield self.axes, self._groups(np.asarray(self.labels))
            return
        for box in index.boxes():
            axes = tuple(range(b.start, b.stop) for b in box)
            if self.channel_axis is None:
                tile = np.asarray(self.labels[box])
            else:
                at = self.channel_axis
                # Painted on any of the channels.
                tile = np.asarray(self.labels[(*box[:at], slice(None), *box[at:])]).max(axis=at)
            yield axes, self._groups(tile)

    def _groups(self, labels: NDArray[Any]) -> Groups:
        if self.which == "each":
            return labels
        return np.asarray(labels == self.label if self.which == "selected" else labels != 0)


def box_shape(axes: Axes) -> tuple[int, ...]:
    """Shape of the pixels of a box."""
    return tuple(len(a) for a in axes if isinstance(a, range))
