"""Merging palettes of several images, or of parts of one."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.checks.arguments import kind_of
from napari_colorkde.core.number_text import counted
from napari_colorkde.core.palette.bins.bin_widths import narrowest_width
from napari_colorkde.core.palette.bins.binning import BinnedColors, bin_colors, merge_bins
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.palette.sorted_rows.distinct_rows import CountedColors, merge_counted


def merge_palettes(one: Palette, other: Palette) -> Palette:
    """Return the palette of both images together, see `Palette.merge`."""
    if not isinstance(other, Palette):
        raise TypeError(
            f"other is {kind_of(other)}; give a palette, such as Palette.from_image(image)."
        )
    exact = not (one.bin_width.any() or other.bin_width.any())
    if one.n_channels != other.n_channels or (exact and one.dtype != other.dtype):
        raise ValueError(
            f"other has {counted(other.n_channels, 'channel')} of {other.dtype}, this palette has "
            f"{one.n_channels} of {one.dtype}; merge palettes of images of the same kind."
        )
    if exact:
        parts = [CountedColors(p.colors, p.counts) for p in (one, other)]
        together = merge_counted(parts)
        ranges = None if one.ranges is None else _merged_ranges(one, other)
        merged = replace(one, colors=together.colors, counts=together.counts, ranges=ranges)
    else:
        width = np.maximum(one.bin_width, other.bin_width)
        bins = merge_bins([_in_bins(one, width), _in_bins(other, width)])
        merged = one.with_bins(bins, _merged_ranges(one, other))
        if merged.image_dtype != (other.image_dtype or other.dtype):
            merged = replace(merged, image_dtype=None)
    return replace(
        merged,
        n_masked=one.n_masked + other.n_masked,
        n_transparent=one.n_transparent + other.n_transparent,
        n_not_finite=one.n_not_finite + other.n_not_finite,
        n_rare=one.n_rare + other.n_rare,
    )


def refuse_unlike(one: Palette, other: Palette, one_name: str, other_name: str) -> None:
    """Refuse two images of different kinds, whose colors cannot be looked at together.

    Parameters
    ----------
    one_name, other_name
        How the caller names the images.

    Raises
    ------
    ValueError
        If their channels or dtypes differ.
    """
    if one.n_channels != other.n_channels:
        raise ValueError(
            f"{other_name} has {counted(other.n_channels, 'channel')}, {one_name} has "
            f"{one.n_channels}; give images with the same channels."
        )
    if one.dtype != other.dtype and not (one.bin_width.any() or other.bin_width.any()):
        raise ValueError(
            f"{other_name} is {other.dtype}, {one_name} is {one.dtype}; convert one to the dtype "
            "and the levels of the other, such as floats from 0 to 1 by "
            "np.round(255 * image).astype(np.uint8)."
        )


def _in_bins(palette: Palette, width: NDArray[np.float64]) -> BinnedColors:
    """Return a palette's bins; those of this width where every color was kept."""
    if palette.bin_width.any():
        return palette.bins
    width = np.maximum(width, narrowest_width(palette.colors))
    return bin_colors(CountedColors(palette.colors, palette.counts), width)


def _merged_ranges(*palettes: Palette) -> NDArray[np.float64] | None:
    known = [palette.level_ranges for palette in palettes]
    given = [ranges for ranges in known if ranges is not None]
    return np.max(given, axis=0) if given else None
