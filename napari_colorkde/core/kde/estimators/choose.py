"""Chooses the sums of an estimate: plain, with boundary correction, or of varying width."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.checks.arguments import Keywords
from napari_colorkde.core.checks.channels import MAX_GRID_CHANNELS
from napari_colorkde.core.device import Device
from napari_colorkde.core.kde.estimators.boundary import Boundary, BoundedSums, check_boundary
from napari_colorkde.core.kde.estimators.varying import VaryingSums
from napari_colorkde.core.kde.grids import mass_inside
from napari_colorkde.core.kernel_sums.kernel_sums import KernelSums, kernel_sums
from napari_colorkde.core.kernel_sums.separable import Sampling
from napari_colorkde.core.kernel_sums.spread_sums import Axes
from napari_colorkde.core.palette.palette import Palette

Array = NDArray[np.float64]


def refuse_both(boundary: Boundary, varying: bool) -> None:
    """Refuse walls for kernels of varying width.

    Raises
    ------
    ValueError
        If both are asked for.
    """
    if varying and boundary != "none":
        raise ValueError(
            f"boundary={boundary!r} and varying=True cannot be combined; give one of them."
        )


def estimator_facts(boundary: Boundary, varying: bool) -> dict[str, object]:
    """Return what a record says of an estimate; nothing of the plain one."""
    facts: Keywords = {} if boundary == "none" else {"boundary": boundary}
    return {**facts, "varying": True} if varying else facts


def check_estimator(boundary: Boundary, varying: bool, covariance: Array) -> None:
    """Refuse what has no such estimate.

    Raises
    ------
    ValueError
        If the boundary needs a diagonal bandwidth, both are asked for, or there are more than three
        channels.
    """
    n_channels = len(covariance)
    if n_channels > MAX_GRID_CHANNELS and (varying or boundary != "none"):
        given = "varying=True" if varying else f"boundary={boundary!r}"
        raise ValueError(
            f"{given} is for 1 to {MAX_GRID_CHANNELS} channels, but the image has {n_channels}; "
            "leave it out, or choose up to three channels."
        )
    check_boundary(boundary, covariance)
    refuse_both(boundary, varying)


def estimator_sums(
    points: Palette,
    covariance: Array,
    device: Device,
    boundary: Boundary,
    varying: bool,
    box: Callable[[], Array],
) -> KernelSums:
    """Return the sums of an estimate; the box is asked for where there are walls."""
    if varying:
        return VaryingSums(points, covariance, device)
    if boundary != "none":
        return BoundedSums(points, covariance, box(), boundary, device)
    return kernel_sums(points, covariance, device)


def estimated_mass(
    sums: KernelSums,
    points: Palette,
    covariance: Array,
    axes: Axes,
    values: NDArray[np.float32],
    sampling: Sampling,
) -> float:
    """Return the fraction of an estimate that lies within a grid, see `grids.mass_inside`."""
    if isinstance(sums, BoundedSums | VaryingSums):
        return sums.mass_inside(axes, values, sampling)
    return mass_inside(points, covariance, axes, values, sampling)
