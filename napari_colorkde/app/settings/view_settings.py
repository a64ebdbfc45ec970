"""The settings of the color-space view: viewpoint, and what is shown. A plain value.

It outlives the view that shows it and is written beside the session's state. It is no part of that
state: undo takes edits back, and should not turn the view.
"""

import functools
import math
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AliasChoices,
    BeforeValidator,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    TypeAdapter,
    ValidationError,
)
from pydantic.fields import FieldInfo

from napari_colorkde.app.forwarded_names import warn_renamed
from napari_colorkde.core.checks.channels import MAX_COLOR_CHANNELS
from napari_colorkde.io.kernels.kernel_json import ONLY_KNOWN, first_fault

MODES = ("cloud", "maximum", "shells", "points")
SCALES = ("linear", "log", "equalized")
BACKGROUNDS = ("gray", "dark", "light")
OLD_SCALE = "equalised"
"""As 0.1.0 spelled the last one, in scripts and in its session files."""

OLD_FIELDS = {"floor": "density_floor", "turning": "auto_rotate", "walls": "marginals"}
"""Fields as 0.1.0 called them, in scripts and in its session files, and what they are now."""


def _or_as(old: str) -> FieldInfo:
    info: FieldInfo = Field(validation_alias=AliasChoices(OLD_FIELDS[old], old))
    return info


def _current_scale(scale: object) -> object:
    # Nobody can rename what is in a file: nothing is said of it.
    return SCALES[-1] if scale == OLD_SCALE else scale


Axes = tuple[int, ...] | None
"""Three channels that colors of more are looked at along; None: the principal axes."""

FIRST_AXES = (0, 1, 2)

Numbers = tuple[StrictFloat, ...]


@dataclass(frozen=True, slots=True)
class ViewSettings:
    """Everything that is chosen in the view of the color space but the space itself.

    Attributes
    ----------
    mode, scale
        One of `MODES`, one of `SCALES`.
    exposure
        Factor on the cloud's optical depth.
    density_floor
        Fraction of the pixels, those of the sparsest colors, that is left out; 0 to 1.
    perspective
        Whether nearer things are larger.
    auto_rotate
        Whether the view turns by itself.
    marginals, outline, legend
        Whether the marginals, the gamut's outline and the legend are shown.
    cut
        The channel at one value of which the cloud is cut open; None if it is not.
    cut_at
        Where on that channel's axis, 0 to 1.
    shells
        Fractions of the pixels within the surfaces of mode "shells": one to three.
    background
        What is behind the cloud: one of `BACKGROUNDS`. Before gray, dark and light colors are seen.
    radius
        Size of ellipsoids in standard deviations.
    by_class
        Whether they have the colors of classes, not of their means.
    viewpoint
        Azimuth and elevation in degrees, zoom (1 where all fits), and the point that is looked at,
        as fractions of the box's edges: six numbers. None is the first view.
    axes
        Of an image of more than three channels, the three that are looked at; None for the
        principal axes. An image that does not have them shows its first three.

    Raises
    ------
    ValueError, TypeError
        If a field cannot have its value.

    Notes
    -----
    The fields of `OLD_FIELDS` are understood, too, and warned about where they are set.
    """

    __pydantic_config__ = ONLY_KNOWN

    mode: str = "cloud"
    scale: Annotated[str, BeforeValidator(_current_scale)] = "linear"
    exposure: StrictFloat = 1.0
    density_floor: Annotated[StrictFloat, _or_as("floor")] = 0.0
    perspective: StrictBool = True
    auto_rotate: Annotated[StrictBool, _or_as("turning")] = False
    marginals: Annotated[StrictBool, _or_as("walls")] = False
    outline: StrictBool = True
    legend: StrictBool = True
    cut: StrictInt | None = None
    cut_at: StrictFloat = 0.5
    shells: Numbers = (0.5, 0.9, 0.99)
    background: str = "gray"
    radius: StrictFloat = 2.0
    by_class: StrictBool = False
    viewpoint: Numbers | None = None
    axes: tuple[StrictInt, ...] | None = FIRST_AXES

    def __post_init__(self) -> None:
        if self.scale == OLD_SCALE:
            warn_renamed(f"scale={OLD_SCALE!r}", repr(SCALES[-1]))
            object.__setattr__(self, "scale", SCALES[-1])
        for name, known in (
            ("mode", MODES),
            ("scale", SCALES),
            ("background", BACKGROUNDS),
            ("cut", (None, 0, 1, 2)),
        ):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} must be one of {known}, not {getattr(self, name)!r}.")
        for name in ("exposure", "radius"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be a positive number, not {getattr(self, name)}.")
        for name in ("density_floor", "cut_at"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be from 0 to 1, not {getattr(self, name)}.")
        if not 1 <= len(self.shells) <= 3 or not all(0 < each < 1 for each in self.shells):
            raise ValueError(
                f"shells must be one to three numbers between 0 and 1, not {self.shells}."
            )
        if self.axes is not None and (
            len(self.axes) != 3
            or len(set(self.axes)) != 3
            or not all(0 <= axis < MAX_COLOR_CHANNELS for axis in self.axes)
        ):
            raise ValueError(
                f"axes must be three different channels from 0 to {MAX_COLOR_CHANNELS - 1}, or "
                f"None, not {self.axes}."
            )
        if self.viewpoint is not None:
            finite = len(self.viewpoint) == 6 and all(map(math.isfinite, self.viewpoint))
            if not finite or not self.viewpoint[2] > 0:
                raise ValueError(
                    "viewpoint must be six finite numbers, the third one positive, "
                    f"not {self.viewpoint}."
                )

    @property
    def floor(self) -> float:
        """`density_floor`, as 0.1.0 called it."""
        return self.density_floor

    @property
    def turning(self) -> bool:
        """`auto_rotate`, as 0.1.0 called it."""
        return self.auto_rotate

    @property
    def walls(self) -> bool:
        """`marginals`, as 0.1.0 called it."""
        return self.marginals

    def to_json(self) -> dict[str, object]:
        """Return the settings as what JSON knows."""
        document: dict[str, object] = _ADAPTER.dump_python(self, mode="json")
        if self.axes == FIRST_AXES:  # as files of earlier versions are
            del document["axes"]
        return document

    @classmethod
    def from_json(cls, document: object) -> "ViewSettings":
        """Read settings; what is missing is as at the start.

        Raises
        ------
        ValueError
            If a value in them is not allowed, or has no meaning here.
        """
        try:
            return _ADAPTER.validate_python(document)
        except ValidationError as error:
            raise ValueError(
                f"the session's view of the color space: {first_fault(error)}"
            ) from None


def _understand_old_fields(cls: type[ViewSettings]) -> None:
    """Let old names of fields be given, as `dataclasses.replace` of 0.1.0's scripts does."""
    init = cls.__init__

    @functools.wraps(init)
    def with_old_fields(self: ViewSettings, *args: Any, **given: Any) -> None:
        for old in OLD_FIELDS.keys() & given.keys():
            warn_renamed(old, OLD_FIELDS[old])
            given[OLD_FIELDS[old]] = given.pop(old)
        init(self, *args, **given)

    cls.__init__ = with_old_fields  # type: ignore[method-assign]


_ADAPTER = TypeAdapter(ViewSettings)
_understand_old_fields(ViewSettings)
