"""The two steps of EM for Gaussian mixtures, on colors with counts.

Formulas: Bishop, Pattern Recognition and Machine Learning (2006), section 9.2.2; covariance types
and regularization are those of scikit-learn's GaussianMixture.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.checks.arguments import choice, real_number
from napari_colorkde.core.device import Device
from napari_colorkde.core.mixture.block_terms import weighted_moments
from napari_colorkde.core.mixture.color_blocks import ColorBlocks, WeightedColors, color_blocks
from napari_colorkde.core.mixture.em.rows import ColorRows, colors_in_rows, row_moments
from napari_colorkde.core.mixture.exponents import Gaussians, moments
from napari_colorkde.core.mixture.kernel_arrays import are_positive_definite, build_kernels
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.palette.ranges import rounding_variances

Array = NDArray[np.float64]
CovarianceType = Literal["full", "tied", "diag", "spherical"]
COVARIANCE_TYPES: tuple[CovarianceType, ...] = get_args(CovarianceType)

BLOCKS_FROM = 1 << 14
"""Colors from which on blocks, and float32 in them, are worth while."""


def default_reg_covar(palette: Palette) -> float:
    """Return the variance of rounding to the palette's levels, the smallest of its channels.

    See `napari_colorkde.core.palette.ranges.rounding_variances`.
    """
    return float(rounding_variances(palette).min())


def checked_covariance_type(
    covariance_type: CovarianceType | Literal["diagonal"],
) -> CovarianceType:
    """Return the shape of covariances, given in any case; "diagonal" is "diag".

    Raises
    ------
    ValueError
        If it is not known.
    """
    is_diagonal = isinstance(covariance_type, str) and covariance_type.lower() == "diagonal"
    return "diag" if is_diagonal else choice(covariance_type, "covariance_type", COVARIANCE_TYPES)


def checked_reg_covar(reg_covar: float | None, palette: Palette) -> float:
    """Return `reg_covar`, or the default for None.

    Raises
    ------
    ValueError
        If it is no variance.
    """
    if reg_covar is None:
        return default_reg_covar(palette)
    reg_covar = real_number(reg_covar, "reg_covar", "a variance of 0 or more")
    if not 0 <= reg_covar < np.inf:
        raise ValueError(f"reg_covar={reg_covar}; give a variance of 0 or more.")
    return reg_covar


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Σr (…, K), Σrx (…, K, C) and Σrxxᵀ (…, K, C, C) over colors x, in shares r of kernels.

    Colors are less `origins` (…, K, C). With more axes in front, those of several mixtures.
    """

    mass: Array
    first: Array
    second: Array
    origins: Array

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The four, in this order."""
        return self.mass, self.first, self.second, self.origins


@dataclass(frozen=True, slots=True, eq=False)
class Parameters:
    """Weights (…, K), means (…, K, C), variances (…, K, C) or covariances (…, K, C, C)."""

    weights: Array
    means: Array
    covariances: Array

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The three, in this order."""
        return self.weights, self.means, self.covariances

    @classmethod
    def of(cls, kernels: KernelSet) -> "Parameters":
        """Take those of a kernel set, weights as they are."""
        return cls(kernels.weights, kernels.means, kernels.covariances)

    def in_kernels(self, kernels: KernelSet) -> KernelSet:
        """Return kernels with these parameters; classes, names and order are those of `kernels`."""
        members = build_kernels(
            self.means,
            self.covariances,
            self.weights,
            classes=[kernel.cls for kernel in kernels],
            names=[kernel.name for kernel in kernels],
            visible=[kernel.visible for kernel in kernels],
        )
        return replace(kernels, kernels=members)


Expectation = Callable[[Parameters], tuple[float, Sums]]
"""E step: the mean log-likelihood in nats, and the sums over each kernel's share of the pixels."""


def expectation_on(colors: WeightedColors, device: Device) -> Expectation:
    """Prepare the E step on colors, or on bins: in blocks where there are many."""
    if len(colors) >= BLOCKS_FROM:
        return _expectation_on_blocks(color_blocks(colors, device, is_single=True))
    rows = colors_in_rows([colors], device)
    in_blocks: list[Expectation] = []

    def expectation(parameters: Parameters) -> tuple[float, Sums]:
        one = Parameters(*(values[None] for values in parameters.arrays))
        log_likelihoods, sums, is_exact = expectations(rows, one)
        if is_exact[0]:
            return float(log_likelihoods[0]), Sums(*(values[0] for values in sums.arrays))
        # Kernels narrow beside their distance from the middle of all colors.
        if not in_blocks:
            blocks = color_blocks(colors, device, is_single=False)
            in_blocks.append(_expectation_on_blocks(blocks))
        return in_blocks[0](parameters)

    return expectation


def expectations(rows: ColorRows, parameters: Parameters) -> tuple[Array, Sums, NDArray[np.bool_]]:
    """E steps of P mixtures, each on its own colors; the last says which of them are exact."""
    with np.errstate(divide="ignore"):
        log_weights = np.log(parameters.weights / parameters.weights.sum(axis=-1, keepdims=True))
    log_likelihoods, sums, is_exact = row_moments(
        rows, parameters.means, in_matrices(parameters), log_weights
    )
    return log_likelihoods, Sums(*sums, rows.centers[:, None]), is_exact


def in_matrices(parameters: Parameters) -> Array:
    """Return the covariances as matrices (…, K, C, C)."""
    covariances = parameters.covariances
    if covariances.ndim > parameters.means.ndim:
        return covariances
    return np.asarray(covariances[..., None] * np.eye(covariances.shape[-1]))


def _expectation_on_blocks(blocks: ColorBlocks) -> Expectation:
    def expectation(parameters: Parameters) -> tuple[float, Sums]:
        with np.errstate(divide="ignore"):
            log_weights = np.log(parameters.weights / parameters.weights.sum())
        covariances = in_matrices(parameters)
        gaussians = Gaussians.of(parameters.means, covariances, log_weights)
        log_likelihood, sums = weighted_moments(blocks, gaussians)
        mass, first, second = moments(sums, blocks.n_channels)
        return log_likelihood, Sums(mass, first, second, parameters.means)

    return expectation


def maximization(sums: Sums, covariance_type: CovarianceType, reg_covar: float) -> Parameters:
    """M step: the weights, means and covariances that the sums say.

    Raises
    ------
    ValueError
        If a kernel becomes singular.
    """
    parameters = unchecked_maximization(sums, covariance_type, np.asarray(reg_covar))
    is_good = are_positive_definite(parameters.covariances)
    if not is_good.all():
        raise ValueError(singular_kernel(int(np.argmin(is_good)), reg_covar))
    return parameters


def singular_kernel(index: int, reg_covar: float) -> str:
    """Say which kernel has become singular, and what to do."""
    return (
        f"kernel {index} collapsed onto colors that do not vary; use fewer kernels, or a reg_covar "
        f"above {reg_covar:g}."
    )


def unchecked_maximization(
    sums: Sums, covariance_type: CovarianceType, reg_covar: Array
) -> Parameters:
    """M step of one mixture or several, `reg_covar` (…); covariances may be singular."""
    n_channels = sums.first.shape[-1]
    mass = np.maximum(sums.mass, np.finfo(np.float64).tiny)
    shifts = sums.first / mass[..., None]
    scatter = sums.second - mass[..., None, None] * (shifts[..., None] * shifts[..., None, :])
    if covariance_type == "tied":
        total, scale = scatter.sum(axis=-3, keepdims=True), mass.sum(axis=-1)
        covariances = np.broadcast_to(total / scale[..., None, None, None], scatter.shape)
    else:
        covariances = scatter / mass[..., None, None]
    if covariance_type in ("full", "tied"):
        covariances = covariances + reg_covar[..., None, None, None] * np.eye(n_channels)
    else:
        variances = np.diagonal(covariances, axis1=-2, axis2=-1) + reg_covar[..., None, None]
        if covariance_type == "spherical":
            variances = np.repeat(variances.mean(axis=-1, keepdims=True), n_channels, axis=-1)
        covariances = variances
    weights = mass / mass.sum(axis=-1, keepdims=True)
    return Parameters(weights, sums.origins + shifts, covariances)
