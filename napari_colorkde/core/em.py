"""Expectation maximisation: Gaussian mixtures fitted to a palette, with its counts as weights.

The same fit as on all pixels, at the cost of the distinct colors. Formulas: Bishop, Pattern
Recognition and Machine Learning (2006), section 9.2.2; covariance types, regularisation and
convergence are those of scikit-learn's GaussianMixture.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from napari_colorkde.core.bandwidth import rounding_variances
from napari_colorkde.core.device import Device, resolve_device
from napari_colorkde.core.kernels import Kernel, KernelSet
from napari_colorkde.core.mixture import mixture_log_density
from napari_colorkde.core.palette import Palette
from napari_colorkde.core.quadratic import LOG2_E, Exponents, features, moments, n_features

Array = NDArray[np.float64]
DeviceLike = str | torch.device | Device
CovarianceType = Literal["full", "tied", "diag", "spherical"]

MAX_ITERATIONS = 200
"""Of a fit, unless it is said."""

BIC_CANDIDATES = range(1, 11)


@dataclass(frozen=True, slots=True)
class EMStep:
    """One iteration of EM.

    Attributes
    ----------
    kernels
        The mixture after this iteration; its weights sum to 1.
    log_likelihood
        Mean log-density per pixel, in nats, of the mixture that the iteration began with.
    iteration
        Counted from 1.
    converged
        Whether the log-likelihood rose by less than `tol` since the iteration before.
    """

    kernels: KernelSet
    log_likelihood: float
    iteration: int
    converged: bool


def fit_kernels(
    image: Any,
    n_kernels: int | Literal["bic"],
    *,
    mask: Any = None,
    covariance_type: CovarianceType = "full",
    reg_covar: float | None = None,
    random_state: int | np.random.Generator | None = None,
) -> KernelSet:
    """Fit a Gaussian mixture to the colors of an image.

    Parameters
    ----------
    image
        ``(..., H, W, C)`` with 1 to 3 channels, RGBA, or grey ``(H, W)``.
    n_kernels
        Number of kernels, or "bic": the one of 1 to 10 with the lowest Bayesian information
        criterion. Pixels of a photograph are not independent, so BIC tends to many kernels.
    mask
        ``(..., H, W)``; a pixel counts where it is non-zero.
    covariance_type
        "full", "tied" (all kernels share one), "diag" or "spherical".
    reg_covar
        Added to every variance, in squared image units. None: the variance of rounding, 1/12 of a
        level squared, see `default_reg_covar`.
    random_state
        Seed of the starting kernels.

    Returns
    -------
    KernelSet
        Weights sum to 1.

    Raises
    ------
    ValueError
        If no pixel counts, the pixels have a single color or fewer colors than kernels, a kernel
        becomes singular, or an argument is out of range.
    """
    return fit_palette(
        Palette.from_image(image, mask),
        n_kernels,
        covariance_type=covariance_type,
        reg_covar=reg_covar,
        random_state=random_state,
    )


def fit_palette(palette: Palette, n_kernels: int | Literal["bic"], **options: Any) -> KernelSet:
    """Fit a Gaussian mixture to a palette; `options` are those of `iterate_fit`."""
    *_, last = iterate_fit(palette, n_kernels, **options)
    return last.kernels


def iterate_fit(
    palette: Palette,
    n_kernels: int | Literal["bic"],
    *,
    covariance_type: CovarianceType = "full",
    reg_covar: float | None = None,
    random_state: int | np.random.Generator | None = None,
    tol: float = 1e-3,
    max_iter: int = MAX_ITERATIONS,
    candidates: Iterable[int] = BIC_CANDIDATES,
    device: DeviceLike = "auto",
) -> Iterator[EMStep]:
    """Fit a Gaussian mixture to a palette from a k-means++ start, yielding after each iteration.

    The last step yielded is the result: with "bic", where all `candidates` (up to the number of
    colors) are fitted in turn, the best one's last step comes once more at the end.

    Raises
    ------
    ValueError
        As `fit_kernels`.
    """
    random = np.random.default_rng(random_state)
    reg_covar = _checked(covariance_type, reg_covar, palette)
    options: dict[str, Any] = {"covariance_type": covariance_type, "reg_covar": reg_covar}
    if n_kernels != "bic":
        initial = seed_kernels(palette, n_kernels, random_state=random, **options)
        yield from iterate_em(
            palette, initial, tol=tol, max_iter=max_iter, device=device, **options
        )
        return
    best, lowest = None, np.inf
    for k in candidates:
        if k > len(palette):
            continue
        last = None
        for last in iterate_fit(
            palette, k, random_state=random, tol=tol, max_iter=max_iter, device=device, **options
        ):
            yield last
        if last is not None:
            criterion = bic(palette, last.kernels, covariance_type, device=device)
            if criterion < lowest:
                best, lowest = last, criterion
    if best is None:
        raise ValueError(
            f"candidates holds no number of kernels that the {len(palette)} colors allow; "
            "give numbers from 1 up to it."
        )
    yield best


def iterate_em(
    palette: Palette,
    initial: KernelSet,
    *,
    covariance_type: CovarianceType = "full",
    reg_covar: float | None = None,
    tol: float = 1e-3,
    max_iter: int = MAX_ITERATIONS,
    device: DeviceLike = "auto",
) -> Iterator[EMStep]:
    """Improve a mixture by EM, yielding after each iteration; stop by closing the generator.

    Parameters
    ----------
    palette
        Colors and counts.
    initial
        The start. Classes, names and order of its kernels are kept; only the ratios of its weights
        matter.
    covariance_type, reg_covar
        As in `fit_kernels`.
    tol
        Converged when the mean log-likelihood per pixel rises by less, in nats.
    max_iter
        Largest number of iterations.
    device
        Where to compute; float64, so on the host where a device has none.

    Raises
    ------
    ValueError
        If an argument is out of range, or a kernel becomes singular.

    Notes
    -----
    O(U K C²) per iteration: 30 ms for 440 000 colors and 8 kernels on two cores.
    """
    reg_covar = _checked(covariance_type, reg_covar, palette)
    if max_iter < 1:
        raise ValueError(f"max_iter={max_iter}; give 1 or more.")
    if not initial or initial.n_channels != palette.n_channels:
        raise ValueError(
            f"initial has {len(initial)} kernels of {initial.n_channels} channels; give at least "
            f"one kernel with the {palette.n_channels} of the palette."
        )
    if initial.weights.sum() <= 0:
        raise ValueError("initial has no kernel with a weight above 0; give weights.")
    place = resolve_device(device).exact
    kernels, before = initial, -np.inf
    for iteration in range(1, max_iter + 1):
        log_likelihood, sums = _expectation(palette, kernels, place)
        kernels = _maximisation(sums, kernels, covariance_type, reg_covar)
        converged = bool(abs(log_likelihood - before) < tol)
        before = log_likelihood
        yield EMStep(kernels, log_likelihood, iteration, converged)
        if converged:
            return


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
    scikit-learn), colors weighted by their counts. O(U K log K).

    Raises
    ------
    ValueError
        If the palette has a single color or fewer colors than kernels, or an argument is out of
        range.
    """
    reg_covar = _checked(covariance_type, reg_covar, palette)
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
    colors = palette.colors.astype(np.float64)
    weights = palette.counts / palette.n_pixels
    centers, nearest = _kmeans_plus_plus(
        colors, weights, int(n_kernels), np.random.default_rng(random_state)
    )
    # Sums about each center, so that nothing is lost in subtracting means.
    differences = colors - centers[nearest]
    sums = np.empty((n_kernels, n_features(palette.n_channels)))
    for column, row in zip(sums.T, features(differences.T), strict=True):
        column[:] = np.bincount(nearest, weights * row, n_kernels)
    mass, first, second = moments(sums, palette.n_channels)
    blank = Kernel(np.zeros(palette.n_channels), np.ones(palette.n_channels), 1.0)
    start = KernelSet([blank] * int(n_kernels))
    return _maximisation(_Sums(mass, first, second, centers), start, covariance_type, reg_covar)


def bic(
    palette: Palette,
    kernels: KernelSet,
    covariance_type: CovarianceType = "full",
    *,
    device: DeviceLike = "auto",
) -> float:
    """Return the Bayesian information criterion, −2 log L + p log N; lower is better.

    N is the number of pixels and p the number of free parameters (Schwarz 1978).
    """
    n_kernels, n_channels = kernels.means.shape
    per_covariance = n_channels * (n_channels + 1) // 2
    covariance_parameters = {
        "full": n_kernels * per_covariance,
        "tied": per_covariance,
        "diag": n_kernels * n_channels,
        "spherical": n_kernels,
    }[covariance_type]
    n_parameters = n_kernels * n_channels + covariance_parameters + n_kernels - 1
    log_density = mixture_log_density(palette.colors, kernels, device=device)
    log_likelihood = float(palette.counts @ log_density)
    return float(-2 * log_likelihood + n_parameters * np.log(palette.n_pixels))


def default_reg_covar(palette: Palette) -> float:
    """Return the variance of rounding to the palette's levels, the smallest of its channels.

    See `napari_colorkde.core.bandwidth.rounding_variances`.
    """
    return float(rounding_variances(palette).min())


def _checked(covariance_type: str, reg_covar: float | None, palette: Palette) -> float:
    if covariance_type not in get_args(CovarianceType):
        known = ", ".join(map(repr, get_args(CovarianceType)))
        raise ValueError(f"covariance_type={covariance_type!r} is not known; use one of {known}.")
    if reg_covar is None:
        return default_reg_covar(palette)
    if not (np.isfinite(reg_covar) and reg_covar >= 0):
        raise ValueError(f"reg_covar={reg_covar}; give a variance of 0 or more.")
    return reg_covar


def _expectation(palette: Palette, kernels: KernelSet, device: Device) -> tuple[float, "_Sums"]:
    """E step: mean log-likelihood, and the sums over each kernel's share of the pixels."""
    with np.errstate(divide="ignore"):
        log_weights = np.log(kernels.weights / kernels.weights.sum())
    exponents = Exponents(kernels.means, kernels.covariances, log_weights, device)
    shares = device.put(palette.counts / palette.n_pixels, torch.float64)
    total = 0.0
    sums = np.zeros((len(kernels), n_features(palette.n_channels)))
    for block, values, rows in exponents.blocks(palette.colors):
        largest = values.amax(dim=0)
        terms = (values - largest).exp2_()
        density = terms.sum(dim=0)
        share = shares[block]
        total += float((largest + density.log2()) @ share)
        sums += np.asarray(device.get((terms * (share / density)) @ rows.T), np.float64)
    mass, first, second = moments(sums, palette.n_channels)
    return total / LOG2_E, _Sums(mass, first, second, exponents.center)


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Σr (K,), Σrx (K, C) and Σrxxᵀ (K, C, C) over colors x, less `origin`, in shares r."""

    mass: Array
    first: Array
    second: Array
    origin: Array


def _maximisation(
    sums: _Sums, kernels: KernelSet, covariance_type: CovarianceType, reg_covar: float
) -> KernelSet:
    """M step: `kernels` with the weights, means and covariances that the sums say."""
    n_channels = sums.first.shape[1]
    mass = np.maximum(sums.mass, np.finfo(np.float64).tiny)
    shifts = sums.first / mass[:, None]
    scatter = sums.second - mass[:, None, None] * (shifts[:, :, None] * shifts[:, None, :])
    if covariance_type == "tied":
        scatter, scale = np.broadcast_to(scatter.sum(axis=0), scatter.shape), mass.sum()
        covariances = scatter / scale
    else:
        covariances = scatter / mass[:, None, None]
    variances = np.diagonal(covariances, axis1=1, axis2=2) + reg_covar
    if covariance_type == "spherical":
        variances = np.repeat(variances.mean(axis=1, keepdims=True), n_channels, axis=1)
    full = covariances + reg_covar * np.eye(n_channels)
    spreads = full if covariance_type in ("full", "tied") else variances
    parameters = zip(kernels, sums.origin + shifts, spreads, mass / mass.sum(), strict=True)
    fitted = []
    for index, (kernel, mean, covariance, weight) in enumerate(parameters):
        try:
            fitted.append(replace(kernel, mean=mean, covariance=covariance, weight=float(weight)))
        except ValueError as error:
            raise ValueError(
                f"kernel {index} shrank onto colors that do not vary; use fewer kernels, or a "
                f"reg_covar above {reg_covar:g}."
            ) from error
    return replace(kernels, kernels=tuple(fitted))


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
