"""A stack in true color with an opacity for each color, painted lazily as densities are.

Painted are at most `MAX_VOXELS` voxels of the last three axes, every second, fourth, … of an axis
where a stack has more, and always such whose codes are kept: nothing is read from the image.
"""

import math
from copy import copy
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.app.image.pixels.pixel_index import Axes, PixelIndex
from napari_colorkde.app.image.pixels.pyramid_strides import VOLUME_VOXELS
from napari_colorkde.app.layers.painting import Key, LazyLevel, PaletteImage

Seen = tuple[int, Axes]
"""A level, and positions along its axes."""

SPACE = ("z", "y", "x")

MAX_VOXELS = VOLUME_VOXELS
"""Four bytes each, once here and once on the graphics card."""


class VoxelImage(PaletteImage):
    """Red, green, blue and opacity of palette entries, spread over a stack.

    Parameters
    ----------
    index, channel_axis, n_channels
        As for `PaletteImage`; of three axes or more.

    Attributes
    ----------
    steps
        Of each axis of the pixels: which voxels are painted, 1 for every one.
    seen
        The level and the positions that were looked at last; None while that is not known, as
        before the first look at a stack with more axes.
    """

    dtype: ClassVar[np.dtype[Any]] = np.dtype(np.uint8)
    fill_value: ClassVar[float] = 0

    def __init__(
        self, index: PixelIndex, channel_axis: int | None = None, n_channels: int = 1
    ) -> None:
        self.index = index
        self.channel_axis = channel_axis
        self.n_repeats = n_channels
        # Four bytes in one number each, so that a voxel is one gather.
        self.table = np.zeros(len(index.palette) + 1, np.uint32)
        self._plain = self._plain_codes = None
        self._ahead: tuple[Seen, NDArray[np.uint8]] | None = None
        level = _kept_level(index)
        shape, stride = index.level_shape(level), index.strides[level]
        within = thinned(shape, MAX_VOXELS)
        axes = [range(0, n, step) for n, step in zip(shape, within, strict=True)]
        self.steps = (*within[:-2], within[-2] * stride, within[-1] * stride)
        if channel_axis is not None:
            axes.insert(channel_axis, range(n_channels))
        self.levels = [VoxelLevel(self, level, tuple(axes))]
        self.seen: Seen | None = (level, tuple(axes)) if len(axes) == len(SPACE) else None

    @property
    def n_seen(self) -> int:
        """How many voxels were looked at last."""
        if self.seen is None:
            return 0
        return math.prod(len(axis) for axis in self.seen[1] if isinstance(axis, range))

    def table_of(
        self, colors: NDArray[np.uint8], opacity: NDArray[np.floating[Any]]
    ) -> NDArray[np.uint32]:
        """Return a table of colors ``(U, 3)`` and opacities ``(U,)`` from 0 to 1, for `color`."""
        table = np.zeros(len(self.table), np.uint32)
        bytes_of_entries = table.view(np.uint8).reshape(-1, 4)
        bytes_of_entries[1:, :3] = colors
        bytes_of_entries[1:, 3] = np.rint(255 * opacity)
        return table

    def paint_ahead(self, table: NDArray[np.uint32]) -> "PaintedAhead":
        """Paint what was looked at last by another table, while this one is shown.

        For the worker: 16.8 million voxels take 0.2 s.
        """
        twin, seen = copy(self), self.seen
        if seen is None:
            raise ValueError("no voxels have been drawn yet, so none can be painted ahead.")
        twin.table, twin._ahead = table, None
        return PaintedAhead(table, seen, twin.collect_samples(*seen))

    def color(self, table: NDArray[np.uint32], ahead: "PaintedAhead | None" = None) -> None:
        """Give the palette entries new colors, with the voxels that were painted by them before."""
        self.table = table
        self._ahead = None if ahead is None else (ahead.seen, ahead.voxels)

    def collect_samples(self, level: int, axes: Axes) -> NDArray[Any]:
        """Paint the voxels at these positions, or return them where they were painted before."""
        if sum(isinstance(axis, range) for axis in axes) >= len(SPACE):
            self.seen = level, axes
        if self._ahead is not None and self._ahead[0] == (level, axes):
            return self._ahead[1]
        return super().collect_samples(level, axes)

    def paint(self, codes: NDArray[np.integer], out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Paint pixels that have these codes: ``(*shape, 4)``."""
        painted = np.asarray(np.take(self.table, codes, mode="clip"))
        return painted[..., np.newaxis].view(np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class PaintedAhead:
    """Voxels that were painted before their table is that of the image.

    Attributes
    ----------
    table, seen
        What they were painted by, and which they are.
    voxels
        Red, green, blue and opacity.
    """

    table: NDArray[np.uint32]
    seen: Seen
    voxels: NDArray[np.uint8]


class VoxelLevel(LazyLevel):
    """The voxels of a `VoxelImage`, or some of them: red, green, blue and opacity are last."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of this part, with four numbers for each voxel."""
        return (*super().shape, 4)

    def __getitem__(self, key: Key | tuple[Key, ...]) -> "LazyLevel | NDArray[Any]":
        keys = key if isinstance(key, tuple) else (key,)
        if len(keys) > self.n_pixel_axes or any(k is Ellipsis for k in keys):
            painted: NDArray[Any] = np.asarray(self)[keys]
            return painted
        return super().__getitem__(keys)


def thinned(shape: tuple[int, ...], most: int) -> tuple[int, ...]:
    """Steps along the axes such that at most `most` voxels of the last three are left.

    Powers of two; the axis that is longest is thinned first. Other axes have the step 1.
    """
    steps = [1] * len(shape)

    def left() -> list[int]:
        return [len(range(0, n, step)) for n, step in zip(shape[-3:], steps[-3:], strict=True)]

    while np.prod(left(), dtype=np.int64) > most:
        steps[len(steps) - 3 + int(np.argmax(left()))] *= 2
    return tuple(steps)


def _kept_level(index: PixelIndex) -> int:
    """The level whose codes are kept; the finest where only those of a sample are."""
    if index.is_preview:
        return 0
    return index.strides.index(index.cached_stride)
