"""How long a grid search over eight sigmas takes on vectors of 784 dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

from benchmarks.harness import Contender, Setup, compete, time_of
from benchmarks.report import Question, Row, Target
from napari_colorkde import grid_search

SIGMAS = np.array([0.05, 0.08, 0.1, 0.2, 0.5, 1.0, 1.5, 2.0])
SIDE = 28

OURS = "grid_search"
SKLEARN = "scikit-learn `KernelDensity(leaf_size=n)`, once for each σ"
NUMPY = "NumPy matrix product, SciPy `logsumexp`"

Array = NDArray[np.float64]


def measure(setup: Setup) -> Question:
    n = 200 if setup.quick else 2000
    train, valid = np.split(patches(setup.photograph.image, 2 * n), 2)
    outcomes = compete(
        [
            Contender(OURS, lambda: grid_search(train, valid, SIGMAS).scores),
            Contender(NUMPY, lambda: matrix_products(train, valid)),
            Contender(SKLEARN, lambda: kernel_density(train, valid), 1, needs="sklearn"),
        ],
        setup.repeats,
    )
    what = f"{len(SIGMAS)} sigmas, {n} × {n} vectors of {SIDE**2} dimensions"
    ours = outcomes[OURS].time
    rows = [
        Row(what, ours, SKLEARN, time_of(outcomes, SKLEARN), Target("times", 60)),
        Row(what, ours, NUMPY, time_of(outcomes, NUMPY)),
    ]
    truth = direct(train, valid)
    errors = "; ".join(
        f"{'ours' if name == OURS else name} {np.abs(outcome.result - truth).max():.0e}"
        for name, outcome in outcomes.items()
    )
    notes = [
        f"Largest error of the {len(SIGMAS)} mean log-likelihoods beside the float64 direct sum, "
        f"in nats: {errors}.",
        "`leaf_size=n` is the only setting in which scikit-learn's tree is exact in so many "
        "dimensions.",
    ]
    text = (
        f"Log-likelihood of gray {SIDE} × {SIDE} patches of the photograph under the KDE of other "
        "ones, values between 0 and 1: the grid search of the MNIST experiments."
    )
    return Question("Vectors", text, rows, notes)


def patches(image: NDArray[np.uint8], n: int) -> Array:
    """Random square patches of the green channel as vectors (n, 784)."""
    random = np.random.default_rng(0)
    top = random.integers(0, image.shape[0] - SIDE + 1, n)
    left = random.integers(0, image.shape[1] - SIDE + 1, n)
    cut = [image[t : t + SIDE, x : x + SIDE, 1].ravel() for t, x in zip(top, left, strict=True)]
    return np.stack(cut) / 256


def kernel_density(train: Array, valid: Array) -> Array:
    from sklearn.neighbors import KernelDensity

    fits = (KernelDensity(bandwidth=s, leaf_size=len(train)).fit(train) for s in SIGMAS)
    return np.array([fit.score_samples(valid).mean() for fit in fits])


def matrix_products(train: Array, valid: Array) -> Array:
    """What a careful NumPy user writes: the squares expanded, all distances at once."""
    squares = (valid**2).sum(axis=1)[:, None] + (train**2).sum(axis=1) - 2 * valid @ train.T
    return _mean_log_densities(np.maximum(squares, 0), train.shape[1])


def direct(train: Array, valid: Array) -> Array:
    """The same by differences, which do not cancel (Silverman 1986, eq. 4.1)."""
    return _mean_log_densities(cdist(valid, train, "sqeuclidean"), train.shape[1])


def _mean_log_densities(squares: NDArray[Any], dimensions: int) -> Array:
    logs = [logsumexp(squares / (-2 * s**2), axis=1).mean() for s in SIGMAS]
    normalizers = np.log(squares.shape[1]) + dimensions * np.log(np.sqrt(2 * np.pi) * SIGMAS)
    return np.array(logs) - normalizers
