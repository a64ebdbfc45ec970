"""Initialization of EM: centers chosen among the colors, and moments of the colors around them."""

from dataclasses import replace
from typing import Literal, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from napari_colorkde.core.checks.arguments import generator_of, real_numbers, whole_number
from napari_colorkde.core.mixture.color_blocks import WeightedColors
from napari_colorkde.core.mixture.em.steps import (
    CovarianceType,
    Parameters,
    Sums,
    checked_covariance_type,
    checked_reg_covar,
    maximization,
)
from napari_colorkde.core.mixture.exponents import features, moments, n_features
from napari_colorkde.core.mixture.kernel_arrays import build_kernels
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.core.number_text import counted
from napari_colorkde.core.palette.palette import Palette

Array = NDArray[np.float64]


def seed_kernels(
    palette: Palette,
    n_kernels: int,
    *,
    covariance_type: CovarianceType = "full",
    reg_covar: float | None = None,
    random_state: int | np.random.Generator | None = None,
) -> KernelSet:
    """Make a start for EM: k-means++ centers, and the moments of the colors nearest to each.

    Greedy k-means++ (Arthur and Vassilvitskii 2007, with several trials per center as in
    scikit-learn), colors weighted by their counts; on the means and covariances of bins where there
    are more colors than `COARSE_COLORS`. O(U log U) + O(bins K log K).

    Raises
    ------
    ValueError
        If the palette has fewer colors than kernels, or an argument is out of range.
    """
    covariance_type = checked_covariance_type(covariance_type)
    reg_covar = checked_reg_covar(reg_covar, palette)
    check_n_kernels(n_kernels, palette)
    colors = WeightedColors.of(palette).coarsened()
    random = generator_of(random_state)
    start = seed_on(colors, n_kernels, covariance_type, reg_covar, random)
    return KernelSet(build_kernels(start.means, start.covariances, start.weights))


def number_or_bic(n_kernels: int | str) -> int | Literal["bic"]:
    """Return a number of kernels as it is, or "bic" for "bic" and "auto" in any case."""
    if isinstance(n_kernels, str) and n_kernels.lower() in ("bic", "auto"):
        return "bic"
    return cast("int", n_kernels)  # what else it may be is refused by `check_n_kernels`


def check_n_kernels(n_kernels: int, palette: Palette) -> None:
    """Refuse a number of kernels that the palette does not allow; see `seed_kernels`."""
    if isinstance(n_kernels, bool) or not isinstance(n_kernels, int | np.integer) or n_kernels < 1:
        raise ValueError(f'n_kernels={n_kernels!r}; give a whole number of 1 or more, or "bic".')
    if n_kernels > len(palette):
        raise ValueError(
            f"n_kernels={n_kernels} is more than the {counted(len(palette), 'color')} "
            "available; ask for fewer kernels or choose more pixels."
        )


def checked_means(
    means_init: ArrayLike | None, n_kernels: int | Literal["bic"], n_init: int, palette: Palette
) -> Array | None:
    """Return the means to start from, None for k-means++.

    Raises
    ------
    ValueError
        If they are not one finite mean for each kernel, or there is no start.
    """
    whole_number(n_init, "n_init")
    if means_init is None:
        return None
    if n_kernels == "bic" or n_init > 1:
        other = 'n_kernels="bic"' if n_kernels == "bic" else f"n_init={n_init}"
        raise ValueError(
            f"means_init gives a single start and cannot be combined with {other}; give one of "
            "them."
        )
    means = real_numbers(means_init, "means_init").astype(np.float64)
    wanted = (int(n_kernels), palette.n_channels)
    if means.shape != wanted or not np.isfinite(means).all():
        given = (
            f"the shape {means.shape}" if means.shape != wanted else "a value that is not finite"
        )
        raise ValueError(
            f"means_init has {given}; give {wanted[0]} finite means of {wanted[1]} channels each."
        )
    return means


def seed_at(
    weighted: WeightedColors, means: Array, covariance_type: CovarianceType, reg_covar: float
) -> Parameters:
    """Make a start for EM with these means: each has the moments of the colors nearest to it.

    Raises
    ------
    ValueError
        If a mean has no color nearest to it.
    """
    nearest = cdist(weighted.colors.astype(np.float64), means, "sqeuclidean").argmin(axis=1)
    taken = np.bincount(nearest, minlength=len(means)) > 0
    if not taken.all():
        lost = int(np.argmin(taken))
        raise ValueError(
            f"means_init: no color is nearest to mean {lost}, {means[lost].tolist()}; give means "
            "that lie among the colors and differ from each other."
        )
    start = _moments_about(weighted, means, nearest, covariance_type, reg_covar)
    return replace(start, means=means)


def seed_on(
    weighted: WeightedColors,
    n_kernels: int,
    covariance_type: CovarianceType,
    reg_covar: float,
    random: np.random.Generator,
) -> Parameters:
    """Make a start for EM on colors or bins; see `seed_kernels`."""
    colors = weighted.colors.astype(np.float64)
    centers, nearest = _kmeans_plus_plus(colors, weighted.weights, int(n_kernels), random)
    return _moments_about(weighted, centers, nearest, covariance_type, reg_covar)


def _moments_about(
    weighted: WeightedColors,
    centers: Array,
    nearest: NDArray[np.intp],
    covariance_type: CovarianceType,
    reg_covar: float,
) -> Parameters:
    """Return the weights, means and covariances of the colors nearest to each center."""
    colors, weights = weighted.colors.astype(np.float64), weighted.weights
    # Sums about each center, so that nothing is lost in subtracting means.
    rows = features((colors - centers[nearest]).T)
    n_channels = colors.shape[1]
    if weighted.scatter is not None:
        rows[1 + n_channels :] += weighted.scatter.T
    sums = np.empty((len(centers), n_features(n_channels)))
    for column, row in zip(sums.T, rows, strict=True):
        column[:] = np.bincount(nearest, weights * row, len(centers))
    mass, first, second = moments(sums, n_channels)
    return maximization(Sums(mass, first, second, centers), covariance_type, reg_covar)


def _kmeans_plus_plus(
    colors: Array, weights: Array, n_kernels: int, random: np.random.Generator
) -> tuple[Array, NDArray[np.intp]]:
    """Choose centers (K, C) among the colors, and the nearest center of each color, (U,)."""
    n_trials = 2 + int(np.log(n_kernels))
    centers = np.empty((n_kernels, colors.shape[1]))
    centers[0] = colors[_draw(weights, 1, random)[0]]
    nearest = np.zeros(len(colors), np.intp)
    distances = cdist(colors, centers[:1], "sqeuclidean")[:, 0]
    for k in range(1, n_kernels):
        trials = _draw(weights * distances, n_trials, random)
        with_trial = cdist(colors, colors[trials], "sqeuclidean")
        np.minimum(with_trial, distances[:, None], out=with_trial)
        best = int(np.argmin(weights @ with_trial))
        centers[k] = colors[trials[best]]
        nearest[with_trial[:, best] < distances] = k
        distances = with_trial[:, best]
    return centers, nearest


def _draw(weights: Array, n: int, random: np.random.Generator) -> NDArray[np.intp]:
    """Draw indices with these odds."""
    cumulative = np.cumsum(weights)
    drawn = np.searchsorted(cumulative, random.random(n) * cumulative[-1], side="right")
    return np.asarray(np.minimum(drawn, len(weights) - 1), np.intp)
