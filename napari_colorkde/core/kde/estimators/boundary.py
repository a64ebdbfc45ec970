"""Estimates that do not leak through the walls of the color box.

Kernels of colors near a wall reach beyond it: at sigma 4 of 256 levels an eighth of a photograph's
density lies outside. *Reflected*, that part is folded back (Schuster 1985; Silverman 1986, section
2.10): the density has no slope at the walls. *Renormalized*, each kernel is cut at the walls and
divided by what is left of it. Both integrate to one inside, and are exact: they are plain sums, of
the colors with their mirror images, which lie on the same lattice, or with other weights.
"""

from dataclasses import replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr

from napari_colorkde.core.colorspaces import ColorSpace
from napari_colorkde.core.device import Device
from napari_colorkde.core.kde.grids import mass_inside
from napari_colorkde.core.kernel_sums.kernel_sums import Axes, kernel_sums
from napari_colorkde.core.kernel_sums.separable import Sampling
from napari_colorkde.core.palette.palette import Palette

Array = NDArray[np.float64]
Boundary = Literal["none", "renormalized", "reflected"]

BOUNDARIES: tuple[Boundary, ...] = get_args(Boundary)

REACH = 9.0
"""Standard deviations from the box up to which mirror images count: exp(−40) of a kernel's peak."""


def color_box(palette: Palette, space: ColorSpace | None) -> Array:
    """Return the walls of the color box, ``(C, 2)``.

    What the levels of the image can be, (0, 255) for uint8; the gamut's box in another color space;
    for floats without levels 0 to 1 or, beyond that, what the data span.
    """
    if space is not None:
        return np.stack([space.low, space.high], axis=1)
    step, ranges = palette.step, palette.level_ranges
    if step is not None and ranges is not None:
        return np.stack([np.zeros_like(step), ranges - step], axis=1)
    low, high = (end.astype(np.float64) for end in palette.extremes)
    if low.min() >= 0 and high.max() <= 1:
        return np.array([(0.0, 1.0)] * palette.n_channels)
    return np.stack([low, high], axis=1)


def check_boundary(boundary: Boundary, covariance: Array) -> None:
    """Refuse a boundary for kernels that are not along the channels.

    Raises
    ------
    ValueError
        If the covariance is not diagonal.
    """
    if boundary != "none" and np.any(covariance - np.diag(np.diag(covariance))):
        raise ValueError(
            f"boundary={boundary!r} needs a diagonal bandwidth; give one sigma for each, or "
            'boundary="none".'
        )


def reflected(palette: Palette, box: Array, sigmas: Array) -> Palette:
    """Return a palette with the mirror images of its colors at the walls of a box.

    Parameters
    ----------
    box
        (C, 2) walls, low and high.
    sigmas
        (C,) of the kernels: images beyond their reach are left out.
    """
    colors, counts = palette.colors.astype(np.float64), palette.counts
    for channel, (low, high) in enumerate(box):
        reach = REACH * sigmas[channel]
        length = high - low
        parts_of_colors, parts_of_counts = [], []
        turns = int(np.ceil(reach / (2 * length))) + 1
        for turn in range(-turns, turns + 1):
            for values in (colors[:, channel], 2 * low - colors[:, channel]):
                moved = values + 2 * turn * length
                near = (moved >= low - reach) & (moved <= high + reach)
                image = colors[near].copy()
                image[:, channel] = moved[near]
                parts_of_colors.append(image)
                parts_of_counts.append(counts[near])
        colors, counts = np.concatenate(parts_of_colors), np.concatenate(parts_of_counts)
    # A color on a wall is its own image; a palette has each once, and in order.
    colors, rows = np.unique(colors, axis=0, return_inverse=True)
    counts = np.bincount(rows.ravel(), weights=counts, minlength=len(colors))
    zeros = np.zeros(palette.n_channels)
    return replace(
        palette,
        colors=colors,
        counts=counts,
        bin_width=zeros,
        ranges=palette.level_ranges,
        moments=None,
    )


def renormalized(palette: Palette, box: Array, sigmas: Array) -> Palette:
    """Return a palette with colors weighted by how much of their kernels a box cuts off."""
    share = np.ones(len(palette))
    for channel, (low, high) in enumerate(box):
        values = palette.colors[:, channel].astype(np.float64)
        share *= _share(values, low, high, sigmas[channel])
    weights = palette.counts / share
    return replace(palette, counts=weights, ranges=palette.level_ranges, moments=None)


def is_inside(points: NDArray[np.float64], box: Array) -> NDArray[np.bool_]:
    """Which points (n, C) lie in the box, walls included."""
    return np.asarray(((points >= box[:, 0]) & (points <= box[:, 1])).all(axis=1))


def _share(values: Array, low: float, high: float, sigma: float) -> Array:
    """``Φ((high − x)/σ) − Φ((low − x)/σ)``: how much of a kernel at x lies inside."""
    upper, lower = (high - values) / sigma, (low - values) / sigma
    if (high - low) / sigma > 1:
        return np.asarray(ndtr(upper) - ndtr(lower))
    # In a box narrower than the kernel the two are nearly the same.
    top = log_ndtr(upper)
    return np.asarray(np.exp(top) * -np.expm1(log_ndtr(lower) - top))


class BoundedSums:
    """Sums of kernels that do not leak through the walls of a box; see `KernelSums`.

    Parameters
    ----------
    palette
        Colors, in the space of the bandwidth.
    covariance
        ``(C, C)`` diagonal.
    box
        (C, 2) walls.
    boundary
        "renormalized" or "reflected".
    """

    def __init__(
        self, palette: Palette, covariance: Array, box: Array, boundary: Boundary, device: Device
    ) -> None:
        self._palette, self._box, self._boundary = palette, box, boundary
        self._sigmas = np.sqrt(np.diag(covariance))
        self._covariance, self._device = covariance, device
        prepare = reflected if boundary == "reflected" else renormalized
        self._images = prepare(palette, box, self._sigmas)
        self._sums = kernel_sums(self._images, covariance, device)

    def on_grid(self, axes: Axes, sampling: Sampling = "points") -> NDArray[np.float32]:
        """The sum on a grid; 0 outside the box."""
        if sampling == "cells":
            raise ValueError(
                f'sampling="cells" averages over cells that extend past the walls; give '
                f'sampling="points" with boundary={self._boundary!r}.'
            )
        values = self._sums.on_grid(axes)
        for channel, axis in enumerate(axes):
            inside = is_inside(axis[:, np.newaxis], self._box[channel : channel + 1])
            np.moveaxis(values, channel, 0)[~inside] = 0
        return values

    def at(self, colors: NDArray[np.float64]) -> NDArray[np.float32]:
        """The sum at colors; 0 outside the box."""
        return np.where(is_inside(colors, self._box), self._sums.at(colors), np.float32(0))

    def log_at(self, colors: NDArray[np.float64]) -> Array:
        """Its log at colors; −inf outside the box."""
        return np.where(is_inside(colors, self._box), self._sums.log_at(colors), -np.inf)

    def log_others(self) -> Array:
        """Log of the sum over the other colors, without the walls."""
        return kernel_sums(self._palette, self._covariance, self._device).log_others()

    def mass_inside(self, axes: Axes, values: NDArray[np.float32], sampling: Sampling) -> float:
        """Fraction of the density that lies within a grid."""
        clipped = tuple(
            np.clip(axis[[0, -1]], low, high)
            for axis, (low, high) in zip(axes, self._box, strict=True)
        )
        inside = mass_inside(self._images, self._covariance, clipped, values, sampling)
        return inside * self._images.total_weight / self._palette.total_weight
