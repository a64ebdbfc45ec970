"""Densities on regular grids of their colors."""

import warnings
from abc import abstractmethod
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.checks.arguments import choice
from napari_colorkde.core.colorspaces import ColorSpace
from napari_colorkde.core.kde.estimators.choose import estimated_mass
from napari_colorkde.core.kde.grids import grid_axes
from napari_colorkde.core.kde.statistics import DensityStatistics
from napari_colorkde.core.kde.volumes.density_volume import DensityVolume
from napari_colorkde.core.kernel_sums.kernel_sums import KernelSums
from napari_colorkde.core.kernel_sums.separable import Sampling

SAMPLINGS: tuple[Sampling, ...] = get_args(Sampling)


class NarrowBandwidthWarning(UserWarning):
    """A volume is sampled more coarsely than its kernels are wide."""


class GriddedDensity(DensityStatistics):
    """What a density is at the points of a grid; `ColorKDE` has it.

    Attributes
    ----------
    space, color_space
        Where its colors lie; None: the image's own channels.
    """

    space: str
    color_space: ColorSpace | None

    @property
    @abstractmethod
    def _sums(self) -> KernelSums: ...

    @property
    @abstractmethod
    def box(self) -> NDArray[np.float64]:
        """The walls of the color box, ``(C, 2)``."""

    @abstractmethod
    def _scaled(self, sums: NDArray[np.float32]) -> NDArray[np.float32]: ...

    def volume(
        self,
        bins: int | ArrayLike = 128,
        extent: ArrayLike | None = None,
        *,
        sampling: Sampling = "points",
    ) -> DensityVolume:
        """The density on a regular grid.

        Parameters
        ----------
        bins
            Grid points per axis: one number, or one per channel.
        extent
            First and last grid point: one pair, or one per channel, in image units. None: (0, 255)
            for uint8, the gamut's box in another color space, otherwise the data's range and 3
            sigma on both sides.
        sampling
            "points": the density at each grid point. "cells": its average over the cell around
            it, which shows kernels narrower than the grid (diagonal bandwidths only).

        Warns
        -----
        NarrowBandwidthWarning
            If points are sampled further apart than a kernel's smallest standard deviation.

        Raises
        ------
        ValueError
            If bins or extent are not of that form, or the volume would exceed 1 GB.
        """
        sampling = choice(sampling, "sampling", SAMPLINGS)
        return self._volume(bins, extent, sampling)

    def _volume(
        self, bins: int | ArrayLike, extent: ArrayLike | None, sampling: Sampling
    ) -> DensityVolume:
        """See `volume`; warnings point to whoever called the caller."""
        extent = self._default_extent() if extent is None else extent
        axes = grid_axes(bins, extent, self.palette.n_channels)
        sums = self._sums.on_grid(axes, sampling)
        values = self._scaled(sums)
        about = self._sums, self.points, self.covariance
        mass = estimated_mass(*about, axes, values, sampling)
        volume = DensityVolume(values, axes, self.covariance, mass, self.space, self.boundary)
        # Standard deviation of the narrowest direction where the grid's spacing is 1.
        per_step = self.covariance / np.outer(volume.spacing, volume.spacing)
        ratio = float(np.sqrt(np.linalg.eigvalsh(per_step)[0]))
        if sampling == "points" and ratio < 0.999:
            warnings.warn(
                f"The bandwidth is below the grid spacing (sigma is {ratio:.3g} of it): peaks "
                "between grid points are missed. Use more bins, a wider bandwidth, or "
                'sampling="cells".',
                NarrowBandwidthWarning,
                stacklevel=3,
            )
        return volume

    def _default_extent(self) -> NDArray[np.float64]:
        is_boxed = self.color_space is not None or self.boundary != "none"
        if is_boxed or self.palette.dtype == np.uint8:
            return self.box
        colors, margin = self.palette.colors, 3 * np.sqrt(np.diag(self.covariance))
        return np.stack([colors.min(axis=0) - margin, colors.max(axis=0) + margin], axis=1)
