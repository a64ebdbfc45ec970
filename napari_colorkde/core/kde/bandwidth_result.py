"""The result of choosing a bandwidth; the rules that choose are in `bandwidth_rules`."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.csv_and_frames import Columns, Table, numbered_columns

MAX_OWN_SHARE = 0.5
"""Share of a pixel's density from pixels of its own color up to which a likelihood counts."""


@dataclass(frozen=True, slots=True, eq=False)
class BandwidthSelection(Table):
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
    own_shares
        ``(n,)`` how much of a pixel's density, on average, comes from other pixels of the very same
        color; empty where that was not asked.
    full_covariance
        ``(C, C)`` where the bandwidth is not diagonal; None where it is.
    """

    bandwidth: NDArray[np.float64]
    candidates: NDArray[np.float64]
    scores: NDArray[np.float64]
    method: str
    standard_errors: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    n_scored: int = 0
    own_shares: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    full_covariance: NDArray[np.float64] | None = None

    def _columns(self) -> Columns:
        nothing = np.full(len(self.candidates), np.nan)
        own = (self.scores, self.standard_errors, self.own_shares)
        scores, errors, shares = (x if len(x) else nothing for x in own)
        degenerate = self.degenerate if len(self.scores) else np.zeros(len(nothing), bool)
        return {
            **numbered_columns("sigma", self.candidates),
            "log_likelihood": scores,
            "standard_error": errors,
            "own_color_share": shares,
            "degenerate": degenerate.astype(int),
            "best": (self.candidates == self.bandwidth).all(axis=1).astype(int),
        }

    def __repr__(self) -> str:
        sigmas = ", ".join(f"{sigma:.4g}" for sigma in self.bandwidth.tolist())
        full = ", full covariance" if self.full_covariance is not None else ""
        tried = f" of {len(self.scores)} candidates" if len(self.scores) else ""
        return f"BandwidthSelection({self.method!r}: sigma {sigmas}{full}{tried})"

    @property
    def covariance(self) -> NDArray[np.float64]:
        """``(C, C)`` covariance of the kernels."""
        if self.full_covariance is not None:
            return self.full_covariance
        return np.diag(self.bandwidth**2)

    @property
    def degenerate(self) -> NDArray[np.bool_]:
        """``(n,)`` where the likelihood says nothing of the density between colors.

        There more than half of what predicts a pixel is other pixels of its very color: colors of
        8 bits repeat, and the narrower the kernels, the higher the peaks at them. Nothing is chosen
        there.
        """
        if not len(self.own_shares):
            return np.zeros(len(self.scores), bool)
        return self.own_shares > MAX_OWN_SHARE

    @property
    def edge(self) -> Literal["", "narrowest", "widest"]:
        """Which end of the candidates the best one is; "" if it lies between others.

        Of one or two candidates each is an end, which says nothing.
        """
        if len(self.scores) < 3:
            return ""
        told = self.candidates[~self.degenerate]
        if (told >= self.bandwidth).all():
            return "narrowest"
        return "widest" if (told <= self.bandwidth).all() else ""

    @property
    def caveat(self) -> str:
        """Why the bandwidth may not be the best there is, in a sentence; "" if it is."""
        return self.doubt('use "loco", which leaves out whole colors', "give such candidates, too")

    def doubt(self, other_rule: str, other_sigmas: str) -> str:
        """Return the caveat with what to do about it.

        Parameters
        ----------
        other_rule
            What to do where repeated colors choose the bandwidth.
        other_sigmas
            What to do where sigmas beyond those tried may be better.
        """
        if len(self.scores) and self.degenerate.all():
            return (
                "at every bandwidth tried, repeated colors predict themselves, so narrower always "
                f"looks better; the widest is used: {other_rule}."
            )
        if not self.edge:
            return ""
        sigmas = ", ".join(f"{sigma:.3g}" for sigma in dict.fromkeys(self.bandwidth.tolist()))
        found = f"the best bandwidth, sigma {sigmas}, is the {self.edge} that was tried"
        if self.edge == "narrowest" and self.degenerate.any():
            return (
                f"the best bandwidth, sigma {sigmas}, is the narrowest at which pixels are not "
                "mostly predicted by others of the same color: where pixels repeat, as in 8-bit "
                f"images, narrower always looks better; {other_rule}."
            )
        other = "narrower" if self.edge == "narrowest" else "wider"
        return f"{found}; {other} ones may be better still: {other_sigmas}."
