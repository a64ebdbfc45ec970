"""Densities of kernel sets, at the pixels of an image or at the colors of a palette.

Exponents are float64; exponentials of linear densities are float32. 8-bit images are painted from a
table that is evaluated once per color they hold, or, for diagonal kernels, at all colors there are:
on the lattice of 8-bit colors a diagonal mixture is one product of small matrices.
"""

import math
from collections.abc import Iterable, Iterator
from typing import Any, Literal, cast, overload

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.colorspaces import OWN_CHANNELS, KernelSpace, refusal_for
from napari_colorkde.core.device import Device, DeviceLike, resolve_device, without_denormals
from napari_colorkde.core.image import (
    MAX_COLOR_CHANNELS,
    Pixels,
    SliceableArray,
    as_pixels,
    as_sliceable,
    checked_mask,
    pixel_shape,
)
from napari_colorkde.core.mixture.block_terms import densities, log_densities
from napari_colorkde.core.mixture.color_blocks import ColorBlocks, WeightedColors, color_blocks
from napari_colorkde.core.mixture.exponents import LOG2_E, Exponents, log_sum
from napari_colorkde.core.mixture.kernel_spaces import (
    UnitsWatch,
    image_dtype_of,
    kernels_for,
    points_for,
    refuse_other_channels,
)
from napari_colorkde.core.mixture.kernels import KernelLike, KernelNumbers, KernelSet
from napari_colorkde.core.palette.color_codes import byte_codes, colors_of_byte_codes
from napari_colorkde.core.palette.count_image import palette_of
from napari_colorkde.core.palette.image_tiles import is_dask, map_pixels, read_tiles
from napari_colorkde.core.palette.lookup import pixel_index
from napari_colorkde.core.palette.palette import Palette

Kernels = KernelSet | Iterable[KernelLike | KernelNumbers]

FEW_PIXELS = 1 << 17
"""Up to this many pixels are evaluated one by one: finding their distinct colors costs as much."""

TILE_PIXELS = 1 << 18
"""Pixels painted in one go: their codes stay in the cache."""

PIXELS_WORTH = 8
"""Nodes of the color lattice that take as long as finding and evaluating the color of one pixel."""

LATTICE_KERNELS = 64
"""Kernels multiplied in one go: 16 MB of products of two channels."""

BLOCKS_KERNELS, BLOCKS_COLORS = 16, 1 << 14
"""Kernels and colors from which on colors are sorted into blocks of neighbors."""

PART_COLORS = 1 << 22
"""Colors in blocks at a time: 250 MB."""

LARGEST_PEAK = 1e10
"""Sum of the kernels' peaks up to which the scaled float32 products neither over- nor underflow."""


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
        ``(H, W)`` for kernels of one channel. RGBA goes with kernels of three channels. Or a
        `Palette`, for its colors.
    kernels
        A `KernelSet`, or a sequence of `Kernel`, of objects with ``mean``, ``covariance`` and
        ``weight``, or of tuples of these three.
    log
        Return natural logarithms in float64, which do not underflow.
    normalized
        False drops the factor ``(2π)^(−C/2)`` and nothing else. Weights are never rescaled.
    mask
        ``(..., H, W)``; a pixel counts where it is non-zero.
    channel_axis
        Axis of the channels; None if there is none.
    space
        Color space of the densities. None: that of the kernels; of "rgb" and "bgr" the image's
        channels as they are. For others an image is read as sRGB and converted; kernels of a
        different space are converted, see `KernelSet.to_space`, so that "rgb" means an image of
        that order to kernels of "bgr".
    device
        Where to compute.

    Returns
    -------
    ndarray
        The image's shape without channels, ``(U,)`` of a palette; float32, or float64 with `log`.
        NaN where a pixel is masked, transparent (alpha 0) or not finite. Of a dask image a dask
        array, computed block by block: of 8-bit images of more than 131 072 pixels and up to three
        channels equal to the last bit, of others to the accuracy below. Those are read once before,
        for the colors they hold, unless all kernels are diagonal and `log` is not asked for.

    Warns
    -----
    ColorUnitsWarning
        If the image has floats from 0 to 1 and the kernels levels of 8 bits, or the reverse; not of
        dask images.

    Raises
    ------
    ValueError
        If there is no kernel, a kernel is not valid, or the channels do not fit.
    TypeError
        If the image does not hold real numbers.

    Notes
    -----
    ``f(x) = Σₖ wₖ N(x; μₖ, Σₖ)`` (Bishop 2006, eq. 9.7). Densities are accurate to 1e-5 of
    themselves wherever they are above 1e-30, logarithms to 1e-4 nats + 1e-6 |log f|. Time is
    O(pixels + colors · K) for 8-bit images of up to three channels, otherwise O(pixels · K); memory
    beside the result is bounded.
    """
    kernel_set = _kernel_set(kernels)
    evaluate = _log_density if log else _density
    is_palette = isinstance(image, Palette)
    array = image if isinstance(image, Palette) else as_sliceable(image)
    kernel_set = kernels_for(kernel_set, space, image_dtype_of(array))
    if is_palette or kernel_set.space not in OWN_CHANNELS:
        palette = palette_of(image, mask, channel_axis, refuse=refusal_for(kernel_set.space))
        refuse_other_channels(palette, kernel_set)
        units = UnitsWatch(kernel_set)
        units.look(palette.colors)
        units.warn(stacklevel=2)
        points = points_for(palette, kernel_set.space)
        values = evaluate(_prepared(kernel_set, normalized, device), points.colors)
        if is_palette:
            return values
        return palette.paint_lazily(values, np.nan, cast(ArrayLike, image), mask, channel_axis)
    exponents = _prepared(kernel_set, normalized, device)
    n_channels = exponents.n_channels
    image = cast(SliceableArray, array)
    shape = pixel_shape(image.shape, channel_axis)
    marks = None if mask is None else checked_mask(mask, shape)
    dtype = np.dtype(np.float64 if log else np.float32)
    n_pixels = math.prod(shape)
    is_lazy = is_dask(image)  # nobody could be warned when its blocks are computed
    units = UnitsWatch(kernel_set)
    table: NDArray[Any] | None = None
    if image.dtype == np.uint8 and n_channels <= MAX_COLOR_CHANNELS and n_pixels > FEW_PIXELS:
        n_nodes = 1 << (8 * n_channels)
        if not log and kernel_set.is_diagonal and n_pixels * PIXELS_WORTH >= n_nodes:
            table = _lattice_densities(kernel_set, normalized, resolve_device(device))
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
    units.warn(stacklevel=2)
    return painted


def mixture_density(
    colors: NDArray[Any],
    kernels: Kernels,
    *,
    normalized: bool = True,
    device: DeviceLike = "auto",
) -> NDArray[np.float32]:
    """Return the density at each color (n, C), such as those of a palette: (n,).

    Parameters and accuracy are those of `compute_densities`; colors must be finite. Densities above
    3e38 are inf.
    """
    return _density(_prepared(kernels, normalized, device), colors)


def mixture_log_density(
    colors: NDArray[Any],
    kernels: Kernels,
    *,
    normalized: bool = True,
    device: DeviceLike = "auto",
) -> NDArray[np.float64]:
    """Return the log-density at each color (n, C): (n,) nats; −inf if all weights are 0."""
    return _log_density(_prepared(kernels, normalized, device), colors)


def _kernel_set(kernels: Kernels) -> KernelSet:
    kernel_set = kernels if isinstance(kernels, KernelSet) else KernelSet(kernels)
    if not kernel_set:
        raise ValueError("kernels is empty; a density needs at least one kernel.")
    return kernel_set


def _prepared(kernels: Kernels, normalized: bool, device: DeviceLike) -> Exponents:
    kernel_set = _kernel_set(kernels)
    with np.errstate(divide="ignore"):
        log_weights = np.log(kernel_set.weights)
    if not normalized:
        log_weights += 0.5 * kernel_set.n_channels * np.log(2 * np.pi)
    place = resolve_device(device).exact
    return Exponents(kernel_set.means, kernel_set.covariances, log_weights, place)


def _density(exponents: Exponents, colors: NDArray[Any]) -> NDArray[np.float32]:
    if _in_blocks(exponents, colors):
        return np.concatenate(
            [densities(part, exponents.gaussians) for part in _blocks_of(colors, exponents.device)]
        )
    result = np.empty(len(colors), np.float32)
    for block, values, _ in exponents.blocks(colors):
        # float32 holds an exponent of −100 (a density of 1e-30) to 3e-6 nats.
        result[block] = exponents.device.get(values.float().exp2_().sum(dim=0))
    return result


def _log_density(exponents: Exponents, colors: NDArray[Any]) -> NDArray[np.float64]:
    if _in_blocks(exponents, colors):
        parts = _blocks_of(colors, exponents.device)
        return np.concatenate([log_densities(part, exponents.gaussians) for part in parts])
    result = np.empty(len(colors))
    for block, values, _ in exponents.blocks(colors):
        result[block] = exponents.device.get(log_sum(values))
    result /= LOG2_E
    return result


def _in_blocks(exponents: Exponents, colors: NDArray[Any]) -> bool:
    """Whether the terms are so many that sorting the colors first is worth while."""
    return exponents.n_kernels >= BLOCKS_KERNELS and len(colors) >= BLOCKS_COLORS


def _blocks_of(colors: NDArray[Any], device: Device) -> Iterator[ColorBlocks]:
    for start in range(0, len(colors), PART_COLORS):
        part = colors[start : start + PART_COLORS]
        weighted = WeightedColors(part, np.full(len(part), 1 / len(part)))
        yield color_blocks(weighted, device, is_single=True)


def _lattice_densities(
    kernels: KernelSet, normalized: bool, device: Device
) -> NDArray[np.float32] | None:
    """Return the density of diagonal kernels at all 8-bit colors, in the order of their byte codes.

    ``f[b, (g, r)] = Σₖ (peakₖ Bₖ[b]) · (Gₖ[g] Rₖ[r])``: every term is positive, so float32 keeps
    1e-6 of each density. None where the peaks are too high for that.
    """
    constant = 2 * np.pi if normalized else 1.0
    with np.errstate(over="ignore"):
        peaks = kernels.weights / np.sqrt(constant * kernels.variances).prod(axis=1)
    if not peaks.sum() <= LARGEST_PEAK:
        return None
    differences = np.arange(256) - kernels.means.T[:, :, None]
    factors = np.exp(-0.5 * differences**2 / kernels.variances.T[:, :, None])  # (C, K, 256)
    # Both matrices are scaled up, so that what falls below the smallest float32 is below 1e-37.
    scale = 2.0**30
    last = factors[-1] * peaks[:, None] * scale
    inner = np.full((len(kernels), 1), scale)
    table = None
    for start in range(0, len(kernels), LATTICE_KERNELS):
        part = slice(start, start + LATTICE_KERNELS)
        product = inner[part]
        for factor in factors[:-1]:
            product = (factor[part, :, None] * product[:, None, :]).reshape(len(product), -1)
        columns = device.put(without_denormals(last[part].T, torch.float32))
        rows = device.put(without_denormals(product, torch.float32))
        table = columns @ rows if table is None else table.addmm_(columns, rows)
    if table is None:
        return None
    return np.asarray(device.get(table.mul_(scale**-2)), np.float32).reshape(-1)


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
