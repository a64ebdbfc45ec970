"""Densities on regular grids of their colors."""

import html
import warnings
from abc import abstractmethod
from base64 import b64encode
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.checks.arguments import choice
from napari_colorkde.core.colorspaces import ColorSpace, names_of_axes
from napari_colorkde.core.kde.estimators.choose import estimated_mass
from napari_colorkde.core.kde.estimators.varying import VaryingSums
from napari_colorkde.core.kde.grids import grid_axes
from napari_colorkde.core.kde.statistics import DensityStatistics
from napari_colorkde.core.kde.volumes.density_volume import DensityVolume
from napari_colorkde.core.kde.volumes.field_checks import SAMPLINGS
from napari_colorkde.core.kernel_sums.kernel_sums import KernelSums
from napari_colorkde.core.kernel_sums.separable import Sampling
from napari_colorkde.core.kernel_sums.steps import Steps, value_of

if TYPE_CHECKING:
    import xarray

SLAB_POINTS = 1 << 20
"""Grid points of a log-volume at a time."""

PICTURE_BINS = 64
"""Cells along each axis of a picture in a notebook."""


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

    @property
    @abstractmethod
    def _log_scale(self) -> float: ...

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
            it, which shows kernels narrower than the grid (diagonal bandwidths only). Of cells
            that a boundary cuts, the average over what is inside.

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
        return volume_of(self, bins, extent, sampling)

    def volume_in_steps(
        self, bins: int | ArrayLike, extent: ArrayLike | None, sampling: Sampling
    ) -> Steps[DensityVolume]:
        """Return `volume`, yielding the part that is done, without a warning.

        Kernels of varying width take long, and can be left alone between.
        """
        extent = self._default_extent() if extent is None else extent
        axes, summed = grid_axes(bins, extent, self.palette.n_channels), self._sums
        if isinstance(summed, VaryingSums):
            sums = yield from summed.on_grid_in_steps(axes, sampling)
        else:
            sums = summed.on_grid(axes, sampling)
        values = self._scaled(sums)
        about = summed, self.points, self.covariance
        mass = estimated_mass(*about, axes, values, sampling)
        return DensityVolume(
            values, axes, self.covariance, mass, self.space, self.boundary, sampling
        )

    def log_volume(
        self, bins: int | ArrayLike = 64, extent: ArrayLike | None = None
    ) -> DensityVolume:
        """The log-density at the points of a regular grid, to any depth of the tails.

        Parameters
        ----------
        bins, extent
            See `volume`.

        Returns
        -------
        DensityVolume
            With `is_log`; natural logarithms, to 1e-4 nats + 1e-6 of their own size.

        Raises
        ------
        ValueError
            As `volume`.

        Notes
        -----
        What lies beyond the reach of floating-point numbers is summed color by color: a photograph
        at 64³ points takes 1.5 s at sigma 4 of 256 levels, a minute at sigma 1.
        """
        extent = self._default_extent() if extent is None else extent
        axes = grid_axes(bins, extent, self.palette.n_channels)
        values = np.empty([len(axis) for axis in axes], np.float32)
        rows = max(1, SLAB_POINTS // max(1, values[0].size))
        for start in range(0, len(values), rows):
            slab = np.meshgrid(axes[0][start : start + rows], *axes[1:], indexing="ij")
            points = np.stack(slab, axis=-1)
            logs = self._sums.log_at(points.reshape(-1, len(axes))) - self._log_scale
            values[start : start + rows] = logs.reshape(points.shape[:-1])
        about = self._sums, self.points, self.covariance
        mass = estimated_mass(*about, axes, np.exp(values), "points")
        return DensityVolume(
            values, axes, self.covariance, mass, self.space, self.boundary, is_log=True
        )

    def to_xarray(
        self,
        bins: int | ArrayLike = 128,
        extent: ArrayLike | None = None,
        *,
        sampling: Sampling = "points",
    ) -> "xarray.DataArray":
        """The density on a regular grid as an array of xarray, see `volume`.

        Raises
        ------
        ImportError
            If xarray is not installed.
        """
        return volume_of(self, bins, extent, choice(sampling, "sampling", SAMPLINGS)).to_xarray()

    def _repr_png_(self) -> bytes:
        """Draw the density for a notebook; volumes of full covariances take longest."""
        is_diagonal = not np.any(self.covariance - np.diag(np.diag(self.covariance)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NarrowBandwidthWarning)
            volume = volume_of(self, PICTURE_BINS, None, "cells" if is_diagonal else "points")
        return volume._repr_png_()

    def _repr_html_(self) -> str:
        """Show a line above the picture."""
        picture = b64encode(self._repr_png_()).decode()
        names = names_of_axes(self.space, self.palette.n_channels)
        alt = f"Density by {', '.join(names)}: logarithmic shades over four decades"
        line = html.escape(repr(self))
        return f'<p>{line}</p><img alt="{html.escape(alt)}" src="data:image/png;base64,{picture}">'

    def _default_extent(self) -> NDArray[np.float64]:
        is_boxed = self.color_space is not None or self.boundary != "none"
        if is_boxed or self.palette.dtype == np.uint8:
            return self.box
        (low, high), margin = self.palette.extremes, 3 * np.sqrt(np.diag(self.covariance))
        return np.stack([low - margin, high + margin], axis=1)


def volume_of(
    kde: GriddedDensity, bins: int | ArrayLike, extent: ArrayLike | None, sampling: Sampling
) -> DensityVolume:
    """Return the volume of a KDE, see `ColorKDE.volume`; warnings point to the caller's caller."""
    volume = value_of(kde.volume_in_steps(bins, extent, sampling))
    # Standard deviation of the narrowest direction where the grid's spacing is 1.
    per_step = kde.covariance / np.outer(volume.spacing, volume.spacing)
    ratio = float(np.sqrt(np.linalg.eigvalsh(per_step)[0]))
    if sampling == "points" and ratio < 0.999:
        warnings.warn(
            f"The bandwidth is below the grid spacing (sigma is {ratio:.3g} of it): peaks between "
            'grid points may be missed. Use more bins, a wider bandwidth, or sampling="cells".',
            NarrowBandwidthWarning,
            stacklevel=3,
        )
    return volume
