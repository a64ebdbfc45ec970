"""What a user has chosen: one immutable value that determines everything on screen.

A state holds no arrays of the image and no results. Earlier states are undo, a state written down
is a saved session. Nothing is computed here.
"""

from dataclasses import dataclass, field, fields, replace
from typing import Annotated, Any, Literal

from pydantic import (
    AliasChoices,
    Field,
    PlainSerializer,
    PlainValidator,
    StrictBool,
    TypeAdapter,
    ValidationError,
)

from napari_colorkde.app.forwarded_names import current_names, renamed, warn_renamed
from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.settings.class_settings import ClassificationSettings
from napari_colorkde.app.settings.state_values import (
    Bandwidth,
    NamedSets,
    bandwidth_from_json,
    bandwidth_to_json,
    checked_bandwidth,
    checked_sets,
    estimator_title,
    is_covariance,
    sets_from_json,
    sets_to_json,
)
from napari_colorkde.app.settings.voxel_settings import VoxelSettings
from napari_colorkde.core.colorspaces import COLOR_SPACES
from napari_colorkde.core.kde.bandwidth_rules import BANDWIDTH_RULES
from napari_colorkde.core.kde.estimators.boundary import BOUNDARIES, Boundary
from napari_colorkde.core.kde.estimators.choose import refuse_both
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.io.kernels.kernel_json import (
    ONLY_KNOWN,
    first_fault,
)

DisplayMode = Literal["kde", "kernels"]
DISPLAY_MODES: tuple[DisplayMode, ...] = ("kde", "kernels")


OLD_FIELDS = {"judgement": "classification"}

REQUIRED_KEYS = ("show", "channels", "bandwidth", "log", "colormap", "kernel_set", "kernel_sets")
"""What every session file has; the other fields of a state came later."""

LATER_KEYS = {
    "boundary": "none",
    "varying": False,
    "voxels": {"show": False, "opacity": None},
}
"""What is written only where it is not as here: files of earlier versions do not have it."""


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
        PlainValidator(bandwidth_from_json),
        PlainSerializer(bandwidth_to_json),
    ] = None
    boundary: Boundary = "none"
    varying: StrictBool = False
    kernel_sets: Annotated[
        NamedSets,
        PlainValidator(sets_from_json),
        PlainSerializer(sets_to_json),
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
            fields["kernel_sets"] = checked_sets(fields["kernel_sets"])
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


def _check_estimator(state: State) -> None:
    if state.boundary not in BOUNDARIES:
        raise ValueError(
            f"boundary={state.boundary!r} is not known; use one of {', '.join(BOUNDARIES)}."
        )
    refuse_both(state.boundary, state.varying)
    rule = state.bandwidth
    is_full = is_covariance(rule) or (isinstance(rule, str) and BANDWIDTH_RULES[rule].is_full)
    if state.boundary != "none" and is_full:
        given = f"bandwidth={rule!r} gives" if isinstance(rule, str) else "this bandwidth is"
        raise ValueError(
            f"boundary={state.boundary!r} needs a diagonal bandwidth, and {given} a full "
            "covariance; choose another rule, or no boundary."
        )


_ADAPTER = TypeAdapter(State)
