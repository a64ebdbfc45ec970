"""The classification settings that the user chose.

Beside the kernels at hand it is a `napari_colorkde.app.density.class_query.ClassQuery`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, StrictBool, StrictFloat
from pydantic.fields import FieldInfo

from napari_colorkde.app.forwarded_names import current_names, renamed, warn_renamed
from napari_colorkde.io.kernels.kernel_json import ONLY_KNOWN

OverlayValues = Literal["density", "posterior", "ratio", "class"]
OVERLAY_VALUES: dict[OverlayValues, str] = {
    "density": "density",
    "posterior": "probability of a class",
    "ratio": "likelihood ratio",
    "class": "most likely class",
}
"""What an overlay of kernels shows, and what it is called."""

OLD_FIELDS = {"none_below": "keep_mass", "masked": "show_mask", "among": "compared_sets"}


def _written_as(old: str, new: str) -> FieldInfo:
    info: FieldInfo = Field(validation_alias=AliasChoices(new, old), serialization_alias=old)
    return info


@dataclass(frozen=True, slots=True)
class ClassificationSettings:
    """What is asked about each color.

    Attributes
    ----------
    show
        "density" (of the chosen kernel set), "posterior" (probability of a class), "ratio"
        (log-likelihood ratio of two classes, in nats) or "class" (the most likely one).
    cls, against
        Classes by name; None, and names that no kernel has, mean the first ones there are.
    priors
        Probabilities of classes by name; those that are not named share what is left.
    keep_mass
        Fraction of the pixels, above 0 and up to 1, that are densest: all others are of no class.
        None: every pixel has one.
    threshold
        Colors of at least this value are chosen; None takes the one that makes the fewest errors.
    show_mask
        Whether the chosen pixels are marked on the image.
    compared_sets
        Names of kernel sets that are compared with one another alone, as long as one of them is
        chosen; empty for all that are open.

    Raises
    ------
    ValueError
        If a field cannot have its value.

    Notes
    -----
    Session files have the names of 0.1.0, so that either version reads what the other wrote.
    """

    __pydantic_config__ = ONLY_KNOWN

    show: OverlayValues = "density"
    cls: str | None = None
    against: str | None = None
    priors: tuple[tuple[str, StrictFloat], ...] = ()
    keep_mass: Annotated[StrictFloat | None, _written_as("none_below", "keep_mass")] = None
    threshold: StrictFloat | None = None
    show_mask: Annotated[StrictBool, _written_as("masked", "show_mask")] = False
    compared_sets: Annotated[tuple[str, ...], _written_as("among", "compared_sets")] = ()

    none_below = renamed("none_below", "keep_mass")
    masked = renamed("masked", "show_mask")
    among = renamed("among", "compared_sets")
    asked = renamed("asked", "without_display")

    def __post_init__(self) -> None:
        if self.show not in OVERLAY_VALUES:
            raise ValueError(
                f"show={self.show!r} is not known; use one of "
                f"{', '.join(map(repr, OVERLAY_VALUES))}."
            )
        for name, prior in self.priors:
            if not (math.isfinite(prior) and prior >= 0):
                raise ValueError(f"priors has {prior} for {name!r}; give a number of 0 or more.")
        _check_keep_mass(self.keep_mass, "keep_mass")
        if self.threshold is not None and not math.isfinite(self.threshold):
            raise ValueError(f"threshold={self.threshold}; give a finite number.")

    @property
    def without_display(self) -> "ClassificationSettings":
        """The same without what changes no values."""
        return replace(self, threshold=None, show_mask=False)

    def replace(self, **fields: Any) -> "ClassificationSettings":
        """Return these settings with some fields changed and all of them checked.

        A threshold belongs to what is shown: where that changes, it is forgotten.

        Raises
        ------
        ValueError, TypeError
            If a field cannot have that value.
        """
        _check_keep_mass(fields.get("none_below"), "none_below")
        fields = current_names(fields, OLD_FIELDS)
        if "priors" in fields:
            priors = fields["priors"]
            pairs = priors.items() if hasattr(priors, "items") else priors
            fields["priors"] = tuple((str(name), float(prior)) for name, prior in pairs)
        if "compared_sets" in fields:
            fields["compared_sets"] = tuple(map(str, fields["compared_sets"]))
        after = replace(self, **fields)
        meant = (after.show, after.cls, after.against) != (self.show, self.cls, self.against)
        if meant and "threshold" not in fields:
            after = replace(after, threshold=None)
        return after

    def changed(self, **fields: Any) -> "ClassificationSettings":
        """Old name of `replace`."""
        warn_renamed("changed", "replace")
        return self.replace(**fields)


def with_prior(priors: Mapping[str, float], cls: str, prior: float) -> dict[str, float]:
    """Give one class a prior; the others keep their proportions and share the rest.

    Raises
    ------
    ValueError
        If it is no probability.
    """
    if not 0 <= prior <= 1:
        raise ValueError(f"prior={prior:g} is not a probability; give a number from 0 to 1.")
    others = {name: p for name, p in priors.items() if name != cls}
    total = sum(others.values())
    share = {n: p / total if total > 0 else 1 / len(others) for n, p in others.items()}
    return {name: prior if name == cls else share[name] * (1 - prior) for name in priors}


def _check_keep_mass(keep_mass: float | None, name: str) -> None:
    if keep_mass is not None and not 0 < keep_mass <= 1:
        raise ValueError(f"{name}={keep_mass}; give a fraction of the pixels above 0 and up to 1.")
