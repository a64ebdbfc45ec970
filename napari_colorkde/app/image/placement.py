"""Where a layer lies in the world: what layers derived from an image inherit from it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from napari.layers import Layer
    from pint import Unit


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a layer lies in the world: what an overlay takes over from its source."""

    scale: tuple[float, ...]
    translate: tuple[float, ...]
    rotate: NDArray[np.float64]
    shear: NDArray[np.float64]
    affine: NDArray[np.float64]
    units: "tuple[Unit, ...]"
    axis_labels: tuple[str, ...]

    @classmethod
    def of(cls, layer: "Layer") -> "Placement":
        """Read it off a napari layer."""
        return cls(
            tuple(map(float, layer.scale)),
            tuple(map(float, layer.translate)),
            np.array(layer.rotate),
            np.array(layer.shear),
            np.array(layer.affine.affine_matrix),
            tuple(layer.units),
            tuple(layer.axis_labels),
        )

    def as_arguments(self) -> dict[str, object]:
        """The arguments with which napari makes a layer that lies in the same place."""
        return {name: getattr(self, name) for name in self.__slots__}

    def apply(self, layer: "Layer") -> None:
        """Move an existing layer there."""
        for name, value in self.as_arguments().items():
            setattr(layer, name, value)
