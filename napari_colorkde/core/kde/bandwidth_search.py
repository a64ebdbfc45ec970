"""The search for the bandwidth of the highest leave-one-out likelihood."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.device import Device
from napari_colorkde.core.kde.bandwidth_selection import BandwidthSelection
from napari_colorkde.core.kde.covariance import checked_sigmas, log_normalizer
from napari_colorkde.core.kde.leave_one_out import (
    MAX_SCORED,
    LikelihoodMethod,
    SampledLeaveOut,
    Score,
    leave_one_color_out,
    leave_one_out,
)
from napari_colorkde.core.kernel_sums.kernel_sums import kernel_sums
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.palette.ranges import channel_ranges

NARROWEST, WIDEST = 1 / 1024, 1 / 8
"""The range of sigmas that are tried, as fractions of the channels' range."""


SEARCH_TRIES = 8
"""Sigmas tried at most by a search."""


SEARCH_OCTAVES = 0.25
"""A search ends when its best sigma is known to this many octaves on both sides."""


def search_by_likelihood(
    palette: Palette,
    method: LikelihoodMethod,
    candidates: ArrayLike | None,
    device: Device,
    *,
    exact: bool = False,
) -> Iterator[BandwidthSelection]:
    """Try candidates, yielding the selection so far after each: see `iterate_selection`."""
    if method == "loo" and len(palette) < 2:
        raise ValueError(
            "image has a single color: its leave-one-out likelihood grows without end as the "
            'bandwidth shrinks. Give a sigma, or method="scott".'
        )
    tries = _Tries(palette, method, device, exact)
    if candidates is not None:
        for sigmas in _checked_candidates(candidates, palette.n_channels):
            yield tries.add(sigmas)
        return
    ranges = channel_ranges(palette)
    if tries.sampled is not None:
        yield from _search(tries, ranges)
        return
    fractions = list(np.geomspace(NARROWEST, WIDEST, 11))
    for fraction in fractions:
        yield tries.add(fraction * ranges)
    best = int(np.argmax([score.mean for _, score in tries.scores]))
    low, high = fractions[max(best - 1, 0)], fractions[min(best + 1, len(fractions) - 1)]
    for fraction in np.geomspace(low, high, 7)[1:-1]:
        if abs(fraction - fractions[best]) > 1e-9 * fraction:
            yield tries.add(fraction * ranges)


class _Tries:
    """The sigmas that were tried, and their scores."""

    def __init__(
        self, palette: Palette, method: LikelihoodMethod, device: Device, exact: bool
    ) -> None:
        self._palette, self._method, self._device = palette, method, device
        is_large = len(palette) > MAX_SCORED and palette.lattice is None
        self.sampled = SampledLeaveOut(palette, method) if is_large and not exact else None
        self.scores: list[tuple[tuple[float, ...], Score]] = []

    def add(self, sigmas: NDArray[np.float64]) -> BandwidthSelection:
        """Try one more, and return the selection so far."""
        self.scores.append((tuple(sigmas), self._score(np.asarray(sigmas, np.float64))))
        ordered = sorted(self.scores, key=lambda pair: pair[0])
        candidates = np.array([sigmas for sigmas, _ in ordered])
        means = np.array([score.mean for _, score in ordered])
        return BandwidthSelection(
            candidates[int(np.argmax(means))],
            candidates,
            means,
            self._method,
            np.array([score.standard_error for _, score in ordered]),
            0 if self.sampled is None else self.sampled.n_drawn,
        )

    def _score(self, sigmas: NDArray[np.float64]) -> Score:
        covariance = np.diag(sigmas**2)
        sums, log_norm = (
            kernel_sums(self._palette, covariance, self._device),
            log_normalizer(covariance),
        )
        if self.sampled is not None:
            return self.sampled.score(sums, sigmas, log_norm)
        likelihood = leave_one_out if self._method == "loo" else leave_one_color_out
        return Score(likelihood(self._palette, sums, log_norm))


def _search(tries: _Tries, ranges: NDArray[np.float64]) -> Iterator[BandwidthSelection]:
    """Bracket the best sigma in octaves, then take the vertex of the parabola through three."""
    lowest, highest = np.log2(NARROWEST), np.log2(WIDEST)
    scores: dict[float, float] = {}

    def at(octave: float) -> BandwidthSelection:
        selection = tries.add(2.0**octave * ranges)
        scores[octave] = tries.scores[-1][1].mean
        return selection

    middle = (lowest + highest) / 2
    for octave in (middle, middle - 2, middle + 2):
        yield at(octave)
    while len(scores) < SEARCH_TRIES:
        best = max(scores, key=lambda octave: scores[octave])
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
    falls = (scores[best] - scores[below]) * right, (scores[best] - scores[above]) * left
    vertex = best + 0.5 * (falls[0] * right - falls[1] * left) / max(sum(falls), 1e-300)
    if abs(vertex - best) < SEARCH_OCTAVES / 2:
        # So near that the other side of the best is what remains to be known.
        side = 1.0 if right > left else -1.0
        return best + side * min(SEARCH_OCTAVES, max(left, right) / 2)
    return float(np.clip(vertex, below + 0.1 * left, above - 0.1 * right))


def _checked_candidates(candidates: ArrayLike, n_channels: int) -> list[NDArray[np.float64]]:
    values = np.asarray(candidates, np.float64)
    if values.ndim not in (1, 2):
        raise ValueError(
            f"candidates has shape {values.shape}; give n sigmas, or n rows of {n_channels}."
        )
    if len(values) == 0:
        raise ValueError("candidates is empty; give at least one sigma.")
    return [checked_sigmas(row, n_channels) for row in values]
