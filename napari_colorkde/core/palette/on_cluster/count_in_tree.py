"""Counting a dask image where its blocks are: palettes of blocks, merged as a tree.

Only palettes travel between workers, and one of them to whoever asks. Merging is exact, whatever
is merged first, so the result is that of counting tile by tile.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.checks.channels import has_channel_axis, pixel_shape
from napari_colorkde.core.image import Pixels, as_pixels, checked_mask
from napari_colorkde.core.palette.bins.bin_widths import bin_width_for
from napari_colorkde.core.palette.bins.binning import bin_colors, widen_to
from napari_colorkde.core.palette.counters.color_counter import (
    are_tabled,
    budgets,
    refuse_bins,
)
from napari_colorkde.core.palette.image_tiles import is_dask
from napari_colorkde.core.palette.on_cluster.cluster import check_workers, failures_in_words
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.palette.palette_builder import PaletteBuilder, nothing_counts
from napari_colorkde.core.palette.sorted_rows.distinct_rows import CountedColors

if TYPE_CHECKING:
    from dask.array import Array as DaskArray
    from distributed import Client

TOGETHER = 8
"""Palettes that are merged in one go."""


@dataclass(frozen=True, slots=True)
class CountOptions:
    """How blocks are counted: see `napari_colorkde.core.palette.count_image.count_image`."""

    channel_axis: int | None
    max_colors: int
    refuse: Callable[[Pixels], None] | None = None
    name: str = "image"
    n_channels: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What was counted of some blocks.

    Attributes
    ----------
    palette
        None where no pixel counts.
    left_out
        How many pixels are masked, transparent, and not finite; the palette itself says 0.
    """

    palette: Palette | None
    left_out: tuple[int, int, int]


def count_on_cluster(
    client: "Client",
    image: "DaskArray",
    mask: ArrayLike | None,
    options: CountOptions,
    progress: Callable[[float], None] | None = None,
) -> Palette:
    """Count a dask image with the workers of a cluster.

    Raises
    ------
    ValueError
        As from `count_image`; and if workers cannot do it, or are ended by it.
    """
    from distributed import as_completed

    check_workers(client)
    leaves, root = counting_tree(image, mask, options)
    # What is asked for is kept until it is let go of: palettes of blocks for their progress only.
    # A single block is the whole.
    watched = [] if progress is None or len(leaves) == 1 else leaves
    with failures_in_words():
        *counting, whole = client.compute([*watched, root])
        waiting = {future.key: future for future in counting}
        try:
            if progress is not None:
                for n_done, future in enumerate(as_completed(counting, loop=client.loop), 1):
                    if future.status == "error":
                        break  # and so is the whole
                    waiting.pop(future.key).release()
                    progress(n_done / (len(leaves) + 1))
            part = whole.result()
        except BaseException:
            client.cancel([*waiting.values(), whole])
            raise
    return palette_of_part(part, options.name)


def counting_tree(
    image: "DaskArray", mask: ArrayLike | None, options: CountOptions
) -> tuple[list[Any], Any]:
    """Return dask's delayed work of each block, and that of the whole: a `Part`.

    Parameters
    ----------
    image, mask
        A dask array, and an array of its pixels' shape, or None.
    """
    import dask
    import dask.array as da

    shape = pixel_shape(image.shape, options.channel_axis, options.name)
    pixel_axes = tuple(range(image.ndim))
    if options.channel_axis is not None and has_channel_axis(image.ndim, options.channel_axis):
        channel = options.channel_axis % image.ndim
        image = image.rechunk({channel: -1})
        pixel_axes = tuple(axis for axis in pixel_axes if axis != channel)
    blocks = image.to_delayed().ravel()
    marks: Sequence[Any] = [None] * len(blocks)
    if mask is not None:
        checked: Any = checked_mask(mask, shape, options.name)
        chunks = tuple(image.chunks[axis] for axis in pixel_axes)
        lazy = checked.rechunk(chunks) if is_dask(checked) else da.from_array(checked, chunks)
        marks = lazy.to_delayed().ravel()
    count = dask.delayed(count_block, pure=False)
    merge = dask.delayed(merge_parts, pure=False)
    leaves = [count(block, mark, options) for block, mark in zip(blocks, marks, strict=True)]
    parts = leaves
    while len(parts) > 1:
        starts = range(0, len(parts), TOGETHER)
        parts = [merge(parts[a : a + TOGETHER], options.max_colors) for a in starts]
    return leaves, parts[0]


def count_block(values: NDArray[Any], mask: ArrayLike | None, options: CountOptions) -> Part:
    """Count one block, which is in memory."""
    pixels = as_pixels(
        values,
        mask=mask,
        channel_axis=options.channel_axis,
        n_channels=options.n_channels,
        name=options.name,
    )
    if options.refuse is not None:
        options.refuse(pixels)
    left_out = (pixels.n_masked, pixels.n_transparent, pixels.n_not_finite)
    if sum(left_out) == int(np.prod(pixels.shape)):
        return Part(None, left_out)
    builder = PaletteBuilder(options.max_colors, name=options.name)
    builder.add_pixels(pixels)
    palette = replace(builder.palette(), n_masked=0, n_transparent=0, n_not_finite=0)
    return Part(palette, left_out)


def merge_parts(parts: Sequence[Part], max_colors: int) -> Part:
    """Return the part of several together; in bins where there are more colors than `max_colors`.

    O(U log U) for U colors of all.
    """
    reasons = zip(*(part.left_out for part in parts), strict=True)
    masked, transparent, broken = map(sum, reasons)
    known = [part.palette for part in parts if part.palette is not None]
    merged = _within(reduce(Palette.merge, known), max_colors) if known else None
    return Part(merged, (masked, transparent, broken))


def palette_of_part(part: Part, name: str = "image") -> Palette:
    """Return the palette of an image of which all blocks were counted.

    Raises
    ------
    ValueError
        If no pixel counts.
    """
    masked, transparent, broken = part.left_out
    if part.palette is None:
        raise nothing_counts(name, masked, transparent, broken)
    return replace(part.palette, n_masked=masked, n_transparent=transparent, n_not_finite=broken)


def _within(palette: Palette, max_colors: int) -> Palette:
    """Put colors into bins, or bins into wider ones, where there are too many.

    As `ColorCounter` does.
    """
    max_colors, budget = budgets(palette.n_channels, max_colors)
    if palette.bin_width.any():
        return palette.with_bins(widen_to(palette.bins, budget), palette.ranges)
    if len(palette) <= max_colors or are_tabled(palette.dtype, palette.n_channels):
        return palette
    refuse_bins(palette.n_channels, max_colors)
    width = bin_width_for(palette.colors, budget)
    counted = CountedColors(palette.colors, palette.counts)
    return palette.with_bins(bin_colors(counted, width), palette.level_ranges)
