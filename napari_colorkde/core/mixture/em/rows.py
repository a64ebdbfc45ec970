"""The E step on few colors, for many mixtures at once: each with its own colors, in rows.

A thousand small palettes take a thousand times the calls of one, and calls are most of what a small
one takes. Here P palettes of about the same size share each call. All is float64.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from napari_colorkde.core.device import Device
from napari_colorkde.core.mixture.color_blocks import WeightedColors
from napari_colorkde.core.mixture.exponents import (
    LOG2_E,
    ROUNDING_TOLERANCE,
    coefficients,
    features,
    moments,
    n_features,
)

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ColorRows:
    """The colors of P palettes, filled up to n each with colors of weight 0.

    Attributes
    ----------
    centers, reach
        (P, C) middles of the colors of each, and how far they lie from it at most.
    features
        (P, F, n) float64 1, δᵢ and δᵢδⱼ of colors less their center, on the device.
    weights
        (P, n) float64, on the device.
    device
        Where to compute; it has float64.
    """

    centers: Array
    reach: Array
    features: torch.Tensor
    weights: torch.Tensor
    device: Device

    def __len__(self) -> int:
        return len(self.centers)

    def part(self, chosen: NDArray[np.intp]) -> "ColorRows":
        """Return some of the palettes."""
        rows = self.device.put(chosen, torch.int64)
        return ColorRows(
            self.centers[chosen],
            self.reach[chosen],
            self.features[rows],
            self.weights[rows],
            self.device,
        )


def colors_in_rows(palettes: Sequence[WeightedColors], device: Device) -> ColorRows:
    """Put the colors of palettes in rows of the length of the longest."""
    n, n_channels = max(map(len, palettes)), palettes[0].colors.shape[1]
    rows = np.empty((len(palettes), n_features(n_channels), n))
    weights = np.zeros((len(palettes), n))
    centers, reach = np.empty((2, len(palettes), n_channels))
    for index, palette in enumerate(palettes):
        colors = palette.colors.astype(np.float64)
        low, high = colors.min(axis=0), colors.max(axis=0)
        centers[index] = low + (high - low) / 2
        reach[index] = (high - low) / 2
        rows[index, :, : len(colors)] = features((colors - centers[index]).T)
        if palette.scatter is not None:
            rows[index, 1 + n_channels :, : len(colors)] += palette.scatter.T
            reach[index] += np.sqrt(palette.scatter.max(axis=0).max())
        rows[index, :, len(colors) :] = rows[index, :, :1]
        weights[index, : len(colors)] = palette.weights
    put = device.put
    return ColorRows(centers, reach, put(rows, torch.float64), put(weights, torch.float64), device)


def row_moments(
    rows: ColorRows, means: Array, covariances: Array, log_weights: Array
) -> tuple[Array, tuple[Array, Array, Array], NDArray[np.bool_]]:
    """Return each palette's mean log-density, the sums over kernels' shares, and which are exact.

    Parameters
    ----------
    means, covariances, log_weights
        (P, K, C), (P, K, C, C) and (P, K) of a mixture for each palette, natural logs.

    Returns
    -------
    log_likelihoods
        (P,) nats.
    sums
        Σr (P, K), Σrδ (P, K, C) and Σrδδᵀ (P, K, C, C), δ colors less the palette's center.
    is_exact
        (P,) whether rounding costs less than `ROUNDING_TOLERANCE` nats.
    """
    n_palettes, n_kernels, n_channels = means.shape
    shifts = means - rows.centers[:, None]
    precisions: Array = np.linalg.inv(covariances).astype(np.float64)
    log_norms = np.linalg.slogdet(covariances)[1] + n_channels * np.log(2 * np.pi)
    log_peaks = log_weights - 0.5 * log_norms
    reach = np.abs(shifts) + rows.reach[:, None]
    bound = (reach[..., None, :] @ np.abs(precisions) @ reach[..., None])[..., 0, 0].max(axis=1)
    epsilon = float(np.finfo(np.float64).eps)
    is_exact = (n_features(n_channels) + 4) * epsilon * 0.5 * bound < ROUNDING_TOLERANCE
    flat = coefficients(
        shifts.reshape(-1, n_channels),
        precisions.reshape(-1, n_channels, n_channels),
        log_peaks.reshape(-1),
    )
    table = rows.device.put(flat.reshape(n_palettes, n_kernels, -1), torch.float64)
    terms = torch.bmm(table, rows.features)
    largest = terms.amax(dim=1)
    terms.sub_(largest[:, None]).exp2_()
    density = terms.sum(dim=1)
    logs = largest.add_(density.log2()).mul_(rows.weights).sum(dim=1)
    terms.mul_((rows.weights / density)[:, None])
    sums = rows.device.get(torch.bmm(terms, rows.features.transpose(1, 2)))
    mass, first, second = moments(
        np.asarray(sums, np.float64).reshape(n_palettes * n_kernels, -1), n_channels
    )
    shape = (n_palettes, n_kernels)
    split = (
        mass.reshape(shape),
        first.reshape(*shape, -1),
        second.reshape(*shape, *second.shape[1:]),
    )
    return np.asarray(rows.device.get(logs), np.float64) / LOG2_E, split, is_exact
