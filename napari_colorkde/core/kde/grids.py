"""The grids on which volumes are sampled: their points, and the mass inside."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from napari_colorkde.core.checks.arguments import Wanted, as_array, real_numbers
from napari_colorkde.core.checks.channels import MAX_GRID_CHANNELS
from napari_colorkde.core.kernel_sums.separable import Sampling
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.vectors.vector_sums import no_grid

Array = NDArray[np.float64]

MAX_VOXELS = 1 << 28
"""Largest volume: 1 GB of float32."""

MAX_BINS = 1 << 14
"""Most grid points along one axis."""

BINS = Wanted("a whole number, or one for each channel")

EXTENT = Wanted("a pair (low, high), or one for each channel")

FAR = 8.0
"""Sigmas beyond which 1e-15 of a kernel lies."""


def grid_axes(bins: int | ArrayLike, extent: ArrayLike, n_channels: int) -> tuple[Array, ...]:
    """Return the coordinates along each axis, C arrays.

    Parameters
    ----------
    bins
        Points per axis, or C of them.
    extent
        First and last point: one pair, or C of them.

    Raises
    ------
    ValueError
        If bins or extent are not of that form, the grid would exceed `MAX_VOXELS`, or there are
        more than three channels.
    """
    if n_channels > MAX_GRID_CHANNELS:
        raise no_grid(n_channels)
    pairs = zip(_checked_bins(bins, n_channels), _checked_extent(extent, n_channels), strict=True)
    return tuple(np.linspace(low, high, count) for count, (low, high) in pairs)


def mass_inside(
    palette: Palette,
    covariance: Array,
    axes: tuple[Array, ...],
    values: NDArray[np.float32],
    sampling: Sampling,
) -> float:
    """Return the fraction of a KDE's mass within the extent, or the cells.

    Exact for diagonal bandwidths. For full ones the trapezoid rule on the volume, good to 1e-3 at
    the spacings warned of.

    Parameters
    ----------
    palette
        The points of the KDE.
    covariance
        (C, C), its bandwidth.
    axes, values
        The volume.
    """
    if np.any(covariance - np.diag(np.diag(covariance))):
        total: NDArray[Any] = values.astype(np.float64)
        for axis in reversed(axes):
            total = np.asarray(np.trapezoid(total, axis, axis=-1))
        return float(total)
    inside = np.ones(len(palette))
    for c, axis in enumerate(axes):
        sigma = np.sqrt(covariance[c, c])
        margin = (axis[1] - axis[0]) / 2 if sampling == "cells" else 0.0
        low, high = axis[0] - margin, axis[-1] + margin
        column = palette.colors[:, c]
        near = np.flatnonzero((column < low + FAR * sigma) | (column > high - FAR * sigma))
        levels = column[near].astype(np.float64)
        inside[near] *= ndtr((high - levels) / sigma) - ndtr((low - levels) / sigma)
    return float(palette.counts @ inside / palette.total_weight)


def _checked_extent(extent: ArrayLike, n_channels: int) -> Array:
    pairs = real_numbers(extent, "extent", EXTENT).astype(np.float64)
    if pairs.shape == (2,):
        pairs = np.tile(pairs, (n_channels, 1))
    if pairs.shape != (n_channels, 2):
        raise ValueError(
            f"extent has shape {pairs.shape}; give one (low, high) pair, or {n_channels} of them."
        )
    if not np.isfinite(pairs).all() or (pairs[:, 0] >= pairs[:, 1]).any():
        raise ValueError(f"extent={pairs.tolist()}; give finite pairs, with low below high.")
    return pairs


def _checked_bins(bins: int | ArrayLike, n_channels: int) -> list[int]:
    values = as_array(bins, "bins", BINS)
    if values.dtype.kind not in "iu" or values.shape not in ((), (n_channels,)):
        raise ValueError(
            f"bins={bins!r}: give a whole number, or one for each of the {n_channels} channels."
        )
    counts = [int(v) for v in np.broadcast_to(values, (n_channels,))]
    if min(counts) < 2:
        raise ValueError(f"bins={bins!r}; give at least 2 points per axis.")
    if int(np.prod(counts, dtype=object)) > MAX_VOXELS:
        raise ValueError(
            f"bins={bins!r}: the volume would exceed {MAX_VOXELS} points (1 GB); use fewer bins."
        )
    if max(counts) > MAX_BINS:
        raise ValueError(f"bins={bins!r}; give at most {MAX_BINS} points per axis.")
    return counts
