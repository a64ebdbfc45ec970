"""Images of many channels evaluated pixel by pixel, tile by tile.

Nearly every pixel of such an image has a color of its own: finding distinct ones costs more than it
saves, and of very many none has to be put into a bin.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.checks.channels import pixel_shape
from napari_colorkde.core.image import SliceableArray, as_pixels, as_sliceable, checked_mask
from napari_colorkde.core.mixture.kernel_spaces import UnitsWatch
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.core.palette.image_tiles import is_dask, map_pixels, read_tiles
from napari_colorkde.core.palette.lookup.color_lookup import pixel_index
from napari_colorkde.core.palette.palette import Palette

TILE_PIXELS = 1 << 17
"""Pixels evaluated in one go."""

Evaluate = Callable[[Palette], NDArray[Any]]
"""Gives a value, or a row, for each color."""


def pixel_by_pixel(
    evaluate: Evaluate,
    image: ArrayLike,
    kernels: KernelSet,
    mask: ArrayLike | None,
    channel_axis: int | None,
    nothing: float,
) -> NDArray[Any]:
    """Return the value of each pixel, in the image's shape without channels.

    Parameters
    ----------
    evaluate
        What is done with the colors of a tile; tried first, so that it refuses before the work.
    image, mask, channel_axis
        See `classify_image`.
    kernels
        All kernels: the image has their channels.
    nothing
        For pixels that do not count.

    Returns
    -------
    ndarray
        Of a dask image a dask array, of which nothing is read yet.

    Warns
    -----
    ColorUnitsWarning
        See `compute_densities`.
    """
    tried = evaluate(_as_palette(kernels.means[:1]))
    dtype, row = tried.dtype, tried.shape[1:]
    n_channels = kernels.n_channels
    array = as_sliceable(image)
    shape = pixel_shape(array.shape, channel_axis)
    checked = None if mask is None else checked_mask(mask, shape)
    units, is_lazy = UnitsWatch(kernels), is_dask(image)

    def paint(part: SliceableArray, marks: SliceableArray | None) -> NDArray[Any]:
        result = np.empty((*pixel_shape(part.shape, channel_axis), *row), dtype)
        for tile, values in read_tiles(part, channel_axis, TILE_PIXELS):
            where = pixel_index(tile, len(part.shape), channel_axis)
            own = None if marks is None else marks[where]
            pixels = as_pixels(values, mask=own, channel_axis=channel_axis, n_channels=n_channels)
            colors = pixels.values.reshape(-1, n_channels)
            if pixels.n_not_finite:
                colors = np.nan_to_num(colors, posinf=0, neginf=0)
            if not is_lazy:  # nobody could be warned when blocks are computed
                units.look(colors)
            found = evaluate(_as_palette(colors)).reshape(*pixels.shape, *row)
            if pixels.excluded is not None:
                found[pixels.excluded] = nothing
            result[where] = found
        return result

    if is_lazy:
        return map_pixels(paint, array, checked, channel_axis, dtype, row)
    painted = paint(array, checked)
    units.warn(stacklevel=3)
    return painted


def _as_palette(colors: NDArray[Any]) -> Palette:
    """Return colors as they come, each as one pixel's."""
    n, n_channels = colors.shape
    counts, ones = np.ones(n, np.int64), np.ones(n_channels)
    return Palette(colors, counts, np.zeros(n_channels), ranges=ones)
