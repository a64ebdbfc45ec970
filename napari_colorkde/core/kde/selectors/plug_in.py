"""The unconstrained plug-in bandwidth: a full covariance for data of one to three channels.

The two-stage selector of Chacón and Duong, Multivariate plug-in bandwidth selection with
unconstrained pilot bandwidth matrices, Test 19 (2010), 375–398, with a scalar pilot on sphered
data: ``Hpi(x, pilot="dscalar", pre="sphere", binned=FALSE)`` of R's ks, its default in three
dimensions.
"""

import math
from itertools import combinations_with_replacement, product

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from napari_colorkde.core.checks.channels import MAX_GRID_CHANNELS
from napari_colorkde.core.kde.selectors.bandwidth_frame import (
    color_covariance,
    refuse_few,
    refuse_singular,
)
from napari_colorkde.core.palette.palette import Palette

Array = NDArray[np.float64]
Order = tuple[int, ...]

SAMPLED_PIXELS = 2048
"""Pixels that functionals are estimated from: four million pairs."""

ROWS = 256
"""Points whose differences from all others are held at a time."""


def plug_in_of_palette(palette: Palette) -> Array:
    """Return the plug-in bandwidth of an image's pixels, ``(C, C)``.

    The functionals are those of 2048 random pixels, unless there are fewer; they are of the
    density, and do not depend on the number of pixels, which is n in the AMISE. Random pixels are
    spread over the level that they were rounded to.

    Raises
    ------
    ValueError
        See `plug_in_covariance`; or if the pixels are not more than their channels, or these more
        than three.
    """
    if palette.n_channels > MAX_GRID_CHANNELS:
        raise ValueError(
            f"the plug-in bandwidth needs 1 to {MAX_GRID_CHANNELS} channels, but the image has "
            f'{palette.n_channels}; use "isj", "scott", "loco" or sigmas.'
        )
    refuse_few(palette.n_pixels, palette.n_channels)
    refuse_singular(color_covariance(palette))
    colors = palette.colors.astype(np.float64)
    if palette.n_pixels <= SAMPLED_PIXELS and not palette.is_weighted:
        points = np.repeat(colors, palette.counts, axis=0)
    else:
        random = np.random.default_rng(0)
        share = palette.counts / palette.total_weight
        points = colors[random.choice(len(palette), SAMPLED_PIXELS, p=share)]
        if palette.step is not None:
            # Over their levels: pixels that were rounded to the same one are no peak.
            points = points + (random.random(points.shape) - 0.5) * palette.step
    return plug_in_covariance(points, palette.n_pixels)


def plug_in_covariance(points: Array, n: int | None = None) -> Array:
    """Return the bandwidth ``(d, d)`` that minimizes the estimated AMISE.

    Parameters
    ----------
    points
        (m, d) numbers that functionals of the density are estimated from. O(m²).
    n
        Size of the sample the bandwidth is for; None is m.

    Raises
    ------
    ValueError
        If there are not more points than dimensions, or their covariance is singular.
    """
    m, d = points.shape
    refuse_few(m, d)
    covariance = refuse_singular(np.atleast_2d(np.cov(points.T)))
    values, axes = np.linalg.eigh(covariance)
    root = axes * np.sqrt(values) @ axes.T
    sphered = (points - points.mean(axis=0)) @ np.linalg.inv(root).T
    # Of sphered data the covariance is 1; ks estimates it again, which is the same.
    psi = fourth_functionals(sphered)
    sphere_bandwidth = minimize_amise(psi, d, m if n is None else n)
    found: Array = root @ sphere_bandwidth @ root.T
    return (found + found.T) / 2


def fourth_functionals(points: Array) -> dict[Order, float]:
    """Estimate ``ψ_r = ∫ f^(r) f`` of order 4 in two stages, from sphered points (m, d)."""
    m, d = points.shape
    sixth = functionals(points, 6, _first_pilot(d, m))
    # The Laplacian three times, of the density: the trace of all sixth derivatives.
    trace = sum(_multinomial(a) * sixth[_doubled(a)] for a in orders(3, d))
    return functionals(points, 4, _second_pilot(trace, d, m))


def _first_pilot(d: int, n: int) -> float:
    """Return the bandwidth of the sixth derivatives, if the density is the standard normal one."""
    peak = (2 * math.pi) ** -d
    eighth = {r: normal_functional(r, np.eye(d)) for r in orders(8, d)}
    b_1 = 2 * peak * _odd_factorial(6) * math.prod(d + 2 * k for k in range(4))
    moments = math.prod(d + 2 * k for k in range(4))
    b_2 = -(d + 4) * 2 ** (2 - d / 2) * peak * _odd_factorial(6) * moments
    b_3 = sum(
        _multinomial(r) * sum(eighth[_raised(r, i)] for i in range(d)) ** 2 for r in orders(6, d)
    )
    ratio = 2 * b_1 / (-b_2 + math.sqrt(b_2**2 + 4 * b_1 * b_3))
    return float((ratio / n) ** (1 / (d + 8)))


def _second_pilot(trace: float, d: int, n: int) -> float:
    """Return the bandwidth of the fourth derivatives from the trace of the sixth ones."""
    peak = (2 * math.pi) ** (-d / 2)
    a_1 = (2 * d + 8) * peak**2 * _odd_factorial(4) * d * (d + 2)
    a_2 = (d + 2) * peak * _odd_factorial(4) * trace
    ratio = 2 * a_1 / (-a_2 + math.sqrt(a_2**2 + 4 * a_1 * trace**2))
    return float((ratio / n) ** (1 / (d + 6)))


def functionals(points: Array, order: int, g: float) -> dict[Order, float]:
    """Return ``n⁻² Σᵢⱼ φ_g^(r)(xᵢ − xⱼ)`` for all r of an order."""
    m, d = points.shape
    totals = dict.fromkeys(orders(order, d), 0.0)
    for start in range(0, m, ROWS):
        differences = (points[start : start + ROWS, np.newaxis] - points) / g
        density = np.exp(-0.5 * (differences**2).sum(axis=2))
        polynomials = [hermite(differences[..., c], order) for c in range(d)]
        for r in totals:
            term = density
            for c, power in enumerate(r):
                if power:
                    term = term * polynomials[c][power]
            totals[r] += float(term.sum())
    # Derivatives of a Gaussian are (−1)^r He_r φ, and the order is even.
    scale = (2 * math.pi) ** (-d / 2) * g ** (-d - order) / m**2
    return {r: scale * total for r, total in totals.items()}


def hermite(x: Array, order: int) -> list[Array]:
    """Return the probabilists' Hermite polynomials He_0 … He_order."""
    found = [np.ones_like(x), x]
    for k in range(1, order):
        found.append(x * found[k] - k * found[k - 1])
    return found


def normal_functional(r: Order, covariance: Array) -> float:
    """``ψ_r`` of a normal density: ``φ_{2Σ}^(r)(0)``, by Isserlis' sum over pairings."""
    d = len(covariance)
    inverse: Array = np.linalg.inv(2 * covariance).astype(np.float64)
    peak = (2 * math.pi) ** (-d / 2) / math.sqrt(np.linalg.det(2 * covariance))
    axes = [axis for axis, power in enumerate(r) for _ in range(power)]
    return float(peak * (-1) ** (len(axes) // 2) * _pairings(axes, inverse))


def minimize_amise(psi: dict[Order, float], d: int, n: int) -> Array:
    """Return the covariance H of the least AMISE.

    ``1/(n (4π)^{d/2} |H|^{1/2}) + ¼ Σ H_ij H_kl ψ_ijkl``, over its Cholesky factor.
    """
    tensor = np.empty((d, d, d, d))
    for index in product(range(d), repeat=4):
        tensor[index] = psi[tuple(index.count(c) for c in range(d))]
    lower = np.tril_indices(d)

    def amise(entries: Array) -> float:
        root = np.zeros((d, d))
        root[lower] = entries
        covariance = root @ root.T
        determinant = abs(float(np.prod(np.diag(root))))
        if determinant < 1e-12:
            return math.inf
        bias = np.einsum("ij,kl,ijkl->", covariance, covariance, tensor)
        return float(1 / (n * (4 * math.pi) ** (d / 2) * determinant) + 0.25 * bias)

    # The bandwidth of a normal density (Wand 1992), of which the true one is some part.
    start = np.eye(d) * (4 / ((d + 2) * n)) ** (1 / (d + 4))
    options = {"maxiter": 4000, "xatol": 1e-9, "fatol": 1e-15, "adaptive": True}
    found = minimize(amise, start[lower], method="Nelder-Mead", options=options)
    # Once more from there: a simplex that has collapsed is made new.
    found = minimize(amise, found.x, method="Nelder-Mead", options=options)
    root = np.zeros((d, d))
    root[lower] = found.x
    return np.asarray(root @ root.T)


def orders(total: int, d: int) -> list[Order]:
    """Return all d-tuples of whole numbers with this sum."""
    every = combinations_with_replacement(range(d), total)
    return [tuple(axes.count(c) for c in range(d)) for axes in every]


def _multinomial(r: Order) -> int:
    """Return in how many orders the derivatives of a multi-index can be taken."""
    return math.factorial(sum(r)) // math.prod(map(math.factorial, r))


def _odd_factorial(n: int) -> int:
    """Return ``(n − 1)(n − 3) … 1`` for an even n."""
    return math.prod(range(1, n, 2))


def _doubled(r: Order) -> Order:
    return tuple(2 * power for power in r)


def _raised(r: Order, axis: int) -> Order:
    return tuple(power + 2 * (i == axis) for i, power in enumerate(r))


def _pairings(axes: list[int], inverse: Array) -> float:
    if not axes:
        return 1.0
    first, rest = axes[0], axes[1:]
    return sum(
        float(inverse[first, other]) * _pairings(rest[:k] + rest[k + 1 :], inverse)
        for k, other in enumerate(rest)
    )
