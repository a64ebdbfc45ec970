"""Sums over integer colors: counted on their lattice, one matrix product per axis."""

import numpy as np
import torch
from numpy.typing import NDArray

from napari_colorkde.core.kernel_sums.separable import gaussian_matrix

LATTICE_NODES = 1 << 26
"""Largest lattice that colors are counted on: 268 MB in float32."""


def lattice_sums(
    x: torch.Tensor,
    weights: torch.Tensor | None,
    sigmas: NDArray[np.float64],
    axes: tuple[NDArray[np.float64], ...],
) -> torch.Tensor:
    """Return the sums of kernels at integer colors on a grid.

    Parameters
    ----------
    x
        (N, C, …) integers within `fits`.
    weights
        (N, …) float32 or None; differentiable.
    sigmas
        (C,).
    axes
        The grid's C axes.

    Returns
    -------
    torch.Tensor
        (N, B_0, …) float32. For 8-bit RGB to 128³ 7.5 GFLOP an image, whatever its size.
    """
    channels = x.shape[1]
    colors = x.long().flatten(2)
    low = colors.amin(dim=(0, 2)).tolist()
    high = colors.amax(dim=(0, 2)).tolist()
    lengths = [last - first + 1 for first, last in zip(low, high, strict=True)]
    code = torch.zeros_like(colors[:, 0])
    for c in range(channels):
        code = code * lengths[c] + (colors[:, c] - low[c])
    matrices = [
        _matrix(axis, np.arange(first, last + 1), float(sigma), x.device)
        for axis, first, last, sigma in zip(axes, low, high, sigmas, strict=True)
    ]
    nodes = int(np.prod(lengths))
    sums = []
    for i, codes in enumerate(code):
        counts = _counts(codes, None if weights is None else weights[i].flatten(), nodes)
        sums.append(_transformed(counts.view(lengths), matrices))
    return torch.stack(sums)


def fits(x: torch.Tensor) -> bool:
    """Whether the lattice of these integers (N, C, …) may be made."""
    colors = x.long().flatten(2)
    lengths = (colors.amax(dim=(0, 2)) - colors.amin(dim=(0, 2)) + 1).tolist()
    return float(np.prod(np.array(lengths, np.float64))) <= LATTICE_NODES


def _counts(codes: torch.Tensor, weights: torch.Tensor | None, nodes: int) -> torch.Tensor:
    if weights is None:
        return torch.bincount(codes, minlength=nodes).to(torch.float32)
    return weights.new_zeros(nodes).index_add(0, codes, weights)


def _matrix(
    axis: NDArray[np.float64], levels: NDArray[np.int64], sigma: float, device: torch.device
) -> torch.Tensor:
    matrix = gaussian_matrix(axis, levels.astype(np.float64), sigma)
    matrix = np.where(matrix < np.finfo(np.float32).tiny, 0.0, matrix)
    return torch.from_numpy(matrix).to(torch.float32).to(device)


def _transformed(grid: torch.Tensor, matrices: list[torch.Tensor]) -> torch.Tensor:
    """Multiply every axis by its matrix, the one that shrinks most first."""
    for axis in sorted(range(len(matrices)), key=lambda a: len(matrices[a]) / grid.shape[a]):
        grid = torch.tensordot(matrices[axis], grid, dims=([1], [axis])).movedim(0, axis)
    return grid
