"""Separable Gaussian sums on dense grids: one matrix product per axis.

A Gaussian with a diagonal covariance factors over the axes, so the sum over all nodes of one grid
at all nodes of another is

    ``S[i, j, k] = Σ_rgb G_r[i, r] G_g[j, g] G_b[k, b] counts[r, g, b]``,

without binning, without truncation. Every term is positive, so float32 keeps 1e-6 *relative*
accuracy far into the tails. S is in units of one color's own term: exp(0) = 1.
"""

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtr

from napari_colorkde.core.device import Device, without_denormals

BLOCK_ROWS = 64
"""Rows of a Gaussian matrix multiplied together; zeros outside their common band are skipped."""

WORTHWHILE = 0.8
"""Blocks are made if they leave at most this fraction of a matrix: each reads the grid again."""

Sampling = Literal["points", "cells"]


def gaussian_matrix(
    targets: NDArray[np.float64],
    sources: NDArray[np.float64],
    sigma: float,
    sampling: Sampling = "points",
) -> NDArray[np.float64]:
    """``G[i, j] = exp(−(targets[i] − sources[j])² / (2 sigma²))``, float64.

    With ``sampling="cells"`` its average over the cell around each target (targets evenly spaced),
    by differences of the normal distribution function: what a picture of a narrow kernel needs.
    """
    if sampling == "points" or len(targets) < 2:
        return np.exp(-0.5 * ((targets[:, np.newaxis] - sources) / sigma) ** 2)
    half = 0.5 * (targets[1] - targets[0])
    distance = np.abs(targets[:, np.newaxis] - sources)
    mass = ndtr((half - distance) / sigma) - ndtr((-half - distance) / sigma)
    averages: NDArray[np.float64] = mass * (sigma * np.sqrt(2 * np.pi) / (2 * half))
    return averages


def separable_transform(
    grid: torch.Tensor, matrices: list[NDArray[np.float64]], device: Device
) -> torch.Tensor:
    """Multiply every axis of `grid` by its matrix ``(m_a, n_a)``: ``(n_a, …)`` to ``(m_a, …)``.

    The axis that shrinks most goes first. For a 256³ lattice to a 128³ volume 7.5 GFLOP, less
    where the kernel is narrow: rows are multiplied in blocks, without the columns that are zero.
    """
    order = sorted(range(len(matrices)), key=lambda a: matrices[a].shape[0] / matrices[a].shape[1])
    for axis in order:
        grid = multiply_axis(grid, matrices[axis], axis, device)
    return grid


def multiply_axis(
    grid: torch.Tensor, matrix: NDArray[np.float64], axis: int, device: Device
) -> torch.Tensor:
    """Multiply one axis of `grid` by ``(m, n)``, skipping what is zero in each block of rows."""
    before = int(np.prod(grid.shape[:axis]))
    after = int(np.prod(grid.shape[axis + 1 :]))
    x = grid.reshape(before, grid.shape[axis], after)
    matrix = without_denormals(matrix, grid.dtype)
    parts = []
    for rows, columns in _blocks(matrix):
        low, high = columns.start, columns.stop
        g = device.put(matrix[rows, columns], grid.dtype)
        if after == 1:
            parts.append((x[:, low:high, 0] @ g.T)[..., None])
        else:
            parts.append(torch.matmul(g, x[:, low:high]))
    product = parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)
    return product.reshape(*grid.shape[:axis], len(matrix), *grid.shape[axis + 1 :])


def _blocks(matrix: NDArray[np.float64]) -> list[tuple[slice, slice]]:
    """Blocks of rows, each with the columns between its first and last that are not zero."""
    m, n = matrix.shape
    blocks = []
    for start in range(0, m, BLOCK_ROWS):
        rows = slice(start, min(start + BLOCK_ROWS, m))
        used = np.flatnonzero(matrix[rows].any(axis=0))
        columns = slice(int(used[0]), int(used[-1]) + 1) if len(used) else slice(0, 1)
        blocks.append((rows, columns))
    left = sum((r.stop - r.start) * (c.stop - c.start) for r, c in blocks)
    return blocks if left <= WORTHWHILE * m * n else [(slice(0, m), slice(0, n))]
