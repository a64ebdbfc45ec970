"""Expectation maximization: Gaussian mixtures fitted to a palette, with its counts as weights.

The same fit as on all pixels, at the cost of the distinct colors. Formulas: Bishop, Pattern
Recognition and Machine Learning (2006), section 9.2.2; covariance types, regularization and
convergence are those of scikit-learn's GaussianMixture.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from napari_colorkde.core.device import Device, resolve_device
from napari_colorkde.core.mixture.density import mixture_log_density
from napari_colorkde.core.mixture.em_init import seed_kernels
from napari_colorkde.core.mixture.em_steps import (
    CovarianceType,
    checked_reg_covar,
    expectation,
    maximization,
)
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.core.palette.palette import Palette

DeviceLike = str | torch.device | Device

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
    reg_covar = checked_reg_covar(covariance_type, reg_covar, palette)
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
    reg_covar = checked_reg_covar(covariance_type, reg_covar, palette)
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
        log_likelihood, sums = expectation(palette, kernels, place)
        kernels = maximization(sums, kernels, covariance_type, reg_covar)
        converged = bool(abs(log_likelihood - before) < tol)
        before = log_likelihood
        yield EMStep(kernels, log_likelihood, iteration, converged)
        if converged:
            return


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
