"""Coarser levels of a slide whose file has none: made in one pass over its pixels.

Without them napari draws the whole slide, and has it in memory for that.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.palette.image_tiles import is_dask, read_tiles
from napari_colorkde.io.formats import blocks

COARSE_PIXELS = 1 << 24
"""The finest of the levels that are made has at most so many."""

SCREEN_SIDE = 2048
"""Levels are made until none of the sides is longer."""


def is_slide(pixels: Any, *, rgb: bool) -> bool:
    """Whether an image is not in memory, and one plane of it too large for that."""
    rows, columns = _rows_and_columns(pixels.ndim, rgb=rgb)
    in_memory = isinstance(pixels, np.ndarray) and not isinstance(pixels, np.memmap)
    if in_memory or not (is_dask(pixels) or isinstance(pixels, np.ndarray)):
        return False
    return bool(pixels.shape[rows] * pixels.shape[columns] > blocks.LAZY_PIXELS)


def coarse_levels(pixels: Any, *, rgb: bool) -> list[NDArray[Any]]:
    """Make coarser levels of an image that is not in memory, of every 2ⁿ-th row and column.

    Parameters
    ----------
    pixels
        A dask array or a memory map, ``(..., H, W)``, or ``(..., H, W, C)`` where `rgb`.

    Returns
    -------
    list of ndarray
        From fine to coarse, in memory: each at least half as long as the one before.

    Notes
    -----
    O(pixels), and as many as are read: each once.
    """
    rows, columns = _rows_and_columns(pixels.ndim, rgb=rgb)
    n_pixels = math.prod(pixels.shape[: columns + 1])
    step = 2
    while n_pixels > COARSE_PIXELS * step**2:
        step *= 2
    shape = list(pixels.shape)
    for axis in (rows, columns):
        shape[axis] = -(-shape[axis] // step)
    first = np.empty(shape, pixels.dtype)
    for tile, values in read_tiles(pixels, columns + 1 if rgb else None):
        source, target = [slice(None)] * pixels.ndim, list(tile)
        for axis in (rows, columns):
            start, stop, _ = tile[axis].indices(pixels.shape[axis])
            source[axis] = slice(-start % step, None, step)
            target[axis] = slice(-(-start // step), -(-stop // step))
        first[tuple(target)] = values[tuple(source)]
    levels = [first]
    every_second: list[slice] = [slice(None)] * pixels.ndim
    every_second[rows] = every_second[columns] = slice(None, None, 2)
    while max(levels[-1].shape[rows], levels[-1].shape[columns]) > SCREEN_SIDE:
        levels.append(np.ascontiguousarray(levels[-1][tuple(every_second)]))
    return levels


def _rows_and_columns(ndim: int, *, rgb: bool) -> tuple[int, int]:
    return (ndim - 3, ndim - 2) if rgb else (ndim - 2, ndim - 1)
