"""Which voxels of a stack are shown in true color, as the user chose. A plain value."""

import math
from dataclasses import dataclass, replace
from typing import Any

from pydantic import StrictBool, StrictFloat

from napari_colorkde.io.kernels.kernel_json import ONLY_KNOWN


@dataclass(frozen=True, slots=True)
class VoxelSettings:
    """The rendering of a stack in true color, with the shown values of kernels as opacity.

    Attributes
    ----------
    show
        Whether it is there.
    opacity
        Of the values that the overlay shows, the one up to which voxels are clear, and the one from
        which on they are opaque; between them opacity grows evenly. None: what suits the kernels,
        see `napari_colorkde.app.layers.voxels.voxel_opacity.automatic_range`.

    Raises
    ------
    ValueError
        If these are not two finite numbers, the lower first.
    """

    __pydantic_config__ = ONLY_KNOWN

    show: StrictBool = False
    opacity: tuple[StrictFloat, StrictFloat] | None = None

    def __post_init__(self) -> None:
        given = self.opacity
        if given is None:
            return
        if len(given) != 2 or not all(map(math.isfinite, given)) or not given[0] < given[1]:
            raise ValueError(
                f"opacity={given}; give two finite numbers, the lower first: voxels are clear up "
                "to the first and opaque from the second on."
            )

    def replace(self, **fields: Any) -> "VoxelSettings":
        """Return these settings with some fields changed and all of them checked.

        Raises
        ------
        ValueError, TypeError
            If a field cannot have that value, or there is no such field.
        """
        if "show" in fields:
            fields["show"] = bool(fields["show"])
        if fields.get("opacity") is not None:
            fields["opacity"] = tuple(map(float, fields["opacity"]))
        return replace(self, **fields)
