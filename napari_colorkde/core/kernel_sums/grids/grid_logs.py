"""Sums on regular grids, for their logarithms: off one mesh, and what each may be off by.

Along the axes of a grid a mesh is read off at any distance by the same matrix products: what
float32 loses is there in float64, down to 36 standard deviations from all colors. The splines'
error grows with the distance, and is known (`Scheme.log_errors`).
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from napari_colorkde.core.device import Device
from napari_colorkde.core.kernel_sums.grids.grid_sums import Mesh, sums_on_mesh_grid
from napari_colorkde.core.kernel_sums.grids.regular_grid import Axes
from napari_colorkde.core.kernel_sums.separable import multiply_axis, separable_transform

FLOOR = 1e-290
"""Times the total: the least sum that float64 holds."""

SHEARED_FLOOR = 5e-27
"""The same of full covariances, for which kernels end at 12 standard deviations."""

TOGETHER = 1 << 22
"""Nodes carried along the first axis at a time: 34 MB in float64."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class MeshSums:
    """Sums on grids, read off a mesh in whitened coordinates.

    Attributes
    ----------
    mesh
        The colors' counts; their sum is `total`.
    cholesky, center
        What coordinates are whitened with.
    """

    mesh: Mesh
    cholesky: Array
    center: Array
    total: float
    device: Device

    def on_grid(self, axes: Axes) -> Array:
        """Return S on the grid of these axes ``(B_0, …)``, in color units.

        O(M_0 M_1 M_2 B_0) multiplications and less along the other axes, M the nodes.
        """
        if not self._is_diagonal:
            place = self.device
            sums = sums_on_mesh_grid(self.mesh, self.cholesky, self.center, axes, "points", place)
            return np.asarray(place.get(sums), np.float64)
        place, scheme = self.device.exact, self.mesh.scheme
        parts = zip(axes, self.center, np.diag(self.cholesky), self.mesh.nodes, strict=True)
        matrices = [
            scheme.deconvolved_far(((axis - c) / d)[:, np.newaxis] - nodes, 1)
            for axis, c, d, nodes in parts
        ]
        counts = self.mesh.counts.to(place.torch_device)
        if counts.ndim == 1:
            return np.asarray(place.get(separable_transform(counts.double(), matrices, place)))
        # The first axis in parts, since the whole mesh in float64 is twice as large.
        rows = max(1, TOGETHER // (counts[:, 0].numel() or 1))
        first = [
            multiply_axis(counts[:, start : start + rows].double(), matrices[0], 0, place)
            for start in range(0, counts.shape[1], rows)
        ]
        grid = torch.cat(first, dim=1)
        for axis, matrix in enumerate(matrices[1:], start=1):
            grid = multiply_axis(grid, matrix, axis, place)
        return np.asarray(place.get(grid))

    def log_errors(self, sums: Array) -> Array:
        """Return what the logs of these sums may be off by, infinite where nothing is known."""
        parts = np.maximum(sums / self.total, FLOOR)
        # All colors at this distance would give as much: the terms that matter are nearer.
        errors = self.mesh.scheme.log_errors(-2 * np.log(np.minimum(parts, 1.0)))
        floor = FLOOR if self._is_diagonal else SHEARED_FLOOR
        return np.where(parts > floor, errors, np.inf)

    @property
    def _is_diagonal(self) -> bool:
        return not np.any(np.tril(self.cholesky, -1))
