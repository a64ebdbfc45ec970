"""The task given to all libraries: samples, a bandwidth, and evaluation points."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

from napari_colorkde.core.palette.palette import Palette

Array = NDArray[np.float64]

MAX_PAIRS = 1 << 24
"""Distances held at a time: 128 MB."""


@dataclass(frozen=True, eq=False)
class Task:
    """A density to evaluate.

    Attributes
    ----------
    data
        (n, d) samples it is made of.
    points
        (m, d) where.
    n_near
        The first so many points are samples, too; the others may lie in far tails.
    sigmas
        (d,) standard deviations of the kernel.
    is_image
        Whether the samples are colors of an image.
    full_covariance
        ``(d, d)`` of the kernel, where it is not along the axes; `sigmas` are those of its
        diagonal. None otherwise.
    """

    data: NDArray[Any]
    points: NDArray[Any]
    n_near: int
    sigmas: Array
    is_image: bool
    full_covariance: Array | None = None

    @property
    def covariance(self) -> Array:
        """Covariance of the kernel, (d, d)."""
        return np.diag(self.sigmas**2) if self.full_covariance is None else self.full_covariance

    @property
    def n_dimensions(self) -> int:
        """Length of a sample."""
        return int(self.data.shape[1])

    @property
    def is_isotropic(self) -> bool:
        """Whether one sigma serves all axes."""
        return self.full_covariance is None and bool((self.sigmas == self.sigmas[0]).all())


def colors_to_check(
    palette: Palette, covariance: Array, n_samples: int, n_points: int, seed: int
) -> Task:
    """Draw pixels of an image, and colors to ask about: half of them pixels, half anywhere.

    The covariance of the kernel is ``(C, C)``.
    """
    random = np.random.default_rng(seed)
    n_pixels = n_points - n_points // 2
    drawn = random.choice(
        len(palette), n_samples + n_pixels, p=palette.counts / palette.total_weight
    )
    data, pixels = np.split(palette.colors[drawn], [n_samples])
    low, high = palette.colors.min(axis=0), palette.colors.max(axis=0)
    anywhere = low + random.random((n_points // 2, palette.n_channels)) * (high - low)
    points = np.concatenate([pixels, anywhere.astype(palette.dtype)])
    variances = np.diagonal(covariance)
    is_diagonal = not (covariance - np.diag(variances)).any()
    full = None if is_diagonal else covariance
    return Task(data, points, len(pixels), np.sqrt(variances), True, full)


def vectors_to_check(train: NDArray[Any], valid: NDArray[Any], sigmas: list[float]) -> Task:
    """Ask about the log-densities of vectors under others.

    Raises
    ------
    ValueError
        If there are neither one sigma nor one for each axis.
    """
    n_axes = train.shape[1]
    if len(sigmas) not in (1, n_axes):
        raise ValueError(
            f"bandwidth has {len(sigmas)} sigmas for {n_axes} axes; give one, or one for each."
        )
    spread = np.broadcast_to(np.asarray(sigmas, np.float64), n_axes).copy()
    return Task(train, valid, len(valid), spread, is_image=False)


def direct(task: Task, covariance: Array) -> Array:
    """Return the log-densities by their definition, (m,).

    ``log 1/n Σᵢ N(x; tᵢ, Σ)`` in float64 from differences, which do not cancel (Silverman 1986,
    eq. 4.1).
    """
    factor = np.linalg.cholesky(covariance)
    data, points = (
        solve_triangular(factor, a.astype(np.float64).T, lower=True).T
        for a in (task.data, task.points)
    )
    rows = max(1, MAX_PAIRS // len(data))
    sums = [
        logsumexp(-0.5 * cdist(points[start : start + rows], data, "sqeuclidean"), axis=1)
        for start in range(0, len(points), rows)
    ]
    normalizer = len(factor) / 2 * np.log(2 * np.pi) + np.log(np.diagonal(factor)).sum()
    return np.asarray(np.concatenate(sums) - np.log(len(data)) - normalizer)
