"""Counting the colors of an image, tile by tile, and adding up palettes."""

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from napari_colorkde.core.checks.arguments import kind_of, pixel_weights
from napari_colorkde.core.checks.channels import checked_channels, pixel_shape
from napari_colorkde.core.checks.options import refuse_no_list
from napari_colorkde.core.checks.rows_of_colors import warn_of_rows
from napari_colorkde.core.image import Pixels, as_pixels, as_sliceable, checked_mask, left_in
from napari_colorkde.core.palette.counters.color_counter import MAX_COLORS
from napari_colorkde.core.palette.image_tiles import is_dask, read_tiles
from napari_colorkde.core.palette.lookup.color_lookup import index_image, pixel_index
from napari_colorkde.core.palette.on_cluster.cluster import current_client
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.palette.palette_builder import PaletteBuilder, checked_budget

MASKS = "a mask, or None, for each image"
"""What several images take for masks."""


def count_image(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    channel_axis: int | None = -1,
    *,
    max_colors: int = MAX_COLORS,
    weights: ArrayLike | None = None,
    n_channels: int | None = None,
    refuse: Callable[[Pixels], None] | None = None,
    name: str = "image",
    progress: Callable[[float], None] | None = None,
) -> Palette:
    """Count the colors of an image, see `Palette.from_image`.

    A dask image is counted by the workers of a cluster where dask computes with one.

    Parameters
    ----------
    name
        How the caller names the image, for messages.
    refuse
        Called with the pixels of each tile as they are read, before the work; raises for those
        that the caller has no use for.
    progress
        Called with the fraction that is done.
    """
    if weights is not None:
        return _weighted(image, mask, channel_axis, max_colors, weights, n_channels, refuse, name)
    n_channels = _channels_of(image, channel_axis, n_channels, name)
    if is_dask(image) and (client := current_client()) is not None:
        from napari_colorkde.core.palette.on_cluster.count_in_tree import (
            CountOptions,
            count_on_cluster,
        )

        options = CountOptions(channel_axis, checked_budget(max_colors), refuse, name, n_channels)
        return count_on_cluster(client, image, mask, options, progress)
    builder = PaletteBuilder(max_colors, name=name)
    n_pixels, seen = 0, 0
    if progress is not None:
        n_pixels = math.prod(pixel_shape(as_sliceable(image, name).shape, channel_axis, name))
    for pixels in _pixels_of(image, mask, channel_axis, n_channels, name):
        if refuse is not None:
            refuse(pixels)
        if progress is not None:
            progress(seen / n_pixels)
            seen += math.prod(pixels.shape)
        builder.add_pixels(pixels)
    return builder.palette()


def palette_of(
    image: Palette | ArrayLike,
    mask: ArrayLike | None = None,
    channel_axis: int | None = -1,
    *,
    weights: ArrayLike | None = None,
    n_channels: int | None = None,
    refuse: Callable[[Pixels], None] | None = None,
    name: str = "image",
) -> Palette:
    """Return a palette as it is, or that of an image: what public functions take for an image.

    Parameters
    ----------
    n_channels
        See `Palette.from_image`; for an image.
    refuse, name
        See `count_image`.

    Raises
    ------
    TypeError, ValueError
        If it is neither, or a mask or weights are given for a palette.
    """
    if not isinstance(image, Palette):
        palette = count_image(
            image,
            mask,
            channel_axis,
            weights=weights,
            n_channels=n_channels,
            refuse=refuse,
            name=name,
        )
        warn_of_rows(as_sliceable(image, name), channel_axis, name)
        return palette
    for argument, given in (("mask", mask), ("weights", weights)):
        if given is not None:
            raise ValueError(
                f"{argument} applies to pixels, but {name} is a Palette, already counted; "
                f"leave it out, or give it to Palette.from_image."
            )
    return image


def _weighted(
    image: ArrayLike,
    mask: ArrayLike | None,
    channel_axis: int | None,
    max_colors: int,
    weights: ArrayLike,
    n_channels: int | None,
    refuse: Callable[[Pixels], None] | None,
    name: str,
) -> Palette:
    """Count an image whose pixels have weights: those of weight 0 do not count."""
    image = as_sliceable(image, name)
    amounts = pixel_weights(weights, "weights", pixel_shape(image.shape, channel_axis, name))
    counts = amounts > 0
    if mask is not None:
        counts &= left_in(checked_mask(mask, amounts.shape, name))
    palette = count_image(
        image,
        counts,
        channel_axis,
        max_colors=max_colors,
        n_channels=n_channels,
        refuse=refuse,
        name=name,
    )
    index = index_image(palette.lookup, image, counts, channel_axis)
    known = index >= 0
    return palette.with_weights(np.bincount(index[known], amounts[known], minlength=len(palette)))


def count_images(
    images: Iterable[Palette | ArrayLike],
    masks: Iterable[ArrayLike | None] | None = None,
    channel_axis: int | None = -1,
    *,
    max_colors: int = MAX_COLORS,
    n_channels: int | None = None,
) -> Palette:
    """Count the colors of several images together, see `Palette.from_images`."""
    refuse_single_image(images)
    builder = PaletteBuilder(max_colors)
    counted: list[Palette] = []
    n_added = 0
    for n_added, (image, mask) in enumerate(_with_masks(images, masks), start=1):
        if isinstance(image, Palette):
            counted.append(image)
            continue
        try:
            n_wanted = _channels_of(image, channel_axis, n_channels, "image")
            for pixels in _pixels_of(image, mask, channel_axis, n_wanted):
                builder.add_pixels(pixels)
        except (TypeError, ValueError) as error:
            raise type(error)(f"images[{n_added - 1}]: {error}") from None
        warn_of_rows(image, channel_axis, f"images[{n_added - 1}]")
    if n_added == 0:
        raise ValueError("images is empty; give one or more images.")
    if n_added > len(counted):
        counted.insert(0, builder.palette())
    together = counted[0]
    for other in counted[1:]:
        together = together.merge(other)
    return together


def refuse_single_image(images: object, more: str = "") -> None:
    """Refuse an image, or something else, where several images are wanted.

    Parameters
    ----------
    more
        What the caller takes besides a list, such as ", or images by name".

    Raises
    ------
    TypeError
        If it is so.
    """
    is_single = isinstance(images, Palette | str | bytes) or hasattr(images, "shape")
    if is_single or not (hasattr(images, "__iter__") or hasattr(images, "__getitem__")):
        raise TypeError(
            f"images is {kind_of(images)}; give a list of images, such as [first, second]{more}."
        )


def _with_masks(
    images: Iterable[Palette | ArrayLike], masks: Iterable[ArrayLike | None] | None
) -> Iterator[tuple[Palette | ArrayLike, ArrayLike | None]]:
    if masks is None:
        yield from ((image, None) for image in images)
        return
    refuse_no_list(masks, "masks", of=MASKS)
    missing = object()
    for image, mask in zip_longest(images, masks, fillvalue=missing):
        if image is missing or mask is missing:
            raise ValueError(f"masks and images differ in number; give {MASKS}.")
        yield cast("Palette | ArrayLike", image), cast("ArrayLike | None", mask)


def _channels_of(
    image: ArrayLike, channel_axis: int | None, n_channels: int | None, name: str
) -> int | None:
    shape = tuple(as_sliceable(image, name).shape)
    return checked_channels(shape, channel_axis, n_channels, name)


def _pixels_of(
    image: ArrayLike,
    mask: ArrayLike | None,
    channel_axis: int | None,
    n_channels: int | None,
    name: str = "image",
) -> Iterator[Pixels]:
    """Yield the pixels of an image, tile by tile."""
    image = as_sliceable(image, name)
    shape = pixel_shape(image.shape, channel_axis, name)
    marks = None if mask is None else checked_mask(mask, shape, name)
    for tile, values in read_tiles(image, channel_axis):
        part = None if marks is None else marks[pixel_index(tile, len(image.shape), channel_axis)]
        yield as_pixels(
            values, mask=part, channel_axis=channel_axis, n_channels=n_channels, name=name
        )
