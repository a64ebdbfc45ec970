"""A stack in true color with an opacity for each color, painted lazily as densities are.

Painted are at most `MAX_VOXELS` voxels of the last three axes, every second, fourth, … of an axis
where a stack has more, and always such whose codes are kept: nothing is read from the image.
"""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.app.image.pixels.pixel_index import PixelIndex
from napari_colorkde.app.image.pixels.pyramid_strides import VOLUME_VOXELS
from napari_colorkde.app.layers.painting import Key, LazyLevel, PaletteImage

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
        level = _kept_level(index)
        shape, stride = index.level_shape(level), index.strides[level]
        within = thinned(shape, MAX_VOXELS)
        axes = [range(0, n, step) for n, step in zip(shape, within, strict=True)]
        self.steps = (*within[:-2], within[-2] * stride, within[-1] * stride)
        if channel_axis is not None:
            axes.insert(channel_axis, range(n_channels))
        self.levels = [VoxelLevel(self, level, tuple(axes))]

    def color(self, colors: NDArray[np.uint8], opacity: NDArray[np.floating[Any]]) -> None:
        """Give the palette entries new colors ``(U, 3)`` and opacities ``(U,)`` from 0 to 1."""
        bytes_of_entries = self.table.view(np.uint8).reshape(-1, 4)
        bytes_of_entries[1:, :3] = colors
        bytes_of_entries[1:, 3] = np.rint(255 * opacity)

    def paint(self, codes: NDArray[np.integer], out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Paint pixels that have these codes: ``(*shape, 4)``."""
        painted = np.asarray(np.take(self.table, codes, mode="clip"))
        return painted[..., np.newaxis].view(np.uint8)


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
