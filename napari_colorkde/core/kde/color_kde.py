"""The color KDE of an image: densities at pixels and colors, log-likelihoods.

    ``f(x) = 1/N Σ_pixels N(x; c_pixel, Σ) = S(x) / (N sqrt(det(2π Σ)))``

The sums S come from `core.kernel_sums`; statistics of the density are in `statistics`, grids in
`volumes`.
"""

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.checks.arguments import choice
from napari_colorkde.core.checks.covariance import log_normalizer
from napari_colorkde.core.colorspaces import (
    COLOR_SPACES,
    color_space,
    palette_in_space,
    refusal_for,
    rgb_fractions,
)
from napari_colorkde.core.device import Device, resolve_device
from napari_colorkde.core.kde.bandwidth import (
    Bandwidth,
    bandwidth_covariance,
    halves_for,
    in_space,
    refuse_bandwidth,
)
from napari_colorkde.core.kde.binning_error import warn_of_bins
from napari_colorkde.core.kde.estimators.boundary import BOUNDARIES, Boundary, color_box
from napari_colorkde.core.kde.estimators.choose import check_estimator, estimator_sums
from napari_colorkde.core.kde.leave_one_out import leave_one_color_out, leave_one_out
from napari_colorkde.core.kde.statistics import checked_colors
from napari_colorkde.core.kde.volumes.on_grid import GriddedDensity
from napari_colorkde.core.kernel_sums.kernel_sums import KernelSums, SpreadSums
from napari_colorkde.core.kernel_sums.steps import Steps
from napari_colorkde.core.number_text import counted
from napari_colorkde.core.palette.count_image import palette_of
from napari_colorkde.core.palette.image_tiles import is_dask
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.palette.ranges import refuse_other_kind, warn_of_fractions


class ColorKDE(GriddedDensity):
    """Gaussian kernel density estimate of an image's colors.

    Parameters
    ----------
    palette_or_image
        A `Palette`, or an image (see `Palette.from_image`).
    bandwidth
        None (1/64 of the range), "scott", "silverman", "loco", "loo", a sigma, ``(C,)`` sigmas, or
        a ``(C, C)`` covariance, in image units.
    space
        "rgb", the image's own channels, or "linear", "lab", "oklab", "hsv", "ycbcr", "principal":
        colors are read as sRGB and converted; bandwidth, volume and densities are in that space.
    boundary
        "none": kernels reach through the walls of the color box (12 to 16 % of a photograph's
        density at sigma 4 of 256 levels). "reflected": what reaches through is folded back.
        "renormalized": kernels are cut there, and divided by what is left of them.
    varying
        Whether kernels are wider where colors are rare, by Abramson's square-root law: `bandwidth`
        is the pilot's, and the geometric mean of the widths. To 1e-3 of the peak.
    mask, channel_axis, weights
        See `Palette.from_image`; for an image.
    device
        "auto", "cuda", "mps", "cpu" or a torch device.

    Warns
    -----
    BinnedColorsWarning
        If the palette was binned so coarsely that densities miss the accuracy below.

    Raises
    ------
    ValueError, TypeError
        If an argument is not of that form.

    Notes
    -----
    Accuracy: densities 1e-6 of the peak for 8-bit colors and diagonal bandwidths, 1e-5 otherwise;
    logs 1e-4 nats + 1e-6 |log f|.
    """

    def __init__(
        self,
        palette_or_image: "Palette | ArrayLike",
        bandwidth: Bandwidth = None,
        *,
        space: str = "rgb",
        boundary: Boundary = "none",
        varying: bool = False,
        mask: ArrayLike | None = None,
        channel_axis: int | None = -1,
        weights: ArrayLike | None = None,
        device: "str | Device" = "auto",
    ) -> None:
        # What can be refused is refused before the colors are counted.
        self.device = resolve_device(device)
        space = choice(space, "space", COLOR_SPACES)
        boundary = choice(boundary, "boundary", BOUNDARIES)
        refuse_bandwidth(bandwidth)
        self.palette = palette_of(
            palette_or_image,
            mask,
            channel_axis,
            weights=weights,
            refuse=refusal_for(space),
        )
        is_whole = mask is None and weights is None and channel_axis == -1
        self._counted = _dask_name(palette_or_image) if is_whole else None
        self.space = space
        self.color_space = None if space == "rgb" else color_space(space, self.palette)
        held_out = halves_for(bandwidth, palette_or_image, mask, channel_axis)
        halves = in_space(self.palette, held_out, space)[1]
        self.covariance = bandwidth_covariance(bandwidth, self.points, self.device, halves)
        check_estimator(boundary, varying, self.covariance)
        self.boundary, self.varying = boundary, varying
        warn_of_bins(self.palette, self.color_space, self.covariance, stacklevel=3)

    def __repr__(self) -> str:
        sigmas = ", ".join(f"{s:.4g}" for s in np.sqrt(np.diag(self.covariance)))
        kind = "" if self.boundary == "none" else f", {self.boundary}"
        return f"ColorKDE({self.palette!r}, {self.space}, sigma {sigmas}{kind})"

    @cached_property
    def points(self) -> Palette:
        """The palette with its colors in the KDE's space."""
        if self.color_space is None:
            return self.palette
        return palette_in_space(self.palette, self.color_space)

    @cached_property
    def _sums(self) -> KernelSums:
        walls = self.boundary, self.varying, lambda: self.box
        return estimator_sums(self.points, self.covariance, self.device, *walls)

    @property
    def box(self) -> NDArray[np.float64]:
        """The walls of the color box, ``(C, 2)``, see `color_box`."""
        return color_box(self.palette, self.color_space)

    @cached_property
    def _log_scale(self) -> float:
        """``log(N sqrt(det(2π Σ)))``: what S is divided by."""
        return float(np.log(self.palette.total_weight)) + log_normalizer(self.covariance)

    def density(
        self,
        image: "Palette | ArrayLike | None" = None,
        log: bool = False,
        *,
        mask: ArrayLike | None = None,
        channel_axis: int | None = -1,
    ) -> NDArray[Any]:
        """The density, or its log, at every pixel of an image.

        Parameters
        ----------
        image
            Any image with the palette's channels; or a `Palette`, for its colors, ``(U,)``. None:
            the colors of the KDE's own palette.
        log
            Natural logarithm, to any depth of the tails.
        mask, channel_axis
            See `Palette.from_image`.

        Returns
        -------
        ndarray
            Shape of the image without channels; float32, float64 with `log`; NaN at pixels that
            are masked, transparent or not finite. Of a dask image a dask array, equal to the last
            bit: the image is read once to count its colors, unless the KDE was made of it, and
            painted block by block when the result is computed.
        """
        if image is None or isinstance(image, Palette):
            palette = self.palette if image is None else image
            self._check_channels(palette)
            return self._at(palette, log)
        is_own = is_dask(image) and mask is None and channel_axis == -1
        if is_own and _dask_name(image) == self._counted:
            palette = self.palette
        else:
            palette = Palette.from_image(image, mask, channel_axis)
        self._check_channels(palette, np.shape(image))
        return palette.paint_lazily(self._at(palette, log), np.nan, image, mask, channel_axis)

    def density_in_steps(self, log: bool = False) -> Steps[NDArray[Any]]:
        """The density, or its log, at the KDE's own colors, ``(U,)``, as `density` gives it.

        Yields
        ------
        The part that is done, from 0 to 1: colors off the lattice may take long, and can be left
        alone between. Estimates with walls or varying widths, and colors on a lattice, go in one.
        """
        colors, sums = self.points.colors, self._sums
        if not isinstance(sums, SpreadSums):
            return self._at(self.palette, log)
        if log:
            logs = yield from sums.log_at_in_steps(colors)
            return logs - self._log_scale
        values = yield from sums.at_in_steps(colors)
        return self._scaled(values)

    def evaluate(self, colors: ArrayLike, *, log: bool = False) -> NDArray[np.float64]:
        """The density, or its log, at colors.

        Parameters
        ----------
        colors
            ``(n, C)``, a list of colors, or one ``(C,)``, in image units, integers or floats.
        log
            Natural logarithm, to any depth of the tails.

        Returns
        -------
        ndarray
            ``(n,)`` float64.

        Raises
        ------
        ValueError, TypeError
            If they are not of that form.

        Warns
        -----
        ColorUnitsWarning
            If all are from 0 to 1, some between, and the KDE is of whole levels.
        """
        values = checked_colors(colors, self.palette.n_channels)
        warn_of_fractions(values, self.palette, stacklevel=2)
        if self.color_space is not None:
            dtype = self.palette.image_dtype or self.palette.dtype
            values = self.color_space.from_rgb(rgb_fractions(values, dtype))
        if log:
            return self._sums.log_at(values) - self._log_scale
        return self._density_at(values).astype(np.float64)

    def log_likelihood(
        self,
        image: "Palette | ArrayLike",
        *,
        mask: ArrayLike | None = None,
        channel_axis: int | None = -1,
    ) -> float:
        """Mean log-density of an image's pixels under this KDE, in nats per pixel."""
        palette = palette_of(image, mask, channel_axis)
        self._check_channels(palette, () if isinstance(image, Palette) else np.shape(image))
        logs = self._at(palette, log=True)
        return float(palette.counts @ logs / palette.total_weight)

    def leave_one_out(self) -> float:
        """Mean log-density of each pixel under the KDE of all other pixels, in nats per pixel."""
        return leave_one_out(self.points, self._sums, log_normalizer(self.covariance))

    def leave_one_color_out(self) -> float:
        """Mean log-density of each pixel under the KDE of all pixels of other colors, in nats."""
        return leave_one_color_out(self.points, self._sums, log_normalizer(self.covariance))

    def _density_at(self, points: NDArray[np.float64]) -> NDArray[np.float32]:
        return self._scaled(self._sums.at(points))

    def _at(self, palette: Palette, log: bool) -> NDArray[Any]:
        if palette is self.palette:
            colors = self.points.colors
        elif self.color_space is None:
            colors = palette.colors
        else:
            colors = palette_in_space(palette, self.color_space).colors
        if log:
            return self._sums.log_at(colors) - self._log_scale
        return self._scaled(self._sums.at(colors))

    def _scaled(self, sums: NDArray[np.float32]) -> NDArray[np.float32]:
        """The density of these sums, in their place."""
        # Two steps: the product may be too small for float32 where each factor is not.
        np.maximum(sums, 0, out=sums)
        sums *= np.float32(1 / self.palette.total_weight)
        sums *= np.float32(np.exp(-log_normalizer(self.covariance)))
        return sums

    def _check_channels(self, palette: Palette, shape: tuple[int, ...] = ()) -> None:
        n = self.palette.n_channels
        if palette.n_channels != n:
            is_points = len(shape) == 2 and shape[1] == n
            advice = "call evaluate(colors) for colors, (n, C)" if is_points else ""
            raise ValueError(
                f"image has {counted(palette.n_channels, 'color channel')}, the KDE {n}; "
                f"{advice or 'give an image of the same kind'}."
            )
        if palette is not self.palette:
            refuse_other_kind(palette, self.palette)


def _dask_name(image: "Palette | ArrayLike") -> str | None:
    """Return the name of a dask array, which no other array has; None of anything else."""
    return str(getattr(image, "name", "")) if is_dask(image) else None
