"""The Improved Sheather–Jones bandwidth, channel by channel.

Botev, Grotowski and Kroese, Kernel density estimation via diffusion, Annals of Statistics 38
(2010), 2916–2957, section 5: the bandwidth solves ``t = ξ γ^[5](t)``, where each stage estimates
``‖f^(s)‖²`` with the bandwidth that the next higher derivative asks for. No normal reference enters
below the seventh derivative. Derivatives come from the cosine transform of the counts.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct
from scipy.optimize import brentq

from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.palette.ranges import channel_ranges, rounding_variances

Array = NDArray[np.float64]

STAGES = 7
"""Derivative that the stages begin at: five of them, as the paper recommends."""

MAX_CELLS = 1 << 14
"""Cells of the histogram at most; fewer where the levels are fewer."""

MIN_CELLS = 1 << 8


def isj_sigmas(palette: Palette, floor: Array) -> Array:
    """Return the bandwidth of each channel's own density, ``(C,)``.

    The sample size n is the number of distinct values, as in the authors' own program: the ties of
    rounded values say nothing new, and pixels are not independent. The cells of the histogram are
    the image's levels, and no sigma is below half a level: narrower kernels resolve the rounding.

    Parameters
    ----------
    floor
        ``(C,)`` of channels that are constant, or whose equation has no solution.
    """
    ranges = channel_ranges(palette)
    levels = np.sqrt(12 * rounding_variances(palette))
    found = floor.copy()
    for c in range(palette.n_channels):
        values = palette.colors[:, c].astype(np.float64)
        if values.min() == values.max():
            continue
        sigma = isj(values, palette.counts, step=float(levels[c]), least=float(ranges[c]) / 16)
        if sigma is not None:
            found[c] = max(sigma, 0.5 * float(levels[c]))
    return found


def isj(
    values: Array, weights: NDArray[np.int64] | Array, *, step: float, least: float = 0.0
) -> float | None:
    """Return the bandwidth of weighted values, or None if its equation has no solution.

    Parameters
    ----------
    step
        Width of the cells that values are counted in, unless that makes more than `MAX_CELLS`.
    least
        Margin on both sides of the values, where the mirrored ends of the cosine transform do
        not reach; a tenth of their span if that is more.
    """
    low, high = float(values.min()), float(values.max())
    margin = max(least, 0.1 * (high - low))
    width = max(step, (high - low + 2 * margin) / MAX_CELLS)
    n_cells = max(MIN_CELLS, math.ceil((high - low + 2 * margin) / width))
    length = n_cells * width
    # Values lie in the middle of their cells, so that levels are counted whole.
    first = low - width * (math.floor(margin / width) + 0.5)
    cells = np.clip(((values - first) / width).astype(np.int64), 0, n_cells - 1)
    shares = np.bincount(cells, weights=weights, minlength=n_cells)
    coefficients = dct(shares / shares.sum())[1:]
    squares = np.arange(1, n_cells, dtype=np.float64) ** 2
    t = solve(len(np.unique(values)), squares, coefficients**2)
    return None if t is None else math.sqrt(t) * length


def solve(n: float, squares: Array, powers: Array) -> float | None:
    """Return the smallest root of `fixed_point`, found as by the paper's own program."""
    limited = max(min(1050.0, n), 50.0)
    reach = 1e-11 + 0.01 * (limited - 50) / 1000
    while reach < 1:
        ends = fixed_point(0.0, n, squares, powers), fixed_point(reach, n, squares, powers)
        if ends[0] * ends[1] < 0:
            root = float(brentq(fixed_point, 0.0, reach, args=(n, squares, powers)))
            return root if root > 0 else None
        reach *= 2
    return None


def fixed_point(t: float, n: float, squares: Array, powers: Array) -> float:
    """Return ``t − ξ γ^[5](t)``, with t in squared lengths of the interval.

    Parameters
    ----------
    squares
        k² of the cosines, k from 1.
    powers
        Squares of twice their coefficients.
    """
    norm = _squared_norm(STAGES, t, squares, powers)
    if norm <= 0:
        return -1.0
    for s in range(STAGES - 1, 1, -1):
        odd = math.prod(range(1, 2 * s, 2)) / math.sqrt(2 * math.pi)
        constant = (1 + 0.5 ** (s + 0.5)) / 3
        time = (2 * constant * odd / (n * norm)) ** (2 / (3 + 2 * s))
        norm = _squared_norm(s, time, squares, powers)
        if norm <= 0:
            return -1.0
    return float(t - (2 * n * math.sqrt(math.pi) * norm) ** (-0.4))


def _squared_norm(s: int, t: float, squares: Array, powers: Array) -> float:
    """``‖f^(s)‖²`` of the density that has been smoothed for a time t."""
    # By logarithms: k^14 of ten thousand cosines overflows nothing, but its product might.
    terms = powers * np.exp(s * np.log(squares) - squares * math.pi**2 * t)
    return float(0.5 * math.pi ** (2 * s) * terms.sum())
