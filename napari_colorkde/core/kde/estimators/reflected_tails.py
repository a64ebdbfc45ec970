"""Reflected sums far from all colors, where a mirror image counts as much as the color itself.

A point on a wall is as far from a color as from the color's image there, however far that is. So
points are reflected here, and not colors: a sum over mirror images is the same either way.
"""

from itertools import product

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.kde.estimators.reflection import reflected
from napari_colorkde.core.kernel_sums.tails.direct import log_sums
from napari_colorkde.core.palette.palette import Palette

Array = NDArray[np.float64]

FAR = 24.0
"""Natural log of how small a sum is beside the weight of all colors when images out of `REACH`
matter: those add ``27 exp(−9²/2)`` at most, 2e-6 of it."""

EVEN = 1.7
"""Times the box: sigmas from which on a sum over all images is constant along an axis, by Poisson's
formula to ``2 exp(−(π EVEN)²/2)`` = 1e-6 of itself."""

SHORT = 2.0
"""Standard deviations: along shorter walls colors are reflected, of which all images in reach
count. Along longer ones the images of a point that are left out add less than exp(−16) of what the
others do."""

NEGLIGIBLE = 18.0
"""Natural log of how small the sum at an image is when it is left out: 343 of them are 5e-6."""


def reflected_log_sums(points: Array, palette: Palette, box: Array, sigmas: Array) -> Array:
    """Return log sums over colors and all their mirror images at points in the box.

    Parameters
    ----------
    points
        (Q, C) in the box.
    box
        (C, 2) walls, low and high.
    sigmas
        (C,) of the kernels.

    Returns
    -------
    ndarray
        (Q,) float64, to 1e-5 nats at any distance. Time of `log_sums`, and again for each wall,
        edge and corner near which images matter.
    """
    length = box[:, 1] - box[:, 0]
    used = np.minimum(sigmas, EVEN * length)
    short = length < SHORT * used
    images = reflected(palette, box, used, short) if short.any() else palette
    colors, counts = images.colors / used, images.counts
    ends = colors.min(axis=0), colors.max(axis=0)
    largest = float(np.log(images.total_weight))
    logs = log_sums(points / used, colors, counts)
    moves_along = [
        _moves(low, high, is_short) for (low, high), is_short in zip(box, short, strict=True)
    ]
    for moves in product(*moves_along):
        signs, shifts = np.transpose(moves)
        moved = (signs * points + shifts) / used
        gap = np.maximum(np.maximum(ends[0] - moved, moved - ends[1]), 0)
        near = largest - np.square(gap).sum(axis=1) / 2 > logs - NEGLIGIBLE
        if near.any() and (np.any(shifts) or np.any(signs < 0)):
            logs[near] = np.logaddexp(logs[near], log_sums(moved[near], colors, counts))
    return logs + float(np.log(sigmas / used).sum())


def _moves(low: float, high: float, is_short: bool) -> list[tuple[float, float]]:
    """Signs and shifts that take a coordinate to itself and to its images along one axis."""
    if is_short:
        return [(1.0, 0.0)]
    turn = 2 * (high - low)
    shifts = (2 * low, 2 * high, 2 * low - turn, 2 * high + turn)
    return [(1.0, 0.0), (1.0, turn), (1.0, -turn), *((-1.0, shift) for shift in shifts)]
