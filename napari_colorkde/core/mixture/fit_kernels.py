"""One mixture fitted to the colors of an image: the public function, and its report."""

import warnings
from dataclasses import dataclass, replace
from typing import Literal, Unpack, overload

import numpy as np
from numpy.typing import ArrayLike

from napari_colorkde.core.checks.arguments import seed_of
from napari_colorkde.core.checks.options import flag
from napari_colorkde.core.colorspaces import KernelSpace, refusal_for
from napari_colorkde.core.csv_and_frames import Columns, Table
from napari_colorkde.core.device import DeviceLike
from napari_colorkde.core.mixture.at_colors import mixture_log_density
from napari_colorkde.core.mixture.em.iterate import (
    MAX_ITERATIONS,
    TOLERANCE,
    EMStep,
    FitOptions,
    bic_of,
    iterate_fit,
)
from napari_colorkde.core.mixture.em.start import number_or_bic
from napari_colorkde.core.mixture.em.steps import CovarianceType, checked_covariance_type
from napari_colorkde.core.mixture.kernel_checks import checked_kernel_space
from napari_colorkde.core.mixture.kernel_spaces import points_for
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.core.number_text import counted
from napari_colorkde.core.palette.count_image import palette_of
from napari_colorkde.core.palette.palette import Palette


class ConvergenceWarning(UserWarning):
    """EM was stopped by `max_iter` before the log-likelihood had settled."""


@dataclass(frozen=True, slots=True)
class FitReport(Table):
    """How a fit went.

    Attributes
    ----------
    n_kernels
        Number of kernels that were fitted.
    n_pixels
        Number of pixels that they were fitted to.
    iterations
        Number of iterations of EM, of the start that was kept.
    converged
        Whether the last one raised the log-likelihood by less than `tol`.
    log_likelihood
        Mean log-density of a pixel under the result, in nats.
    bic
        Bayesian information criterion of the result; lower is better.
    tried
        Each number of kernels that was tried and the lowest criterion with it, where the number was
        chosen by BIC; otherwise empty.
    """

    n_kernels: int
    n_pixels: int
    iterations: int
    converged: bool
    log_likelihood: float
    bic: float
    tried: tuple[tuple[int, float], ...] = ()

    @property
    def is_most_tried(self) -> bool:
        """Whether BIC chose the largest of several numbers tried: more may fit better still."""
        return len(self.tried) > 1 and self.n_kernels == max(n for n, _ in self.tried)

    def _columns(self) -> Columns:
        """Return a row for each number of kernels tried; of the best one all that is known."""
        tried = self.tried or ((self.n_kernels, self.bic),)
        best = [n == self.n_kernels for n, _ in tried]

        def of_best(value: float) -> list[float | None]:
            return [value if is_best else None for is_best in best]

        return {
            "n_kernels": [n for n, _ in tried],
            "bic": [bic for _, bic in tried],
            "best": [int(is_best) for is_best in best],
            "n_pixels": [self.n_pixels for _ in tried],
            "log_likelihood": of_best(self.log_likelihood),
            "iterations": of_best(self.iterations),
            "converged": of_best(int(self.converged)),
        }

    def __repr__(self) -> str:
        end = "converged" if self.converged else "not converged"
        tried = f", best of {len(self.tried)} numbers" if self.tried else ""
        return (
            f"FitReport({counted(self.n_kernels, 'kernel')}{tried}, {self.log_likelihood:.5g} nats "
            f"per pixel, {end} after {counted(self.iterations, 'iteration')})"
        )


@overload
def fit_kernels(
    image: Palette | ArrayLike,
    n_kernels: int | Literal["bic", "auto"],
    *,
    mask: ArrayLike | None = ...,
    channel_axis: int | None = ...,
    weights: ArrayLike | None = ...,
    space: KernelSpace | str = ...,
    device: DeviceLike = ...,
    covariance_type: CovarianceType | Literal["diagonal"] = ...,
    reg_covar: float | None = ...,
    random_state: int | np.random.Generator | None = ...,
    max_iter: int = ...,
    tol: float = ...,
    n_init: int = ...,
    means_init: ArrayLike | None = ...,
    return_report: Literal[False] = ...,
    seed: int | None = ...,
    n_channels: int | None = ...,
) -> KernelSet: ...


@overload
def fit_kernels(
    image: Palette | ArrayLike,
    n_kernels: int | Literal["bic", "auto"],
    *,
    mask: ArrayLike | None = ...,
    channel_axis: int | None = ...,
    weights: ArrayLike | None = ...,
    space: KernelSpace | str = ...,
    device: DeviceLike = ...,
    covariance_type: CovarianceType | Literal["diagonal"] = ...,
    reg_covar: float | None = ...,
    random_state: int | np.random.Generator | None = ...,
    max_iter: int = ...,
    tol: float = ...,
    n_init: int = ...,
    means_init: ArrayLike | None = ...,
    return_report: Literal[True],
    seed: int | None = ...,
    n_channels: int | None = ...,
) -> tuple[KernelSet, FitReport]: ...


def fit_kernels(
    image: Palette | ArrayLike,
    n_kernels: int | Literal["bic", "auto"],
    *,
    mask: ArrayLike | None = None,
    channel_axis: int | None = -1,
    weights: ArrayLike | None = None,
    space: KernelSpace | str = "rgb",
    device: DeviceLike = "auto",
    covariance_type: CovarianceType | Literal["diagonal"] = "full",
    reg_covar: float | None = None,
    random_state: int | np.random.Generator | None = None,
    max_iter: int = MAX_ITERATIONS,
    tol: float = TOLERANCE,
    n_init: int = 1,
    means_init: ArrayLike | None = None,
    return_report: bool = False,
    seed: int | None = None,
    n_channels: int | None = None,
) -> KernelSet | tuple[KernelSet, FitReport]:
    """Fit a Gaussian mixture to the colors of an image.

    Parameters
    ----------
    image
        ``(..., H, W, C)`` with 1 to 32 channels, RGBA, or gray ``(H, W)``; or a `Palette`.
    n_kernels
        Number of kernels, or "bic" ("auto"): the number from 1 to 10 with the lowest Bayesian
        information criterion. It tends to choose too many, because the pixels of a photograph are
        not independent.
    mask, channel_axis, weights, n_channels
        See `Palette.from_image`; for an image.
    space
        Color space of the kernels, see `KernelSet`; "rgb" is the image's own channels.
    device
        Where to compute; float64, so on the host where a device has none.
    covariance_type
        "full", "tied" (all kernels share one), "diag" ("diagonal") or "spherical".
    reg_covar
        Added to every variance, in squared image units. None: the variance of rounding, 1/12 of a
        level squared, see `napari_colorkde.core.mixture.em.steps.default_reg_covar`.
    random_state
        Seed of the starting kernels.
    max_iter
        Maximum number of EM iterations for each start.
    tol
        EM has converged when the mean log-likelihood per pixel rises by less than this, in nats.
    n_init
        Number of starts; the one with the largest log-likelihood is kept.
    means_init
        ``(n_kernels, C)`` means to start from, instead of k-means++.
    return_report
        Whether to return a report as well.
    seed
        Another name for `random_state`.

    Returns
    -------
    KernelSet
        Weights sum to 1.
    FitReport
        How the fit went, with `return_report`.

    Warns
    -----
    ConvergenceWarning
        If `max_iter` ended the fit, unless the report says so.

    Raises
    ------
    ValueError
        If no pixel counts, there are fewer colors than kernels, a kernel becomes singular, or an
        argument is out of range. Pixels of a single color get a kernel whose variances are
        `reg_covar`.

    Notes
    -----
    The image's dtypes are those of `ColorKDE`. O(U K C²) an iteration for U distinct colors: 30 ms
    for 440 000 colors and 8 kernels, on two cores.
    """
    space = checked_kernel_space(space)
    n_kernels, random_state = number_or_bic(n_kernels), seed_of(random_state, seed)
    covariance_type = checked_covariance_type(covariance_type)
    return_report = flag(return_report, "return_report")
    refuse = refusal_for(space)
    counted_colors = palette_of(
        image, mask, channel_axis, weights=weights, n_channels=n_channels, refuse=refuse
    )
    palette = points_for(counted_colors, space)
    *_, last = iterate_fit(
        palette,
        n_kernels,
        covariance_type=covariance_type,
        reg_covar=reg_covar,
        random_state=random_state,
        max_iter=max_iter,
        tol=tol,
        n_init=n_init,
        means_init=means_init,
        device=device,
    )
    kernels = replace(last.kernels, space=space)
    if return_report:
        return kernels, report_of(palette, last, covariance_type, device)
    if not last.converged:
        warnings.warn(
            f"the fit did not converge after {last.iteration} iterations; give a max_iter above "
            f"{max_iter}, or a tol above {tol:g}.",
            ConvergenceWarning,
            stacklevel=2,
        )
    return kernels


def fit_palette(
    palette: Palette, n_kernels: int | Literal["bic"], **options: Unpack[FitOptions]
) -> KernelSet:
    """Fit a Gaussian mixture to a palette; `options` are those of `iterate_fit`."""
    *_, last = iterate_fit(palette, n_kernels, **options)
    return last.kernels


def report_of(
    palette: Palette, last: EMStep, covariance_type: CovarianceType, device: DeviceLike = "auto"
) -> FitReport:
    """Return the report of a fit from its last step."""
    log_density = mixture_log_density(palette.colors, last.kernels, device=device)
    log_likelihood = float(palette.counts @ log_density) / palette.total_weight
    shape = last.kernels.means.shape
    return FitReport(
        len(last.kernels),
        palette.n_pixels,
        last.iteration,
        last.converged,
        log_likelihood,
        bic_of(log_likelihood, palette.n_pixels, shape, covariance_type),
        last.tried,
    )
