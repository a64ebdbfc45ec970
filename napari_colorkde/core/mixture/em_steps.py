"""The two steps of EM for Gaussian mixtures, on colors with counts.

Formulas: Bishop, Pattern Recognition and Machine Learning (2006), section 9.2.2; covariance types
and regularization are those of scikit-learn's GaussianMixture.
"""

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from napari_colorkde.core.device import Device
from napari_colorkde.core.mixture.exponents import LOG2_E, Exponents, moments, n_features
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.palette.ranges import rounding_variances

Array = NDArray[np.float64]
CovarianceType = Literal["full", "tied", "diag", "spherical"]


def default_reg_covar(palette: Palette) -> float:
    """Return the variance of rounding to the palette's levels, the smallest of its channels.

    See `napari_colorkde.core.palette.ranges.rounding_variances`.
    """
    return float(rounding_variances(palette).min())


def checked_reg_covar(covariance_type: str, reg_covar: float | None, palette: Palette) -> float:
    """Return `reg_covar`, or the default for None.

    Raises
    ------
    ValueError
        If it is no variance, or the covariance type is not known.
    """
    if covariance_type not in get_args(CovarianceType):
        known = ", ".join(map(repr, get_args(CovarianceType)))
        raise ValueError(f"covariance_type={covariance_type!r} is not known; use one of {known}.")
    if reg_covar is None:
        return default_reg_covar(palette)
    if not (np.isfinite(reg_covar) and reg_covar >= 0):
        raise ValueError(f"reg_covar={reg_covar}; give a variance of 0 or more.")
    return reg_covar


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Σr (K,), Σrx (K, C) and Σrxxᵀ (K, C, C) over colors x, less `origin`, in shares r."""

    mass: Array
    first: Array
    second: Array
    origin: Array


def expectation(palette: Palette, kernels: KernelSet, device: Device) -> tuple[float, Sums]:
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
    return total / LOG2_E, Sums(mass, first, second, exponents.center)


def maximization(
    sums: Sums, kernels: KernelSet, covariance_type: CovarianceType, reg_covar: float
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
