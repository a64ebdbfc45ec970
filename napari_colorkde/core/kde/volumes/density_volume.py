"""A density on a regular grid of colors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class DensityVolume:
    """A density on a regular grid of colors.

    Attributes
    ----------
    values
        ``(B_0, …, B_{C−1})`` float32, per unit volume of color space. Axis 0 is the image's first
        channel.
    axes
        C float64 arrays: the grid's coordinates in image units.
    covariance
        ``(C, C)`` bandwidth of the KDE.
    mass_inside
        Fraction of the density that lies within the extent, from the first grid point to the last;
        for cell averages, within the cells, which reach half a step further.
    space
        Color space of the axes.
    boundary
        How it ends at the walls of the color box, see `ColorKDE`.
    """

    values: NDArray[np.float32]
    axes: tuple[NDArray[np.float64], ...]
    covariance: NDArray[np.float64]
    mass_inside: float
    space: str = "rgb"
    boundary: str = "none"

    @property
    def spacing(self) -> NDArray[np.float64]:
        """Distance of grid points along each axis, ``(C,)``, in image units."""
        return np.array([a[1] - a[0] if len(a) > 1 else 1.0 for a in self.axes])
