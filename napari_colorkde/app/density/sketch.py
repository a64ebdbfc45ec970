"""A preview of a density: of a palette's colors on a coarse lattice, for display.

Millions of colors of 12 or 16 bits, or of floats, take seconds. Put on a lattice of at most
`LEVELS` levels an axis, twice as fine as the volume that is shown, they are as quick as those of 8
bits, whatever the bandwidth.
"""

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.kde.volumes.density_volume import DensityVolume
from napari_colorkde.core.kernel_sums.choose_loops import LOOPS
from napari_colorkde.core.palette.map_blocks import map_blocks
from napari_colorkde.core.palette.palette import Palette

LEVELS = 256

MANY_COLORS = 1 << 19
"""Palettes of more colors, on no lattice, are sketched."""

BLOCK = 1 << 17


def needs_sketch(points: Palette) -> bool:
    """Whether the density of these colors takes so long that a sketch of it is shown first."""
    return points.n_channels == 3 and len(points) > MANY_COLORS and points.lattice is None


def sketch(points: Palette) -> Palette:
    """Return the colors moved to the middle of the cells of a coarse lattice. O(U)."""
    low, high = (np.asarray(ends, np.float64) for ends in points.extremes)
    width = np.where(high > low, (high - low) / LEVELS, 1.0)
    if points.dtype.kind == "u":
        width = np.maximum(np.exp2(np.ceil(np.log2(width))), 1.0)
    codes = np.empty(len(points), np.int32)

    def encode(block: slice) -> None:
        total = np.zeros(block.stop - block.start, np.int32)
        for c in range(points.n_channels):
            level = ((points.colors[block, c] - low[c]) / width[c]).astype(np.int32)
            total *= LEVELS
            total += np.minimum(level, LEVELS - 1)
        codes[block] = total

    map_blocks(encode, len(points), BLOCK)
    totals = np.bincount(codes, points.counts, LEVELS**points.n_channels)
    held = np.flatnonzero(totals)
    levels = np.stack(np.unravel_index(held, (LEVELS,) * points.n_channels), axis=1)
    middle = 0.5 * (width - (points.dtype.kind == "u"))
    colors = low + levels * width + middle
    counts = totals[held].astype(points.counts.dtype)
    return Palette(colors, counts, np.zeros(points.n_channels), ranges=points.level_ranges)


def interpolated(volume: DensityVolume, colors: NDArray[Any], log: bool) -> NDArray[np.float32]:
    """Read a volume of three channels, or its log, at colors ``(U, 3)``: linearly along each axis.

    25 ms a million colors, a fifth of it with numba.
    """
    result = np.empty(len(colors), np.float32)
    loops = LOOPS.after(0)

    def read(block: slice) -> None:
        if loops is None:
            result[block] = interpolate_volume(volume, colors[block])
        else:
            own = np.ascontiguousarray(colors[block], np.float32)
            loops.read_grid(own, low, per_step, values, result[block])
        if log:
            np.maximum(result[block], np.finfo(np.float32).tiny, out=result[block])
            np.log(result[block], out=result[block])

    low = np.array([axis[0] for axis in volume.axes], np.float32)
    per_step = np.array([1 / step for step in volume.spacing], np.float32)
    values = np.ascontiguousarray(volume.values)
    map_blocks(read, len(colors), BLOCK)
    return result


def interpolate_volume(volume: DensityVolume, colors: NDArray[Any]) -> NDArray[np.float32]:
    """Trilinear interpolation of a volume at colors ``(U, C)``: ``(U,)``. 30 ms for 440 000."""
    flat = volume.values.reshape(-1)
    strides = np.array(volume.values.strides) // volume.values.itemsize
    base = np.zeros(len(colors), np.int64)
    fractions: list[NDArray[np.float32]] = []
    for axis, points in enumerate(volume.axes):
        step = (points[-1] - points[0]) / (len(points) - 1)
        at = (colors[:, axis].astype(np.float32) - np.float32(points[0])) / np.float32(step)
        low = np.clip(at.astype(np.int32), 0, len(points) - 2)
        fractions.append(np.clip(at - low, 0, 1))
        base += low * strides[axis]
    result = np.zeros(len(colors), np.float32)
    for corner in product((0, 1), repeat=len(fractions)):
        weight = np.ones(len(colors), np.float32)
        for upper, fraction in zip(corner, fractions, strict=True):
            weight *= fraction if upper else 1 - fraction
        result += flat[base + int(strides @ corner)] * weight
    return result
