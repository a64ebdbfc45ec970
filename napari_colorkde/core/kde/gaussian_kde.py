"""Gaussian KDE of vectors of any dimension, such as a set of digits under another.

Images go through `core.kde` instead.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.device import Device, resolve_device
from napari_colorkde.core.kde.vector_sums import log_densities

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GridSearchResult:
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


def grid_search(
    train: ArrayLike,
    valid: ArrayLike,
    sigmas: ArrayLike,
    test: ArrayLike | None = None,
    *,
    device: str | torch.device | Device = "auto",
    progress: Callable[[float], None] | None = None,
) -> GridSearchResult:
    """Choose the sigma under which held-out vectors are likeliest.

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
    train_set = _vectors(train, "train")
    sets = [_vectors(valid, "valid", train_set.shape[1])]
    if test is not None:
        sets.append(_vectors(test, "test", train_set.shape[1]))
    grid = _sigmas(sigmas)
    place = resolve_device(device)
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


class GaussianKDE:
    """Kernel density estimator with the interface of scikit-learn's, exact in any dimension.

    Parameters
    ----------
    bandwidth
        Sigma, the standard deviation of the kernel in every direction, in the data's units.
    device
        Where to compute.

    Attributes
    ----------
    n_features_in_
        Dimensions of the data, after `fit`.

    Notes
    -----
    Works with ``sklearn.base.clone``, `GridSearchCV` and pipelines; does not need scikit-learn.
    """

    def __init__(
        self, bandwidth: float = 1.0, device: str | torch.device | Device = "auto"
    ) -> None:
        self.bandwidth = bandwidth
        self.device = device

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Keep the training vectors, (n, d).

        Raises
        ------
        ValueError
            If they are not (n, d) or hold NaN, or if `bandwidth` is not a positive number.
        """
        self._sigma = _sigmas(self.bandwidth)
        self._train = _vectors(X, "X").copy()
        self.n_features_in_ = self._train.shape[1]
        return self

    def score_samples(self, X: ArrayLike) -> Array:
        """Return the log-density of each vector, (n,) float64 nats.

        Raises
        ------
        ValueError
            If `X` is not (n, d) with the d of the training vectors, or holds NaN.
        """
        train, sigma = self._fitted()
        points = _vectors(X, "X", self.n_features_in_)
        log_density = log_densities(train, points, sigma, device=resolve_device(self.device))
        return np.asarray(log_density[0])

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Return the summed log-density of all vectors, in nats."""
        return float(self.score_samples(X).sum())

    def sample(
        self, n_samples: int = 1, random_state: int | np.random.Generator | None = None
    ) -> Array:
        """Draw vectors from the density, (n_samples, d) float64."""
        train, sigma = self._fitted()
        random = np.random.default_rng(random_state)
        centers = train[random.integers(len(train), size=n_samples)]
        return random.normal(centers, sigma)

    def get_params(self, deep: bool = True) -> dict[str, object]:
        """Return the constructor's arguments by name."""
        return {"bandwidth": self.bandwidth, "device": self.device}

    def set_params(self, **params: object) -> Self:
        """Set constructor arguments by name; they take effect at the next `fit`.

        Raises
        ------
        ValueError
            If there is no such argument.
        """
        for name, value in params.items():
            if name not in self.get_params():
                known = ", ".join(self.get_params())
                raise ValueError(f"GaussianKDE has no parameter {name!r}; it has {known}.")
            setattr(self, name, value)
        return self

    def __sklearn_tags__(self) -> object:
        """Describe the estimator to scikit-learn, the only caller."""
        from sklearn.utils import (
            InputTags,
            Tags,
            TargetTags,
        )

        return Tags(
            estimator_type="density_estimator",
            target_tags=TargetTags(required=False),
            input_tags=InputTags(),
        )

    def __repr__(self) -> str:
        return f"GaussianKDE(bandwidth={self.bandwidth!r})"

    def _fitted(self) -> tuple[NDArray[Any], Array]:
        if not hasattr(self, "_train"):
            raise ValueError("this GaussianKDE has no training vectors yet; call fit(X) first.")
        return self._train, self._sigma


def _vectors(value: ArrayLike, name: str, n_features: int | None = None) -> NDArray[Any]:
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} holds {array.dtype}; give real numbers.")
    if array.ndim != 2 or not array.size:
        hint = f"; reshape it with {name}.reshape(len({name}), -1)" if array.ndim > 2 else ""
        raise ValueError(
            f"{name} has shape {array.shape}; give n vectors of d numbers, (n, d){hint}."
        )
    if n_features is not None and array.shape[1] != n_features:
        raise ValueError(
            f"{name} has vectors of {array.shape[1]} numbers but the training vectors have "
            f"{n_features}; give the same features."
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinite values; drop or fill those vectors.")
    # As Python's numbers: those of small dtypes overflow, and truth values have no sign.
    if max(float(array.max()), -float(array.min())) > 1e150:
        raise ValueError(f"{name} has values above 1e150, whose squares overflow; rescale it.")
    return array


def _sigmas(value: ArrayLike) -> Array:
    """Check sigmas; 0-d becomes (1,)."""
    try:
        sigmas = np.atleast_1d(np.array(value, np.float64))
    except (TypeError, ValueError):
        raise ValueError(f"sigma is {value!r}; give positive numbers.") from None
    if sigmas.ndim != 1 or not sigmas.size:
        raise ValueError(f"sigmas have shape {sigmas.shape}; give a sequence of numbers, (S,).")
    # The square must be a normal number, and float32 must hold the squared ratio.
    good = np.isfinite(sigmas) & (sigmas > 1e-150) & (sigmas < 1e150)
    if not good.all():
        raise ValueError(
            f"sigma is {sigmas[~good][0]:g}; give positive finite standard deviations."
        )
    if sigmas.max() / sigmas.min() > 1e15:
        raise ValueError(
            f"sigmas reach from {sigmas.min():g} to {sigmas.max():g}; "
            "give a grid that spans less than a factor of 1e15."
        )
    return sigmas
