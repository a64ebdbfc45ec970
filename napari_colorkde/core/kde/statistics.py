"""Statistics of a density of colors: samples, probabilities, levels, marginals.

Kernels are at the colors of a palette, in the coordinates of the density.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import solve_triangular
from scipy.special import logsumexp, ndtr

from napari_colorkde.core.checks.arguments import (
    COLORS,
    fraction,
    generator_of,
    real_numbers,
    seed_of,
    whole_number,
)
from napari_colorkde.core.checks.channels import MAX_GRID_CHANNELS
from napari_colorkde.core.checks.covariance import log_normalizer, needs_diagonal
from napari_colorkde.core.device import Device
from napari_colorkde.core.kde.estimators.boundary import Boundary
from napari_colorkde.core.kde.modes import climb
from napari_colorkde.core.palette.lattice import distinct_values
from napari_colorkde.core.palette.palette import Palette

Array = NDArray[np.float64]


class DensityStatistics(ABC):
    """What can be asked of a sum of equal Gaussians; `ColorKDE` has it.

    Attributes
    ----------
    palette, points
        The colors, and where they are in the density's space.
    covariance
        Of every kernel.
    boundary, varying
        Where a density is no such sum, most of this is refused.
    device
        Where it is computed.
    """

    palette: Palette
    covariance: NDArray[np.float64]
    boundary: Boundary
    varying: bool
    device: Device

    @abstractmethod
    def __init__(self, palette: Palette, bandwidth: Any, *, device: Device) -> None: ...

    @property
    @abstractmethod
    def points(self) -> Palette:
        """The palette with its colors in the density's space."""

    @abstractmethod
    def _density_at(self, points: NDArray[np.float64]) -> NDArray[np.float32]: ...

    def sample(
        self,
        n_samples: int = 1,
        random_state: int | np.random.Generator | None = None,
        *,
        seed: int | None = None,
    ) -> NDArray[np.float64]:
        """Colors drawn from the density, ``(n_samples, C)``, in the KDE's space.

        `seed` is another name for `random_state`.
        """
        self._check_plain("sample")
        random_state = seed_of(random_state, seed)
        return draw_colors(self.points, self.covariance, n_samples, random_state)

    def probability(self, low: ArrayLike, high: ArrayLike) -> float:
        """Probability of the box of colors from `low` to `high`, one number each or C.

        In the KDE's space; exact. Bandwidths must be diagonal.
        """
        self._check_plain("probability")
        return box_probability(self.points, self.covariance, low, high)

    def level(self, mass: float, *, n_samples: int = 100_000) -> float:
        """The density above which colors hold this part of the probability, 0 to 1.

        The bound of a highest-density region, as the quantile of the density at colors drawn from
        it (Hyndman, The American Statistician 50, 1996): with 100 000 of them `mass` is met to
        0.2 % (one standard error at a half).
        """
        mass = fraction(mass, "mass", one=False)
        drawn = self.sample(n_samples, random_state=0)
        return float(np.quantile(self._density_at(drawn), 1 - mass))

    def modes(self, n: int = 10) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The highest peaks of the density, ``(m, C)`` in the KDE's space, and how high, ``(m,)``.

        Parameters
        ----------
        n
            How many, from the highest on; fewer where there are no more.

        Notes
        -----
        Climbed to from colors that are densest among their neighbors, by the mean shift and
        Newton's method, to 1e-4 sigma. Peaks closer than one sigma may be told of as one.
        """
        self._check_plain("modes")
        n_channels = self.palette.n_channels
        if n_channels > MAX_GRID_CHANNELS:
            raise ValueError(
                f"modes needs a density of 1 to {MAX_GRID_CHANNELS} channels, but this one has "
                f"{n_channels}; use that of some of them, marginal([0, 1, 2]), or fit kernels."
            )
        n = whole_number(n, "n")
        colors, root = self.points.colors, np.linalg.cholesky(self.covariance)
        whitened = np.asarray(solve_triangular(root, colors.T.astype(np.float64), lower=True).T)
        own = self._density_at(colors)
        peaks, sums = climb(whitened, self.points.counts, own, 4 * n + 16)
        scale = log_normalizer(self.covariance)
        densities = sums / self.points.total_weight * np.exp(-scale)
        return np.asarray(peaks[:n] @ root.T), densities[:n]

    def marginal(self, axes: "int | Sequence[int]") -> Self:
        """The density of some channels of the KDE's space alone, in the order given."""
        self._check_plain("marginal")
        kept = checked_axes(axes, self.palette.n_channels)
        points = marginal_points(self.points, kept)
        return type(self)(points, self.covariance[np.ix_(kept, kept)], device=self.device)

    def conditional(self, given: "Mapping[int, float]") -> Self:
        """The density of the other channels where some have these values.

        Parameters
        ----------
        given
            Values by number of the channel, in the KDE's space: ``{0: 120}``.
        """
        self._check_plain("conditional")
        points, covariance = conditional_points(self.points, self.covariance, given)
        return type(self)(points, covariance, device=self.device)

    def _check_plain(self, name: str) -> None:
        if self.boundary != "none" or self.varying:
            raise ValueError(
                f"{name} needs a density without boundary correction and with one bandwidth for "
                'all colors; make the KDE with boundary="none" and varying=False.'
            )


def checked_colors(colors: ArrayLike, n_channels: int) -> Array:
    """Return colors (n, C) of points, of a list of them, or of one.

    Raises
    ------
    ValueError, TypeError
        If they are not of that form, or not finite.
    """
    values = real_numbers(colors, "colors", COLORS)
    if n_channels == 1 and values.ndim < 2:
        values = values.reshape(-1, 1)
    elif values.ndim == 1:
        values = values[np.newaxis]
    if values.ndim != 2 or values.shape[1] != n_channels or not len(values):
        raise ValueError(
            f"colors have shape {values.shape}; give (n, {n_channels}), one color in each row, or "
            "an image to density()."
        )
    if not np.isfinite(values).all():
        raise ValueError("colors hold NaN or infinite values; drop them.")
    return values.astype(np.float64)


def draw_colors(
    points: Palette,
    covariance: Array,
    n_samples: int,
    random_state: int | np.random.Generator | None,
) -> Array:
    """Draw from a density: (n_samples, C)."""
    n_samples = whole_number(n_samples, "n_samples")
    random = generator_of(random_state)
    # By where uniform numbers fall among the sums of counts: quicker than `choice` by shares.
    ends = np.cumsum(points.counts, dtype=np.float64)
    places = random.uniform(0, ends[-1], n_samples)
    rows = np.minimum(np.searchsorted(ends, places, side="right"), len(ends) - 1)
    noise = random.normal(size=(n_samples, points.n_channels)) @ np.linalg.cholesky(covariance).T
    return np.asarray(points.colors[rows] + noise)


def box_probability(points: Palette, covariance: Array, low: ArrayLike, high: ArrayLike) -> float:
    """Return the probability of a box of colors, exact, for a diagonal bandwidth.

    Raises
    ------
    ValueError
        If the box is not one, or the bandwidth is not diagonal.
    """
    channels = points.n_channels
    try:
        ends = [np.broadcast_to(np.asarray(e, np.float64), (channels,)) for e in (low, high)]
    except (TypeError, ValueError):
        ends = [np.full(channels, np.nan)] * 2
    if not (ends[0] <= ends[1]).all():
        raise ValueError(
            f"low={low!r} and high={high!r}; give two numbers, or {channels} each, "
            "low at most high."
        )
    if np.any(covariance - np.diag(np.diag(covariance))):
        raise needs_diagonal("probability", "sum over sample(n)")
    inside = np.ones(len(points))
    for c in range(channels):
        levels, rank = distinct_values(points.colors[:, c])
        sigma = np.sqrt(covariance[c, c])
        inside *= (ndtr((ends[1][c] - levels) / sigma) - ndtr((ends[0][c] - levels) / sigma))[rank]
    return float(points.counts @ inside / points.total_weight)


def checked_axes(axes: "int | Sequence[int]", n_channels: int, name: str = "axes") -> list[int]:
    """Return the numbers of channels, each once.

    Raises
    ------
    ValueError
        If one does not exist or comes twice, or there is none.
    """
    given = list(axes) if isinstance(axes, Iterable) else [axes]
    whole = all(isinstance(a, (int, np.integer)) and -n_channels <= a < n_channels for a in given)
    numbers = [int(a) % n_channels for a in given] if whole else []
    if not numbers or len(set(numbers)) < len(numbers):
        raise ValueError(f"{name}={axes!r}; give channels from 0 to {n_channels - 1}, each once.")
    return numbers


def marginal_points(points: Palette, kept: list[int]) -> Palette:
    """Return the colors of some channels, with the counts of all that share them."""
    return _palette_of(points.colors[:, kept], points.counts)


def conditional_points(
    points: Palette, covariance: Array, given: Mapping[int, float]
) -> tuple[Palette, Array]:
    """Return colors of the other channels with their weights, and the covariance of their kernels.

    Kernels are weighted by their own density of the given values, and move along their covariance
    (Bishop 2006, eqs. 2.81 and 2.82). Those of no weight in float64 are left out.
    """
    channels = points.n_channels
    if not isinstance(given, Mapping) or not given:
        raise ValueError(f"given={given!r}; give values by channel, such as {{0: 120}}.")
    fixed = checked_axes(list(given), channels, "given")
    kept = [c for c in range(channels) if c not in fixed]
    values = real_numbers(list(given.values()), "given").astype(np.float64)
    if not kept or values.ndim != 1 or not np.isfinite(values).all():
        raise ValueError(f"given={given!r}; give finite values, and leave a channel free.")
    inner = covariance[np.ix_(fixed, fixed)]
    across = covariance[np.ix_(kept, fixed)]
    differences = values - points.colors[:, fixed].astype(np.float64)
    solved = np.linalg.solve(inner, differences.T).T
    logs = np.log(points.counts) - 0.5 * (differences * solved).sum(axis=1)
    weights = np.exp(logs - logsumexp(logs))
    near = weights > 0
    moved = points.colors[near][:, kept]
    if across.any():
        moved = moved + solved[near] @ across.T
    narrowed = covariance[np.ix_(kept, kept)] - across @ np.linalg.solve(inner, across.T)
    return _palette_of(moved, weights[near]), (narrowed + narrowed.T) / 2


def _palette_of(colors: NDArray[Any], counts: NDArray[Any]) -> Palette:
    distinct, rank = np.unique(colors, axis=0, return_inverse=True)
    sums = np.bincount(rank.ravel(), counts, minlength=len(distinct))
    if counts.dtype.kind in "iu":
        sums = np.rint(sums).astype(np.int64)
    return Palette(distinct, sums, np.zeros(distinct.shape[1]))
