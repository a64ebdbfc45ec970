"""Writing block-wise images as tiled OME-TIFF, one row of tiles at a time.

A TIFF is written from its beginning to its end: coarser levels are made meanwhile, in files without
a name beside it that are gone with the process.
"""

import math
import tempfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_colorkde.core.checks.arguments import Keywords
from napari_colorkde.core.palette.image_tiles import computed, is_dask, read_ahead
from napari_colorkde.core.palette.on_cluster.cluster import current_client
from napari_colorkde.io.formats.blocks import BlockPicture
from napari_colorkde.io.formats.tiff import ome
from napari_colorkde.io.formats.tiff.writer import geo_extratags
from napari_colorkde.io.writers.atomic import atomic_path

BUFFER = 1 << 24
"""Bytes of tiles that are compressed at a time."""


def write_blocks(picture: BlockPicture) -> None:
    """Write a picture block by block, a pyramid where it is large; whole, or not at all."""
    values, averages = picture.values, picture.names is None
    if values.ndim > 4:
        values = values.reshape(-1, *values.shape[-3:])
    n_levels = ome.levels_above(values.shape)
    shapes = [tuple(values.shape)]
    for _ in range(n_levels):
        shapes.append(ome.halved_shape(shapes[-1], averages=averages))
    total = sum(map(math.prod, shapes))
    done = 0

    def count(n_pixels: int) -> None:
        nonlocal done
        done += n_pixels
        picture.progress(done / total)

    picture.progress(0.0)
    options: Keywords = ome.options_for(is_tiled=True)
    # Floats hardly become smaller by more effort.
    options |= {"compressionargs": {"level": 1}, "dtype": values.dtype, "buffersize": BUFFER}
    first: Keywords = {
        "subifds": n_levels,
        "metadata": ome.metadata_of(values.ndim, picture.record),
        "extratags": geo_extratags(picture.record),
    }
    with (
        atomic_path(picture.path) as scratch,
        tifffile.TiffWriter(scratch, ome=True, bigtiff=values.nbytes > 1 << 31) as tiff,
    ):
        level: Any = values
        for number, shape in enumerate(shapes):
            coarser = None
            if number < n_levels:
                coarser = _scratch_array(picture, shapes[number + 1], values.dtype)
            rest = first if number == 0 else {"subfiletype": 1, "metadata": None}
            tiles = _tiles(level, coarser, averages, count)
            tiff.write(tiles, shape=shape, **options, **rest)
            level = coarser


def _scratch_array(
    picture: BlockPicture, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Return an array on the disk that is to be written to, which has no name there."""
    with tempfile.TemporaryFile(dir=picture.path.resolve().parent) as file:
        return np.memmap(file, dtype, "w+", shape=shape)


def _tiles(
    values: Any, coarser: NDArray[Any] | None, averages: bool, count: Callable[[int], None]
) -> Iterator[NDArray[Any]]:
    """Yield the tiles of a level in their order; put the next level into `coarser` meanwhile."""
    side = ome.TILE
    for place in np.ndindex(*values.shape[:-2]):
        top = 0
        for rows in _rows(values[place], side):
            if coarser is not None:
                half = (
                    ome.halved(rows, averages=averages) if _has_half(rows, averages) else rows[:0]
                )
                target = coarser[place]
                target[top // 2 : top // 2 + len(half)] = half[:, : target.shape[1]]
            count(rows.size)
            for left in range(0, rows.shape[1], side):
                tile = rows[:, left : left + side]
                missing = [(0, side - n) for n in tile.shape]
                yield np.pad(tile, missing) if any(n for _, n in missing) else tile
            top += len(rows)


def _has_half(rows: NDArray[Any], averages: bool) -> bool:
    """Whether these rows, the last of an odd number, have a row of the next level."""
    return not averages or min(rows.shape) >= 2


def _rows(values: Any, side: int) -> Iterator[NDArray[Any]]:
    """Yield so many rows at a time, reading those that lie in the same blocks together."""
    height = values.shape[0]
    if not is_dask(values):
        for top in range(0, height, side):
            yield np.asarray(values[top : top + side])
        return
    edges = np.cumsum([0, *values.chunks[0]]).tolist()
    bands = [slice(a, b) for a, b in pairwise(edges)]
    waiting: list[NDArray[Any]] = []
    # Of one file that grows row by row a cluster's workers would only send the pixels back.
    here = {} if current_client() is None else {"scheduler": "threads"}
    for _, band in read_ahead(bands, lambda band: np.asarray(computed(values[band], **here))):
        waiting.append(band)
        if sum(map(len, waiting)) < side:
            continue
        together = np.concatenate(waiting) if len(waiting) > 1 else waiting[0]
        whole = len(together) // side * side
        for top in range(0, whole, side):
            yield together[top : top + side]
        waiting = [together[whole:]] if whole < len(together) else []
    if waiting:
        yield np.concatenate(waiting)
