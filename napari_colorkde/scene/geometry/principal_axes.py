"""Half-axes of ellipsoids, and the ellipses in which their planes cut them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from napari_colorkde.scene.geometry.box import Floats


def principal_axes(covariances: ArrayLike) -> Floats:
    """Return the principal half-axes of ellipsoids of one sigma.

    Parameters
    ----------
    covariances : (..., C, C) array
        Symmetric, positive semidefinite.

    Returns
    -------
    (..., C, C) array
        Column j is a half-axis: direction times standard deviation, the longest last. Determinants
        are not negative, so that a mesh keeps its orientation.
    """
    variances, directions = np.linalg.eigh(np.asarray(covariances, dtype=float))
    axes = directions * np.sqrt(np.clip(variances, 0, None))[..., np.newaxis, :]
    flip = np.where(np.linalg.det(axes) < 0, -1.0, 1.0)
    axes[..., 0] *= flip[..., np.newaxis]
    return np.asarray(axes)


def principal_circles(means: ArrayLike, axes: ArrayLike, points: int = 48) -> Floats:
    """Return the ellipses in which the planes of each two half-axes cut their ellipsoids.

    Parameters
    ----------
    means : (K, C) array
        Centers.
    axes : (K, C, C) array
        Half-axes in columns, at the size that is wanted.
    points : int
        Line segments per ellipse.

    Returns
    -------
    (K, C (C − 1) / 2, 2 * points, C) array
        Ends of the segments, in pairs. One channel has a single "circle", its interval.
    """
    means, axes = np.asarray(means, dtype=float), np.asarray(axes, dtype=float)
    n_channels = means.shape[1]
    if n_channels == 1:
        ends = np.array([-1.0, 1.0])[:, np.newaxis]
        return np.asarray(means[:, np.newaxis, np.newaxis] + ends * axes[:, np.newaxis])
    angles = np.linspace(0, 2 * np.pi, points + 1)
    angles = np.stack([angles[:-1], angles[1:]], axis=1).ravel()
    circle = np.stack([np.cos(angles), np.sin(angles)])  # (2, 2 * points)
    pairs = [(i, j) for i in range(n_channels) for j in range(i + 1, n_channels)]
    planes = np.stack([axes[:, :, pair] for pair in pairs], axis=1)  # (K, pairs, C, 2)
    ellipses = np.swapaxes(planes @ circle, -1, -2)  # (K, pairs, 2 * points, C)
    return np.asarray(means[:, np.newaxis, np.newaxis] + ellipses)
