"""What a user has chosen: one immutable value that determines everything on screen.

A state holds no arrays of the image and no results. Earlier states are undo, a state written down
is a saved session. Nothing is computed here.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Annotated, Any, Literal, SupportsFloat, cast

from pydantic import (
    AliasChoices,
    Field,
    PlainSerializer,
    PlainValidator,
    StrictBool,
    TypeAdapter,
    ValidationError,
)

from napari_colorkde.app.aliases import current_names, renamed, warn_renamed
from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.settings.class_settings import ClassificationSettings
from napari_colorkde.app.settings.voxel_settings import VoxelSettings
from napari_colorkde.core.checks.arguments import kind_of
from napari_colorkde.core.checks.channels import MAX_COLOR_CHANNELS
from napari_colorkde.core.colorspaces import COLOR_SPACES
from napari_colorkde.core.kde.bandwidth_rules import BANDWIDTH_RULES
from napari_colorkde.core.kde.estimators.boundary import BOUNDARIES, Boundary
from napari_colorkde.core.kde.estimators.choose import refuse_both
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.io.kernels.kernel_json import (
    ONLY_KNOWN,
    first_fault,
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

DisplayMode = Literal["kde", "kernels"]
DISPLAY_MODES: tuple[DisplayMode, ...] = ("kde", "kernels")

AUTOMATIC = "auto"
"""The rule that a state keeps as None."""

OLD_FIELDS = {"judgement": "classification"}

REQUIRED_KEYS = ("show", "channels", "bandwidth", "log", "colormap", "kernel_set", "kernel_sets")
"""What every session file has; the other fields of a state came later."""

LATER_KEYS = {
    "boundary": "none",
    "varying": False,
    "voxels": {"show": False, "opacity": None},
}
"""What is written only where it is not as here: files of earlier versions do not have it."""

Bandwidth = str | tuple[float, ...] | None
NamedSets = tuple[tuple[str, KernelSet], ...]


def _bandwidth_from_json(value: object) -> Bandwidth:
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


def _bandwidth_to_json(bandwidth: Bandwidth) -> str | list[float] | None:
    return list(bandwidth) if isinstance(bandwidth, tuple) else bandwidth


def _sets_from_json(document: object) -> NamedSets:
    if document is None:
        return ()
    return _checked_sets(kernels_from_document(document, "the value"))


def _sets_to_json(sets: NamedSets) -> object:
    return json.loads(kernels_to_json(dict(sets))) if sets else None


@dataclass(frozen=True, slots=True)
class State:
    """Everything that decides what is shown.

    Attributes
    ----------
    channels
        The color channels; None for those natural to the image.
    show
        "kde": the density of the image's own colors. "kernels": the mixture `kernels`.
    space
        The color space of the density, one of `COLOR_SPACES`; "rgb" is the image's own channels.
    bandwidth
        None (1/64 of each channel's range), one of `BANDWIDTH_RULES`, or sigmas in units of the
        space: one for all channels or one per channel.
    boundary, varying
        How the density ends at the walls of the color box, and whether kernels are wider where
        colors are rare, see `ColorKDE`; one of the two.
    kernel_sets
        The sets of the kernel file that was opened, by the names they have there.
    kernel_set
        Which of them is shown; None if there is none.
    log
        Whether the overlay shows natural logarithms. Densities of photographs span ten decades, so
        that most of a linear overlay is black.
    colormap
        Name of the overlay's colormap.
    classification
        What is asked of the kernels' classes where `show` is "kernels".
    voxels
        Which voxels of a stack are seen in true color where `show` is "kernels".
    """

    # Other fields of a session file are left aside: a later program may have added them.
    __pydantic_config__ = ONLY_KNOWN | {"extra": "ignore"}

    channels: Channels | None = None
    show: DisplayMode = "kde"
    space: str = "rgb"
    bandwidth: Annotated[
        Bandwidth,
        PlainValidator(_bandwidth_from_json),
        PlainSerializer(_bandwidth_to_json),
    ] = None
    boundary: Boundary = "none"
    varying: StrictBool = False
    kernel_sets: Annotated[
        NamedSets,
        PlainValidator(_sets_from_json),
        PlainSerializer(_sets_to_json),
    ] = ()
    kernel_set: str | None = None
    log: StrictBool = True
    colormap: str = "magma"
    classification: Annotated[
        ClassificationSettings,
        Field(
            validation_alias=AliasChoices("classification", "judgement"),
            serialization_alias="judgement",
        ),
    ] = field(default_factory=ClassificationSettings)

    voxels: VoxelSettings = field(default_factory=VoxelSettings)

    judgement = renamed("judgement", "classification")

    @property
    def kernels(self) -> KernelSet | None:
        """The kernel set that is chosen."""
        return dict(self.kernel_sets).get(self.kernel_set) if self.kernel_set is not None else None

    @property
    def estimator(self) -> str:
        """The words for boundary and varying, one of `ESTIMATORS`."""
        return estimator_title(self.boundary, self.varying)

    @property
    def shown_classification(self) -> ClassificationSettings | None:
        """What is asked of the classes; None where a density is shown."""
        asked = self.show == "kernels" and self.classification.show != "density"
        return self.classification.without_display if asked else None

    @property
    def shown_voxels(self) -> VoxelSettings | None:
        """Which voxels are seen in true color; None where none are asked for."""
        return self.voxels if self.voxels.show and self.show == "kernels" else None

    @property
    def value_scale(self) -> tuple[object, ...]:
        """What a threshold of the shown values depends on: on another scale it means nothing."""
        if self.shown_classification is not None:
            return (self.shown_classification.show,)
        return self.show, self.log, self.channels, self.space if self.show == "kde" else None

    def replace(self, **fields: Any) -> "State":
        """Return this state with some fields changed and all of them checked.

        A threshold belongs to the numbers that are shown: unless a classification is given, it is
        forgotten where these become others; and so is the range of the voxels' opacity.

        Raises
        ------
        ValueError, TypeError
            If a field cannot have that value, or there is no such field.
        """
        fields = current_names(fields, OLD_FIELDS)
        unknown = sorted(set(fields) - set(self.__slots__))
        if unknown:
            raise TypeError(
                f"{unknown[0]!r} is not a field of the state; use one of "
                f"{', '.join(self.__slots__)}."
            )
        if "bandwidth" in fields:
            fields["bandwidth"] = checked_bandwidth(fields["bandwidth"])
        for name in fields.keys() & {"log", "varying"}:
            fields[name] = bool(fields[name])
        if "kernel_sets" in fields:
            fields["kernel_sets"] = _checked_sets(fields["kernel_sets"])
        after = replace(self, **fields)
        if after.value_scale != self.value_scale:
            if "classification" not in fields:
                after = replace(after, classification=replace(after.classification, threshold=None))
            if "voxels" not in fields:
                after = replace(after, voxels=replace(after.voxels, opacity=None))
        if after.show not in DISPLAY_MODES:
            raise ValueError(f"show={after.show!r} is not known; use 'kde' or 'kernels'.")
        if after.space not in COLOR_SPACES:
            raise ValueError(
                f"space={after.space!r} is not known; use one of {', '.join(COLOR_SPACES)}."
            )
        _check_estimator(after)
        names = [name for name, _ in after.kernel_sets]
        if after.kernel_set not in names:
            if "kernel_set" in fields and after.kernel_set is not None:
                raise ValueError(
                    f"kernel_set={after.kernel_set!r} is not an open set; use one of {names}."
                )
            after = replace(after, kernel_set=names[0] if names else None)
        if after.show == "kernels" and after.kernels is None:
            raise ValueError("show='kernels' needs a kernel set; open a kernel file first.")
        return after

    def to_json(self) -> dict[str, object]:
        """Return the state as what JSON knows; numbers read back as the same float64."""
        document: dict[str, object] = _ADAPTER.dump_python(self, mode="json", by_alias=True)
        same = {name for name, value in LATER_KEYS.items() if document[name] == value}
        return {name: value for name, value in document.items() if name not in same}

    @classmethod
    def from_json(cls, document: object) -> "State":
        """Read a state.

        Raises
        ------
        ValueError
            If there is something missing, or a value is not allowed; the sentence names its key.
        """
        if isinstance(document, dict):
            missing = [name for name in REQUIRED_KEYS if name not in document]
            if missing:
                raise ValueError(f"the session has no {missing[0]!r}.")
        try:
            read = _ADAPTER.validate_python(document)
        except ValidationError as error:
            raise ValueError(f"the session: {first_fault(error)}") from None
        try:
            return cls().replace(**{each.name: getattr(read, each.name) for each in fields(cls)})
        except (TypeError, ValueError) as error:
            raise ValueError(f"the session: {error}") from None

    def changed(self, **fields: Any) -> "State":
        """Old name of `replace`."""
        warn_renamed("changed", "replace")
        return self.replace(**fields)


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


def _check_estimator(state: State) -> None:
    if state.boundary not in BOUNDARIES:
        raise ValueError(
            f"boundary={state.boundary!r} is not known; use one of {', '.join(BOUNDARIES)}."
        )
    refuse_both(state.boundary, state.varying)
    rule = state.bandwidth
    if state.boundary != "none" and isinstance(rule, str) and BANDWIDTH_RULES[rule].is_full:
        raise ValueError(
            f"boundary={state.boundary!r} needs a diagonal bandwidth, and bandwidth={rule!r} gives "
            "a full covariance; choose another rule, or no boundary."
        )


def _iterable(value: object) -> Iterable[SupportsFloat]:
    return cast(Iterable[SupportsFloat], value if hasattr(value, "__iter__") else (value,))


def _checked_sets(sets: object) -> tuple[tuple[str, KernelSet], ...]:
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


_ADAPTER = TypeAdapter(State)
