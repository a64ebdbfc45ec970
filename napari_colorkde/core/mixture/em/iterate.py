"""Expectation maximization: Gaussian mixtures fitted to a palette, with its counts as weights.

The same fit as on all pixels, at the cost of the distinct colors. Formulas: Bishop, Pattern
Recognition and Machine Learning (2006), section 9.2.2; covariance types, regularization and
convergence are those of scikit-learn's GaussianMixture.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypedDict

import numpy as np
from numpy.typing import ArrayLike

from napari_colorkde.core.checks.arguments import generator_of, real_number, whole_number
from napari_colorkde.core.device import DeviceLike, resolve_device
from napari_colorkde.core.mixture.at_colors import mixture_log_density
from napari_colorkde.core.mixture.color_blocks import WeightedColors
from napari_colorkde.core.mixture.em.start import check_n_kernels, checked_means, seed_at, seed_on
from napari_colorkde.core.mixture.em.steps import (
    CovarianceType,
    Expectation,
    Parameters,
    checked_covariance_type,
    checked_reg_covar,
    expectation_on,
    maximization,
)
from napari_colorkde.core.mixture.kernel_arrays import build_kernels
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.core.palette.palette import Palette

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
    tried
        Of the last step where BIC chose: each number of kernels and its criterion.
    """

    kernels: KernelSet
    log_likelihood: float
    iteration: int
    converged: bool
    tried: tuple[tuple[int, float], ...] = ()


class FitOptions(TypedDict, total=False):
    """How a mixture is fitted: see `iterate_fit`."""

    covariance_type: CovarianceType
    reg_covar: float | None
    random_state: int | np.random.Generator | None
    tol: float
    max_iter: int
    n_init: int
    means_init: ArrayLike | None
    candidates: Iterable[int]
    device: DeviceLike


def iterate_fit(
    palette: Palette,
    n_kernels: int | Literal["bic"],
    *,
    covariance_type: CovarianceType = "full",
    reg_covar: float | None = None,
    random_state: int | np.random.Generator | None = None,
    tol: float = TOLERANCE,
    max_iter: int = MAX_ITERATIONS,
    n_init: int = 1,
    means_init: ArrayLike | None = None,
    candidates: Iterable[int] = BIC_CANDIDATES,
    device: DeviceLike = "auto",
) -> Iterator[EMStep]:
    """Fit a Gaussian mixture to a palette from a k-means++ start, yielding after each iteration.

    Of a palette with more colors than `COARSE_COLORS` the start is improved first, by EM on bins of
    colors, in at most half of the iterations; the fit then converges on the colors themselves.

    The last step yielded is the result: with several starts, or with "bic", where all `candidates`
    (up to the number of colors) are fitted in turn, the best one's last step comes once more.

    Parameters
    ----------
    n_init
        Number of starts of each number of kernels; the one of the largest log-likelihood is kept.
    means_init
        ``(n_kernels, C)`` means of the only start, in place of k-means++.

    Raises
    ------
    ValueError
        As `fit_kernels`.
    """
    random = generator_of(random_state)
    covariance_type = checked_covariance_type(covariance_type)
    reg_covar = checked_reg_covar(reg_covar, palette)
    check_iterations(max_iter, tol)
    numbers = candidates if n_kernels == "bic" else [n_kernels]
    check_n_kernels(1 if n_kernels == "bic" else n_kernels, palette)
    means = checked_means(means_init, n_kernels, n_init, palette)
    colors = WeightedColors.of(palette)
    coarse = colors.coarsened()
    place = resolve_device(device).exact
    on_bins = None if coarse is colors else expectation_on(coarse, place)
    on_colors = expectation_on(colors, place)
    best, lowest, tried = None, np.inf, dict[int, float]()
    for k in numbers:
        if k > len(palette):
            continue
        for _ in range(n_init):
            last, n_done = None, 0
            if means is None:
                start = seed_on(coarse, k, covariance_type, reg_covar, random)
            else:
                start = seed_at(coarse, means, covariance_type, reg_covar)
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
            if last is None or (n_kernels != "bic" and n_init == 1):
                continue
            log_likelihood, _ = on_colors(Parameters.of(last.kernels))
            shape = last.kernels.means.shape
            criterion = bic_of(log_likelihood, palette.n_pixels, shape, covariance_type)
            tried[k] = min(criterion, tried.get(k, np.inf))
            if criterion < lowest:
                best, lowest = last, criterion
    if n_kernels != "bic" and n_init == 1:
        return
    if best is None:
        raise ValueError(
            f"candidates holds no number of kernels possible for {len(palette)} colors; give "
            f"numbers from 1 to {len(palette)}."
        )
    yield replace(best, tried=tuple(tried.items()) if n_kernels == "bic" else ())


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
    covariance_type = checked_covariance_type(covariance_type)
    reg_covar = checked_reg_covar(reg_covar, palette)
    check_iterations(max_iter, tol)
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


def check_iterations(max_iter: int, tol: float) -> None:
    """Refuse fewer iterations than one, and a tolerance that is none."""
    whole_number(max_iter, "max_iter")
    if real_number(tol, "tol", "0 or more, in nats per pixel") < 0:
        raise ValueError(f"tol={tol}; give 0 or more, in nats per pixel.")


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
