"""Where EM starts: centers chosen among the colors, and the moments of the colors around them."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from napari_colorkde.core.mixture.color_blocks import WeightedColors
from napari_colorkde.core.mixture.em_steps import (
    CovarianceType,
    Parameters,
    Sums,
    checked_reg_covar,
    maximization,
)
from napari_colorkde.core.mixture.exponents import features, moments, n_features
from napari_colorkde.core.mixture.kernel_arrays import build_kernels
from napari_colorkde.core.mixture.kernels import KernelSet
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
        If the palette has a single color or fewer colors than kernels, or an argument is out of
        range.
    """
    reg_covar = checked_reg_covar(covariance_type, reg_covar, palette)
    check_n_kernels(n_kernels, palette)
    colors = WeightedColors.of(palette).coarsened()
    random = np.random.default_rng(random_state)
    start = seed_on(colors, n_kernels, covariance_type, reg_covar, random)
    return KernelSet(build_kernels(start.means, start.covariances, start.weights))


def check_n_kernels(n_kernels: int, palette: Palette) -> None:
    """Refuse a number of kernels that the palette does not allow; see `seed_kernels`."""
    if isinstance(n_kernels, bool) or not isinstance(n_kernels, int | np.integer) or n_kernels < 1:
        raise ValueError(f'n_kernels={n_kernels!r}; give a whole number from 1, or "bic".')
    if len(palette) == 1:
        raise ValueError(
            f"all pixels have the one color {palette.colors[0].tolist()}, to which no Gaussian can "
            "be fitted; choose pixels that vary."
        )
    if n_kernels > len(palette):
        raise ValueError(
            f"n_kernels={n_kernels} is more than the {len(palette)} colors there are; "
            "ask for fewer kernels or choose more pixels."
        )


def seed_on(
    weighted: WeightedColors,
    n_kernels: int,
    covariance_type: CovarianceType,
    reg_covar: float,
    random: np.random.Generator,
) -> Parameters:
    """Make a start for EM on colors or bins; see `seed_kernels`."""
    colors, weights = weighted.colors.astype(np.float64), weighted.weights
    centers, nearest = _kmeans_plus_plus(colors, weights, int(n_kernels), random)
    # Sums about each center, so that nothing is lost in subtracting means.
    rows = features((colors - centers[nearest]).T)
    n_channels = colors.shape[1]
    if weighted.scatter is not None:
        rows[1 + n_channels :] += weighted.scatter.T
    sums = np.empty((n_kernels, n_features(n_channels)))
    for column, row in zip(sums.T, rows, strict=True):
        column[:] = np.bincount(nearest, weights * row, n_kernels)
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
