"""How well a KDE predicts pixels, or whole colors, that are left out of it.

At all colors of a palette, or at those of random pixels only: what is left out of the mean over the
pixels then is told by its standard error. The densities themselves are of all pixels, either way.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.special import expit, logsumexp

from napari_colorkde.core.checks.channels import MAX_GRID_CHANNELS
from napari_colorkde.core.checks.covariance import log_normalizer
from napari_colorkde.core.device import Device
from napari_colorkde.core.kernel_sums.kernel_sums import KernelSums, kernel_sums
from napari_colorkde.core.kernel_sums.spread_sums import OTHERS_FLOOR
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.vectors.vector_sums import VectorSums

Array = NDArray[np.float64]
LikelihoodMethod = Literal["loco", "loo", "pixels", "blocks"]

NEGLIGIBLE = 14.0
"""Natural log of how small the sum of left-out terms is beside the largest term."""

MAX_SCORED = 1 << 20
"""Colors up to which the likelihood is that of all of them."""

MAX_SCORED_PAIRS = 1 << 28
"""Pairs of colors up to which it is, of more than three channels."""

SAMPLED_PAIRS = 1 << 29
"""Pairs of a color and a pixel that is drawn, of more than three channels: ten seconds on two
cores."""

SAMPLED_PIXELS = 1 << 16
"""Pixels drawn where there are more colors: a standard error of 0.01 nats or less."""

SEED = 0
"""Of the draw: the same palette has the same score."""


def number_drawn(valid: Palette, train: Palette) -> int:
    """Return how many random pixels of `valid` stand for all under the density of `train`.

    0 where all are scored: up to a million colors, or any number on a small lattice.
    """
    if valid.n_channels > MAX_GRID_CHANNELS:
        if len(valid) * len(train) <= MAX_SCORED_PAIRS:
            return 0
        return min(max(SAMPLED_PAIRS // len(train), 1 << 8), SAMPLED_PIXELS)
    is_large = len(valid) > MAX_SCORED and valid.lattice is None
    return SAMPLED_PIXELS if is_large else 0


@dataclass(frozen=True, slots=True)
class Score:
    """How well pixels are predicted.

    Attributes
    ----------
    mean
        Log-likelihood in nats per pixel.
    standard_error
        Of the mean; 0 if all pixels counted.
    own_share
        How much of a pixel's density, on average, comes from other pixels of the very same color:
        near 1 where the kernels are so narrow that only repeated colors are predicted.
    """

    mean: float
    standard_error: float = 0.0
    own_share: float = 0.0


def leave_one_out(palette: Palette, sums: KernelSums, log_norm: float) -> float:
    """Mean over the pixels of ``log f`` with that pixel left out, in nats."""
    return leave_out_score(palette, "loo", sums, log_norm).mean


def leave_one_color_out(palette: Palette, sums: KernelSums, log_norm: float) -> float:
    """Mean over the pixels of ``log f`` with all pixels of that color left out, in nats."""
    return leave_out_score(palette, "loco", sums, log_norm).mean


def leave_out_score(
    palette: Palette, method: LikelihoodMethod, sums: KernelSums, log_norm: float
) -> Score:
    """Score all pixels of a palette, each under the density of the others."""
    check_left_out(palette, method)
    others = sums.log_others() if len(palette) > 1 else np.full(1, -np.inf)
    logs = _log_densities(palette, method, palette.counts, others, log_norm)
    mean = float(palette.counts @ logs / palette.total_weight)
    return Score(mean, 0.0, _own_share(method, palette.counts, palette.counts, others))


def check_left_out(palette: Palette, method: LikelihoodMethod) -> None:
    """Refuse a palette that leaving out leaves nothing of."""
    if method == "loo" and palette.n_pixels < 2:
        raise ValueError(
            "image has one pixel; leaving it out leaves nothing. Give an image of two or more."
        )
    if method == "loco" and len(palette) < 2:
        raise ValueError(
            "image has a single color; leaving it out leaves nothing. Give an image of two or more."
        )


def _log_densities(
    palette: Palette,
    method: LikelihoodMethod,
    counts: NDArray[np.int64],
    log_others: Array,
    log_norm: float,
) -> Array:
    """``log f`` at colors with these counts, from the sums over all other colors.

    ``f(x) = (counts(x) − 1 + others(x)) / ((N − 1) norm)`` without the pixel itself, ``others(x) /
    ((N − counts(x)) norm)`` without its color: only positive terms.
    """
    n = palette.total_weight
    if method == "loco":
        return log_others - np.log(n - counts.astype(np.float64)) - log_norm
    with np.errstate(divide="ignore"):
        same = np.log(counts - 1.0)
    return np.asarray(np.logaddexp(same, log_others) - math.log(n - 1) - log_norm)


def _own_share(
    method: LikelihoodMethod, weights: NDArray[Any], counts: NDArray[Any], log_others: Array
) -> float:
    """Mean share of the density of a pixel that pixels of its own color have; see `Score`."""
    if method == "loco":
        return 0.0
    with np.errstate(divide="ignore"):
        # Of a pixel without others there is no density, and no share.
        shares = expit(np.log(np.maximum(counts - 1.0, 0.0)) - np.maximum(log_others, -1e300))
    return float(weights @ shares / weights.sum())


class Scorer(Protocol):
    """How well a density of some pixels predicts others."""

    n_drawn: int
    """Random pixels that scores are means of; 0 if all count."""

    def score(self, covariance: Array) -> Score:
        """Return the score of one bandwidth, ``(C, C)``."""
        ...


class LeaveOutScorer:
    """Scores of pixels under the density of all but themselves, or all but their color.

    Parameters
    ----------
    exact
        Whether all colors are scored, however many there are.
    """

    def __init__(
        self, palette: Palette, method: LikelihoodMethod, device: Device, *, exact: bool = False
    ) -> None:
        self._palette, self._method, self._device = palette, method, device
        n_drawn = 0 if exact else number_drawn(palette, palette)
        self._sampled = SampledLeaveOut(palette, method, n_drawn) if n_drawn else None
        self.n_drawn = 0 if self._sampled is None else self._sampled.n_drawn

    def score(self, covariance: Array) -> Score:
        """Return the score of one bandwidth; of random pixels it must be diagonal."""
        sums = kernel_sums(self._palette, covariance, self._device)
        log_norm = log_normalizer(covariance)
        if self._sampled is not None:
            return self._sampled.score(sums, np.sqrt(np.diag(covariance)), log_norm)
        return leave_out_score(self._palette, self._method, sums, log_norm)


class SampledLeaveOut:
    """Leave-one-out likelihoods at random pixels of a palette.

    Parameters
    ----------
    palette
        All pixels: those that are drawn, and those that predict them.
    method
        What is left out.
    n_drawn
        How many pixels are drawn, with replacement.
    """

    def __init__(
        self, palette: Palette, method: LikelihoodMethod, n_drawn: int = SAMPLED_PIXELS
    ) -> None:
        check_left_out(palette, method)
        self._palette, self._method, self.n_drawn = palette, method, n_drawn
        totals = np.cumsum(palette.counts)
        shares = np.random.default_rng(SEED).random(n_drawn)
        drawn = np.searchsorted(totals, shares * totals[-1], side="right")
        self._rows, self._multiples = np.unique(drawn, return_counts=True)
        self._counts = palette.counts[self._rows]

    def score(self, sums: KernelSums, sigmas: Array, log_norm: float) -> Score:
        """Return the score of one bandwidth, whose sums are given."""
        others = self._log_others(sums, sigmas)
        logs = _log_densities(self._palette, self._method, self._counts, others, log_norm)
        mean = float(self._multiples @ logs / self.n_drawn)
        variance = float(self._multiples @ (logs - mean) ** 2 / (self.n_drawn - 1))
        own = _own_share(self._method, self._multiples, self._counts, others)
        return Score(mean, math.sqrt(variance / self.n_drawn), own)

    def _log_others(self, sums: KernelSums, sigmas: Array) -> Array:
        if isinstance(sums, VectorSums):
            return sums.log_others(self._rows)
        total = np.exp(sums.log_at(self._palette.colors[self._rows]))
        others = total - self._counts
        # Where the rest is small beside the whole, the difference has lost its digits.
        is_lost = others < OTHERS_FLOOR * total
        logs = np.log(np.where(is_lost, 1.0, others))
        logs[is_lost] = self._log_others_directly(self._rows[is_lost], sigmas)
        return logs

    def _log_others_directly(self, rows: NDArray[np.intp], sigmas: Array) -> Array:
        """Sum over the colors in reach, each of the few rows by itself."""
        palette = self._palette
        tree, scale = self._tree, self._scale
        # In the tree's coordinates the kernel may be wider along one axis than along another.
        widths = sigmas / scale
        reach = np.sqrt(2 * (math.log(palette.total_weight) + NEGLIGIBLE))
        result = np.empty(len(rows))
        for place, row in enumerate(rows.tolist()):
            center = palette.colors[row] / scale
            _, near = tree.query(center, k=2)
            other = near[0] if near[0] != row else near[1]
            gap = (palette.colors[other].astype(np.float64) - palette.colors[row]) / sigmas
            radius = math.hypot(float(np.linalg.norm(gap)), float(reach)) * widths.max()
            members = np.array(tree.query_ball_point(center, radius * (1 + 1e-12)))
            members = members[members != row]
            differences = (
                palette.colors[members].astype(np.float64) - palette.colors[row]
            ) / sigmas
            exponents = -0.5 * (differences**2).sum(axis=1)
            result[place] = logsumexp(exponents, b=palette.counts[members])
        return result

    @cached_property
    def _scale(self) -> Array:
        """What the tree's coordinates are measured by, channel by channel."""
        span = np.ptp(self._palette.colors.astype(np.float64), axis=0)
        return np.where(span > 0, span, 1.0)

    @cached_property
    def _tree(self) -> cKDTree:
        """Of all colors: made once for all bandwidths, and not balanced, which takes longer."""
        return cKDTree(self._palette.colors / self._scale, leafsize=64, balanced_tree=False)
