"""Densities of kernel sets at the pixels of an image.

Exponents are float64; exponentials of linear densities are float32. 8-bit images are painted from a
table that is evaluated once per color they hold, or, for diagonal kernels, at all colors there are:
on the lattice of 8-bit colors a diagonal mixture is one product of small matrices.
"""

import math
from collections.abc import Iterator
from typing import Any, Literal, cast, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.checks.channels import beyond_rgb, pixel_shape
from napari_colorkde.core.checks.options import flag
from napari_colorkde.core.checks.rows_of_colors import warn_of_rows
from napari_colorkde.core.colorspaces import OWN_CHANNELS, KernelSpace, refusal_for
from napari_colorkde.core.device import DeviceLike, resolve_device
from napari_colorkde.core.image import Pixels, SliceableArray, as_pixels, as_sliceable, checked_mask
from napari_colorkde.core.mixture.at_byte_colors import lattice_densities
from napari_colorkde.core.mixture.at_colors import (
    Kernels,
    checked_kernel_set,
    density_at,
    log_density_at,
    prepared_exponents,
)
from napari_colorkde.core.mixture.kernel_spaces import (
    UnitsWatch,
    image_dtype_of,
    kernels_for,
    points_for,
    refuse_other_channels,
)
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.core.palette.color_codes import byte_codes, colors_of_byte_codes
from napari_colorkde.core.palette.count_image import palette_of
from napari_colorkde.core.palette.counters.color_counter import are_tabled
from napari_colorkde.core.palette.image_tiles import is_dask, map_pixels, read_tiles
from napari_colorkde.core.palette.lookup.color_lookup import pixel_index
from napari_colorkde.core.palette.palette import Palette

FEW_PIXELS = 1 << 17
"""Up to this many pixels are evaluated one by one: finding their distinct colors costs as much."""

TILE_PIXELS = 1 << 18
"""Pixels painted in one go: their codes stay in the cache."""

PIXELS_WORTH = 8
"""Nodes of the color lattice that take as long as finding and evaluating the color of one pixel."""


@overload
def compute_densities(
    image: Palette | ArrayLike,
    kernels: Kernels,
    *,
    log: Literal[False] = ...,
    normalized: bool = ...,
    mask: ArrayLike | None = ...,
    channel_axis: int | None = ...,
    space: KernelSpace | str | None = ...,
    device: DeviceLike = ...,
) -> NDArray[np.float32]: ...


@overload
def compute_densities(
    image: Palette | ArrayLike,
    kernels: Kernels,
    *,
    log: Literal[True],
    normalized: bool = ...,
    mask: ArrayLike | None = ...,
    channel_axis: int | None = ...,
    space: KernelSpace | str | None = ...,
    device: DeviceLike = ...,
) -> NDArray[np.float64]: ...


@overload
def compute_densities(
    image: Palette | ArrayLike,
    kernels: Kernels,
    *,
    log: bool,
    normalized: bool = ...,
    mask: ArrayLike | None = ...,
    channel_axis: int | None = ...,
    space: KernelSpace | str | None = ...,
    device: DeviceLike = ...,
) -> NDArray[Any]: ...


def compute_densities(
    image: Palette | ArrayLike,
    kernels: Kernels,
    *,
    log: bool = False,
    normalized: bool = True,
    mask: ArrayLike | None = None,
    channel_axis: int | None = -1,
    space: KernelSpace | str | None = None,
    device: DeviceLike = "auto",
) -> NDArray[Any]:
    """Evaluate a Gaussian mixture at every pixel of an image.

    Parameters
    ----------
    image
        ``(..., H, W, C)`` of any real dtype, with the channels of the kernels in their order, or
        ``(H, W)`` for kernels of one channel. RGBA works with kernels of three channels. Or a
        `Palette`, for its colors.
    kernels
        A `KernelSet`, or a sequence of `Kernel`, of objects with ``mean``, ``covariance`` and
        ``weight``, or of tuples of these three.
    log
        Return natural logarithms in float64, which do not underflow.
    normalized
        False drops the factor ``(2π)^(−C/2)`` and nothing else. Weights are never rescaled.
    mask
        ``(..., H, W)``; a pixel counts where it is nonzero.
    channel_axis
        Axis of the channels; None if there is none.
    space
        Color space of the densities. None: that of the kernels; for "rgb" and "bgr", the image's
        channels as they are. For other spaces, the image is read as sRGB and converted; kernels in
        a different space are converted, see `KernelSet.to_space`, so with kernels in "bgr", "rgb"
        means an image in that order.
    device
        Where to compute.

    Returns
    -------
    ndarray
        The image's shape without channels, ``(U,)`` of a palette; float32, or float64 with `log`.
        NaN where a pixel is masked, transparent (alpha 0) or not finite. For a dask image, a dask
        array, computed block by block: equal to the last bit for 8-bit images of more than 131 072
        pixels and up to three channels, to the accuracy below for others. The former are read once
        beforehand to find their colors, unless all kernels are diagonal and `log` is False.

    Warns
    -----
    ColorUnitsWarning
        If the image has floats from 0 to 1 and the kernels have 8-bit levels, or vice versa; not
        for dask images.

    Raises
    ------
    ValueError
        If there is no kernel, a kernel is not valid, or the channels do not fit.
    TypeError
        If the image does not hold real numbers.

    Notes
    -----
    ``f(x) = Σₖ wₖ N(x; μₖ, Σₖ)`` (Bishop 2006, eq. 9.7). Densities are accurate to a relative 1e-5
    wherever they are above 1e-30, logarithms to 1e-4 nats + 1e-6 |log f|. Time is O(pixels + colors
    · K) for 8-bit images of up to three channels, otherwise O(pixels · K); memory besides the
    result is bounded.
    """
    kernel_set = checked_kernel_set(kernels)
    log, normalized = flag(log, "log"), flag(normalized, "normalized")
    evaluate = log_density_at if log else density_at
    array = image if isinstance(image, Palette) else as_sliceable(image)
    kernel_set = kernels_for(kernel_set, space, image_dtype_of(array))
    if isinstance(image, Palette) or kernel_set.space not in OWN_CHANNELS:
        palette = _counted(image, kernel_set, mask, channel_axis)
        points = points_for(palette, kernel_set.space)
        values = evaluate(prepared_exponents(kernel_set, normalized, device), points.colors)
        if isinstance(image, Palette):
            return values
        return palette.paint_lazily(values, np.nan, image, mask, channel_axis)
    exponents = prepared_exponents(kernel_set, normalized, device)
    n_channels = exponents.n_channels
    image = cast(SliceableArray, array)
    shape = pixel_shape(image.shape, channel_axis)
    marks = None if mask is None else checked_mask(mask, shape)
    dtype = np.dtype(np.float64 if log else np.float32)
    n_pixels = math.prod(shape)
    # Of a lazy image nobody could be warned when its blocks are computed.
    units, is_lazy = UnitsWatch(kernel_set), is_dask(image)
    table: NDArray[Any] | None = None
    if are_tabled(image.dtype, n_channels) and n_pixels > FEW_PIXELS:
        n_nodes = 1 << (8 * n_channels)
        if not log and kernel_set.is_diagonal and n_pixels * PIXELS_WORTH >= n_nodes:
            table = lattice_densities(kernel_set, normalized, resolve_device(device))
        if table is None:
            codes = _codes_in(image, channel_axis, n_channels, marks)
            table = np.zeros(n_nodes, dtype)
            table[codes] = evaluate(exponents, colors_of_byte_codes(codes, n_channels))

    def paint(part: SliceableArray, part_marks: SliceableArray | None) -> NDArray[Any]:
        result = np.empty(pixel_shape(part.shape, channel_axis), dtype)
        for where, pixels in _pixels_of(part, channel_axis, n_channels, part_marks):
            colors = pixels.values.reshape(-1, n_channels)
            if not is_lazy:
                units.look(colors)
            if table is not None:
                rows = byte_codes(colors).reshape(pixels.shape)
                np.take(table, rows, out=result[where], mode="clip")  # the quick mode
            else:
                if pixels.n_not_finite:
                    colors = np.nan_to_num(colors, posinf=0, neginf=0)
                result[where] = evaluate(exponents, colors).reshape(pixels.shape)
            if pixels.excluded is not None:
                result[where][pixels.excluded] = np.nan
        return result

    if is_lazy:
        return map_pixels(paint, image, marks, channel_axis, dtype)
    painted = paint(image, marks)
    warn_of_rows(image, channel_axis, "image")
    units.warn(stacklevel=2)
    return painted


def _counted(
    image: Palette | ArrayLike,
    kernels: KernelSet,
    mask: ArrayLike | None,
    channel_axis: int | None,
) -> Palette:
    """Return the palette of an image that has the kernels' channels; warn of other units."""
    palette = palette_of(
        image,
        mask,
        channel_axis,
        n_channels=beyond_rgb(kernels.n_channels),
        refuse=refusal_for(kernels.space),
    )
    refuse_other_channels(palette, kernels)
    units = UnitsWatch(kernels)
    units.look(palette.colors)
    units.warn(stacklevel=3)
    return palette


def _codes_in(
    image: SliceableArray,
    channel_axis: int | None,
    n_channels: int,
    marks: SliceableArray | None,
) -> NDArray[np.int64]:
    """Byte codes of the distinct colors of an 8-bit image."""
    is_present = np.zeros(1 << (8 * n_channels), np.bool_)
    for _, pixels in _pixels_of(image, channel_axis, n_channels, marks):
        is_present[byte_codes(pixels.values.reshape(-1, n_channels))] = True
    return np.flatnonzero(is_present)


def _pixels_of(
    image: SliceableArray,
    channel_axis: int | None,
    n_channels: int,
    marks: SliceableArray | None,
) -> Iterator[tuple[tuple[slice, ...], Pixels]]:
    """Yield an image tile by tile, with the place of each tile among the pixels."""
    for tile, values in read_tiles(image, channel_axis, TILE_PIXELS):
        where = pixel_index(tile, len(image.shape), channel_axis)
        part = None if marks is None else marks[where]
        pixels = as_pixels(values, mask=part, channel_axis=channel_axis, n_channels=n_channels)
        yield where, pixels
