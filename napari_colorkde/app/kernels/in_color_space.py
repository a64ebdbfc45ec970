"""Gaussian kernels in image units, converted to the color space shown and back.

A Gaussian of the sRGB cube is one no more in a curved space: it is shown as that of its converted
samples, and a stretch of that one is carried back along the line that fits the samples best.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from napari_colorkde.app.density.color_coordinates import PaletteCoordinates, white_level

Floats = NDArray[np.float64]

SAMPLES = 256
"""Colors by which a kernel is carried into another space."""

MAX_STRETCH = 100.0
"""A drag makes an axis at most so much longer or shorter."""


def convert_kernels(
    means: Floats, covariances: Floats, coordinates: PaletteCoordinates
) -> tuple[Floats, Floats]:
    """Carry Gaussians given in image units into a space by converting samples of each.

    Parameters
    ----------
    means, covariances
        ``(K, 3)`` and ``(K, 3, 3)``, image units; of more channels where these are projected.

    Returns
    -------
    tuple
        Mean and covariance of the converted samples, ``(K, 3)`` and ``(K, 3, 3)``.

    Notes
    -----
    The samples are the same for every kernel, evenly spread, and their own mean and covariance are
    exactly the kernel's, so that affine spaces get exact results. Elsewhere samples outside the
    sRGB cube are first moved onto it. O(K · 256).
    """
    if coordinates.projection is not None:
        return coordinates.projection.gaussians(means, covariances)
    if coordinates.space is None or len(means) == 0:
        return means, covariances
    factors = np.asarray(np.linalg.cholesky(covariances), np.float64)
    center, offsets = _converted(means, factors, coordinates)
    return center, _covariances(offsets, coordinates)


def kernel_from_ellipsoid(
    mean: Floats, covariance: Floats, shown: Floats, coordinates: PaletteCoordinates
) -> Floats:
    """Carry the stretch of a kernel's ellipsoid in a space back to the kernel.

    Parameters
    ----------
    mean, covariance
        Of the kernel before it was stretched, ``(3,)`` and ``(3, 3)``, image units.
    shown
        Covariance of the stretched ellipsoid, ``(3, 3)``, in units of the space.

    Returns
    -------
    ndarray
        The kernel's covariance, ``(3, 3)``, image units: symmetric and positive definite. The
        kernel's own if the ellipsoid has the covariance that `convert_kernels` gives it.

    Notes
    -----
    With C = L Lᵀ and samples L z, z of covariance 1, let S be the covariance of the converted
    samples p and Q the orthogonal matrix nearest to S^-½ E[p zᵀ] (Schönemann 1966): which direction
    of the kernel is which direction in the space. The stretch R = S^-½ S' S^-½ becomes
    C' = L Qᵀ R Q Lᵀ. It is exact where the space is affine, elsewhere linear over the extent of the
    kernel. As Q only turns, C' cannot become flat, not even at the corners of the gamut, where all
    samples may have one color.
    """
    if coordinates.projection is not None:
        return coordinates.projection.stretched(covariance, shown)
    if coordinates.space is None:
        return shown
    factor = np.asarray(np.linalg.cholesky(covariance), np.float64)
    _, offsets = _converted(mean[np.newaxis], factor[np.newaxis], coordinates)
    values, vectors = np.linalg.eigh(_covariances(offsets, coordinates)[0])
    whiten = (vectors / np.sqrt(values)) @ vectors.T
    left, _, right = np.linalg.svd(whiten @ offsets[0].T @ _normal_samples() / SAMPLES)
    turn = left @ right
    stretches, axes = np.linalg.eigh(whiten @ shown @ whiten)
    stretches = np.clip(stretches, MAX_STRETCH**-2, MAX_STRETCH**2)
    half = factor @ turn.T @ axes * np.sqrt(stretches)
    return np.asarray(half @ half.T)


def _converted(
    means: Floats, factors: Floats, coordinates: PaletteCoordinates
) -> tuple[Floats, Floats]:
    """Convert samples: their means ``(K, 3)``, and their offsets from these ``(K, SAMPLES, 3)``."""
    samples = means[:, np.newaxis] + _normal_samples() @ factors.swapaxes(1, 2)
    if coordinates.space is not None and not coordinates.space.is_affine:
        samples = np.clip(samples, 0, white_level(coordinates.palette))
    points = coordinates.from_colors(samples.reshape(-1, 3)).reshape(samples.shape)
    center = points.mean(axis=1)
    return center, points - center[:, np.newaxis]


def _covariances(offsets: Floats, coordinates: PaletteCoordinates) -> Floats:
    spread = np.einsum("ksi,ksj->kij", offsets, offsets) / SAMPLES
    if coordinates.space is None or coordinates.space.is_affine:
        return np.asarray(spread)
    # Kernels at a corner of the cube may be flat once their samples are on it.
    least = (1e-3 * (coordinates.space.high - coordinates.space.low)) ** 2
    return np.asarray(spread + np.diag(least))


@lru_cache(maxsize=1)
def _normal_samples() -> Floats:
    """``(SAMPLES, 3)`` colors of mean 0 and covariance 1, evenly spread."""
    # Roberts, The unreasonable effectiveness of quasirandom sequences (2018): with the root of
    # x⁴ = x + 1 the multiples of its powers fill the unit cube evenly.
    steps = 1.2207440846057596 ** -np.arange(1.0, 4.0)
    even = (0.5 + np.arange(1, SAMPLES + 1)[:, np.newaxis] * steps) % 1
    normal = ndtri(even)
    normal -= normal.mean(axis=0)
    factor = np.linalg.cholesky(normal.T @ normal / SAMPLES)
    return np.asarray(np.linalg.solve(factor, normal.T).T)
