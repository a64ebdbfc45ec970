"""Gaussian KDE of vectors of any dimension, such as a set of digits under another.

All sigmas share one pass over the squared distances, which are matrix products, tile by tile:
memory is a few tiles, whatever the number of vectors. Images go through `core.kde` instead.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.device import Device, resolve_device

Array = NDArray[np.float64]

POINT_ROWS, TRAIN_ROWS = 1024, 2048
"""Vectors of a tile of distances: large enough for the matrix product, 16 MB as float64."""

PRODUCT_TOLERANCE = 1e-4
"""Nats that rounding in ‖a‖² + ‖b‖² − 2a·b may cost; a narrower kernel needs a better way."""


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

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor's arguments by name."""
        return {"bandwidth": self.bandwidth, "device": self.device}

    def set_params(self, **params: Any) -> Self:
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

    def __sklearn_tags__(self) -> Any:
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


def log_densities(
    train: NDArray[Any],
    points: NDArray[Any],
    sigmas: Array,
    *,
    device: Device,
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
    advance
        Called after each tile with the number of distances in it.
    """
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
            minimum, partial = _tile_sums(a, b, bits, shrink, device)
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
    normalizers = np.log(len(train)) + train.shape[1] * np.log(np.sqrt(2 * np.pi) * sigmas)
    return np.asarray(exponents - normalizers[:, None])


def _tile_sums(
    a: Array, b: Array, bits: float, shrink: list[float], device: Device
) -> tuple[Array, Array]:
    """Sum the kernel over one tile.

    Returns the smallest exponent of each point, (n,), and Σ 2^(−shrink·(exponent − smallest)),
    (S, n), where an exponent is ``bits`` times the squared distance.
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
    minimum = distances.amin(dim=1)
    # From here on float32 is enough: an error of the exponent weighs no more than its term.
    exponents = ((distances - minimum[:, None]) * -bits).float()
    terms = torch.empty_like(exponents)
    sums = []
    for factor in shrink:
        torch.mul(exponents, factor, out=terms)
        sums.append(device.get(terms.exp2_().sum(dim=1)))
    return device.get(minimum).astype(np.float64) * bits, np.stack(sums).astype(np.float64)


def _tiles(n: int, step: int) -> Iterator[slice]:
    return (slice(start, min(start + step, n)) for start in range(0, n, step))


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
    if max(array.max(), -array.min()) > 1e150:
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
