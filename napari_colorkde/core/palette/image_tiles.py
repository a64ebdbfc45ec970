"""Images tile by tile: which tiles there are, prefetching, dask blocks."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.checks.channels import has_channel_axis
from napari_colorkde.core.image import SliceableArray

if TYPE_CHECKING:
    from dask.array import Array as DaskArray

TILE_PIXELS = 1 << 20
"""Pixels looked at in one go: large enough to be quick, small enough to be stopped between."""


Chunks = tuple[tuple[int, ...], ...]


Tile = TypeVar("Tile")


def tile_slices(
    shape: tuple[int, ...],
    channel_axis: int | None,
    pixels: int = TILE_PIXELS,
    chunks: Chunks | None = None,
) -> Iterator[tuple[slice, ...]]:
    """Cut an image of this shape into tiles of whole rows, at most about `pixels` each.

    Yields indices that keep the number of axes, so that lazy arrays are read piece by piece.

    Parameters
    ----------
    chunks
        Sizes of an array's chunks along each axis, see `chunks_of`: tiles are then of whole chunks,
        at least one, so that none is made or decompressed twice.
    """
    ndim = len(shape)
    axes = list(range(ndim))
    if channel_axis is not None and has_channel_axis(ndim, channel_axis):
        axes.remove(channel_axis % ndim)
    if chunks is None:
        yield from _cut(shape, axes, [slice(None)] * ndim, pixels)
        return
    pieces: list[list[slice]] = [[slice(None)]] * ndim
    room = max(pixels // int(np.prod([max(chunks[axis]) for axis in axes], dtype=np.int64)), 1)
    for axis in reversed(axes):
        together = min(room, len(chunks[axis]))
        room //= len(chunks[axis])
        ends = np.cumsum(chunks[axis])[together - 1 :: together].tolist()
        ends = [*ends, shape[axis]] if not ends or ends[-1] < shape[axis] else ends
        pieces[axis] = [slice(a, b) for a, b in pairwise([0, *ends])]
        room = max(room, 1)
    yield from product(*pieces)


def chunks_of(array: ArrayLike | SliceableArray) -> Chunks | None:
    """Return the sizes of an array's chunks along each axis; None if it has none.

    Those of dask, which names each, and of zarr and HDF5, whose chunks are all of one size.
    """
    chunks = getattr(array, "chunks", None)
    shape = tuple(getattr(array, "shape", ()))
    if not isinstance(chunks, tuple) or len(chunks) != len(shape) or 0 in shape:
        return None
    if all(isinstance(sizes, tuple) for sizes in chunks):
        # dask does not know the sizes of what it has yet to select: they are NaN.
        known = all(np.isfinite(axis).all() for axis in chunks)
        return tuple(tuple(map(int, axis)) for axis in chunks) if known else None
    if not all(isinstance(size, int) and size > 0 for size in chunks):
        return None
    return tuple(
        (size,) * (n // size) + ((n % size,) if n % size else ())
        for n, size in zip(shape, chunks, strict=True)
    )


def read_tiles(
    image: SliceableArray, channel_axis: int | None, pixels: int = TILE_PIXELS
) -> Iterator[tuple[tuple[slice, ...], NDArray[Any]]]:
    """Read an image tile by tile: the tile's index, and its values.

    Of an array that is not in memory tiles are of whole chunks, which are as large as whoever made
    the array chose them, and the next one is read meanwhile.
    """

    def read(tile: tuple[slice, ...]) -> NDArray[Any]:
        part: object = image[tile]
        # A masked array keeps its mask, of which dask's own conversion knows nothing.
        return np.asanyarray(computed(part) if is_dask(part) else part)

    if isinstance(image, np.ndarray):
        for tile in tile_slices(image.shape, channel_axis, pixels):
            yield tile, read(tile)
        return
    yield from read_ahead(
        tile_slices(tuple(image.shape), channel_axis, pixels, chunks_of(image)), read
    )


def read_ahead(
    tiles: Iterable[Tile], read: Callable[[Tile], NDArray[Any]]
) -> Iterator[tuple[Tile, NDArray[Any]]]:
    """Yield tiles with what is read of them, while the next one is read on a thread of its own."""
    reader = ThreadPoolExecutor(1, "read")
    try:
        waiting: tuple[Tile, Future[NDArray[Any]]] | None = None
        for tile in tiles:
            following = (tile, reader.submit(read, tile))
            if waiting is not None:
                yield waiting[0], waiting[1].result()
            waiting = following
        if waiting is not None:
            yield waiting[0], waiting[1].result()
    finally:
        # Whoever stops in the middle waits for the tile that is being read, for no other.
        reader.shutdown(cancel_futures=True)


def _cut(
    shape: tuple[int, ...], axes: list[int], index: list[slice], pixels: int
) -> Iterator[tuple[slice, ...]]:
    axis, *inner = axes
    per_step = int(np.prod([shape[a] for a in inner], dtype=np.int64))
    if inner and per_step > pixels:
        for i in range(shape[axis]):
            yield from _cut(shape, inner, _with(index, axis, slice(i, i + 1)), pixels)
        return
    step = max(1, pixels // max(per_step, 1))
    for start in range(0, shape[axis], step):
        yield tuple(_with(index, axis, slice(start, min(start + step, shape[axis]))))


def _with(index: list[slice], axis: int, piece: slice) -> list[slice]:
    return [piece if a == axis else s for a, s in enumerate(index)]


def is_dask(image: object) -> bool:
    """Whether this is a dask array. dask is not imported for it: where one is, dask is."""
    return type(image).__module__.startswith("dask.array") and hasattr(image, "dask")


def computed(part: "DaskArray", **options: object) -> NDArray[Any]:
    """Return the values of a dask array; `options` are those of its `compute`.

    No callback hears of it: napari has one for the time in which it draws, which keeps what it
    computes, and fails where another thread computes meanwhile.
    """
    values: NDArray[Any] = part.compute(callbacks=(), **options)
    return values


def map_pixels(
    function: Callable[[NDArray[Any], NDArray[Any] | None], NDArray[Any]],
    image: "DaskArray",
    mask: ArrayLike | None,
    channel_axis: int | None,
    dtype: np.dtype[Any],
    row: tuple[int, ...] = (),
) -> NDArray[Any]:
    """Return the dask array of what a function makes of a dask image, block by block.

    Parameters
    ----------
    function
        Takes a block of the image, with all of its channels, and the block of the mask or None;
        returns one value of `dtype` per pixel, or a row. Called by several threads, when blocks are
        computed.
    image, mask
        A dask array, and an array of its pixels' shape, or None.
    channel_axis
        Axis of the channels; None if there is none.
    row
        Its length, if a pixel has a row of values.

    Returns
    -------
    dask.array.Array
        The image's shape and chunks without channels, then that of the row. Nothing is read.
    """
    import uuid

    import dask.array as da

    axes = tuple(range(image.ndim))
    pixel_axes = axes
    if channel_axis is not None and has_channel_axis(image.ndim, channel_axis):
        channel = channel_axis % image.ndim
        image = image.rechunk({channel: -1})
        pixel_axes = tuple(axis for axis in axes if axis != channel)
    operands: list[object] = [image, axes]
    if mask is None:
        operands += [None, None]
    else:
        chunks = tuple(image.chunks[axis] for axis in pixel_axes)
        marks = cast("DaskArray", mask)
        marks = marks.rechunk(chunks) if is_dask(mask) else da.from_array(mask, chunks)
        operands += [marks, pixel_axes]
    row_axes = {image.ndim + i: length for i, length in enumerate(row)}
    painted = da.blockwise(
        function,
        (*pixel_axes, *row_axes),
        *operands,
        # A name of its own: for one made of its contents the tables of a function are hashed.
        name=f"colorkde-{uuid.uuid4().hex}",
        dtype=dtype,
        meta=np.empty((0,) * (len(pixel_axes) + len(row)), dtype),
        new_axes=row_axes,
        concatenate=True,
    )
    return cast("NDArray[Any]", painted)
