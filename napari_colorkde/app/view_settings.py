"""How the color space is looked at: where from, and what is shown of it. A plain value.

It outlives the view that shows it and is written beside the session's state. It is no part of that
state: undo takes edits back, and should not turn the view.
"""

import math
import warnings
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any

MODES = ("cloud", "maximum", "shells", "points")
SCALES = ("linear", "log", "equalized")
OLD_SCALE = "equalised"
"""As 0.1.0 spelled the last one, in scripts and in its session files."""


@dataclass(frozen=True, slots=True)
class CubeLook:
    """Everything that is chosen in the view of the color space but the space itself.

    Attributes
    ----------
    mode, scale
        One of `MODES`, one of `SCALES`.
    exposure
        Factor on the cloud's optical depth.
    floor
        Part of the pixels, those of the sparsest colors, that is left out; 0 to 1.
    perspective
        Whether nearer things are larger.
    turning
        Whether the view turns by itself.
    walls, outline, legend
        Whether the marginals, the gamut's outline and the legend are shown.
    cut
        The channel at one value of which the cloud is cut open; None if it is not.
    cut_at
        Where on that channel's axis, 0 to 1.
    shells
        Parts of the pixels within the surfaces of mode "shells": one to three.
    radius
        Size of ellipsoids in standard deviations.
    by_class
        Whether they have the colors of classes, not of their means.
    viewpoint
        Azimuth and elevation in degrees, zoom (1 where all fits), and the point that is looked at,
        as parts of the box's edges: six numbers. None is the first view.

    Raises
    ------
    ValueError, TypeError
        If a field cannot have its value.
    """

    mode: str = "cloud"
    scale: str = "linear"
    exposure: float = 1.0
    floor: float = 0.0
    perspective: bool = True
    turning: bool = False
    walls: bool = False
    outline: bool = True
    legend: bool = True
    cut: int | None = None
    cut_at: float = 0.5
    shells: tuple[float, ...] = (0.5, 0.9, 0.99)
    radius: float = 2.0
    by_class: bool = False
    viewpoint: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if self.scale == OLD_SCALE:
            warnings.warn(
                f"scale={OLD_SCALE!r} is an old spelling; write {SCALES[-1]!r}.",
                DeprecationWarning,
                stacklevel=3,
            )
            object.__setattr__(self, "scale", SCALES[-1])
        for name, known in (("mode", MODES), ("scale", SCALES), ("cut", (None, 0, 1, 2))):
            if getattr(self, name) not in known:
                raise ValueError(
                    f"{name}={getattr(self, name)!r} is not known; use one of {known}."
                )
        for name in ("exposure", "radius"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name}={getattr(self, name)}; give a positive number.")
        for name in ("floor", "cut_at"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}={getattr(self, name)}; give a number from 0 to 1.")
        if not 1 <= len(self.shells) <= 3 or not all(0 < share < 1 for share in self.shells):
            raise ValueError(f"shells={self.shells}; give one to three numbers between 0 and 1.")
        if self.viewpoint is not None:
            finite = len(self.viewpoint) == 6 and all(map(math.isfinite, self.viewpoint))
            if not finite or not self.viewpoint[2] > 0:
                raise ValueError(
                    f"viewpoint={self.viewpoint}; give six numbers, the third one positive."
                )


def look_to_json(look: CubeLook) -> dict[str, Any]:
    """Write a look as what JSON knows."""
    return asdict(look)


def look_from_json(document: Any) -> CubeLook:
    """Read a look; what is missing is as at the start.

    Raises
    ------
    ValueError
        If a value in it cannot be, or has no meaning here.
    """
    try:
        values = dict(document)
        for name in ("shells", "viewpoint"):
            if values.get(name) is not None:
                values[name] = _numbers(values[name])
        if values.get("scale") == OLD_SCALE:
            values["scale"] = SCALES[-1]
        for field in fields(CubeLook):
            if isinstance(field.default, bool):
                values[field.name] = bool(values.get(field.name, field.default))
        return CubeLook(**values)
    except (TypeError, ValueError):
        raise ValueError(f"the session's look of the color space is {document!r}.") from None


def _numbers(values: Iterable[Any]) -> tuple[float, ...]:
    return tuple(map(float, values))
