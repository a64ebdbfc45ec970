"""The result of choosing a bandwidth; the rules that choose are in `bandwidth_rules`."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray


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
