"""How different two images' colors are: Kullback–Leibler and Jensen–Shannon divergences."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.device import Device, resolve_device
from napari_colorkde.core.kde.bandwidth import Bandwidth, bandwidth_covariance, log_normalizer
from napari_colorkde.core.kernel_sums.kernel_sums import kernel_sums
from napari_colorkde.core.palette.palette import Palette

REACH = 6.0
"""Standard deviations the grid reaches beyond the colors: 1e-9 of the mass is outside."""

SPACINGS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8)
"""Grid spacings in standard deviations. At the widest the trapezoid rule errs by 4e-14 of a
Gaussian and, on photographs, by 1e-5 of ``f_a log(f_a / f_b)``. But halfway between far colors of
b the log has a kink, and the rule errs by spacing² · (distance of those colors) · f_a / 12."""

FINE_POINTS = 1 << 19
"""The finest spacing is taken whose grid has no more points than this; if none has, the widest."""

MAX_POINTS = 1 << 24

SIGNIFICANT = 1e-9
"""Fraction of the peak below which the first density's share of the integral is left out."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Divergences between the color densities of images a and b, in nats.

    Attributes
    ----------
    kl_ab, kl_ba
        ``∫ f_a log(f_a / f_b)`` and the reverse: not symmetric.
    js
        Jensen–Shannon divergence, symmetric, between 0 and ln 2.
    """

    kl_ab: float
    kl_ba: float
    js: float


def compare(
    image_a: Any,
    image_b: Any,
    bandwidth: Bandwidth = None,
    *,
    device: "str | Device" = "auto",
) -> Comparison:
    """Compare the colors of two images by the divergence of their KDEs.

    Parameters
    ----------
    image_a, image_b
        Images of the same channels and dtype (see `Palette.from_image`), or palettes. They need
        not have the same size.
    bandwidth
        See `ColorKDE`; both densities use it. None and the named methods take it from both images
        together.
    device
        See `resolve_device`.

    Returns
    -------
    Comparison
        Integrals of the densities, not of samples: to 1e-4 nats + 1e-4 of the value; 3e-3 of the
        value in three dimensions, where both have only a few colors spread over the whole range.

    Raises
    ------
    ValueError
        If the images differ in kind, or the bandwidth is so narrow beside the colors' range that
        the grid would exceed 17 million points.

    Notes
    -----
    Lin, Divergence measures based on the Shannon entropy, IEEE Trans. Inf. Theory 37 (1991).
    """
    a, b = (i if isinstance(i, Palette) else Palette.from_image(i) for i in (image_a, image_b))
    both = a.merge(b)
    place = resolve_device(device)
    covariance = bandwidth_covariance(bandwidth, both, place)
    axes = _grid(both, covariance)
    log_a, log_b = _log_densities(a, b, covariance, axes, place)
    cell = float(np.prod([axis[1] - axis[0] for axis in axes]))
    return Comparison(
        kl_ab=_divergence(log_a, log_b) * cell,
        kl_ba=_divergence(log_b, log_a) * cell,
        js=0.5 * (_to_middle(log_a, log_b) + _to_middle(log_b, log_a)) * cell,
    )


def _grid(palette: Palette, covariance: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    sigmas = np.sqrt(np.diag(covariance))
    # The narrowest direction of a full covariance sets the spacing of every axis.
    narrow = 1 / np.sqrt(np.diag(np.linalg.inv(covariance)))
    low = palette.colors.min(axis=0) - REACH * sigmas
    high = palette.colors.max(axis=0) + REACH * sigmas
    for spacing in SPACINGS:
        step = spacing * narrow
        lengths = np.ceil((high - low) / step) + 1
        if lengths.prod() <= FINE_POINTS:
            break
    if lengths.prod() > MAX_POINTS:
        raise ValueError(
            f"bandwidth {[float(f'{s:.3g}') for s in narrow]} is narrow beside the colors' range: "
            f"the integral would need {lengths.prod():.3g} points, more than {MAX_POINTS}. Give a "
            "wider bandwidth."
        )
    return tuple(a + s * np.arange(n) for a, s, n in zip(low, step, lengths, strict=True))


def _log_densities(
    a: Palette,
    b: Palette,
    covariance: NDArray[np.float64],
    axes: tuple[NDArray[np.float64], ...],
    device: Device,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Log densities of both at the grid points where either is significant, ``(n,)`` each."""
    sums = [kernel_sums(p, covariance, device) for p in (a, b)]
    on_grid = [s.on_grid(axes) for s in sums]
    keep = np.zeros(on_grid[0].shape, bool)
    for values in on_grid:
        keep |= values > SIGNIFICANT * values.max()
    places = np.nonzero(keep)
    points = np.stack([axis[i] for axis, i in zip(axes, places, strict=True)], axis=1)
    log_a, log_b = (
        s.log_at(points) - np.log(p.n_pixels) - log_normalizer(covariance)
        for s, p in zip(sums, (a, b), strict=True)
    )
    return log_a, log_b


def _divergence(log_p: NDArray[np.float64], log_q: NDArray[np.float64]) -> float:
    return float(np.sum(np.exp(log_p) * (log_p - log_q)))


def _to_middle(log_p: NDArray[np.float64], log_q: NDArray[np.float64]) -> float:
    return _divergence(log_p, np.logaddexp(log_p, log_q) - np.log(2))
