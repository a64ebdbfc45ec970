"""Gaussians as products of matrices: the exponent of a Gaussian is linear in 1, xᵢ and xᵢxⱼ.

``log₂(w N(x; μ, Σ)) = coefficients · features(x)`` for all kernels and colors at once, in float64;
the same features give the moments that EM needs. Exponents are in base 2 because torch's exp2 is
several times faster than its exp, and many times where results underflow.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from napari_colorkde.core.device import Device

Array = NDArray[np.float64]

LOG2_E = float(np.log2(np.e))

BLOCK_TERMS = 1 << 18
"""Numbers computed in one go: 2 MB as float64, which stay in the cache."""

ROUNDING_TOLERANCE = 1e-6
"""Nats that expanding the square may cost; narrower kernels take differences first."""


@dataclass(frozen=True, slots=True, eq=False)
class Gaussians:
    """K weighted Gaussians, ready to be evaluated.

    Attributes
    ----------
    means
        (K, C).
    precisions
        (K, C, C) log₂ e · Σ⁻¹.
    whiteners
        (K, C, C) √(log₂ e) · L⁻¹ of Σ = L Lᵀ.
    log_peaks
        (K,) log₂ of each term at its mean; −inf without weight.
    """

    means: Array
    precisions: Array
    whiteners: Array
    log_peaks: Array

    @classmethod
    def of(cls, means: Array, covariances: Array, log_weights: Array) -> "Gaussians":
        """Prepare Gaussians from (K, C) means, (K, C, C) covariances and natural log-weights."""
        log_norms = np.linalg.slogdet(covariances)[1] + means.shape[1] * np.log(2 * np.pi)
        precisions: Array = LOG2_E * np.linalg.inv(covariances).astype(np.float64)
        whiteners = np.sqrt(LOG2_E) * np.linalg.inv(np.linalg.cholesky(covariances))
        return cls(means, precisions, whiteners, LOG2_E * (log_weights - 0.5 * log_norms))

    def __len__(self) -> int:
        return len(self.means)


class Exponents:
    """The exponents, base 2, of weighted Gaussians, ready to be evaluated at colors.

    Parameters
    ----------
    means, covariances
        (K, C) and (K, C, C), positive definite; K ≥ 1.
    log_weights
        (K,) natural logarithms of the factors, −inf for a kernel without weight.
    device
        Where to compute; it must have float64.

    Attributes
    ----------
    center
        (C,) the origin of the features.
    gaussians
        The same Gaussians, for colors in blocks.
    """

    def __init__(
        self, means: Array, covariances: Array, log_weights: Array, device: Device
    ) -> None:
        self.device = device
        self.n_kernels, self.n_channels = means.shape
        self.center = means.mean(axis=0)
        self._means = means - self.center
        self._precisions: Array = np.linalg.inv(covariances).astype(np.float64)
        # The constant of a Gaussian, and L⁻¹ of Σ = L Lᵀ: |L⁻¹(x − μ)|² is the squared distance.
        self.gaussians = Gaussians.of(means, covariances, log_weights)
        self._log_peaks = (
            log_weights
            - 0.5 * np.linalg.slogdet(covariances)[1]
            - 0.5 * self.n_channels * np.log(2 * np.pi)
        )
        self._whiteners = np.linalg.inv(np.linalg.cholesky(covariances))
        self._coefficients = device.put(
            coefficients(self._means, self._precisions, self._log_peaks), torch.float64
        )

    def blocks(
        self, colors: NDArray[np.generic]
    ) -> Iterator[tuple[slice, torch.Tensor, torch.Tensor]]:
        """Yield slices of colors (n, C), their exponents (K, block), and their features (F, block).

        float64, on the device. Features are those of colors minus `center`.
        """
        step = max(1, BLOCK_TERMS // max(self.n_kernels, n_features(self.n_channels)))
        for start in range(0, len(colors), step):
            block = slice(start, min(start + step, len(colors)))
            centered = np.empty((self.n_channels, block.stop - start))
            np.subtract(colors[block].T, self.center[:, None], out=centered)
            rows = self.device.put(features(centered), torch.float64)
            if self._rounding(centered) < ROUNDING_TOLERANCE:
                yield block, self._coefficients @ rows, rows
            else:
                yield block, self._by_differences(rows[1 : 1 + self.n_channels]), rows

    def _rounding(self, centered: Array) -> float:
        """Bound the error of the expanded square at these colors, in nats."""
        farthest = np.maximum(centered.max(axis=1), -centered.min(axis=1))
        reach = np.abs(self._means) + farthest
        with np.errstate(over="ignore"):
            terms = np.einsum("ki,kij,kj->k", reach, np.abs(self._precisions), reach)
        epsilon = float(np.finfo(np.float64).eps)
        return (n_features(self.n_channels) + 4) * epsilon * 0.5 * float(terms.max())

    def _by_differences(self, x: torch.Tensor) -> torch.Tensor:
        result = x.new_empty((self.n_kernels, x.shape[1]))
        for k in range(self.n_kernels):
            mean = self.device.put(self._means[k], torch.float64)
            whitener = self.device.put(self._whiteners[k], torch.float64)
            squared_distance = (whitener @ (x - mean[:, None])).square_().sum(dim=0)
            log_terms = float(self._log_peaks[k]) - 0.5 * squared_distance
            torch.mul(log_terms, LOG2_E, out=result[k])
        return result


def log_sum(exponents: torch.Tensor) -> torch.Tensor:
    """Return log₂ Σₖ 2^exponents over the first axis; −inf where every term is 0."""
    # Where every exponent is −inf the difference to the largest would be NaN.
    largest = exponents.amax(dim=0).clamp_(min=torch.finfo(exponents.dtype).min)
    return (exponents - largest).exp2_().sum(dim=0).log2_().add_(largest)


def n_features(n_channels: int) -> int:
    """Return the number of features F of colors of C channels: (C + 1)(C + 2) / 2."""
    return (n_channels + 1) * (n_channels + 2) // 2


def features(x: Array) -> Array:
    """Return 1, xᵢ and xᵢxⱼ (i ≤ j) of colors, one row per channel (C, n): (F, n)."""
    n_channels, n = x.shape
    result = np.empty((n_features(n_channels), n))
    result[0] = 1
    result[1 : 1 + n_channels] = x
    row = 1 + n_channels
    for channel in range(n_channels):
        stop = row + n_channels - channel
        np.multiply(x[channel:], x[channel], out=result[row:stop])
        row = stop
    return result


def coefficients(means: Array, precisions: Array, log_peaks: Array) -> Array:
    """Return (K, F) such that ``coefficients @ features(x)`` are exponents, base 2.

    Parameters
    ----------
    means, precisions
        (K, C) and (K, C, C): μ and Σ⁻¹.
    log_peaks
        (K,) natural logarithm of each term at its mean.
    """
    i, j = np.triu_indices(means.shape[1])
    with np.errstate(over="ignore", invalid="ignore"):  # then `_rounding` says no
        slopes = np.einsum("kij,kj->ki", precisions, means)
        constants = log_peaks - 0.5 * np.einsum("ki,ki->k", means, slopes)
    quadratic = np.where(i == j, -0.5, -1.0) * precisions[:, i, j]
    return LOG2_E * np.column_stack([constants, slopes, quadratic])


def moments(sums: Array, n_channels: int) -> tuple[Array, Array, Array]:
    """Split sums of features (K, F) into Σ1 (K,), Σx (K, C) and Σxxᵀ (K, C, C)."""
    i, j = np.triu_indices(n_channels)
    second = np.empty((len(sums), n_channels, n_channels))
    second[:, i, j] = second[:, j, i] = sums[:, 1 + n_channels :]
    return sums[:, 0], sums[:, 1 : 1 + n_channels], second
