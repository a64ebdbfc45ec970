"""What the fields of a density volume have to be, when one is made by hand."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_colorkde.core.checks.arguments import kind_of, real_number
from napari_colorkde.core.checks.options import flag, refuse_no_list
from napari_colorkde.core.colorspaces import COLOR_SPACES
from napari_colorkde.core.kde.estimators.boundary import BOUNDARIES

if TYPE_CHECKING:
    from napari_colorkde.core.kernel_sums.separable import Sampling

SAMPLINGS: "tuple[Sampling, ...]" = ("points", "cells")

CHOICES: dict[str, Collection[str]] = {
    "space": COLOR_SPACES,  # the table itself, which may get more entries
    "boundary": BOUNDARIES,
    "sampling": SAMPLINGS,
}
"""What is known of each field that is a name."""


def refuse_bad_volume(volume: Any) -> None:
    """Refuse fields of other types, and shapes that do not belong together; O(C).

    Raises
    ------
    TypeError, ValueError
        If one is so.
    """
    values, axes = volume.values, volume.axes
    if not isinstance(values, np.ndarray) or values.dtype.kind != "f" or not values.ndim:
        raise TypeError(f"values is {_kind(values)}; give an array of floats, one axis a channel.")
    refuse_no_list(axes, "axes", of="the coordinates along each axis")
    lengths = tuple(len(axis) if np.ndim(axis) == 1 else -1 for axis in axes)
    if lengths != values.shape:
        raise ValueError(
            f"axes has the lengths {lengths}, but values has shape {values.shape}; give an array "
            "of coordinates for each axis of the values."
        )
    wanted = (values.ndim, values.ndim)
    covariance = volume.covariance
    if not isinstance(covariance, np.ndarray) or covariance.shape != wanted:
        raise ValueError(f"covariance is {_kind(covariance)}; give an array of shape {wanted}.")
    _refuse_no_mass(volume.mass_inside)
    flag(volume.is_log, "is_log")
    names = volume.names
    refuse_no_list(names, "names", of="one name for each axis, or none at all")
    if names and (len(names) != values.ndim or len(set(names)) < len(names)):
        raise ValueError(f"names={names!r}; give {values.ndim} different names, or none at all.")


def _refuse_no_mass(value: object) -> None:
    """Refuse a mass that is no number; that of a slice is NaN."""
    if not (isinstance(value, float) and np.isnan(value)):
        real_number(value, "mass_inside", "a number from 0 to 1, or NaN")


def _kind(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} with shape {value.shape}"
    return kind_of(value)
