"""The color KDE of an image: its parameters, and its density at colors.

    ``f(x) = 1/N Σ_pixels N(x; c_pixel, Σ) = S(x) / (N sqrt(det(2π Σ)))``

The sums S come from `core.kernel_sums`; densities at pixels are in `pixel_density`, grids in
`volumes`, statistics in `statistics`.
"""

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.checks.arguments import choice
from napari_colorkde.core.checks.covariance import log_normalizer
from napari_colorkde.core.checks.options import flag
from napari_colorkde.core.colorspaces import (
    COLOR_SPACES,
    SpaceName,
    color_space,
    palette_in_space,
    refusal_for,
    rgb_fractions,
)
from napari_colorkde.core.device import DeviceLike, resolve_device
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
from napari_colorkde.core.kde.pixel_density import PixelDensity, dask_name
from napari_colorkde.core.kde.statistics import checked_colors
from napari_colorkde.core.kernel_sums.kernel_sums import KernelSums
from napari_colorkde.core.palette.count_image import palette_of
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.palette.ranges import warn_of_fractions


class ColorKDE(PixelDensity):
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
        "none": kernels extend past the boundary of the color range (12 to 16 % of a photograph's
        density at sigma 4 of 256 levels). "reflected": what extends past it is folded back.
        "renormalized": kernels are truncated there and divided by what is left of them.
    varying
        Whether kernels are wider where colors are rare, by Abramson's square-root law: `bandwidth`
        is that of the pilot density and the geometric mean of the widths. Accurate to 1e-3 of the
        peak. Each width, some 60 in a photograph, is a sum of its own, so the density at its colors
        takes most of a minute on two cores.
    mask, channel_axis, weights, n_channels
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

    Images are uint8, uint16, float or bool. A channel's *range* is 256 for uint8; for uint16, the
    power of two above the largest value; for floats that are multiples of 1/(2ⁿ − 1), that of these
    integers, as a fraction of 1; 1 for other floats between 0 and 1, and for bool; otherwise, what
    the data span. The time is that of counting the pixels and then, for diagonal bandwidths of
    8-bit colors, the same for any number of colors: 0.2 s in all for a volume of 128³ from 18
    megapixels, on two cores. For other colors and full covariances it grows with the number of
    distinct colors.

    For four to 32 channels, densities are sums over all pairs of a color and a point, to a relative
    1e-5: 260 000 colors at themselves take some ten minutes on two cores, and more are refused.
    Volumes, modes, boundary correction, varying kernels and other color spaces are then not
    available.
    """

    def __init__(
        self,
        palette_or_image: "Palette | ArrayLike",
        bandwidth: Bandwidth = None,
        *,
        space: SpaceName | str = "rgb",
        boundary: Boundary = "none",
        varying: bool = False,
        mask: ArrayLike | None = None,
        channel_axis: int | None = -1,
        weights: ArrayLike | None = None,
        device: DeviceLike = "auto",
        n_channels: int | None = None,
    ) -> None:
        # What can be refused is refused before the colors are counted.
        self.device = resolve_device(device)
        space = choice(space, "space", COLOR_SPACES)
        boundary = choice(boundary, "boundary", BOUNDARIES)
        varying = flag(varying, "varying")
        refuse_bandwidth(bandwidth)
        self.palette = palette_of(
            palette_or_image,
            mask,
            channel_axis,
            weights=weights,
            n_channels=n_channels,
            refuse=refusal_for(space),
        )
        is_whole = mask is None and weights is None and channel_axis == -1
        self._counted = dask_name(palette_or_image) if is_whole else None
        self.space = space
        self.color_space = None if space == "rgb" else color_space(space, self.palette)
        held_out = halves_for(bandwidth, palette_or_image, mask, channel_axis, n_channels)
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
            If all lie from 0 to 1 and some are fractions, while the KDE is of whole levels.
        """
        log = flag(log, "log")
        values = checked_colors(colors, self.palette.n_channels)
        warn_of_fractions(values, self.palette, stacklevel=2)
        if self.color_space is not None:
            dtype = self.palette.image_dtype or self.palette.dtype
            values = self.color_space.from_rgb(rgb_fractions(values, dtype))
        if log:
            return self._sums.log_at(values) - self._log_scale
        return self._density_at(values).astype(np.float64)

    def leave_one_out(self) -> float:
        """Mean log-density of each pixel under the KDE of all other pixels, in nats per pixel."""
        return leave_one_out(self.points, self._sums, log_normalizer(self.covariance))

    def leave_one_color_out(self) -> float:
        """Mean log-density of each pixel under the KDE of all pixels of other colors, in nats."""
        return leave_one_color_out(self.points, self._sums, log_normalizer(self.covariance))

    def _density_at(self, points: NDArray[np.float64]) -> NDArray[np.float32]:
        return self._scaled(self._sums.at(points))

    def _scaled(self, sums: NDArray[np.float32]) -> NDArray[np.float32]:
        """The density of these sums, in their place."""
        # Two steps: the product may be too small for float32 where each factor is not.
        np.maximum(sums, 0, out=sums)
        sums *= np.float32(1 / self.palette.total_weight)
        sums *= np.float32(np.exp(-log_normalizer(self.covariance)))
        return sums
