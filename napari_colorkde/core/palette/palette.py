"""Palettes: the distinct colors of an image with their counts, and the way back to its pixels.

Counts add, so palettes of tiles, slices, files and machines merge. The arithmetic on rows of
colors is in `colors.py`.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.image import (
    Pixels,
    as_pixels,
    checked_mask,
    has_channel_axis,
    pixel_shape,
    tile_slices,
)
from napari_colorkde.core.palette.color_codes import (
    ColorLookup,
    CountedColors,
    bin_colors,
    bin_width_for,
    byte_codes,
    count_rows,
    count_table,
    integer_range,
    merge_counted,
)
from napari_colorkde.core.palette.lattice import Lattice, lattice_of

MAX_COLORS = 1 << 22
"""Distinct colors kept before a palette is binned (8-bit palettes are never binned)."""

MOST_TABLED = int(np.iinfo(np.uint32).max)
"""8-bit pixels that 32-bit counts hold, were they all of one color: 4 billion."""

MIN_BUDGET = 8
"""Bins meet at zero and never join across it: colors of both signs need one bin per octant."""


@dataclass(frozen=True, eq=False)
class Palette:
    """The distinct colors of an image and how many pixels have each.

    Attributes
    ----------
    colors
        ``(U, C)``, sorted lexicographically, in the image's dtype; where colors were binned,
        float64 means of the bins.
    counts
        ``(U,)`` int64.
    bin_width
        ``(C,)`` float64: width of the bins in image units, zero where every color was kept. A
        pixel is less than this from its palette entry, channel by channel.
    n_masked, n_transparent, n_not_finite
        Pixels left out, by reason.
    ranges
        ``(C,)`` range of values each channel can take, where the dtype does not say: of 16-bit
        colors that were binned, or of the color space they were converted to. None otherwise.
    """

    colors: NDArray[Any]
    counts: NDArray[np.int64]
    bin_width: NDArray[np.float64]
    n_masked: int = 0
    n_transparent: int = 0
    n_not_finite: int = 0
    ranges: NDArray[np.float64] | None = None

    @classmethod
    def from_image(
        cls,
        image: Any,
        mask: Any = None,
        channel_axis: int | None = -1,
        *,
        max_colors: int = MAX_COLORS,
    ) -> "Palette":
        """Count the colors of an image, tile by tile.

        Parameters
        ----------
        image
            ``(..., H, W, C)`` with 1 to 3 color channels, RGBA, or ``(H, W)`` gray; uint8, uint16,
            float or bool. Lazy arrays (dask, zarr, memmap) are read in tiles.
        mask
            ``(..., H, W)``; a pixel counts where it is non-zero.
        channel_axis
            Axis of the channels; None for a gray image of any number of axes.
        max_colors
            Budget of distinct colors. A palette of 16-bit or float colors that exceeds it is
            binned, and `bin_width` says how coarsely. At least 8.

        Raises
        ------
        TypeError, ValueError
            If the image or mask is not of that form, or if no pixel counts.

        Notes
        -----
        Time is linear in the pixels, 0.12 s for 18 million 8-bit ones. Memory beside the image: a
        tile and the palette, and for 8-bit RGB a table of 67 MB while counting.
        """
        image = image if hasattr(image, "shape") else np.asarray(image)
        shape = pixel_shape(image.shape, channel_axis)
        mask = None if mask is None else checked_mask(mask, shape)
        builder = PaletteBuilder(max_colors)
        for tile in tile_slices(image.shape, channel_axis):
            part = None if mask is None else mask[pixel_index(tile, len(image.shape), channel_axis)]
            builder.add(image[tile], part, channel_axis)
        return builder.palette()

    @property
    def n_pixels(self) -> int:
        """Number of pixels that count."""
        return int(self.counts.sum())

    @property
    def n_excluded(self) -> int:
        """Number of pixels left out, for whatever reason."""
        return self.n_masked + self.n_transparent + self.n_not_finite

    @property
    def n_channels(self) -> int:
        """Number of color channels C."""
        return int(self.colors.shape[1])

    @cached_property
    def lattice(self) -> Lattice | None:
        """The lattice of the colors; None if it would be too large to keep dense."""
        return lattice_of(self.colors)

    @property
    def dtype(self) -> np.dtype[Any]:
        """dtype of the colors."""
        return self.colors.dtype

    def __len__(self) -> int:
        return len(self.counts)

    def merge(self, other: "Palette") -> "Palette":
        """The palette of both images together. O((U + V) log (U + V)).

        Raises
        ------
        ValueError
            If the two have different channels or dtypes.
        """
        exact = not (self.bin_width.any() or other.bin_width.any())
        if self.n_channels != other.n_channels or (exact and self.dtype != other.dtype):
            raise ValueError(
                f"other has {other.n_channels} channels of {other.dtype}, this palette has "
                f"{self.n_channels} of {self.dtype}; merge palettes of images of one kind."
            )
        width = np.maximum(self.bin_width, other.bin_width)
        counted = merge_counted([CountedColors(p.colors, p.counts) for p in (self, other)])
        if not exact:
            counted = bin_colors(counted, width)
        return replace(
            self,
            colors=counted.colors,
            counts=counted.counts,
            bin_width=width,
            n_masked=self.n_masked + other.n_masked,
            n_transparent=self.n_transparent + other.n_transparent,
            n_not_finite=self.n_not_finite + other.n_not_finite,
            ranges=None if exact and self.ranges is None else _merged_ranges(self, other),
        )

    def index(
        self, image: Any, mask: Any = None, channel_axis: int | None = -1
    ) -> NDArray[np.int32]:
        """Palette entry of every pixel, −1 where a pixel is excluded or its color is not here.

        Returns an array of the image's shape without channels. 0.2 s for 18 million 8-bit pixels.
        """
        image = image if hasattr(image, "shape") else np.asarray(image)
        shape = pixel_shape(image.shape, channel_axis)
        mask = None if mask is None else checked_mask(mask, shape)
        index = np.empty(shape, np.int32)
        for tile in tile_slices(image.shape, channel_axis):
            where = pixel_index(tile, len(image.shape), channel_axis)
            part = None if mask is None else mask[where]
            pixels = as_pixels(
                image[tile], mask=part, channel_axis=channel_axis, n_channels=self.n_channels
            )
            index[where] = self._index_of(pixels)
        return index

    def paint(
        self,
        values: NDArray[Any],
        image: Any,
        mask: Any = None,
        channel_axis: int | None = -1,
    ) -> NDArray[Any]:
        """Give every pixel the value ``(U,)`` of its palette entry; NaN where it has none."""
        values = np.asarray(values)
        if values.shape != (len(self),):
            raise ValueError(
                f"values has shape {values.shape}; give one for each of the {len(self)} colors."
            )
        index = self.index(image, mask, channel_axis)
        return paint_index(values, index)

    def _index_of(self, pixels: Pixels) -> NDArray[np.int32]:
        flat = pixels.values.reshape(-1, self.n_channels)
        index = self._lookup(flat).reshape(pixels.shape)
        if pixels.excluded is not None:
            index[pixels.excluded] = -1
        return index

    @cached_property
    def _lookup(self) -> ColorLookup:
        return ColorLookup(self.colors, self.bin_width)


class PaletteBuilder:
    """Counts an image that comes in tiles.

    Parameters
    ----------
    max_colors
        See `Palette.from_image`.
    """

    def __init__(self, max_colors: int = MAX_COLORS) -> None:
        if max_colors < MIN_BUDGET:
            raise ValueError(
                f"max_colors={max_colors}; give a budget of at least {MIN_BUDGET} colors."
            )
        self._max_colors = max_colors
        self._dtype: np.dtype[Any] | None = None
        self._channels = 0
        self._table: NDArray[np.unsignedinteger[Any]] | None = None
        self._tabled = 0
        self._parts: list[CountedColors] = []
        self._merged = 0
        self._width: NDArray[np.float64] | None = None
        self._excluded = [0, 0, 0]

    def add(self, image: Any, mask: Any = None, channel_axis: int | None = -1) -> None:
        """Count one tile. Tiles must agree in channels and dtype."""
        pixels = as_pixels(image, mask=mask, channel_axis=channel_axis)
        self._agree(pixels)
        reasons = (pixels.n_masked, pixels.n_transparent, pixels.n_not_finite)
        self._excluded = [a + b for a, b in zip(self._excluded, reasons, strict=True)]
        values = pixels.included()
        if len(values) == 0:
            return
        if values.dtype == np.uint8:
            self._count_bytes(values)
            return
        part = count_rows(values)
        self._parts.append(part if self._width is None else bin_colors(part, self._width))
        if sum(map(len, self._parts)) > 2 * self._merged + self._max_colors // 4:
            self._merge_parts()

    def palette(self) -> Palette:
        """The palette of all tiles added so far.

        Raises
        ------
        ValueError
            If no pixel counts.
        """
        masked, transparent, broken = self._excluded
        if self._table is not None:
            counted = count_table(self._table, self._channels)
        elif self._parts:
            self._merge_parts()
            counted = self._parts[0]
        else:
            raise ValueError(
                f"image: no pixel counts ({masked} masked, {transparent} transparent, {broken} not "
                "finite); give at least one finite, opaque pixel inside the mask."
            )
        width = np.zeros(self._channels) if self._width is None else self._width
        ranges = None
        if self._dtype == np.uint16 and self._width is not None:
            ranges = np.full(self._channels, integer_range(counted.colors))
        return Palette(counted.colors, counted.counts, width, masked, transparent, broken, ranges)

    def _count_bytes(self, values: NDArray[np.uint8]) -> None:
        if self._table is None:
            self._table = np.zeros(1 << (8 * self._channels), np.uint32)
        self._tabled += len(values)
        if self._tabled > MOST_TABLED and self._table.dtype == np.uint32:
            self._table = self._table.astype(np.uint64)
        np.add.at(self._table, byte_codes(values), self._table.dtype.type(1))

    def _agree(self, pixels: Pixels) -> None:
        if self._dtype is None:
            self._dtype, self._channels = pixels.values.dtype, pixels.n_channels
        elif (self._dtype, self._channels) != (pixels.values.dtype, pixels.n_channels):
            raise ValueError(
                f"image: this tile has {pixels.n_channels} channels of {pixels.values.dtype}, "
                f"those before {self._channels} of {self._dtype}; give tiles of one kind."
            )

    def _merge_parts(self) -> None:
        counted = merge_counted(self._parts)
        if self._width is not None:
            counted = bin_colors(counted, self._width)
        if len(counted) > self._max_colors:
            width = bin_width_for(counted.colors, self._max_colors)
            self._width = width if self._width is None else np.maximum(width, self._width)
            counted = bin_colors(counted, self._width)
        self._parts = [counted]
        self._merged = len(counted)


def _merged_ranges(*palettes: Palette) -> NDArray[np.float64] | None:
    known = [
        np.full(p.n_channels, integer_range(p.colors)) if p.dtype == np.uint16 else p.ranges
        for p in palettes
    ]
    given = [ranges for ranges in known if ranges is not None]
    return np.max(given, axis=0) if given else None


def paint_index(values: NDArray[Any], index: NDArray[np.int32]) -> NDArray[Any]:
    """``values[index]`` with NaN where the index is negative; float64 values stay float64."""
    dtype = np.float64 if values.dtype == np.float64 else np.float32
    # The last entry is NaN, and −1 means the last entry.
    return np.append(values.astype(dtype, copy=False), dtype(np.nan))[index]


def pixel_index(tile: tuple[slice, ...], ndim: int, channel_axis: int | None) -> tuple[slice, ...]:
    """The part of a tile's index that speaks of pixels, without the channel axis."""
    if channel_axis is None or not has_channel_axis(ndim, channel_axis):
        return tile
    channel = channel_axis % ndim
    return tuple(s for axis, s in enumerate(tile) if axis != channel)
