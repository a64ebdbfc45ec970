"""Estimates with boundary correction: no density beyond the color range.

Kernels of colors near a wall reach beyond it: at sigma 4 of 256 levels an eighth of a photograph's
density lies outside. *Reflected*, that part is folded back (Schuster 1985; Silverman 1986, section
2.10): the density has no slope at the walls. *Renormalized*, each kernel is cut at the walls and
divided by what is left of it. Both integrate to one inside, and are exact: they are plain sums, of
the colors with their mirror images, which lie on the same lattice, or with other weights.
"""

from dataclasses import replace
from itertools import product
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr

from napari_colorkde.core.checks.covariance import needs_diagonal
from napari_colorkde.core.colorspaces import ColorSpace
from napari_colorkde.core.device import Device
from napari_colorkde.core.kde.estimators.reflected_tails import FAR, reflected_log_sums
from napari_colorkde.core.kde.estimators.reflection import (
    REACH,
    ReflectedLatticeSums,
    reflected,
    reflected_mass,
)
from napari_colorkde.core.kde.grids import mass_inside
from napari_colorkde.core.kernel_sums.kernel_sums import KernelSums, kernel_sums
from napari_colorkde.core.kernel_sums.separable import Sampling
from napari_colorkde.core.kernel_sums.spread_sums import Axes
from napari_colorkde.core.kernel_sums.steps import Steps, sum_in_steps, value_of
from napari_colorkde.core.palette.palette import Palette

Array = NDArray[np.float64]
Boundary = Literal["none", "renormalized", "reflected"]

BOUNDARIES: tuple[Boundary, ...] = get_args(Boundary)

ROUNDING = 1e-6
"""Part of the box: how far beyond a wall float32 leaves a color that lies on it."""


def color_box(palette: Palette, space: ColorSpace | None) -> Array:
    """Return the walls of the color box, ``(C, 2)``.

    What the levels of the image can be, (0, 255) for uint8; the gamut's box in another color space;
    for floats without levels 0 to 1 or, beyond that, what the data span.
    """
    if space is not None:
        return np.stack([space.low, space.high], axis=1)
    step, ranges = palette.step, palette.level_ranges
    low, high = (end.astype(np.float64) for end in palette.extremes)
    if step is not None and ranges is not None:
        # 255 of 256, and as fractions 255/255 of 1.
        top = np.where(step < 1, ranges + (ranges - 1) * step, ranges - step)
    elif low.min() >= 0 and high.max() <= 1:
        # Of fractions that were binned, the range is what is known.
        top = np.ones(palette.n_channels) if ranges is None else np.minimum(ranges, 1)
    else:
        return np.stack([low, high], axis=1)
    return np.stack([np.zeros_like(top), np.maximum(top, high)], axis=1)


def check_boundary(boundary: Boundary, covariance: Array) -> None:
    """Refuse a boundary for kernels that are not along the channels.

    Raises
    ------
    ValueError
        If the covariance is not diagonal.
    """
    if boundary != "none" and np.any(covariance - np.diag(np.diag(covariance))):
        raise needs_diagonal(f"boundary={boundary!r}", 'boundary="none"')


def refuse_flat_box(box: Array, boundary: Boundary) -> None:
    """Refuse walls without room between them: those of floats of which one channel is constant.

    Raises
    ------
    ValueError
        If a channel's walls are at the same place.
    """
    flat = np.flatnonzero(box[:, 0] >= box[:, 1])
    if len(flat):
        raise ValueError(
            f"boundary={boundary!r}: channel {flat[0] + 1} is {box[flat[0], 0]:g} everywhere, so "
            'its range is empty; give boundary="none".'
        )


def renormalized(palette: Palette, box: Array, sigmas: Array) -> Palette:
    """Return a palette with colors weighted by how much of their kernels a box cuts off."""
    share = np.ones(len(palette))
    for channel, (low, high) in enumerate(box):
        values = palette.colors[:, channel].astype(np.float64)
        share *= _share(values, low, high, sigmas[channel])
    weights = palette.counts / share
    return replace(palette, counts=weights, ranges=palette.level_ranges, moments=None)


def is_inside(colors: NDArray[np.float64], box: Array) -> NDArray[np.bool_]:
    """Which colors (n, C) lie in the box, walls included, and what rounding takes beyond them."""
    slack = ROUNDING * (box[:, 1] - box[:, 0])
    inside = (colors >= box[:, 0] - slack) & (colors <= box[:, 1] + slack)
    return np.asarray(inside.all(axis=1))


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
        refuse_flat_box(box, boundary)
        self._palette, self._box = palette, box
        self._sigmas = np.sqrt(np.diag(covariance))
        self._covariance, self._device = covariance, device
        self._is_reflected, lattice = boundary == "reflected", palette.lattice
        if self._is_reflected and lattice is not None:
            self._images = palette
            self._sums: KernelSums = ReflectedLatticeSums(
                palette, lattice, self._sigmas, box, device
            )
        else:
            prepare = reflected if self._is_reflected else renormalized
            self._images = prepare(palette, box, self._sigmas)
            self._sums = kernel_sums(self._images, covariance, device)

    def on_grid(self, axes: Axes, sampling: Sampling = "points") -> NDArray[np.float32]:
        """The sum on a grid; 0 outside the box. Of cells that walls cut, what lies inside."""
        values = self._sums.on_grid(axes, sampling)
        if sampling == "cells":
            self._cut_cells(axes, values)
        for channel, (axis, (low, high)) in enumerate(zip(axes, self._box, strict=True)):
            np.moveaxis(values, channel, 0)[(axis < low) | (axis > high)] = 0
        return values

    def at(self, colors: NDArray[np.float64]) -> NDArray[np.float32]:
        """The sum at colors; 0 outside the box."""
        return value_of(self.at_in_steps(colors))

    def at_in_steps(self, colors: NDArray[np.float64]) -> Steps[NDArray[np.float32]]:
        """The sum at colors, yielding the part that is done."""
        sums = yield from sum_in_steps(self._sums, colors, log=False)
        return np.where(is_inside(colors, self._box), sums, np.float32(0))

    def log_at(self, colors: NDArray[np.float64]) -> Array:
        """Its log at colors; −inf outside the box."""
        return value_of(self.log_at_in_steps(colors))

    def log_at_in_steps(self, colors: NDArray[np.float64]) -> Steps[Array]:
        """Its log at colors, yielding the part that is done."""
        logs = yield from sum_in_steps(self._sums, colors, log=True)
        inside = is_inside(colors, self._box)
        logs = np.where(inside, logs, -np.inf)
        if self._is_reflected:
            far = inside & (logs < np.log(self._palette.total_weight) - FAR)
            if far.any():
                points = colors[far].astype(np.float64)
                logs[far] = reflected_log_sums(points, self._palette, self._box, self._sigmas)
        return logs

    def log_others(self) -> Array:
        """Log of the sum over the other colors, without the walls."""
        return kernel_sums(self._palette, self._covariance, self._device).log_others()

    def mass_inside(self, axes: Axes, values: NDArray[np.float32], sampling: Sampling) -> float:
        """Fraction of the density that lies within a grid."""
        half = 0.5 if sampling == "cells" else 0.0
        clipped = tuple(
            np.clip(axis[[0, -1]] + half * (axis[1] - axis[0]) * np.array([-1, 1]), low, high)
            for axis, (low, high) in zip(axes, self._box, strict=True)
        )
        if self._is_reflected:
            return reflected_mass(self._palette, self._box, self._sigmas, np.array(clipped))
        inside = mass_inside(self._images, self._covariance, clipped, values, "points")
        return inside * self._images.total_weight / self._palette.total_weight

    def _cut_cells(self, axes: Axes, values: NDArray[np.float32]) -> None:
        """Average over what is inside of the cells that walls cut, in place."""
        pairs = zip(axes, self._box, strict=True)
        choices = product(*([None, *_cut_ends(axis, low, high)] for axis, (low, high) in pairs))
        # Faces first, then the edges and the corners, which are cut more than once.
        for cut in sorted(choices, key=lambda each: sum(end is not None for end in each)):
            if not any(cut):
                continue
            near = np.ones(len(self._images), bool)
            grid, place, first = list(axes), [slice(None)] * len(axes), [slice(None)] * len(axes)
            for channel, end in enumerate(cut):
                if end is None:
                    continue
                number, low, high = end
                reach = REACH * self._sigmas[channel]
                column = self._images.colors[:, channel]
                near &= (column > low - reach) & (column < high + reach)
                # The first of two cells of that width.
                grid[channel] = np.array([(low + high) / 2, (3 * high - low) / 2])
                place[channel], first[channel] = slice(number, number + 1), slice(0, 1)
            sums = self._sums_near(near)
            values[tuple(place)] = (
                0 if sums is None else sums.on_grid(tuple(grid), "cells")[tuple(first)]
            )

    def _sums_near(self, near: NDArray[np.bool_]) -> KernelSums | None:
        """Sums over the images that matter; over all where that costs no more."""
        if isinstance(self._sums, ReflectedLatticeSums):
            return self._sums
        if not near.any():
            return None
        part = replace(
            self._images,
            colors=self._images.colors[near],
            counts=self._images.counts[near],
            ranges=self._images.level_ranges,
            moments=None,
        )
        return kernel_sums(part, self._covariance, self._device)


def _cut_ends(axis: Array, low: float, high: float) -> list[tuple[int, float, float]]:
    """Which cells of an axis are cut by walls, and the ends of what lies inside."""
    half = 0.5 * (axis[1] - axis[0])
    inside = np.flatnonzero((axis >= low) & (axis <= high))
    found = []
    for number in sorted({inside[0], inside[-1]}) if len(inside) else ():
        ends = axis[number] - half, axis[number] + half
        within = max(ends[0], low), min(ends[1], high)
        if within != ends:
            found.append((int(number), float(within[0]), float(within[1])))
    return found
