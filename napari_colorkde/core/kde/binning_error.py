"""The error of densities from binned colors, and the warning about it."""

import warnings

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.colorspaces import ColorSpace, rgb_fractions
from napari_colorkde.core.palette.palette import Palette

PROMISED = 1e-5
"""Error of a density as a part of the peak, from which on it is warned of."""

LARGEST_ESTIMATE = 0.2
"""Errors are estimated up to this part of the peak."""

SAMPLED_BINS = 1 << 17
"""Bins whose terms are summed; a sample of them stands for all."""

SAMPLED_POINTS = 48


class BinnedColorsWarning(UserWarning):
    """Colors were binned, and the bins are too wide for the bandwidth."""


def warn_of_bins(
    palette: Palette,
    space: ColorSpace | None,
    covariance: NDArray[np.float64],
    *,
    stacklevel: int,
) -> None:
    """Warn if the bins of a palette put densities off by more than is promised."""
    if not palette.bin_width.any():
        return
    error = binning_error(palette, space, covariance)
    if error > PROMISED:
        widths = ", ".join(f"{width:.3g}" for width in palette.bin_width)
        # A series in the width over sigma: it says nothing of errors as large as the peak.
        size = (
            f"about {error:.0e}" if error < LARGEST_ESTIMATE else f"more than {LARGEST_ESTIMATE:g}"
        )
        warnings.warn(
            f"The image has too many colors to keep each of them: bins of width {widths} change "
            f"densities by {size} of the peak, more than the promised {PROMISED:.0e}. Use a wider "
            "bandwidth, or pass a larger max_colors to Palette.from_image.",
            BinnedColorsWarning,
            stacklevel=stacklevel,
        )


def binning_error(
    palette: Palette, space: ColorSpace | None, covariance: NDArray[np.float64]
) -> float:
    """Estimate the largest error of a density that takes a bin's pixels to be at their mean.

    As a part of the peak, from the second moments of the bins: a pixel at ``c + v`` has
    ``K(x − c − v)``, whose expectation is ``K(x − c) + ½ tr(V K''(x − c))`` but for terms
    of higher order. Summed over a sample of the bins, at the colors of some of the pixels.

    Parameters
    ----------
    space
        In which the density is; None for the image's own channels.
    covariance
        ``(C, C)`` of the kernels, in that space.
    """
    within = palette.within_bin
    if within is None:
        return 0.0
    rng = np.random.default_rng(0)
    share = palette.counts / palette.total_weight
    n = min(SAMPLED_BINS, len(palette))
    chosen = np.arange(len(palette)) if n == len(palette) else _drawn(rng, share, n)
    weights = share if n == len(palette) else np.full(n, 1 / n)
    spread = _roots(within[chosen], palette.n_channels)
    colors = palette.colors[chosen]
    if space is not None:
        colors, spread = _converted(palette, space, colors, spread)
    # Whitened: the kernel is the unit Gaussian.
    whiten = np.linalg.inv(np.linalg.cholesky(covariance)).T
    colors, spread = colors @ whiten, spread @ whiten
    trace = (spread**2).sum(axis=(1, 2))
    density, error = [], []
    for point in colors[_drawn(rng, weights, SAMPLED_POINTS)]:
        offset = colors - point
        terms = weights * np.exp(-0.5 * (offset**2).sum(axis=1))
        along = np.einsum("uk,ujk->uj", offset, spread)
        density.append(terms.sum())
        error.append(0.5 * terms @ ((along**2).sum(axis=1) - trace))
    return float(np.abs(error).max() / np.max(density))


def _drawn(rng: np.random.Generator, share: NDArray[np.float64], n: int) -> NDArray[np.int64]:
    """Draw entries as often as pixels have them, evenly over the palette."""
    edges = np.cumsum(share)
    at = (np.arange(n) + rng.random(n)) / n * edges[-1]
    return np.asarray(np.minimum(np.searchsorted(edges, at), len(share) - 1))


def _roots(within: NDArray[np.float64], n_channels: int) -> NDArray[np.float64]:
    """Return C vectors ``(n, C, C)`` whose outer products add up to each covariance."""
    covariances = np.empty((len(within), n_channels, n_channels))
    a, b = np.triu_indices(n_channels)
    covariances[:, a, b] = covariances[:, b, a] = within
    values, axes = np.linalg.eigh(covariances)
    roots: NDArray[np.float64] = np.swapaxes(axes * np.sqrt(np.maximum(values, 0))[:, None], 1, 2)
    return roots


def _converted(
    palette: Palette,
    space: ColorSpace,
    colors: NDArray[np.float64],
    spread: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return colors in another space, and how far their bins' axes reach there."""

    def convert(moved: NDArray[np.float64]) -> NDArray[np.float64]:
        dtype = palette.image_dtype
        rgb = rgb_fractions(np.clip(moved, 0, None), dtype if dtype and dtype.kind == "u" else None)
        return space.from_rgb(np.clip(rgb, 0, 1))

    center = convert(colors)
    reach = [convert(colors + spread[:, k]) - center for k in range(spread.shape[1])]
    return center, np.stack(reach, axis=1)
