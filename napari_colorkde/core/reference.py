"""The textbook formulas in float64, written for reading: the yardstick of tests and cross-checks.

Nothing here is fast or sparing of memory. ``X`` are points (n, C), ``mu`` and ``cov`` a mean (C,)
and a covariance (C, C) or variances (C,). Densities are per unit volume, logs natural.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from napari_colorkde.core.mixture.kernels import Kernel

Array = NDArray[np.float64]


def gaussian_log_density(X: Array, mu: Array, cov: Array) -> Array:
    """Return log N(x; μ, Σ) = −½ (x−μ)ᵀ Σ⁻¹ (x−μ) − ½ log det Σ − C/2 log 2π, (n,).

    Bishop, Pattern Recognition and Machine Learning (2006), eq. 2.43.
    """
    cov = np.diag(cov) if cov.ndim == 1 else cov
    difference = np.asarray(X, np.float64) - mu
    squared_distance = ((difference @ np.linalg.inv(cov)) * difference).sum(axis=-1)
    log_determinant = np.linalg.slogdet(cov)[1]
    return np.asarray(-0.5 * (squared_distance + log_determinant + len(mu) * np.log(2 * np.pi)))


def mixture_log_density(X: Array, kernels: Iterable[Kernel], *, normalized: bool = True) -> Array:
    """Return log Σₖ wₖ N(x; μₖ, Σₖ), (n,); without (2π)^(−C/2) unless `normalized`.

    Bishop (2006), eq. 9.7; weights as they are, so that the density integrates to their sum.
    """
    log_terms = [gaussian_log_density(X, k.mean, k.covariance) for k in kernels]
    weights = np.array([k.weight for k in kernels])[:, None]
    log_density = logsumexp(np.stack(log_terms), axis=0, b=weights)
    if not normalized:
        log_density = log_density + X.shape[1] / 2 * np.log(2 * np.pi)
    return np.asarray(log_density)


def mixture_density(X: Array, kernels: Iterable[Kernel], *, normalized: bool = True) -> Array:
    """Return Σₖ wₖ N(x; μₖ, Σₖ), (n,); without (2π)^(−C/2) unless `normalized`."""
    density = np.zeros(len(X))
    for kernel in kernels:
        log_gaussian = gaussian_log_density(X, kernel.mean, kernel.covariance)
        density += kernel.weight * np.exp(log_gaussian)
    return density if normalized else density * (2 * np.pi) ** (X.shape[1] / 2)


def kde_log_density(X: Array, train: Array, cov: Array) -> Array:
    """Return log 1/M Σᵢ N(x; tᵢ, Σ), (n,): a Gaussian KDE with M training points (M, C).

    Silverman, Density Estimation (1986), eq. 4.1.
    """
    return np.asarray(logsumexp(_log_terms(X, train, cov), axis=1) - np.log(len(train)))


def leave_one_out(train: Array, cov: Array) -> float:
    """Return 1/M Σᵢ log 1/(M−1) Σ_{j≠i} N(tᵢ; tⱼ, Σ): leave-one-out log-likelihood of a KDE.

    Silverman (1986), section 3.4.4, divided by M.
    """
    log_terms = _log_terms(train, train, cov)
    np.fill_diagonal(log_terms, -np.inf)
    return float(np.mean(logsumexp(log_terms, axis=1) - np.log(len(train) - 1)))


def leave_one_color_out(train: Array, cov: Array) -> float:
    """Return the mean of log f(tᵢ), f the KDE of all points that differ from tᵢ."""
    train = np.asarray(train, np.float64)
    differs = (train[:, None] != train).any(axis=2)
    log_terms = np.where(differs, _log_terms(train, train, cov), -np.inf)
    return float(np.mean(logsumexp(log_terms, axis=1) - np.log(differs.sum(axis=1))))


def _log_terms(X: Array, train: Array, cov: Array) -> Array:
    """Return log N(xₙ; tᵢ, Σ), (n, M): that of xₙ − tᵢ under N(0, Σ), for some x at a time."""
    X, train = np.asarray(X, np.float64), np.asarray(train, np.float64)
    step = max(1, 2**18 // train.size)
    zero = np.zeros(train.shape[1])
    blocks = (X[i : i + step, None] - train for i in range(0, len(X), step))
    return np.concatenate([gaussian_log_density(block, zero, cov) for block in blocks])


def kullback_leibler(a: Array, b: Array, cov: Array, axes: tuple[Array, ...]) -> float:
    """Return ∫ f_a log(f_a / f_b), f_a and f_b KDEs with points a and b, summed over a grid.

    Kullback & Leibler, Annals of Mathematical Statistics 22 (1951), eq. 2.4.
    """
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
    cell = np.prod([axis[1] - axis[0] for axis in axes])
    log_a, log_b = kde_log_density(grid, a, cov), kde_log_density(grid, b, cov)
    return float(np.sum(np.exp(log_a) * (log_a - log_b)) * cell)
