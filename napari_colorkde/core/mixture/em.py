"""Expectation maximization: Gaussian mixtures fitted to a palette, with its counts as weights.

The same fit as on all pixels, at the cost of the distinct colors. Formulas: Bishop, Pattern
Recognition and Machine Learning (2006), section 9.2.2; covariance types, regularization and
convergence are those of scikit-learn's GaussianMixture.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypedDict, Unpack

import numpy as np
import torch
from numpy.typing import ArrayLike

from napari_colorkde.core.device import Device, resolve_device
from napari_colorkde.core.mixture.color_blocks import WeightedColors
from napari_colorkde.core.mixture.density import mixture_log_density
from napari_colorkde.core.mixture.em_init import check_n_kernels, seed_on
from napari_colorkde.core.mixture.em_steps import (
    CovarianceType,
    Expectation,
    Parameters,
    checked_reg_covar,
    expectation_on,
    maximization,
)
from napari_colorkde.core.mixture.kernel_arrays import build_kernels
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.core.palette.palette import Palette

DeviceLike = str | torch.device | Device

MAX_ITERATIONS = 200
"""Of a fit, unless it is said."""

TOLERANCE = 1e-3
"""Nats per pixel; a fit has converged when its log-likelihood rises by less."""

BIC_CANDIDATES = range(1, 11)


@dataclass(frozen=True, slots=True)
class EMStep:
    """One iteration of EM.

    Attributes
    ----------
    kernels
        The mixture after this iteration; its weights sum to 1.
    log_likelihood
        Mean log-density per pixel, in nats, of the mixture that the iteration began with; a lower
        bound of it while a fit improves its start on bins.
    iteration
        Counted from 1.
    converged
        Whether the log-likelihood rose by less than `tol` since the iteration before. An iteration
        on bins never says so.
    """

    kernels: KernelSet
    log_likelihood: float
    iteration: int
    converged: bool


def fit_kernels(
    image: ArrayLike,
    n_kernels: int | Literal["bic"],
    *,
    mask: ArrayLike | None = None,
    covariance_type: CovarianceType = "full",
    reg_covar: float | None = None,
    random_state: int | np.random.Generator | None = None,
) -> KernelSet:
    """Fit a Gaussian mixture to the colors of an image.

    Parameters
    ----------
    image
        ``(..., H, W, C)`` with 1 to 3 channels, RGBA, or gray ``(H, W)``.
    n_kernels
        Number of kernels, or "bic": the one of 1 to 10 with the lowest Bayesian information
        criterion. Pixels of a photograph are not independent, so BIC tends to many kernels.
    mask
        ``(..., H, W)``; a pixel counts where it is non-zero.
    covariance_type
        "full", "tied" (all kernels share one), "diag" or "spherical".
    reg_covar
        Added to every variance, in squared image units. None: the variance of rounding, 1/12 of a
        level squared, see `napari_colorkde.core.mixture.em_steps.default_reg_covar`.
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


class FitOptions(TypedDict, total=False):
    """How a mixture is fitted: see `iterate_fit`."""

    covariance_type: CovarianceType
    reg_covar: float | None
    random_state: int | np.random.Generator | None
    tol: float
    max_iter: int
    candidates: Iterable[int]
    device: DeviceLike


def fit_palette(
    palette: Palette, n_kernels: int | Literal["bic"], **options: Unpack[FitOptions]
) -> KernelSet:
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
    tol: float = TOLERANCE,
    max_iter: int = MAX_ITERATIONS,
    candidates: Iterable[int] = BIC_CANDIDATES,
    device: DeviceLike = "auto",
) -> Iterator[EMStep]:
    """Fit a Gaussian mixture to a palette from a k-means++ start, yielding after each iteration.

    Of a palette with more colors than `COARSE_COLORS` the start is improved first, by EM on bins of
    colors, in at most half of the iterations; the fit then converges on the colors themselves.

    The last step yielded is the result: with "bic", where all `candidates` (up to the number of
    colors) are fitted in turn, the best one's last step comes once more at the end.

    Raises
    ------
    ValueError
        As `fit_kernels`.
    """
    random = np.random.default_rng(random_state)
    reg_covar = checked_reg_covar(covariance_type, reg_covar, palette)
    check_max_iter(max_iter)
    numbers = candidates if n_kernels == "bic" else [n_kernels]
    check_n_kernels(1 if n_kernels == "bic" else n_kernels, palette)
    colors = WeightedColors.of(palette)
    coarse = colors.coarsened()
    place = resolve_device(device).exact
    on_bins = None if coarse is colors else expectation_on(coarse, place)
    on_colors = expectation_on(colors, place)
    best, lowest = None, np.inf
    for k in numbers:
        if k > len(palette):
            continue
        last, n_done = None, 0
        start = seed_on(coarse, k, covariance_type, reg_covar, random)
        kernels = KernelSet(build_kernels(start.means, start.covariances, start.weights))
        if on_bins is not None:
            bound = max_iter // 2
            for last in _iterations(on_bins, kernels, covariance_type, reg_covar, tol, bound):
                yield replace(last, converged=False)
                kernels, n_done = last.kernels, last.iteration
        for last in _iterations(
            on_colors, kernels, covariance_type, reg_covar, tol, max_iter, n_done
        ):
            yield last
        if n_kernels == "bic" and last is not None:
            log_likelihood, _ = on_colors(Parameters.of(last.kernels))
            criterion = bic_of(
                log_likelihood, palette.n_pixels, last.kernels.means.shape, covariance_type
            )
            if criterion < lowest:
                best, lowest = last, criterion
    if n_kernels != "bic":
        return
    if best is None:
        raise ValueError(
            f"candidates holds no number of kernels that {len(palette)} colors allow; "
            f"give numbers from 1 to {len(palette)}."
        )
    yield best


def iterate_em(
    palette: Palette,
    initial: KernelSet,
    *,
    covariance_type: CovarianceType = "full",
    reg_covar: float | None = None,
    tol: float = TOLERANCE,
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
    reg_covar = checked_reg_covar(covariance_type, reg_covar, palette)
    check_max_iter(max_iter)
    if not initial or initial.n_channels != palette.n_channels:
        raise ValueError(
            f"initial has {len(initial)} kernels of {initial.n_channels} channels; give at least "
            f"one kernel with the {palette.n_channels} of the palette."
        )
    if initial.weights.sum() <= 0:
        raise ValueError("initial has no kernel with a weight above 0; give weights.")
    e_step = expectation_on(WeightedColors.of(palette), resolve_device(device).exact)
    yield from _iterations(e_step, initial, covariance_type, reg_covar, tol, max_iter)


def _iterations(
    e_step: Expectation,
    initial: KernelSet,
    covariance_type: CovarianceType,
    reg_covar: float,
    tol: float,
    max_iter: int,
    n_done: int = 0,
) -> Iterator[EMStep]:
    """Alternate the two steps until they converge or `max_iter` are done, `n_done` before."""
    parameters, before = Parameters.of(initial), -np.inf
    for iteration in range(n_done + 1, max_iter + 1):
        log_likelihood, sums = e_step(parameters)
        parameters = maximization(sums, covariance_type, reg_covar)
        converged = bool(abs(log_likelihood - before) < tol)
        before = log_likelihood
        yield EMStep(parameters.in_kernels(initial), log_likelihood, iteration, converged)
        if converged:
            return


def check_max_iter(max_iter: int) -> None:
    """Refuse fewer iterations than one."""
    if max_iter < 1:
        raise ValueError(f"max_iter={max_iter}; give 1 or more.")


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
    log_density = mixture_log_density(palette.colors, kernels, device=device)
    log_likelihood = float(palette.counts @ log_density) / palette.total_weight
    return bic_of(log_likelihood, palette.n_pixels, kernels.means.shape, covariance_type)


def bic_of(
    log_likelihood: float,
    n_pixels: int,
    shape: tuple[int, ...],
    covariance_type: CovarianceType,
) -> float:
    """Return the criterion from the mean log-likelihood of a pixel; see `bic`.

    Parameters
    ----------
    shape
        Number of kernels and of channels.
    """
    n_kernels, n_channels = shape
    per_covariance = n_channels * (n_channels + 1) // 2
    covariance_parameters = {
        "full": n_kernels * per_covariance,
        "tied": per_covariance,
        "diag": n_kernels * n_channels,
        "spherical": n_kernels,
    }[covariance_type]
    n_parameters = n_kernels * n_channels + covariance_parameters + n_kernels - 1
    return float(-2 * n_pixels * log_likelihood + n_parameters * np.log(n_pixels))
