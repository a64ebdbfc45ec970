"""Log-densities of vectors of any dimension under isotropic Gaussians at others.

All sigmas share one pass over the squared distances, which are matrix products, tile by tile:
memory is a few tiles, whatever the number of vectors.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_colorkde.core.device import Device

Array = NDArray[np.float64]

POINT_ROWS, TRAIN_ROWS = 1024, 2048
"""Vectors of a tile of distances: large enough for the matrix product, 16 MB as float64."""

PRODUCT_TOLERANCE = 1e-4
"""Nats that rounding in ‖a‖² + ‖b‖² − 2a·b may cost; a narrower kernel needs a better way."""


def log_densities(
    train: NDArray[Any],
    points: NDArray[Any],
    sigmas: Array,
    *,
    device: Device,
    weights: Array | None = None,
    of_others: bool = False,
    own: NDArray[np.intp] | None = None,
    advance: Callable[[int], None] | None = None,
) -> Array:
    """Return the log-density of every point under every sigma, (S, n) float64 nats.

    Parameters
    ----------
    train, points
        (M, d) and (n, d) finite real numbers.
    sigmas
        (S,) positive.
    device
        Where to compute; what needs float64 goes to ``device.exact``.
    weights
        (M,) positive; None: all the same.
    of_others
        `points` are `train`, two or more, and each is left out of its own density.
    own
        (n,) which training vector is left out at each point, where `points` are some of them.
    advance
        Called after each tile with the number of distances in it.
    """
    if of_others:
        own = np.arange(len(train))
    center = train.mean(axis=0, dtype=np.float64)
    narrowest = sigmas.min()
    bits = math.log2(math.e) / (2 * narrowest**2)  # exponents are in base 2: exp2 is the faster one
    shrink = ((narrowest / sigmas) ** 2).tolist()
    nearest = np.empty(len(points))
    sums = np.empty((len(sigmas), len(points)))
    for rows in _tiles(len(points), POINT_ROWS):
        a = points[rows] - center
        nearest_here = np.full(len(a), np.inf)
        sums_here = np.zeros((len(sigmas), len(a)))
        for columns in _tiles(len(train), TRAIN_ROWS):
            b = train[columns] - center
            w = None if weights is None else weights[columns]
            left_out = None if own is None else own[rows] - columns.start
            minimum, partial = _tile_sums(a, b, bits, shrink, device, w, left_out)
            # Sums are in units of the nearest training vector's term, so that none underflows.
            lower = np.minimum(nearest_here, minimum)
            grid = np.asarray(shrink)[:, None]
            sums_here *= np.exp2(grid * (lower - nearest_here))
            sums_here += np.exp2(grid * (lower - minimum)) * partial
            nearest_here = lower
            if advance is not None:
                advance(len(a) * len(b))
        nearest[rows], sums[:, rows] = nearest_here, sums_here
    exponents = np.log(sums) - math.log(2) * np.asarray(shrink)[:, None] * nearest
    amounts = np.ones(len(train)) if weights is None else weights
    total = amounts.sum() - (0 if own is None else amounts[own])
    normalizers = train.shape[1] * np.log(np.sqrt(2 * np.pi) * sigmas)
    return np.asarray(exponents - normalizers[:, None] - np.log(total))


def _tile_sums(
    a: Array,
    b: Array,
    bits: float,
    shrink: list[float],
    device: Device,
    amounts: Array | None,
    own: NDArray[np.intp] | None,
) -> tuple[Array, Array]:
    """Sum the kernel over one tile.

    Returns the smallest exponent of each point, (n,), and Σ 2^(−shrink·(exponent − smallest)),
    (S, n), where an exponent is ``bits`` times the squared distance. Terms are multiplied by
    `amounts`; row i leaves out column `own[i]`, if that is in the tile.
    """
    a_norms, b_norms = np.einsum("ij,ij->i", a, a), np.einsum("ij,ij->i", b, b)
    # Rounding of the matrix product and of the subtraction after it, in nats per unit of epsilon.
    amplification = 2 * bits * math.log(2) * (a_norms.max() + b_norms.max())
    dtype = torch.float32
    if amplification * torch.finfo(dtype).eps >= PRODUCT_TOLERANCE:
        dtype, device = torch.float64, device.exact
    if amplification * torch.finfo(dtype).eps >= PRODUCT_TOLERANCE:
        distances = torch.cdist(
            device.put(a, dtype),
            device.put(b, dtype),
            compute_mode="donot_use_mm_for_euclid_dist",
        ).square_()
    else:
        distances = torch.addmm(
            device.put(b_norms, dtype), device.put(a, dtype), device.put(b, dtype).T, alpha=-2
        )
        distances += device.put(a_norms, dtype)[:, None]
    if own is not None:
        (inside,) = np.nonzero((own >= 0) & (own < len(b)))
        where = device.put(inside, torch.int64), device.put(own[inside], torch.int64)
        distances.index_put_(where, distances.new_tensor(math.inf))
    minimum = distances.amin(dim=1).clamp_(max=torch.finfo(dtype).max)
    # From here on float32 is enough: an error of the exponent weighs no more than its term.
    exponents = ((distances - minimum[:, None]) * -bits).float()
    terms = torch.empty_like(exponents)
    factors = None if amounts is None else device.put(amounts)
    sums = []
    for factor in shrink:
        torch.mul(exponents, factor, out=terms)
        terms.exp2_()
        sums.append(device.get(terms.sum(dim=1) if factors is None else terms @ factors))
    return device.get(minimum).astype(np.float64) * bits, np.stack(sums).astype(np.float64)


def _tiles(n: int, step: int) -> Iterator[slice]:
    return (slice(start, min(start + step, n)) for start in range(0, n, step))
