"""Bandwidths, estimators and kernel sets, as users give them and as session files hold them."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import SupportsFloat, cast

from napari_colorkde.core.checks.arguments import kind_of
from napari_colorkde.core.checks.channels import MAX_COLOR_CHANNELS
from napari_colorkde.core.kde.bandwidth_rules import BANDWIDTH_RULES
from napari_colorkde.core.kde.estimators.boundary import Boundary
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.io.kernels.kernel_json import (
    kernels_from_document,
    kernels_to_json,
)

ESTIMATORS: dict[str, tuple[Boundary, bool]] = {
    "plain, no boundary": ("none", False),
    "renormalized at the boundary": ("renormalized", False),
    "reflected at the boundary": ("reflected", False),
    "wider where colors are rare": ("none", True),
}
"""What becomes of kernels at the walls of the color box and where colors are rare: the `boundary`
and `varying` of a state, by the words for them. These are all that there are."""

AUTOMATIC = "auto"
"""The rule that a state keeps as None."""

Bandwidth = str | tuple[float, ...] | None

NamedSets = tuple[tuple[str, KernelSet], ...]


def bandwidth_from_json(value: object) -> Bandwidth:
    """Read a bandwidth; text and truth values are no numbers."""
    sigmas = value if isinstance(value, list) else [value]
    if isinstance(value, dict) or any(isinstance(each, bool | list | dict) for each in sigmas):
        raise ValueError("give null, a rule's name, or positive sigmas.")
    if isinstance(value, list) and any(isinstance(each, str) for each in value):
        raise ValueError("give sigmas as numbers, not as text.")
    try:
        return checked_bandwidth(value)
    except TypeError as error:
        raise ValueError(str(error)) from None
    except OverflowError:
        raise ValueError("give finite sigmas.") from None


def bandwidth_to_json(bandwidth: Bandwidth) -> str | list[float] | None:
    """Return what JSON knows of a bandwidth."""
    return list(bandwidth) if isinstance(bandwidth, tuple) else bandwidth


def sets_from_json(document: object) -> NamedSets:
    """Read kernel sets, in the form of a kernel file; None for no set."""
    if document is None:
        return ()
    return checked_sets(kernels_from_document(document, "the value"))


def sets_to_json(sets: NamedSets) -> object:
    """Return sets in the form of a kernel file, or None."""
    return json.loads(kernels_to_json(dict(sets))) if sets else None


def checked_bandwidth(bandwidth: object) -> Bandwidth:
    """Bring a bandwidth to the form a state keeps.

    Raises
    ------
    ValueError, TypeError
        If it is neither None, nor the name of a rule, nor one to 32 positive numbers.
    """
    if bandwidth is None or (isinstance(bandwidth, str) and bandwidth == AUTOMATIC):
        return None
    if isinstance(bandwidth, str):
        if bandwidth not in BANDWIDTH_RULES or BANDWIDTH_RULES[bandwidth].needs_image:
            raise ValueError(
                f"bandwidth={bandwidth!r} is not known; use None, {_rules()}, "
                "or sigmas in image units."
            )
        return bandwidth
    try:
        sigmas = tuple(float(sigma) for sigma in _iterable(bandwidth))
    except (TypeError, ValueError):
        raise TypeError(
            f"bandwidth={bandwidth!r} is not a number; use None, {_rules()}, or sigmas in image "
            "units."
        ) from None
    if not 1 <= len(sigmas) <= MAX_COLOR_CHANNELS or not all(
        math.isfinite(s) and s > 0 for s in sigmas
    ):
        raise ValueError(
            f"bandwidth={bandwidth!r}: give one positive sigma, or one per color channel."
        )
    return sigmas


def estimator_title(boundary: Boundary, varying: bool) -> str:
    """Return the words for an estimator, one of `ESTIMATORS`."""
    chosen = boundary, varying
    return next(title for title, estimator in ESTIMATORS.items() if estimator == chosen)


def _iterable(value: object) -> Iterable[SupportsFloat]:
    return cast(Iterable[SupportsFloat], value if hasattr(value, "__iter__") else (value,))


def checked_sets(sets: object) -> tuple[tuple[str, KernelSet], ...]:
    """Return kernel sets with their names.

    Raises
    ------
    TypeError, ValueError
        If one is no kernel set, or empty.
    """
    pairs: NamedSets = tuple(sets.items() if isinstance(sets, Mapping) else cast(NamedSets, sets))
    for name, kernels in pairs:
        if not isinstance(kernels, KernelSet):
            raise TypeError(f"kernel_sets: {name!r} is {kind_of(kernels)}, not a KernelSet.")
        if len(kernels) == 0:
            raise ValueError(f"kernel_sets: the set {name!r} is empty; give at least one kernel.")
    return pairs


def _rules() -> str:
    # Where pixels are, the palette that a density is made of does not say.
    rules = (rule.name for rule in BANDWIDTH_RULES.values() if not rule.needs_image)
    return ", ".join(name for name in rules if name != AUTOMATIC)
