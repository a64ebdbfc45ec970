"""The sigma under which held-out vectors are most likely."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.checks.options import refuse_no_callback
from napari_colorkde.core.csv_and_frames import Columns, Table
from napari_colorkde.core.device import DeviceLike, resolve_device
from napari_colorkde.core.number_text import counted
from napari_colorkde.core.vectors.checks import checked_sigmas, checked_vectors
from napari_colorkde.core.vectors.log_densities import log_densities

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GridSearchResult(Table):
    """Mean log-likelihoods of a validation set over a grid of sigmas.

    Attributes
    ----------
    sigmas
        (S,) as given.
    scores
        (S,) mean log-density of the validation vectors, nats.
    best_sigma
        Sigma of the highest score.
    test_score
        Mean log-density of the test vectors at `best_sigma`, nats; None without a test set.
    seconds
        Wall time of the search.
    """

    sigmas: Array
    scores: Array
    best_sigma: float
    test_score: float | None
    seconds: float

    def _columns(self) -> Columns:
        best = self.sigmas == self.best_sigma
        columns: Columns = {
            "sigma": self.sigmas,
            "log_likelihood_valid": self.scores,
            "best": best.astype(int),
        }
        if self.test_score is not None:
            columns["log_likelihood_test"] = np.where(best, self.test_score, np.nan)
        return columns

    def __repr__(self) -> str:
        test = "" if self.test_score is None else f", test {self.test_score:.6g}"
        best = f"best {self.best_sigma:g} with {self.scores.max():.6g}{test} nats"
        return f"GridSearchResult({counted(len(self.sigmas), 'sigma')}, {best})"


def grid_search(
    train: ArrayLike,
    valid: ArrayLike,
    sigmas: ArrayLike,
    test: ArrayLike | None = None,
    *,
    device: DeviceLike = "auto",
    progress: Callable[[float], None] | None = None,
) -> GridSearchResult:
    """Choose the sigma under which held-out vectors are most likely.

    Parameters
    ----------
    train, valid, test
        (n, d) vectors; the three lengths may differ.
    sigmas
        (S,) standard deviations of the kernel, in the vectors' units.
    device
        Where to compute.
    progress
        Called with the fraction done, 0 to 1, after each tile; what it raises ends the search.

    Raises
    ------
    ValueError
        If a set is not (n, d), holds NaN or has other dimensions than `train`, or if a sigma is not
        a positive number.

    Notes
    -----
    ``f(x) = 1/M Σᵢ N(x; tᵢ, σ² I)`` (Silverman 1986, eq. 4.1), to 1e-4 nats + 1e-6 |log f|. Time is
    O(n M d) for the products and O(n M S) for the exponentials. Such likelihoods are a poor
    yardstick for generative models (Theis, van den Oord and Bethge, arXiv 1511.01844).
    """
    start = time.perf_counter()
    train_set = checked_vectors(train, "train")
    sets = [checked_vectors(valid, "valid", train_set.shape[1])]
    if test is not None:
        sets.append(checked_vectors(test, "test", train_set.shape[1]))
    grid = checked_sigmas(sigmas, "sigmas")
    place = resolve_device(device)
    refuse_no_callback(progress, "progress")
    total, done = sum(len(points) for points in sets) * len(train_set), 0

    def advance(pairs: int) -> None:
        nonlocal done
        done += pairs
        if progress is not None:
            progress(done / total)

    scores = log_densities(train_set, sets[0], grid, device=place, advance=advance).mean(axis=1)
    best = grid[np.argmax(scores)]
    test_score = None
    if test is not None:
        log_density = log_densities(train_set, sets[1], best[None], device=place, advance=advance)
        test_score = float(log_density.mean())
    return GridSearchResult(grid, scores, float(best), test_score, time.perf_counter() - start)
