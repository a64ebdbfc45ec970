"""How wide the kernels are: given, by rule, or by leave-one-out likelihood.

Bandwidths are standard deviations in image units. "Range" is that of the values a channel can take
(256 for 8-bit colors), see `channel_ranges`.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.device import Device, resolve_device
from napari_colorkde.core.kde.bandwidth_rules import (
    BANDWIDTH_RULES,
    bandwidth_rule,
    default_sigmas,
)
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

Bandwidth = str | ArrayLike | None
"""None, the name of a rule (see `bandwidth_rules`), one sigma, C sigmas, or a (C, C) covariance."""

NARROWEST, WIDEST = 1 / 1024, 1 / 8
"""The range of sigmas that are tried, as fractions of the channels' range."""

SEARCH_TRIES = 8
"""Sigmas tried at most by a search."""

SEARCH_OCTAVES = 0.25
"""A search ends when its best sigma is known to this many octaves on both sides."""


class BandwidthEdgeWarning(UserWarning):
    """The best bandwidth is the narrowest or the widest that was tried."""


@dataclass(frozen=True, slots=True, eq=False)
class BandwidthSelection:
    """A bandwidth and what it was chosen from.

    Attributes
    ----------
    bandwidth
        ``(C,)`` sigmas in image units.
    candidates
        ``(n, C)`` sigmas that were tried, ascending.
    scores
        ``(n,)`` mean log-likelihoods in nats per pixel; empty for rules of thumb.
    method
        How it was chosen.
    standard_errors
        ``(n,)`` of the scores, nats per pixel: 0 where all pixels counted.
    n_scored
        How many random pixels, drawn with replacement, the scores are means of; 0 if all counted.
        The standard error of the difference of two scores is smaller than of either: the pixels
        are the same.
    """

    bandwidth: NDArray[np.float64]
    candidates: NDArray[np.float64]
    scores: NDArray[np.float64]
    method: str
    standard_errors: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    n_scored: int = 0

    @property
    def edge(self) -> Literal["", "narrowest", "widest"]:
        """Which end of the candidates the best one is; "" if it lies between others.

        Of one or two candidates each is an end, which says nothing.
        """
        if len(self.scores) < 3:
            return ""
        if (self.candidates >= self.bandwidth).all():
            return "narrowest"
        return "widest" if (self.candidates <= self.bandwidth).all() else ""

    @property
    def caveat(self) -> str:
        """Why the bandwidth may not be the best there is, in a sentence; "" if it is."""
        return self.doubt('use "loco", which leaves out whole colors', "give such candidates, too")

    def doubt(self, other_rule: str, other_sigmas: str) -> str:
        """Return the caveat with what to do about it.

        Parameters
        ----------
        other_rule
            What to do where leaving one pixel out chooses nothing.
        other_sigmas
            What to do where sigmas beyond those tried may be better.
        """
        if not self.edge:
            return ""
        sigmas = ", ".join(f"{sigma:.3g}" for sigma in dict.fromkeys(self.bandwidth.tolist()))
        found = f"the best bandwidth, sigma {sigmas}, is the {self.edge} that was tried"
        if self.edge == "narrowest" and self.method == "loo":
            return (
                f"{found}: where pixels repeat, as in 8-bit images, leaving one out leaves its "
                f"color, and no width is too small; {other_rule}."
            )
        other = "narrower" if self.edge == "narrowest" else "wider"
        return f"{found}: {other} ones may be better still; {other_sigmas}."


def bandwidth_covariance(
    bandwidth: Bandwidth, palette: Palette, device: Device
) -> NDArray[np.float64]:
    """The covariance ``(C, C)`` that a bandwidth argument means for this palette.

    Raises
    ------
    ValueError
        If it is an unknown name, not positive and finite, of the wrong shape, or no covariance.
    """
    n = palette.n_channels
    if bandwidth is None:
        return np.diag(default_sigmas(palette) ** 2)
    if isinstance(bandwidth, str):
        *_, selection = iterate_selection(palette, bandwidth, None, device)
        _warn(selection, stacklevel=4)
        return np.diag(selection.bandwidth**2)
    values = np.asarray(bandwidth)
    if values.dtype.kind not in "iuf":
        raise ValueError(
            f"bandwidth={bandwidth!r}: give a number, {n} numbers, a covariance, or one of "
            f"{', '.join(BANDWIDTH_RULES)}."
        )
    values = values.astype(np.float64)
    if values.ndim <= 1:
        return np.diag(_checked_sigmas(values, n) ** 2)
    return _checked_covariance(values, n)


def refuse_bandwidth(bandwidth: Bandwidth) -> None:
    """Refuse what is no bandwidth for any image, before its colors are counted.

    Raises
    ------
    ValueError
        If it is an unknown name, or holds numbers that are not positive where they must be.
    """
    if bandwidth is None:
        return
    if isinstance(bandwidth, str):
        bandwidth_rule(bandwidth)
        return
    values = np.asarray(bandwidth)
    if values.dtype.kind in "iuf" and values.ndim <= 1 and values.size:
        _checked_sigmas(values.astype(np.float64), values.size)


def select_bandwidth(
    image: Any,
    method: str = "loco",
    candidates: ArrayLike | None = None,
    *,
    exact: bool = False,
    device: "str | Device" = "auto",
) -> BandwidthSelection:
    """Choose a bandwidth for the color KDE of an image.

    Parameters
    ----------
    image
        An image (see `Palette.from_image`) or a `Palette`.
    method
        "loco" leaves out each pixel's whole color: 1 to 2 levels on photographs. "loo" leaves out
        one pixel: as pixels repeat on 8-bit images its best sigma is often below a level, and on
        gray ones it has none. "scott" and "silverman" are the rules of thumb for a normal
        density, ``sigma_c = factor · std_c``, kept above 1/128 of the range. "auto" is 1/64 of the
        range, whatever the pixels.
    candidates
        ``(n,)`` sigmas, or ``(n, C)``, for "loco" and "loo". Default: 11 from 1/1024 to 1/8 of
        the range, then 4 between the best one's neighbors; up to 8 of a search in that range where
        scores are of random pixels.
    exact
        Score at every color. Otherwise palettes of more than a million colors that lie on no small
        lattice, such as those of 12-bit photographs, are scored at 65 536 random pixels under the
        density of all, and `standard_errors` says how far off that may be.
    device
        See `resolve_device`.

    Returns
    -------
    BandwidthSelection
        The bandwidth and, for the likelihood methods, every candidate with its mean log-likelihood.

    Warns
    -----
    BandwidthEdgeWarning
        If the best of three or more candidates is the narrowest or the widest.

    Raises
    ------
    ValueError
        If the method is unknown, a candidate is not positive, or there is nothing to leave out.

    Notes
    -----
    Scott, Multivariate Density Estimation (1992), eq. 6.42, and Silverman (1986), eq. 4.14, with
    the number of pixels as n. One transform per candidate: 1 to 2 s on two cores for an 8-bit
    photograph of 18 megapixels.
    """
    palette = image if isinstance(image, Palette) else Palette.from_image(image)
    place = resolve_device(device)
    *_, selection = iterate_selection(palette, method, candidates, place, exact=exact)
    _warn(selection, stacklevel=3)
    return selection


def iterate_selection(
    palette: Palette,
    method: str,
    candidates: ArrayLike | None,
    device: Device,
    *,
    exact: bool = False,
) -> Iterator[BandwidthSelection]:
    """Choose by a rule, yielding the selection so far after every candidate.

    For callers who show progress or stop early, and who show the `caveat` of the last one: nothing
    is warned of here. See `select_bandwidth`.
    """
    rule = bandwidth_rule(method)
    if exact and rule.tries_candidates:
        likelihood = cast(LikelihoodMethod, method)
        return search_by_likelihood(palette, likelihood, candidates, device, exact=True)
    return rule.choose(palette, candidates, device)


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


def log_normalizer(covariance: NDArray[np.float64]) -> float:
    """``½ log det(2π Σ)``: the log integral of one kernel of peak 1."""
    return 0.5 * float(np.linalg.slogdet(2 * np.pi * covariance)[1])


def _warn(selection: BandwidthSelection, stacklevel: int) -> None:
    if sentence := selection.caveat:
        text = f"{sentence[:1].upper()}{sentence[1:]}"
        warnings.warn(text, BandwidthEdgeWarning, stacklevel=stacklevel)


def _checked_sigmas(values: NDArray[np.float64], n_channels: int) -> NDArray[np.float64]:
    if values.ndim == 1 and values.shape != (n_channels,):
        raise ValueError(
            f"bandwidth has {len(values)} sigmas, the image {n_channels} channels; give one sigma, "
            "or one per channel."
        )
    # Squares must be numbers too.
    if not ((values > 1e-100) & (values < 1e100)).all():
        raise ValueError(
            f"bandwidth={values.tolist()}: a sigma must be positive and finite; give a "
            "standard deviation in image units, such as 4 for 8-bit colors."
        )
    return np.broadcast_to(values, (n_channels,)).copy()


def _checked_covariance(values: NDArray[np.float64], n_channels: int) -> NDArray[np.float64]:
    if values.shape != (n_channels, n_channels):
        raise ValueError(
            f"bandwidth has shape {values.shape}; a covariance of {n_channels} channels has "
            f"({n_channels}, {n_channels})."
        )
    # Beside its variances: what a rotation leaves of a zero is no asymmetry.
    scale = np.sqrt(np.abs(np.outer(np.diag(values), np.diag(values))))
    if not np.isfinite(values).all() or (np.abs(values - values.T) > 1e-9 * scale).any():
        raise ValueError(
            "bandwidth is not a covariance matrix: it must be finite and symmetric; give "
            "(A + A.T) / 2."
        )
    symmetric: NDArray[np.float64] = (values + values.T) / 2
    eigenvalues = np.linalg.eigvalsh(symmetric)
    if eigenvalues[0] <= 1e-14 * eigenvalues[-1]:
        raise ValueError(
            "bandwidth is not a covariance matrix: it is not positive definite; add a little to "
            "its diagonal."
        )
    return symmetric


def _checked_candidates(candidates: ArrayLike, n_channels: int) -> list[NDArray[np.float64]]:
    values = np.asarray(candidates, np.float64)
    if values.ndim not in (1, 2):
        raise ValueError(
            f"candidates has shape {values.shape}; give n sigmas, or n rows of {n_channels}."
        )
    if len(values) == 0:
        raise ValueError("candidates is empty; give at least one sigma.")
    return [_checked_sigmas(row, n_channels) for row in values]
