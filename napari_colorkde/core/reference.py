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
    squared_distance = np.einsum("ni,ij,nj->n", difference, np.linalg.inv(cov), difference)
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
    log_terms = np.stack([gaussian_log_density(X, t, cov) for t in np.asarray(train, np.float64)])
    return np.asarray(logsumexp(log_terms, axis=0) - np.log(len(train)))


def leave_one_out(train: Array, cov: Array) -> float:
    """Return 1/M Σᵢ log 1/(M−1) Σ_{j≠i} N(tᵢ; tⱼ, Σ): leave-one-out log-likelihood of a KDE.

    Silverman (1986), section 3.4.4, divided by M.
    """
    train = np.asarray(train, np.float64)
    scores = [kde_log_density(t[None], np.delete(train, i, 0), cov) for i, t in enumerate(train)]
    return float(np.mean(scores))


def leave_one_color_out(train: Array, cov: Array) -> float:
    """Return the mean of log f(tᵢ), f the KDE of all points that differ from tᵢ."""
    train = np.asarray(train, np.float64)
    scores = [kde_log_density(t[None], train[(train != t).any(axis=1)], cov) for t in train]
    return float(np.mean(scores))


def kullback_leibler(a: Array, b: Array, cov: Array, axes: tuple[Array, ...]) -> float:
    """Return ∫ f_a log(f_a / f_b), f_a and f_b KDEs with points a and b, summed over a grid.

    Kullback & Leibler, Annals of Mathematical Statistics 22 (1951), eq. 2.4.
    """
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
    cell = np.prod([axis[1] - axis[0] for axis in axes])
    log_a, log_b = kde_log_density(grid, a, cov), kde_log_density(grid, b, cov)
    return float(np.sum(np.exp(log_a) * (log_a - log_b)) * cell)
