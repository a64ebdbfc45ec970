"""Densities of the colors of a batch of images on a grid, with gradients."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.kde.grids import grid_axes
from napari_colorkde.torch.checks import checked_images, checked_sigmas, checked_weights
from napari_colorkde.torch.integers import lattice_sums
from napari_colorkde.torch.kernel_windows import KernelWindow, SplineWindow, precision_of
from napari_colorkde.torch.spreading import Windows, spread

MESH_NODES = 1 << 26
"""Most nodes of the meshes that are held together: 268 MB in float32."""

# What one multiplication costs where colors are spread, where a mesh is carried to the grid, and
# what a node costs besides: nanoseconds on two cores, good enough to choose by.
SPREADING, CARRYING, NODE = 0.12, 0.02, 3.0


def color_kde(
    x: torch.Tensor,
    bandwidth: float | Sequence[float] | torch.Tensor,
    bins: int | ArrayLike,
    extent: ArrayLike,
    weights: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return the Gaussian kernel density of each image's colors on a grid.

    Parameters
    ----------
    x
        (N, C, H, W) images with C = 1 to 3 channels on any device; or (N, C, P), P pixels of each.
        Integers and booleans are counted; the arithmetic is float32 unless the dtype is float64.
    bandwidth
        Sigma, the kernel's standard deviation, or one per channel, in the images' units. Not
        differentiable.
    bins, extent
        As in `napari_colorkde.color_kde`: grid points along each axis, first and last of them.
    weights
        (N, H, W) or (N, P) weights of the pixels, at least 0, by whose sum the density is divided;
        None: all 1.

    Returns
    -------
    torch.Tensor
        (N, B_0, …, B_{C−1}), per unit volume, float32 or float64, on the device of `x`, to 1e-5 or
        1e-10 of its peak. Differentiable once in `x` and `weights`.

    Raises
    ------
    ValueError, TypeError
        If an argument is not of that form.

    Notes
    -----
    Colors are not binned: ``f(b) = Σ_p w_p N(b; x_p, σ²) / Σ_p w_p`` (Silverman 1986, eq. 4.1).
    Where a kernel reaches a few grid points only, they are summed; along other axes colors are
    spread over a mesh of 0.45 sigma. Besides `x` and the result it takes 50 bytes a pixel and a
    mesh of at most 268 MB, never pixels × bins.
    """
    x = checked_images(x)
    channels = x.shape[1]
    sigmas = checked_sigmas(bandwidth, channels)
    axes = grid_axes(bins, extent, channels)
    weights = checked_weights(weights, x)
    if x.is_floating_point():
        sums = _sums_of_floats(x, weights, sigmas, axes)
    else:
        sums = lattice_sums(x, weights, sigmas, axes)
    kernel = float(np.prod(np.sqrt(2 * np.pi) * sigmas))
    if weights is None:
        return sums / (x[0, 0].numel() * kernel)
    total = weights.flatten(1).sum(dim=1) * kernel
    return sums / total.view(-1, *[1] * channels)


def _sums_of_floats(
    x: torch.Tensor,
    weights: torch.Tensor | None,
    sigmas: NDArray[np.float64],
    axes: tuple[NDArray[np.float64], ...],
) -> torch.Tensor:
    """Return the sums of all colors' kernels on the grid, (N, B_0, …)."""
    points = x.flatten(2).transpose(1, 2)
    amounts = None if weights is None else weights.flatten(1)
    ends = torch.stack([points.detach().amin(dim=(0, 1)), points.detach().amax(dim=(0, 1))])
    low, high = ends.double().cpu().numpy() if x.device.type != "mps" else ends.cpu().numpy()
    windows = _cheapest(axes, sigmas, low, high, points.shape[1], x.dtype)
    together = max(1, MESH_NODES // int(np.prod([window.nodes for window in windows])))
    parts = []
    for start in range(0, len(x), together):
        part = slice(start, start + together)
        mesh = spread(points[part], None if amounts is None else amounts[part], windows)
        parts.append(_on_grid(mesh, windows))
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _cheapest(
    axes: tuple[NDArray[np.float64], ...],
    sigmas: NDArray[np.float64],
    low: NDArray[Any],
    high: NDArray[Any],
    n_points: int,
    dtype: torch.dtype,
) -> Windows:
    """Return the windows, of kernels or splines along each axis, that cost least."""
    precision = precision_of(dtype)
    ways = [
        (
            KernelWindow.over(axis, float(sigma), float(a), float(b), precision.reach),
            SplineWindow.over(axis, float(sigma), float(a), float(b), precision),
        )
        for axis, sigma, a, b in zip(axes, sigmas, low, high, strict=True)
    ]
    return min(product(*ways), key=lambda windows: _cost(windows, n_points))


def _cost(windows: Windows, n_points: int) -> float:
    nodes = [window.nodes for window in windows]
    widths = [window.width for window in windows]
    cost = SPREADING * n_points * float(np.prod(widths)) + NODE * float(np.prod(nodes))
    for axis in _order(windows):
        window = windows[axis]
        if isinstance(window, SplineWindow):
            cost += CARRYING * float(np.prod(nodes)) * len(window.axis)
            nodes[axis] = len(window.axis)
    # What does not fit is taken only if nothing fits.
    return cost if np.prod([window.nodes for window in windows]) <= MESH_NODES else cost * 1e6


def _order(windows: Windows) -> list[int]:
    """Return the axes in the order they are carried: kernels' first, then what shrinks most."""

    def growth(axis: int) -> float:
        window = windows[axis]
        return len(window.axis) / window.nodes if isinstance(window, SplineWindow) else 0.0

    return sorted(range(len(windows)), key=growth)


def _on_grid(mesh: torch.Tensor, windows: Windows) -> torch.Tensor:
    """Carry the meshes of images (N, nodes_0, …) to the grid, (N, B_0, …)."""
    for axis in _order(windows):
        how = windows[axis].to_grid(mesh.dtype, mesh.device)
        if isinstance(how, slice):
            mesh = _cut(mesh, axis + 1, how.start, how.stop)
            continue
        shape = list(mesh.shape)
        flat = mesh.reshape(-1, shape[axis + 1], int(np.prod(shape[axis + 2 :])))
        product = flat[..., 0] @ how.T if flat.shape[2] == 1 else torch.matmul(how, flat)
        shape[axis + 1] = len(how)
        mesh = product.reshape(shape)
    return mesh


def _cut(mesh: torch.Tensor, axis: int, start: int, stop: int) -> torch.Tensor:
    """Return nodes `start` to `stop` of an axis, with zeros where there are none."""
    n = mesh.shape[axis]
    inner = mesh.narrow(axis, max(start, 0), max(min(stop, n) - max(start, 0), 0))
    if start >= 0 and stop <= n:
        return inner
    before = list(mesh.shape)
    before[axis] = max(-start, 0)
    after = list(mesh.shape)
    after[axis] = max(stop - n, 0)
    return torch.cat([mesh.new_zeros(before), inner, mesh.new_zeros(after)], dim=axis)
