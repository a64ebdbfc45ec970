"""What a user wants to know of colors by the classes of kernels, named as people do.

Beside the kernels at hand it is a `napari_colorkde.app.density.class_question.Question`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

Judged = Literal["density", "posterior", "ratio", "class"]
JUDGED: tuple[Judged, ...] = ("density", "posterior", "ratio", "class")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a user wants to know of each color.

    Attributes
    ----------
    show
        "density" (of the chosen kernel set), "posterior" (probability of a class), "ratio"
        (log-likelihood ratio of two classes, in nats) or "class" (the most likely one).
    cls, against
        Classes by name; None, and names that no kernel has, mean the first ones there are.
    priors
        Probabilities of classes by name; those that are not named share what is left.
    none_below
        Part of the pixels, above 0 and up to 1: those less dense than its densest pixels are of no
        class. None: every pixel has one.
    threshold
        Colors of at least this value are chosen; None takes the one that makes the fewest errors.
    masked
        Whether the chosen pixels are marked on the image.
    among
        Names of kernel sets that are compared with one another alone, as long as one of them is
        chosen; empty for all that are open.
    """

    show: Judged = "density"
    cls: str | None = None
    against: str | None = None
    priors: tuple[tuple[str, float], ...] = ()
    none_below: float | None = None
    threshold: float | None = None
    masked: bool = False
    among: tuple[str, ...] = ()

    @property
    def asked(self) -> "Judgement":
        """The same without what changes no values."""
        return replace(self, threshold=None, masked=False)

    def changed(self, **fields: Any) -> "Judgement":
        """Return this judgement with some fields changed and all of them checked.

        A threshold belongs to what is shown: where that changes, it is forgotten.

        Raises
        ------
        ValueError, TypeError
            If a field cannot have that value.
        """
        if "priors" in fields:
            fields["priors"] = _checked_priors(fields["priors"])
        if "among" in fields:
            fields["among"] = tuple(map(str, fields["among"]))
        after = replace(self, **fields)
        if after.show not in JUDGED:
            raise ValueError(
                f"show={after.show!r} is not known; use one of {', '.join(map(repr, JUDGED))}."
            )
        if after.none_below is not None and not 0 < after.none_below <= 1:
            raise ValueError(
                f"none_below={after.none_below}; give a part of the pixels above 0 and up to 1."
            )
        if after.threshold is not None and not math.isfinite(after.threshold):
            raise ValueError(f"threshold={after.threshold}; give a finite number.")
        meant = (after.show, after.cls, after.against) != (self.show, self.cls, self.against)
        if meant and "threshold" not in fields:
            after = replace(after, threshold=None)
        return after


def with_prior(priors: Mapping[str, float], cls: str, prior: float) -> dict[str, float]:
    """Give one class a prior; the others keep their proportions and share the rest.

    Raises
    ------
    ValueError
        If it is no probability.
    """
    if not 0 <= prior <= 1:
        raise ValueError(f"a prior of {prior:g} cannot be; give a probability from 0 to 1.")
    others = {name: p for name, p in priors.items() if name != cls}
    total = sum(others.values())
    share = {n: p / total if total > 0 else 1 / len(others) for n, p in others.items()}
    return {name: prior if name == cls else share[name] * (1 - prior) for name in priors}


def _checked_priors(priors: Any) -> tuple[tuple[str, float], ...]:
    pairs = priors.items() if hasattr(priors, "items") else priors
    checked = tuple((str(name), float(prior)) for name, prior in pairs)
    for name, prior in checked:
        if not (math.isfinite(prior) and prior >= 0):
            raise ValueError(f"priors has {prior} for {name!r}; give a number of 0 or more.")
    return checked
