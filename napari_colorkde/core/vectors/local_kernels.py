"""What kernels of vectors look like from a point: their local means, and where features are given.

Everything in float64 from differences, tile by tile.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

Array = NDArray[np.float64]

PAIRS = 1 << 21
"""Pairs of vectors in a tile: 16 MB."""


def whitened(x: Array, root: Array) -> Array:
    """Return ``L⁻¹ x`` for rows x (n, d), L the lower triangular root of a covariance."""
    return np.asarray(solve_triangular(root, x.T, lower=True).T)


def local_means(
    train: NDArray[Any], points: NDArray[Any], root: Array, weights: Array | None
) -> Array:
    """Return the mean of training vectors weighted by their kernels at each point, (n, d).

    O(n M d).
    """
    center = train.mean(axis=0, dtype=np.float64)
    centers, at = whitened(train - center, root), whitened(points - center, root)
    logs = np.zeros(len(train)) if weights is None else np.log(weights)
    means = np.empty(points.shape)
    step = max(1, PAIRS // len(train))
    for start in range(0, len(points), step):
        part = slice(start, start + step)
        terms = logs - 0.5 * cdist(at[part], centers, "sqeuclidean")
        terms = np.exp(terms - terms.max(axis=1, keepdims=True))
        means[part] = terms @ (train - center) / terms.sum(axis=1, keepdims=True) + center
    return means


def conditioned(
    train: NDArray[Any],
    weights: Array | None,
    covariance: Array,
    fixed: list[int],
    kept: list[int],
    values: NDArray[Any],
) -> tuple[Array, Array | None, Array]:
    """Return vectors (m, k), weights and the covariance (k, k) of kernels where features are given.

    Kernels of no weight in float64 are left out.
    """
    given = covariance[np.ix_(fixed, fixed)]
    across = covariance[np.ix_(kept, fixed)]
    differences = values - train[:, fixed].astype(np.float64)
    solved = np.linalg.solve(given, differences.T).T
    logs = -0.5 * (differences * solved).sum(axis=1)
    if weights is not None:
        logs = logs + np.log(weights)
    share = np.exp(logs - logsumexp(logs))
    moved = train[:, kept] + solved @ across.T
    narrowed = covariance[np.ix_(kept, kept)] - across @ np.linalg.solve(given, across.T)
    near = share > 0
    return moved[near], share[near], (narrowed + narrowed.T) / 2
