"""From densities of kernels to decisions about colors: posteriors, ratios, classes, thresholds.

Everything works on log-densities, where far tails do not underflow, and on any number of colors n:
a palette's, or those on the screen. Formulas: Duda, Hart and Stork, Pattern Classification (2001),
sections 2.1 to 2.3.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp

Array = NDArray[np.float64]
Real = TypeVar("Real", np.float32, np.float64)

NONE_OF_THESE = -1

LEVEL_CELLS = 4096


def log_posteriors(log_densities: Array, priors: ArrayLike | None = None) -> Array:
    """Return ``log P(c | x) = log P(c) + log p(x | c) − log Σ_d P(d) p(x | d)``, (M, n) nats.

    Parameters
    ----------
    log_densities
        (M, n) log-density of each class.
    priors
        (M,) P(c), of which only the ratios matter; None gives all classes the same.

    Returns
    -------
    ndarray
        −inf for each class where all of them are impossible, by their priors or because none has a
        density there.

    Raises
    ------
    ValueError
        If priors are not M finite numbers of at least 0, not all 0.
    """
    joint = _joint(log_densities, priors)
    total = logsumexp(joint, axis=0)
    return np.asarray(joint - np.where(np.isneginf(total), 0.0, total))


def log_likelihood_ratio(log_density: NDArray[Real], against: NDArray[Real]) -> NDArray[Real]:
    """Return ``log p(x | a) − log p(x | b)``, (n,) nats.

    Deciding for a where this exceeds ``log(P(b) / P(a))`` makes the fewest errors; the skin
    detector of Jones and Rehg (2002) is such a threshold. 0 where neither has a density, which
    speaks for neither.
    """
    with np.errstate(invalid="ignore"):
        ratio: NDArray[Real] = np.subtract(log_density, against)
    ratio[np.isneginf(log_density) & np.isneginf(against)] = 0
    return ratio


def most_likely_class(
    log_densities: Array,
    priors: ArrayLike | None = None,
    *,
    none_below: float = -np.inf,
) -> NDArray[np.intp]:
    """Return the class of the highest posterior for each color, (n,); the first where some tie.

    Parameters
    ----------
    log_densities, priors
        As in `log_posteriors`.
    none_below
        A color is `NONE_OF_THESE` (−1) where its log-density, Σ_c P(c) p(x | c) with priors scaled
        to a sum of 1, is below this; see `log_density_level`. It is, too, where all classes are
        impossible.
    """
    joint = _joint(log_densities, priors)
    best = np.array(np.argmax(joint, axis=0), np.intp)
    total = logsumexp(joint, axis=0)
    best[(total < none_below) | np.isneginf(total)] = NONE_OF_THESE
    return best


def log_mixture_of_classes(log_densities: Array, priors: ArrayLike | None = None) -> Array:
    """Return ``log Σ_c P(c) p(x | c)``, (n,) nats, with priors scaled to a sum of 1."""
    return np.asarray(logsumexp(_joint(log_densities, priors), axis=0))


def log_density_level(log_density: Array, counts: ArrayLike, mass: float) -> float:
    """Return the level that the densest colors reach which hold this fraction of the pixels.

    The highest level such that the colors at or above it hold at least `mass` of the pixels: a
    highest-density region (Hyndman 1996) of the image's own colors.

    Parameters
    ----------
    log_density
        (n,) at each color.
    counts
        (n,) pixels that have it.
    mass
        Fraction in (0, 1].

    Raises
    ------
    ValueError
        If `mass` is out of range, or the counts do not fit or are all 0.
    """
    weights = np.asarray(counts, np.float64)
    if not 0 < mass <= 1:
        raise ValueError(f"mass={mass}; give a fraction above 0 and up to 1.")
    if weights.shape != log_density.shape or not weights.sum() > 0:
        raise ValueError(
            f"counts has shape {weights.shape} and sum {weights.sum():g} for {log_density.shape} "
            "colors; give the number of pixels of each."
        )
    # Exact for whole counts: rounding of mass · total must not ask for one pixel more.
    wanted = mass * weights.sum() * (1 - 1e-12)
    candidates, held = _cell_of_level(log_density, weights, wanted)
    order = candidates[np.argsort(-log_density[candidates], kind="stable")]
    reached = np.searchsorted(held + np.cumsum(weights[order]), wanted)
    return float(log_density[order[min(int(reached), len(order) - 1)]])


def _cell_of_level(
    log_density: Array, weights: Array, wanted: float
) -> tuple[NDArray[np.intp], float]:
    """The colors in that cell of a histogram where the level lies, and the weight of all above.

    A tenth of the time of sorting all of them.
    """
    finite = np.isfinite(log_density)
    every = np.arange(len(log_density))
    if not finite.all() or len(log_density) < LEVEL_CELLS:
        return every, 0.0
    top, bottom = log_density.max(), log_density.min()
    if not top > bottom:
        return every, 0.0
    cells = ((top - log_density) * (LEVEL_CELLS / (top - bottom))).astype(np.int32)
    np.minimum(cells, LEVEL_CELLS - 1, out=cells)
    below = np.cumsum(np.bincount(cells, weights, LEVEL_CELLS))
    cell = min(int(np.searchsorted(below, wanted)), LEVEL_CELLS - 1)
    return np.flatnonzero(cells == cell), float(below[cell - 1]) if cell else 0.0


def _joint(log_densities: Array, priors: ArrayLike | None) -> Array:
    """Log P(c) + log p(x | c), (M, n)."""
    n_classes = len(log_densities)
    weights = np.ones(n_classes) if priors is None else np.asarray(priors, np.float64)
    good = weights.shape == (n_classes,) and np.isfinite(weights).all() and (weights >= 0).all()
    if not good or not weights.sum() > 0:
        raise ValueError(
            f"priors is {priors!r}; give {n_classes} numbers of 0 or more, one for each class, "
            "not all 0."
        )
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(weights / weights.sum())[:, None] + log_densities)
