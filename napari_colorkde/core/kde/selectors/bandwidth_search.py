"""The search for the bandwidth with the highest likelihood of left-out or held-out pixels."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.checks.arguments import real_numbers
from napari_colorkde.core.checks.covariance import checked_sigmas
from napari_colorkde.core.device import Device
from napari_colorkde.core.kde.bandwidth_result import MAX_OWN_SHARE, BandwidthSelection
from napari_colorkde.core.kde.bandwidth_rules import Shape
from napari_colorkde.core.kde.leave_one_out import (
    LeaveOutScorer,
    LikelihoodMethod,
    Score,
    Scorer,
)
from napari_colorkde.core.kde.selectors.bandwidth_frame import frame_of
from napari_colorkde.core.kde.selectors.held_out_pixels import Halves, HeldOutScorer
from napari_colorkde.core.palette.palette import Palette

NARROWEST, WIDEST = 1 / 1024, 1 / 8
"""The range of sigmas that are tried, as fractions of the channels' range."""


SEARCH_TRIES = 8
"""Sigmas tried at most by a search."""


SEARCH_OCTAVES = 0.25
"""A search ends when its best sigma is known to this many octaves on both sides."""

CHANNEL_STEP, CHANNEL_END = 2**0.5, 2**0.15
"""Factors by which the sigma of one channel is changed: the first, and below which it ends."""


def search_by_likelihood(
    palette: Palette,
    method: LikelihoodMethod,
    candidates: ArrayLike | None,
    device: Device,
    *,
    exact: bool = False,
    shape: Shape = "isotropic",
    halves: Halves | None = None,
) -> Iterator[BandwidthSelection]:
    """Try candidates, yielding the selection so far after each: see `iterate_selection`.

    Parameters
    ----------
    halves
        Of the palette's pixels, for the methods that hold one out.
    """
    if method == "loo" and len(palette) < 2:
        raise ValueError(
            "image has a single color: its leave-one-out likelihood grows without bound as the "
            'bandwidth shrinks. Give a sigma, or method="scott".'
        )
    tries = _Tries(palette, method, device, exact, shape, halves)
    if candidates is not None:
        for sigmas in _checked_candidates(candidates, palette.n_channels):
            yield tries.add(tries.frame.scales_of(sigmas))
        return
    yield from _search(tries) if tries.is_sampled else _along_a_grid(tries)
    if shape == "channels":
        yield from _channel_by_channel(tries)


def _along_a_grid(tries: "_Tries") -> Iterator[BandwidthSelection]:
    """Try one scale for all axes, and more of them around the best."""
    fractions = list(np.geomspace(NARROWEST, WIDEST, 11))
    for fraction in fractions:
        yield tries.add_fraction(fraction)
    best = tries.best
    low, high = fractions[max(best - 1, 0)], fractions[min(best + 1, len(fractions) - 1)]
    for fraction in np.geomspace(low, high, 7)[1:-1]:
        if abs(fraction - fractions[best]) > 1e-9 * fraction:
            yield tries.add_fraction(fraction)


def _channel_by_channel(tries: "_Tries") -> Iterator[BandwidthSelection]:
    """Climb along one channel after the other, by steps that shrink (coordinate search)."""
    step = CHANNEL_STEP
    while step > CHANNEL_END:
        has_climbed = False
        for channel in range(tries.frame.n_channels):
            for direction in (step, 1 / step):
                while True:
                    before = tries.best_scales
                    moved = before.copy()
                    moved[channel] *= direction
                    if tries.is_known(moved):
                        break
                    yield tries.add(moved)
                    if (tries.best_scales == before).all():
                        break
                    has_climbed = True
        if not has_climbed:
            step = float(np.sqrt(step))


class _Tries:
    """The sigmas that were tried, and their scores, in the order of the sigmas."""

    def __init__(
        self,
        palette: Palette,
        method: LikelihoodMethod,
        device: Device,
        exact: bool,
        shape: Shape,
        halves: Halves | None,
    ) -> None:
        self._method = method
        self.frame = frame_of(palette, shape)
        points = self.frame.points
        if halves is not None:
            self._scorer: Scorer = HeldOutScorer(halves.converted(points), device, exact=exact)
        else:
            self._scorer = LeaveOutScorer(points(palette), method, device, exact=exact)
        self._known: dict[tuple[float, ...], Score] = {}

    @property
    def is_sampled(self) -> bool:
        """Whether scores are of random pixels."""
        return self._scorer.n_drawn > 0

    @property
    def best(self) -> int:
        """Which one is best, in ascending order: not one whose likelihood is degenerate.

        Where all are, the widest.
        """
        scores = [self._known[scales] for scales in sorted(self._known)]
        means = [s.mean if s.own_share <= MAX_OWN_SHARE else -np.inf for s in scores]
        return int(np.argmax(means)) if max(means) > -np.inf else len(means) - 1

    @property
    def best_scales(self) -> NDArray[np.float64]:
        """What the sigmas of the best are made of."""
        return np.array(sorted(self._known)[self.best])

    def is_known(self, scales: NDArray[np.float64]) -> bool:
        """Whether this was tried, or as good as."""
        return any(np.allclose(scales, known, rtol=1e-6, atol=0) for known in self._known)

    def add_fraction(self, fraction: float) -> BandwidthSelection:
        """Try the same fraction of each channel's range."""
        return self.add(fraction * self.frame.unit)

    def score_of_fraction(self, fraction: float) -> float:
        """Return the score of one that was tried; of a degenerate one less than of any other."""
        score = self._known[tuple(fraction * self.frame.unit)]
        return score.mean if score.own_share <= MAX_OWN_SHARE else -np.inf

    def add(self, scales: NDArray[np.float64]) -> BandwidthSelection:
        """Try one more, and return the selection so far."""
        frame = self.frame
        score = self._scorer.score(np.diag(scales**2))
        self._known[tuple(scales)] = replace(score, mean=score.mean - frame.log_volume)
        ordered = sorted(self._known)
        scores = [self._known[known] for known in ordered]
        return BandwidthSelection(
            bandwidth=frame.sigmas(self.best_scales),
            candidates=np.array([frame.sigmas(np.array(known)) for known in ordered]),
            scores=np.array([score.mean for score in scores]),
            method=self._method,
            standard_errors=np.array([score.standard_error for score in scores]),
            n_scored=self._scorer.n_drawn,
            own_shares=np.array([score.own_share for score in scores]),
            full_covariance=frame.full_covariance(self.best_scales),
        )


def _search(tries: _Tries) -> Iterator[BandwidthSelection]:
    """Bracket the best sigma in octaves, then take the vertex of the parabola through three."""
    lowest, highest = np.log2(NARROWEST), np.log2(WIDEST)
    scores: dict[float, float] = {}

    def at(octave: float) -> BandwidthSelection:
        selection = tries.add_fraction(2.0**octave)
        scores[octave] = tries.score_of_fraction(2.0**octave)
        return selection

    middle = (lowest + highest) / 2
    for octave in (middle, middle - 2, middle + 2):
        yield at(octave)
    while len(scores) < SEARCH_TRIES:
        # Of those that are all degenerate the widest.
        best = max(scores, key=lambda octave: (scores[octave], octave))
        below = max((o for o in scores if o < best), default=None)
        above = min((o for o in scores if o > best), default=None)
        if below is None or above is None:
            limit = lowest if below is None else highest
            if best == limit:
                return
            step = -2.0 if below is None else 2.0
            yield at(float(np.clip(best + step, lowest, highest)))
            continue
        if max(best - below, above - best) <= SEARCH_OCTAVES:
            return
        yield at(_vertex(below, best, above, scores))


def _vertex(below: float, best: float, above: float, scores: dict[float, float]) -> float:
    """Where the parabola through three scores is highest; not next to one that was tried."""
    left, right = best - below, above - best
    if scores[below] == -np.inf:
        return below + left / 2
    falls = (scores[best] - scores[below]) * right, (scores[best] - scores[above]) * left
    vertex = best + 0.5 * (falls[0] * right - falls[1] * left) / max(sum(falls), 1e-300)
    if abs(vertex - best) < SEARCH_OCTAVES / 2:
        # So near that the other side of the best is what remains to be known.
        side = 1.0 if right > left else -1.0
        return best + side * min(SEARCH_OCTAVES, max(left, right) / 2)
    return float(np.clip(vertex, below + 0.1 * left, above - 0.1 * right))


def _checked_candidates(candidates: ArrayLike, n_channels: int) -> list[NDArray[np.float64]]:
    values = real_numbers(candidates, "candidates").astype(np.float64)
    if values.ndim not in (1, 2):
        raise ValueError(
            f"candidates has shape {values.shape}; give n sigmas, or n rows of {n_channels}."
        )
    if len(values) == 0:
        raise ValueError("candidates is empty; give at least one sigma.")
    return [checked_sigmas(row, n_channels, "candidates") for row in values]
