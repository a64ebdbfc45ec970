"""Palettes: the distinct colors of an image with their counts, and the way back to its pixels.

Counts add, so palettes of tiles, slices, files and machines merge.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.image import (
    Pixels,
    as_pixels,
    checked_mask,
    has_channel_axis,
    pixel_shape,
    read_tiles,
    tile_slices,
)
from napari_colorkde.core.palette.binning import (
    BinMoments,
    BinnedColors,
    bin_colors,
    extremes,
    merge_bins,
    narrowest_width,
    widen_bins,
    within_bins,
)
from napari_colorkde.core.palette.color_counter import MAX_COLORS, ColorCounter
from napari_colorkde.core.palette.distinct_rows import CountedColors, Counts, merge_counted
from napari_colorkde.core.palette.lattice import Lattice, lattice_of
from napari_colorkde.core.palette.levels import are_whole, level_bits, range_of_levels
from napari_colorkde.core.palette.lookup import ColorLookup

MIN_BUDGET = 8
"""Bins meet at zero and never join across it: colors of both signs need one bin per octant."""


@dataclass(frozen=True, eq=False)
class Palette:
    """The distinct colors of an image and how many pixels have each.

    Attributes
    ----------
    colors
        ``(U, C)``, sorted lexicographically, in the image's dtype; where colors were binned,
        float64 means of the bins, sorted by bin.
    counts
        ``(U,)`` int64: numbers of pixels. float64: weights, see `with_weights`.
    bin_width
        ``(C,)`` float64: width of the bins in image units, powers of two; zero where every color
        was kept. A pixel is less than this from its palette entry, channel by channel.
    n_masked, n_transparent, n_not_finite
        Pixels left out, by reason.
    ranges
        ``(C,)`` range of values each channel can take, where the dtype does not say: of 16-bit
        colors that were binned, or of the color space they were converted to. None otherwise.
    moments
        What bins keep of their pixels beside their number, in whole numbers, so that binned
        palettes merge without rounding. None where every color was kept.
    image_dtype
        dtype of the image whose colors were binned; None where `colors` still has it.
    """

    colors: NDArray[Any]
    counts: Counts
    bin_width: NDArray[np.float64]
    n_masked: int = 0
    n_transparent: int = 0
    n_not_finite: int = 0
    ranges: NDArray[np.float64] | None = None
    moments: BinMoments | None = field(default=None, repr=False)
    image_dtype: np.dtype[Any] | None = None

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
            binned, and `bin_width` says how coarsely: at most half as wide bins would be too
            many. At least 8.

        Raises
        ------
        TypeError, ValueError
            If the image or mask is not of that form, or if no pixel counts.

        Notes
        -----
        18 million 8-bit pixels take 0.1 to 0.2 s on two cores and a table of 67 MB for each core
        while counting. Other images are counted in sorts of at most `max_colors` pixels: 12
        million 12-bit RGB pixels, nearly all of them distinct, in 0.6 s and 0.5 GB, of which 0.2
        GB are the palette.
        """
        return count_image(image, mask, channel_axis, max_colors=max_colors)

    @property
    def n_pixels(self) -> int:
        """Number of pixels that count; of a weighted palette the rounded sum of the weights."""
        return round(self.total_weight) if self.is_weighted else int(self.counts.sum())

    @property
    def is_weighted(self) -> bool:
        """Whether counts are weights."""
        return self.counts.dtype.kind == "f"

    @property
    def total_weight(self) -> float:
        """Sum of the counts, or of the weights."""
        return float(self.counts.sum())

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

    @cached_property
    def extremes(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Smallest and largest value of each channel, ``(C,)`` each."""
        return extremes(self.colors)

    @cached_property
    def step(self) -> NDArray[np.float64] | None:
        """The step between the image's levels, ``(C,)``; None if it has none that are known.

        1 of integers, and of floats beyond 0 to 1 that are all whole numbers; 1/(2ⁿ − 1) of floats
        that are multiples of it, n = 8 … 16, whatever part of 0 to 1 they fill.
        """
        dtype = self.colors.dtype if self.image_dtype is None else self.image_dtype
        if dtype.kind == "u":
            return np.ones(self.n_channels)
        if self.bin_width.any() or self.ranges is not None:
            return None
        if self._level_bits is not None:
            return np.full(self.n_channels, 1 / ((1 << self._level_bits) - 1))
        return np.ones(self.n_channels) if are_whole(self.colors) else None

    @cached_property
    def level_ranges(self) -> NDArray[np.float64] | None:
        """The range of values that the image's levels say, ``(C,)``, see `range_of_levels`."""
        if self.ranges is not None:
            return self.ranges
        largest = float(self.extremes[1].max())
        known = range_of_levels(self.dtype, self._level_bits, largest)
        return None if known is None else np.full(self.n_channels, known)

    @cached_property
    def within_bin(self) -> NDArray[np.float64] | None:
        """Covariances of each bin's pixels, ``(U, C(C+1)/2)``; None where every color was kept.

        In squared image units; pairs in the order of `np.triu_indices(C)`.
        """
        return within_bins(self._bins) if self.bin_width.any() else None

    def with_weights(self, weights: ArrayLike) -> "Palette":
        """Return the palette with a positive weight ``(U,)`` for each color in place of its count.

        Raises
        ------
        ValueError
            If weights are not of that form.
        """
        given = np.asarray(weights, np.float64)
        if given.shape != (len(self),) or not (np.isfinite(given) & (given > 0)).all():
            raise ValueError(
                f"weights of shape {given.shape}: give a positive, finite one for each of the "
                f"{len(self)} colors."
            )
        if self.moments is None:
            return replace(self, counts=given)
        factor = (given / self.counts)[:, np.newaxis]
        moments = replace(
            self.moments, first=self.moments.first * factor, second=self.moments.second * factor
        )
        return replace(self, counts=given, moments=moments)

    def binned(self, width: ArrayLike) -> "Palette":
        """Return the palette in bins of the widest powers of two that are not above `width`.

        The bins keep their pixels' mean (`colors`), and second moments (`within_bin`).

        Parameters
        ----------
        width
            One, or ``(C,)``, in image units. Bins are never split: where the palette's own are
            wider, they stay.
        """
        wanted = np.broadcast_to(np.asarray(width, np.float64), (self.n_channels,))
        if not (np.isfinite(wanted) & (wanted > 0)).all():
            raise ValueError(f"width={width!r}: give positive, finite widths of bins.")
        powers = np.exp2(np.floor(np.log2(wanted)))
        if self.bin_width.any():
            bins = widen_bins(self._bins, np.maximum(powers, self.bin_width))
        else:
            powers = np.maximum(powers, narrowest_width(self.colors))
            bins = bin_colors(CountedColors(self.colors, self.counts), powers)
        return self._with_bins(bins, self.level_ranges)

    def merge(self, other: "Palette") -> "Palette":
        """Return the palette of both images together. O((U + V) log (U + V)).

        Exact, and so are binned palettes: their merger does not depend on the order. Weights add
        up to within rounding.

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
        if exact:
            parts = [CountedColors(p.colors, p.counts) for p in (self, other)]
            counted = merge_counted(parts)
            ranges = None if self.ranges is None else _merged_ranges(self, other)
            merged = replace(self, colors=counted.colors, counts=counted.counts, ranges=ranges)
        else:
            width = np.maximum(self.bin_width, other.bin_width)
            bins = merge_bins([_in_bins(self, width), _in_bins(other, width)])
            merged = self._with_bins(bins, _merged_ranges(self, other))
            if merged.image_dtype != (other.image_dtype or other.dtype):
                merged = replace(merged, image_dtype=None)
        return replace(
            merged,
            n_masked=self.n_masked + other.n_masked,
            n_transparent=self.n_transparent + other.n_transparent,
            n_not_finite=self.n_not_finite + other.n_not_finite,
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
        if self.moments is None:
            return ColorLookup(self.colors, self.bin_width)
        return ColorLookup(self.moments.bins, self.bin_width)

    @cached_property
    def _level_bits(self) -> int | None:
        is_exact = self.dtype.kind == "f" and not self.bin_width.any()
        return level_bits(self.colors) if is_exact else None

    @property
    def _bins(self) -> BinnedColors:
        """The bins of a binned palette."""
        if self.moments is None:  # made by hand: a bin's pixels are all at its mean
            return bin_colors(CountedColors(self.colors, self.counts), self.bin_width)
        return BinnedColors(self.bin_width, self.counts, self.moments)

    def _with_bins(self, bins: BinnedColors, ranges: NDArray[np.float64] | None) -> "Palette":
        return replace(
            self,
            colors=bins.means(),
            counts=bins.counts,
            bin_width=bins.width,
            moments=bins.moments,
            ranges=ranges,
            image_dtype=self.image_dtype or self.dtype,
        )


class PaletteBuilder:
    """Counts an image that comes in tiles.

    Parameters
    ----------
    max_colors
        See `Palette.from_image`.
    """

    def __init__(self, max_colors: int = MAX_COLORS) -> None:
        self._counter: ColorCounter | None = None
        self._max_colors = checked_budget(max_colors)
        self._dtype: np.dtype[Any] | None = None
        self._channels = 0
        self._excluded = [0, 0, 0]

    def add(self, image: Any, mask: Any = None, channel_axis: int | None = -1) -> None:
        """Count one tile. Tiles must agree in channels and dtype."""
        self.add_pixels(as_pixels(image, mask=mask, channel_axis=channel_axis))

    def add_pixels(self, pixels: Pixels) -> None:
        """Count one tile that was brought to form already."""
        self._agree(pixels)
        reasons = (pixels.n_masked, pixels.n_transparent, pixels.n_not_finite)
        self._excluded = [a + b for a, b in zip(self._excluded, reasons, strict=True)]
        values = pixels.included()
        if len(values) == 0:
            return
        if self._counter is None:
            self._counter = ColorCounter(values.dtype, self._channels, self._max_colors)
        self._counter.add(values)

    def palette(self) -> Palette:
        """Return the palette of all tiles added so far.

        Raises
        ------
        ValueError
            If no pixel counts.
        """
        masked, transparent, broken = self._excluded
        if self._counter is None:
            raise ValueError(
                f"image: no pixel counts ({masked} masked, {transparent} transparent, {broken} not "
                "finite); give at least one finite, opaque pixel inside the mask."
            )
        counted = self._counter.counted()
        reasons = (masked, transparent, broken)
        if isinstance(counted, CountedColors):
            return Palette(counted.colors, counted.counts, np.zeros(self._channels), *reasons)
        known = self._counter.range()
        ranges = None if known is None else np.full(self._channels, known)
        extent = (counted.means(), counted.counts, counted.width)
        return Palette(*extent, *reasons, ranges, counted.moments, self._dtype)

    def _agree(self, pixels: Pixels) -> None:
        if self._dtype is None:
            self._dtype, self._channels = pixels.values.dtype, pixels.n_channels
        elif (self._dtype, self._channels) != (pixels.values.dtype, pixels.n_channels):
            raise ValueError(
                f"image: this tile has {pixels.n_channels} channels of {pixels.values.dtype}, "
                f"those before {self._channels} of {self._dtype}; give tiles of one kind."
            )


def count_image(
    image: Any,
    mask: Any = None,
    channel_axis: int | None = -1,
    *,
    max_colors: int = MAX_COLORS,
    refuse: Callable[[Pixels], None] | None = None,
) -> Palette:
    """Count the colors of an image, see `Palette.from_image`.

    Parameters
    ----------
    refuse
        Called with the pixels of each tile as they are read, before the work; raises for those
        that the caller has no use for.
    """
    image = image if hasattr(image, "shape") else np.asarray(image)
    shape = pixel_shape(image.shape, channel_axis)
    mask = None if mask is None else checked_mask(mask, shape)
    builder = PaletteBuilder(max_colors)
    for tile, values in read_tiles(image, channel_axis):
        part = None if mask is None else mask[pixel_index(tile, len(image.shape), channel_axis)]
        pixels = as_pixels(values, mask=part, channel_axis=channel_axis)
        if refuse is not None:
            refuse(pixels)
        builder.add_pixels(pixels)
    return builder.palette()


def _in_bins(palette: Palette, width: NDArray[np.float64]) -> BinnedColors:
    """Return a palette's bins; those of this width where every color was kept."""
    if palette.bin_width.any():
        return palette._bins
    width = np.maximum(width, narrowest_width(palette.colors))
    return bin_colors(CountedColors(palette.colors, palette.counts), width)


def _merged_ranges(*palettes: Palette) -> NDArray[np.float64] | None:
    known = [palette.level_ranges for palette in palettes]
    given = [ranges for ranges in known if ranges is not None]
    return np.max(given, axis=0) if given else None


def checked_budget(max_colors: int) -> int:
    """Return a budget of colors.

    Raises
    ------
    ValueError
        If it is too small.
    """
    if max_colors < MIN_BUDGET:
        raise ValueError(f"max_colors={max_colors}; give a budget of at least {MIN_BUDGET} colors.")
    return max_colors


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
