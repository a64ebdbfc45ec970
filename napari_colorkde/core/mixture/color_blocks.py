"""Weighted colors in blocks of neighbors, each with its own origin.

Near its own origin a block's colors are small numbers: float32 holds them, and their squares, where
colors far from zero would lose what tells them apart. And of many kernels few matter in one block.

Blocks are runs along a Morton curve, which also nests: colors with the same leading bits are the
bins of a coarser palette.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_colorkde.core.checks.channels import MAX_GRID_CHANNELS
from napari_colorkde.core.device import Device
from napari_colorkde.core.palette.palette import Palette

Array = NDArray[np.float64]

BLOCK_COLORS = 512
"""Colors of a block: small enough to lie close together, large enough for matrix products."""

MORTON_BITS = 10
"""Bits of each channel on the curve: 1024 steps along the widest one."""

CODE_BITS = 62
"""Bits of a place on the curve."""

COARSE_COLORS = 1 << 15
"""Bins of a coarsened palette at most."""

CHUNK_BLOCKS = 1 << 10
"""Blocks prepared in one go: 13 MB of colors in float64."""


@dataclass(frozen=True, slots=True, eq=False)
class WeightedColors:
    """Colors that count by weights; those of bins with how they vary within.

    Attributes
    ----------
    colors
        (U, C) numbers: colors, or means of bins.
    weights
        (U,) above 0, summing to 1.
    scatter
        (U, C (C + 1) / 2) covariances within each bin, the upper triangle row by row; None where
        each entry is one color.
    """

    colors: NDArray[Any]
    weights: Array
    scatter: Array | None = None

    @classmethod
    def of(cls, palette: Palette) -> "WeightedColors":
        """Weigh each color of a palette by its share of the pixels."""
        return cls(palette.colors, palette.counts / palette.counts.sum())

    def __len__(self) -> int:
        return len(self.weights)

    def coarsened(self, n_bins: int = COARSE_COLORS) -> "WeightedColors":
        """Join neighbors until at most so many bins are left, keeping sums, means and covariances.

        Bins are cubes of a grid whose step is the widest channel's span over a power of two (of
        more than three channels boxes, along each channel a power of two of its own span). A
        Gaussian's mean log-density over a bin is known from its moments, whence EM on bins raises a
        lower bound of the likelihood of the colors themselves (Verbeek, Nunnink and Vlassis,
        Data Mining and Knowledge Discovery 13, 2006). O(U log U).
        """
        if len(self) <= n_bins:
            return self
        codes = morton_codes(self.colors)
        ordered, order = torch.sort(torch.from_numpy(codes))
        ordered_codes, rows = ordered.numpy(), order.numpy()
        n_channels = self.colors.shape[1]
        # In many channels half a cube, a quarter, and so on: the next cube is too large a step.
        step = n_channels if n_channels <= MAX_GRID_CHANNELS else 1
        for shift in range(0, morton_bits(n_channels) * n_channels + 1, step):
            cubes = ordered_codes >> shift
            firsts = np.flatnonzero(np.diff(cubes, prepend=cubes[0] - 1))
            if len(firsts) <= n_bins:
                break
        weights = self.weights[rows]
        totals = np.add.reduceat(weights, firsts)
        # About a color of the bin, so that nothing is lost in subtracting means.
        sizes = np.diff(firsts, append=len(rows))
        offsets = self.colors[rows].astype(np.float64)
        corners = offsets[firsts]
        offsets -= np.repeat(corners, sizes, axis=0)
        shifts = np.add.reduceat(offsets * weights[:, None], firsts) / totals[:, None]
        i, j = np.triu_indices(n_channels)
        scatter = np.empty((len(firsts), len(i)))
        for column, (a, b) in enumerate(zip(i, j, strict=True)):
            second = weights * offsets[:, a] * offsets[:, b]
            if self.scatter is not None:
                second += weights * self.scatter[rows, column]
            scatter[:, column] = np.add.reduceat(second, firsts) / totals
            scatter[:, column] -= shifts[:, a] * shifts[:, b]
        return WeightedColors(corners + shifts, totals, scatter)


@dataclass(frozen=True, slots=True, eq=False)
class ColorBlocks:
    """B blocks of n colors, ready for the terms of mixtures.

    Attributes
    ----------
    source
        What is in them.
    rows
        (B, n): which colors. The last block is filled up with its last color, at weight 0.
    origins, reach
        (B, C) middles of the blocks' boxes, and half their edges.
    squares
        (B, C (C + 1) / 2): the largest product of two offsets, within bins included.
    offsets
        (B, C, n) colors less the origin of their block, on the device; float32 if `is_single`.
    weights
        (B, n) float64, on the device.
    device
        Where to compute; it has float64.
    is_single
        Whether float32 may be used where it holds the terms.
    """

    source: WeightedColors
    rows: NDArray[np.intp]
    origins: Array
    reach: Array
    squares: Array
    offsets: torch.Tensor
    weights: torch.Tensor
    device: Device
    is_single: bool

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def n_channels(self) -> int:
        """Number of channels C."""
        return int(self.origins.shape[1])

    def offsets_in(self, blocks: NDArray[np.intp], dtype: torch.dtype) -> torch.Tensor:
        """Return the offsets of some blocks (G, C, n), none rounded if float64 is asked for."""
        if dtype == self.offsets.dtype:
            return self.offsets[self._on_device(blocks)]
        colors = self.source.colors[self.rows[blocks]].astype(np.float64)
        colors -= self.origins[blocks, None]
        return self.device.put(colors.transpose(0, 2, 1), dtype)

    def features(self, blocks: NDArray[np.intp], dtype: torch.dtype) -> torch.Tensor:
        """Return 1, δᵢ and δᵢδⱼ (i ≤ j) of the offsets δ of some blocks, (G, F, n).

        Those of bins are the means of the features over each bin.
        """
        offsets = self.offsets_in(blocks, dtype)
        n_blocks, n_channels, n = offsets.shape
        n_features = (n_channels + 1) * (n_channels + 2) // 2
        result = torch.empty(n_blocks, n_features, n, dtype=dtype, device=offsets.device)
        result[:, 0] = 1
        result[:, 1 : 1 + n_channels] = offsets
        row = 1 + n_channels
        for channel in range(n_channels):
            stop = row + n_channels - channel
            torch.mul(
                offsets[:, channel:], offsets[:, channel : channel + 1], out=result[:, row:stop]
            )
            row = stop
        if self.source.scatter is not None:
            scatter = self.source.scatter[self.rows[blocks]].transpose(0, 2, 1)
            result[:, 1 + n_channels :] += self.device.put(scatter, dtype)
        return result

    def weights_in(self, blocks: NDArray[np.intp]) -> torch.Tensor:
        """Return the weights of some blocks, (G, n) float64."""
        return self.weights[self._on_device(blocks)]

    def _on_device(self, blocks: NDArray[np.intp]) -> torch.Tensor:
        return self.device.put(blocks, torch.int64)


def color_blocks(colors: WeightedColors, device: Device, *, is_single: bool) -> ColorBlocks:
    """Put colors in blocks of neighbors, in the order of a Morton curve. O(U log U)."""
    n_colors, n_channels = colors.colors.shape
    order = torch.sort(torch.from_numpy(morton_codes(colors.colors))).indices.numpy()
    n = min(BLOCK_COLORS, n_colors)
    n_blocks = -(-n_colors // n)
    rows = order[np.minimum(np.arange(n_blocks * n), n_colors - 1)].reshape(n_blocks, n)
    weights = colors.weights[rows]
    weights.reshape(-1)[n_colors:] = 0
    dtype = torch.float32 if is_single else torch.float64
    origins, reach = np.empty((n_blocks, n_channels)), np.empty((n_blocks, n_channels))
    place = device.torch_device
    offsets = torch.empty(n_blocks, n_channels, n, dtype=dtype, device=place)
    for start in range(0, n_blocks, CHUNK_BLOCKS):
        part = slice(start, start + CHUNK_BLOCKS)
        members = colors.colors[rows[part]].astype(np.float64)
        low, high = members.min(axis=1), members.max(axis=1)
        origins[part], reach[part] = low + (high - low) / 2, (high - low) / 2
        members -= origins[part, None]
        offsets[part] = device.put(members.transpose(0, 2, 1), dtype)
    i, j = np.triu_indices(n_channels)
    squares = reach[:, i] * reach[:, j]
    if colors.scatter is not None:
        squares += np.abs(colors.scatter[rows]).max(axis=1)
    on_device = device.put(weights, torch.float64)
    return ColorBlocks(colors, rows, origins, reach, squares, offsets, on_device, device, is_single)


def morton_bits(n_channels: int) -> int:
    """Return the bits of each channel on the curve: as many as one number holds of all."""
    return min(MORTON_BITS, CODE_BITS // n_channels)


def morton_codes(colors: NDArray[Any]) -> NDArray[Any]:
    """Return where colors (U, C) lie on a Morton curve through the cube around them, (U,).

    Of more than three channels through the box around them: stains differ in strength.
    """
    n_channels = colors.shape[1]
    bits = morton_bits(n_channels)
    low = colors.min(axis=0).astype(np.float64)
    spans = colors.max(axis=0).astype(np.float64) - low
    if n_channels <= MAX_GRID_CHANNELS:
        spans[:] = spans.max()
    scales = np.where(spans > 0, ((1 << bits) - 1) / np.where(spans > 0, spans, 1.0), 0.0)
    steps = np.arange(1 << bits)
    spread = np.zeros(len(steps), np.int64)
    for bit in range(bits):
        spread |= ((steps >> bit) & 1) << (bit * n_channels)
    dtype = np.int32 if n_channels * bits < 32 else np.int64
    codes: NDArray[Any] = np.zeros(len(colors), dtype)
    for channel in range(n_channels):
        ranks = ((colors[:, channel] - low[channel]) * scales[channel]).astype(np.intp)
        codes |= spread.astype(dtype)[ranks] << channel
    return codes
