"""Bandwidths, estimators and kernel sets, as users give them and as session files hold them."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, SupportsFloat, cast

import numpy as np

from napari_colorkde.core.checks.arguments import kind_of
from napari_colorkde.core.checks.channels import MAX_COLOR_CHANNELS
from napari_colorkde.core.checks.covariance import checked_covariance
from napari_colorkde.core.kde.bandwidth_rules import BANDWIDTH_RULES
from napari_colorkde.core.kde.estimators.boundary import Boundary
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.io.kernels.kernel_json import (
    kernels_from_document,
    kernels_to_json,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from typing_extensions import TypeIs

ESTIMATORS: dict[str, tuple[Boundary, bool]] = {
    "plain, no boundary": ("none", False),
    "renormalized at the boundary": ("renormalized", False),
    "reflected at the boundary": ("reflected", False),
    "wider where colors are rare": ("none", True),
}
"""What becomes of kernels at the walls of the color box and where colors are rare: the `boundary`
and `varying` of a state, by the words for them. These are all that there are."""

_AXES_OF_A_COVARIANCE = 2

AUTOMATIC = "auto"
"""The rule that a state keeps as None."""

Covariance = tuple[tuple[float, ...], ...]
"""That of the kernels, ``(C, C)``, row by row."""

Bandwidth = str | tuple[float, ...] | Covariance | None
"""None is the automatic one; a rule by its name; sigmas; or a covariance."""

NamedSets = tuple[tuple[str, KernelSet], ...]


def bandwidth_from_json(value: object) -> Bandwidth:
    """Read a bandwidth; text and truth values are no numbers."""
    sigmas = value if isinstance(value, list) else [value]
    if sigmas and all(isinstance(each, list) for each in sigmas):
        sigmas = [number for row in cast("list[list[object]]", sigmas) for number in row]
    if isinstance(value, dict) or any(isinstance(each, bool | list | dict) for each in sigmas):
        raise ValueError("give null, a rule's name, positive sigmas, or a covariance.")
    if isinstance(value, list) and any(isinstance(each, str) for each in sigmas):
        raise ValueError("give sigmas as numbers, not as text.")
    try:
        return checked_bandwidth(value)
    except TypeError as error:
        raise ValueError(str(error)) from None
    except OverflowError:
        raise ValueError("give finite sigmas.") from None


def bandwidth_to_json(bandwidth: Bandwidth) -> str | list[float] | list[list[float]] | None:
    """Return what JSON knows of a bandwidth."""
    if is_covariance(bandwidth):
        return [list(row) for row in bandwidth]
    if isinstance(bandwidth, tuple):
        return list(cast("tuple[float, ...]", bandwidth))
    return bandwidth


def is_covariance(bandwidth: Bandwidth) -> "TypeIs[Covariance]":
    """Whether a bandwidth is a full covariance."""
    return isinstance(bandwidth, tuple) and isinstance(bandwidth[0], tuple)


def sigmas_given(bandwidth: Bandwidth) -> tuple[float, ...] | None:
    """Return the sigmas of a bandwidth that is given in numbers; None of a rule."""
    if is_covariance(bandwidth):
        return tuple(math.sqrt(row[i]) for i, row in enumerate(bandwidth))
    return cast("tuple[float, ...]", bandwidth) if isinstance(bandwidth, tuple) else None


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
        If it is neither None, nor the name of a rule, nor one to 32 positive numbers, nor a
        covariance.
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
    if _n_axes(bandwidth) == _AXES_OF_A_COVARIANCE:
        return _checked_covariance(bandwidth)
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


def _n_axes(given: object) -> int:
    """Return how many axes an array has, or would have; 0 of what is none."""
    try:
        return np.ndim(cast("ArrayLike", given))
    except (TypeError, ValueError):
        return 0


def _checked_covariance(given: object) -> Bandwidth:
    """Return a covariance as a state keeps it; of one that is diagonal, its sigmas."""
    try:
        values = np.asarray(given, np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"bandwidth={given!r} is not a covariance; give numbers.") from None
    if values.shape[0] > MAX_COLOR_CHANNELS:
        raise ValueError(f"bandwidth is a covariance of shape {values.shape}; give (C, C).")
    covariance = checked_covariance(values, values.shape[0])
    if not (covariance - np.diag(np.diagonal(covariance))).any():
        return tuple(np.sqrt(np.diagonal(covariance)).tolist())
    return tuple(map(tuple, covariance.tolist()))


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
