"""Finding the palette entry of colors, and painting pixels by their entries."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.checks.channels import has_channel_axis, pixel_shape
from napari_colorkde.core.image import as_pixels, as_sliceable, checked_mask
from napari_colorkde.core.palette.color_codes import byte_codes
from napari_colorkde.core.palette.counters.color_counter import are_tabled
from napari_colorkde.core.palette.image_tiles import is_dask, map_pixels, tile_slices
from napari_colorkde.core.palette.map_blocks import map_blocks
from napari_colorkde.core.palette.sorted_rows.packing import Packing, hashed_rows
from napari_colorkde.core.palette.sorted_rows.sorting import WORD_BITS, Words, sorted_order

MAX_QUERIES = 1 << 22
"""Colors that are looked up in one go."""


SEARCHED_TOGETHER = 1 << 18
"""Colors that one thread looks for in one go."""


class ColorLookup:
    """Finds the palette entry of colors; built once per palette.

    8-bit colors of up to three channels have a table. Others are words, of which the palette's are
    sorted: where a color takes more than 64 bits, a hash of it, and what is found is compared.

    Parameters
    ----------
    colors
        ``(U, C)`` distinct colors; of a binned palette the numbers of its bins.
    bin_width
        ``(C,)``; where positive, colors are looked up by the number of their bin.
    """

    def __init__(self, colors: NDArray[Any], bin_width: NDArray[np.float64]) -> None:
        self.n_channels = colors.shape[1]
        self._colors = colors
        self._width = bin_width if bin_width.any() else None
        self._table: NDArray[np.int32] | None = None
        self._packing: Packing | None = None
        if self._width is not None and colors.dtype.kind == "f":
            self._colors = colors = np.floor(colors / bin_width).astype(np.int64)
        elif are_tabled(colors.dtype, colors.shape[1]):
            self._table = np.full(1 << (8 * colors.shape[1]), -1, np.int32)
            self._table[byte_codes(colors)] = np.arange(len(colors), dtype=np.int32)
            return
        packing = Packing.of(colors)
        if packing.fits:
            self._packing = packing
            words = packing.pack(colors)
        else:
            words = hashed_rows(colors)
        self._words, self._entries = _sorted_words(words)

    def __call__(self, values: NDArray[Any]) -> NDArray[np.int32]:
        """Return the entries of finite colors ``(n, C)``: ``(n,)``, −1 where there is none."""
        if self._table is not None:
            return _entries_of_bytes(self._table, values)
        entries = np.empty(len(values), np.int32)
        for start in range(0, len(values), MAX_QUERIES):
            part = slice(start, start + MAX_QUERIES)
            entries[part] = self._find(values[part])
        return entries

    def _find(self, values: NDArray[Any]) -> NDArray[np.int32]:
        rows, same = self._as_rows(values)
        if self._packing is not None:
            found = self._found(self._packing.pack(rows))
            known = self._packing.contains(rows)
            return np.where(known if same is None else known & same, found, np.int32(-1))
        found = self._verified(rows, hashed_rows(rows))
        return found if same is None else np.where(same, found, np.int32(-1))

    def _as_rows(self, values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """Return values in the palette's dtype, and which of them are the same number in it."""
        if self._width is not None:
            with np.errstate(invalid="ignore"):
                return np.floor(values / self._width).astype(np.int64), None
        dtype = self._colors.dtype
        if values.dtype == dtype:
            return values, None
        with np.errstate(invalid="ignore", over="ignore"):  # what does not fit is not the same
            rows = values.astype(dtype)
            return rows, (rows == values).all(axis=1)

    def _found(self, words: Words) -> NDArray[np.int32]:
        """Return the entry whose word is the same; −1 where there is none."""
        order, ordered = _brought_together(words)
        found = np.empty(len(words), np.int32)

        def search(block: slice) -> None:
            at = self._places(ordered[block])
            same = self._words.take(at) == ordered[block]
            found[order[block]] = np.where(same, self._entries_at(at), np.int32(-1))

        map_blocks(search, len(words), SEARCHED_TOGETHER)
        return found

    def _verified(self, rows: NDArray[Any], hashes: Words) -> NDArray[np.int32]:
        """Return the entry whose color is the same, among those whose hash is."""
        order, ordered = _brought_together(hashes)
        place = np.empty(len(rows), np.int64)
        found = np.empty(len(rows), np.int32)

        def search(block: slice) -> None:
            place[order[block]] = self._places(ordered[block])

        def verify(block: slice) -> None:
            entries = self._entries_at(place[block])
            same = (self._colors.take(entries, axis=0) == rows[block]).all(axis=1)
            found[block] = np.where(same, entries, np.int32(-1))

        map_blocks(search, len(rows), SEARCHED_TOGETHER)
        map_blocks(verify, len(rows))
        # Another color may have the same hash, and lie behind the one that was looked at.
        others = np.flatnonzero(found < 0)
        at = place[others]
        while len(others):
            inside = self._words.take(at) == hashes.take(others)
            inside &= at + 1 < len(self._words)
            others, at = others[inside], at[inside] + 1
            entries = self._entries_at(at)
            same = self._words.take(at) == hashes.take(others)
            same &= (self._colors.take(entries, axis=0) == rows.take(others, axis=0)).all(axis=1)
            found[others[same]] = entries[same]
            others, at = others[~same], at[~same]
        return found

    def _places(self, ordered: Words) -> NDArray[np.int64]:
        """Return where sorted words would be among those of the palette, at most at the last."""
        return np.minimum(np.searchsorted(self._words, ordered), len(self._words) - 1)

    def _entries_at(self, places: NDArray[np.int64]) -> NDArray[np.int32]:
        return places.astype(np.int32) if self._entries is None else self._entries.take(places)


def _sorted_words(words: Words) -> tuple[Words, NDArray[np.int32] | None]:
    """Return words sorted, and at which place each was; None if they were sorted already."""
    if (words[1:] >= words[:-1]).all():
        return words, None
    order, _ = sorted_order([(words, WORD_BITS)])
    return words.take(order), order.astype(np.int32)


def _brought_together(words: Words) -> tuple[NDArray[np.int64], Words]:
    """Return words nearly sorted, so that neighbors are looked for near each other, and the order.

    Only their leading bits are sorted, together with their places.
    """
    bits = max((len(words) - 1).bit_length(), 1)
    used = max(int(words.max()).bit_length(), 1) if len(words) else 1
    drop, room = max(used + bits - WORD_BITS, 0), np.uint64(bits)
    keyed = words >> np.uint64(drop) << room | np.arange(len(words), dtype=np.uint64)
    keyed.sort()
    order = (keyed & np.uint64((1 << bits) - 1)).view(np.int64)
    return order, words.take(order)


def _entries_of_bytes(table: NDArray[np.int32], values: NDArray[Any]) -> NDArray[np.int32]:
    """Entries of colors in a table by byte code; values that are no byte have none."""
    if values.dtype == np.uint8:
        entries = np.empty(len(values), np.int32)

        def look_up(block: slice) -> None:
            entries[block] = table.take(byte_codes(values[block]))

        map_blocks(look_up, len(values), SEARCHED_TOGETHER)
        return entries
    with np.errstate(invalid="ignore"):  # NaN, which equals nothing
        as_bytes = np.clip(values, 0, 255).astype(np.uint8)
    same = (as_bytes == values).all(axis=1)
    return np.where(same, table.take(byte_codes(as_bytes)), np.int32(-1))


def index_image(
    lookup: ColorLookup,
    image: ArrayLike,
    mask: ArrayLike | None = None,
    channel_axis: int | None = -1,
    look: Callable[[NDArray[Any]], None] | None = None,
) -> NDArray[np.int32]:
    """Return the palette entry of every pixel, see `Palette.index`.

    Parameters
    ----------
    look
        Called with the colors ``(n, C)`` that count, part by part.
    """
    image = as_sliceable(image)
    shape = pixel_shape(image.shape, channel_axis)
    marks = None if mask is None else checked_mask(mask, shape)
    index = np.empty(shape, np.int32)
    for tile in tile_slices(image.shape, channel_axis):
        where = pixel_index(tile, len(image.shape), channel_axis)
        part = None if marks is None else marks[where]
        n_channels = lookup.n_channels
        pixels = as_pixels(image[tile], mask=part, channel_axis=channel_axis, n_channels=n_channels)
        if look is not None:
            look(pixels.included())
        entries = lookup(pixels.values.reshape(-1, n_channels)).reshape(pixels.shape)
        if pixels.excluded is not None:
            entries[pixels.excluded] = -1
        index[where] = entries
    return index


def paint_index(values: NDArray[Any], index: NDArray[np.int32]) -> NDArray[Any]:
    """``values[index]`` with NaN where the index is negative; float64 values stay float64."""
    dtype = np.float64 if values.dtype == np.float64 else np.float32
    # The last entry is NaN, and −1 means the last entry.
    nothing = np.full((1, *values.shape[1:]), np.nan, dtype)
    return np.concatenate([values.astype(dtype, copy=False), nothing])[index]


def paint_pixels(
    lookup: ColorLookup,
    values: NDArray[Any],
    nothing: float,
    image: ArrayLike,
    mask: ArrayLike | None = None,
    channel_axis: int | None = -1,
) -> NDArray[Any]:
    """Give every pixel the value ``(U,)``, or row, of its palette entry; `nothing` without one.

    A dask array for a dask image, of which nothing is read yet.
    """
    # The last entry is nothing, and −1 means the last entry.
    table = np.concatenate([values, np.full((1, *values.shape[1:]), nothing, values.dtype)])

    def paint(part: ArrayLike, marks: ArrayLike | None) -> NDArray[Any]:
        return np.asarray(table[index_image(lookup, part, marks, channel_axis)])

    if is_dask(image):
        return map_pixels(paint, image, mask, channel_axis, table.dtype, values.shape[1:])
    return paint(image, mask)


def pixel_index(tile: tuple[slice, ...], ndim: int, channel_axis: int | None) -> tuple[slice, ...]:
    """The part of a tile's index that speaks of pixels, without the channel axis."""
    if channel_axis is None or not has_channel_axis(ndim, channel_axis):
        return tile
    channel = channel_axis % ndim
    return tuple(s for axis, s in enumerate(tile) if axis != channel)
