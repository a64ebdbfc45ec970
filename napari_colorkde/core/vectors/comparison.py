"""Comparing two sets of vectors under Gaussian KDEs: both directions, and divergences.

In many dimensions integrals are out of reach: divergences are means over vectors drawn from the
densities, with their standard errors.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.device import DeviceLike
from napari_colorkde.core.vectors.gaussian_kde import GaussianKDE

Array = NDArray[np.float64]

N_DRAWN = 2000
"""Vectors drawn from each density."""

WHY_DIRECTIONS_DIFFER = (
    "The two directions differ: log f_A averaged over B is −H(B) − KL(B‖A), log f_B averaged over "
    "A is −H(A) − KL(A‖B). The entropies H of the two sets are not the same, and KL is not "
    "symmetric."
)
"""What to say beside the log-likelihoods of two sets under each other."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over drawn vectors, and its standard error, in nats."""

    value: float
    standard_error: float

    @classmethod
    def of(cls, *terms: Array) -> "Estimate":
        """Return the mean of independent samples' means."""
        variance = sum(float(t.var(ddof=1)) / len(t) for t in terms) / len(terms) ** 2
        return cls(float(np.mean([t.mean() for t in terms])), math.sqrt(variance))


@dataclass(frozen=True, slots=True)
class VectorComparison:
    """Two sets of vectors, a and b, under the densities f_a and f_b that they make.

    Attributes
    ----------
    b_under_a, a_under_b
        Mean of ``log f_a`` over b, and of ``log f_b`` over a, nats: exact. `WHY_DIRECTIONS_DIFFER`
        says why they are not the same.
    kl_ab, kl_ba
        ``∫ f_a log(f_a / f_b)`` and the reverse.
    js
        Jensen–Shannon divergence, between 0 and ln 2.
    n_drawn
        How many vectors of each density the divergences are means over.
    """

    b_under_a: float
    a_under_b: float
    kl_ab: Estimate
    kl_ba: Estimate
    js: Estimate
    n_drawn: int


def compare_vectors(
    a: ArrayLike,
    b: ArrayLike,
    sigma: float,
    *,
    n_drawn: int = N_DRAWN,
    seed: int = 0,
    device: DeviceLike = "auto",
    progress: Callable[[float], None] | None = None,
) -> VectorComparison:
    """Compare two sets of vectors by their Gaussian KDEs.

    Parameters
    ----------
    a, b
        (n, d) and (m, d) real numbers.
    sigma
        Standard deviation of the kernels of both densities.
    n_drawn
        Vectors drawn from each density, 2 or more.
    seed
        Of the draw.
    device
        Where to compute.
    progress
        Called with the fraction done.

    Raises
    ------
    ValueError
        If the sets are not of that form, `sigma` is not positive, or `n_drawn` is less than 2.

    Notes
    -----
    The divergences are those of the two densities, not of what the sets were drawn from. Time is
    that of 4 n_drawn + n + m vectors under n or m others.
    """
    if n_drawn < 2:
        raise ValueError(f"n_drawn={n_drawn}; give 2 or more vectors.")
    f_a, f_b = (GaussianKDE(sigma, device=device).fit(x) for x in (a, b))
    if f_a.n_features_in_ != f_b.n_features_in_:
        raise ValueError(
            f"b has vectors of {f_b.n_features_in_} numbers, a of {f_a.n_features_in_}; give "
            "vectors of the same length."
        )
    generator = np.random.default_rng(seed)
    drawn_a, drawn_b = (f.sample(n_drawn, generator) for f in (f_a, f_b))
    asked = [(f_a, b), (f_b, a), (f_a, drawn_a), (f_b, drawn_a), (f_a, drawn_b), (f_b, drawn_b)]
    logs = []
    for done, (density, points) in enumerate(asked, 1):
        logs.append(density.score_samples(points))
        if progress is not None:
            progress(done / len(asked))
    of_b, of_a, a_at_a, b_at_a, a_at_b, b_at_b = logs
    to_middle = (
        a_at_a - np.logaddexp(a_at_a, b_at_a) + math.log(2),
        b_at_b - np.logaddexp(a_at_b, b_at_b) + math.log(2),
    )
    return VectorComparison(
        b_under_a=float(of_b.mean()),
        a_under_b=float(of_a.mean()),
        kl_ab=Estimate.of(a_at_a - b_at_a),
        kl_ba=Estimate.of(b_at_b - a_at_b),
        js=Estimate.of(*to_middle),
        n_drawn=n_drawn,
    )
