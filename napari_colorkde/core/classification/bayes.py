"""From kernel densities to decisions about colors: posteriors, ratios, classes, thresholds.

Everything works on log-densities, where far tails do not underflow, on any number of colors n: a
palette's, or those on the screen. Results have the precision of the log-densities, float32 or
float64. Formulas: Duda, Hart and Stork, Pattern Classification (2001), sections 2.1 to 2.3.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Real = TypeVar("Real", np.float32, np.float64)

NONE_OF_THESE = -1

LEVEL_CELLS = 4096


def posterior(
    log_densities: NDArray[Real], cls: int, priors: ArrayLike | None = None
) -> NDArray[Real]:
    """Return ``P(c | x) = P(c) p(x | c) / Σ_d P(d) p(x | d)``, (n,).

    Parameters
    ----------
    log_densities
        (M, n) log-density of each class, nats.
    cls
        Position of the class c.
    priors
        (M,) P(c), of which only the ratios matter; None gives all classes the same.

    Returns
    -------
    ndarray
        0 where the class is impossible: by its prior, or because it has no density there.

    Raises
    ------
    ValueError
        If priors are not M finite numbers of at least 0, not all 0.
    """
    log_priors = _log_priors(log_densities, priors)
    own = log_densities[cls] + log_priors[cls]
    total = np.zeros_like(own)
    # Terms are added in the order of the classes, so that equal classes get equal posteriors.
    with np.errstate(over="ignore", invalid="ignore"):
        for d, log_prior in enumerate(log_priors):
            if d == cls:
                total += 1
            elif not np.isneginf(log_prior):
                log_odds = log_densities[d] + log_prior
                log_odds -= own
                total += np.exp(log_odds, out=log_odds)
        result: NDArray[Real] = np.divide(1, total, out=total)
    result[np.isneginf(own)] = 0
    return result


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
    log_densities: NDArray[Real], priors: ArrayLike | None = None
) -> NDArray[np.intp]:
    """Return the class of the highest posterior for each color, (n,); the first where some tie.

    `NONE_OF_THESE` (−1) where all classes are impossible, by their priors or because none has a
    density there.

    Parameters
    ----------
    log_densities, priors
        As in `posterior`.
    """
    log_priors = _log_priors(log_densities, priors)
    top = log_densities[0] + log_priors[0]
    best = np.zeros(len(top), np.intp)
    for d in range(1, len(log_priors)):
        joint = log_densities[d] + log_priors[d]
        np.copyto(best, d, where=joint > top)
        np.maximum(top, joint, out=top)
    best[np.isneginf(top)] = NONE_OF_THESE
    return best


def reject_outliers(
    classes: NDArray[np.intp], log_density: NDArray[Real], counts: ArrayLike, keep_mass: float
) -> NDArray[np.intp]:
    """Return the classes, with `NONE_OF_THESE` outside the densest colors.

    Parameters
    ----------
    classes
        (n,) as `most_likely_class` gives them.
    log_density
        (n,) of the mixture of all classes, see `log_mixture_of_classes`, up to a constant.
    counts
        (n,) pixels of each color.
    keep_mass
        Fraction of the pixels, in (0, 1], that the densest colors hold: see `log_density_level`.
    """
    level = log_density_level(log_density, counts, keep_mass)
    return np.where(log_density < level, NONE_OF_THESE, classes)


def log_mixture_of_classes(
    log_densities: NDArray[Real], priors: ArrayLike | None = None
) -> NDArray[Real]:
    """Return ``log Σ_c P(c) p(x | c)``, (n,) nats, with priors scaled to a sum of 1.

    Parameters
    ----------
    log_densities, priors
        As in `posterior`.
    """
    log_priors = _log_priors(log_densities, priors)
    top = log_densities[0] + log_priors[0]
    for d in range(1, len(log_priors)):
        np.maximum(top, log_densities[d] + log_priors[d], out=top)
    # Where nothing is possible there is no top to scale by.
    top[np.isneginf(top)] = 0
    total = np.zeros_like(top)
    for d, log_prior in enumerate(log_priors):
        term = log_densities[d] + log_prior
        term -= top
        total += np.exp(term, out=term)
    with np.errstate(divide="ignore"):
        result: NDArray[Real] = np.log(total, out=total)
    result += top
    return result


def log_density_level(log_density: NDArray[Real], counts: ArrayLike, mass: float) -> float:
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
    log_density: NDArray[Real], weights: NDArray[np.float64], wanted: float
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


def _log_priors(log_densities: NDArray[Real], priors: ArrayLike | None) -> NDArray[Real]:
    """Log P(c), (M,), with the P(c) scaled to a sum of 1."""
    n_classes = len(log_densities)
    weights = np.ones(n_classes) if priors is None else np.asarray(priors, np.float64)
    good = weights.shape == (n_classes,) and np.isfinite(weights).all() and (weights >= 0).all()
    if not good or not weights.sum() > 0:
        raise ValueError(
            f"priors is {priors!r}; give {n_classes} numbers of 0 or more, one for each class, "
            "not all 0."
        )
    with np.errstate(divide="ignore"):
        logs: NDArray[Real] = np.log(weights / weights.sum()).astype(log_densities.dtype)
    return logs
