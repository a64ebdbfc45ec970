"""What is shown of kernels: plain validated data, and how it changes in a drag."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from napari_colorkde.scene.geometry.box import Floats
from napari_colorkde.scene.geometry.principal_axes import principal_axes


@dataclass(frozen=True, eq=False)
class EllipsoidSet:
    """Ellipsoids in color units.

    Attributes
    ----------
    means : (K, C) array
        Centers.
    axes : (K, C, C) array
        Half-axes of one sigma, in columns.
    colors : (K, 3) array
        sRGB in 0..1.
    radius : float
        Size in sigmas.
    selected : int or None
        The one that has handles.
    """

    means: Floats
    axes: Floats
    colors: Floats
    radius: float = 2.0
    selected: int | None = None

    @classmethod
    def from_arrays(
        cls,
        means: ArrayLike,
        covariances: ArrayLike,
        colors: ArrayLike,
        radius: float,
        selected: int | None,
        before: EllipsoidSet | None = None,
    ) -> EllipsoidSet:
        """Check shapes and find the principal axes; `ValueError` says what is wrong.

        Axes of ellipsoids that have the same covariance `before` keep their order: one that is
        being dragged past another in length must not turn into it.
        """
        means = np.asarray(means, dtype=float)
        covariances = np.asarray(covariances, dtype=float)
        colors = np.asarray(colors, dtype=float)
        if means.ndim != 2 or means.shape[1] not in (1, 2, 3):
            raise ValueError(f"means must have shape (K, 1…3), not {means.shape}.")
        k, c = means.shape
        if covariances.shape != (k, c, c):
            raise ValueError(f"covariances must have shape {(k, c, c)}, not {covariances.shape}.")
        if colors.shape != (k, 3):
            raise ValueError(f"colors must have shape {(k, 3)}, not {colors.shape}.")
        if not radius > 0:
            raise ValueError(f"radius_sigma must be positive, not {radius}.")
        if selected is not None and not 0 <= selected < k:
            raise ValueError(f"selected must be None or 0 to {k - 1}, not {selected}.")
        axes = principal_axes(covariances)
        if before is not None and before.axes.shape == axes.shape:
            old = before.axes @ np.swapaxes(before.axes, 1, 2)
            scale = np.abs(covariances).max(axis=(1, 2), initial=0)
            same = np.abs(old - covariances).max(axis=(1, 2), initial=0) <= 1e-6 * scale
            axes = np.where(same[:, np.newaxis, np.newaxis], before.axes, axes)
        return cls(means, axes, colors, float(radius), selected)

    def __len__(self) -> int:
        return len(self.means)

    def with_mean(self, k: int, mean: Floats) -> EllipsoidSet:
        """Return the set with one ellipsoid moved."""
        means = self.means.copy()
        means[k] = mean
        return replace(self, means=means)

    def with_axis(self, k: int, axis: int, sigma: float) -> EllipsoidSet:
        """Return the set with one half-axis of one ellipsoid stretched to `sigma`."""
        axes = self.axes.copy()
        old = np.linalg.norm(axes[k, :, axis])
        axes[k, :, axis] *= sigma / old
        return replace(self, axes=axes)

    def covariance(self, k: int) -> Floats:
        """Return the covariance of one ellipsoid, (C, C)."""
        return np.asarray(self.axes[k] @ self.axes[k].T)
