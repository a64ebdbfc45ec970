"""Kernels that are wider where colors are rare: Abramson's square-root law.

The kernel of a color at which the density is f̃, by a pilot estimate with the given bandwidth, is
``(f̃ / g)^(−1/2)`` times as wide, with g the geometric mean of f̃ over the pixels (Abramson, Annals
of Statistics 10 (1982), 1217–1223; Silverman 1986, section 5.3). Widths are put into classes, 5 %
apart, each a transform of its own: a color between two of them is in both, by shares that keep its
kernel's peak. So every term stays positive, and the density is right to 1e-3 of its peak.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.device import Device
from napari_colorkde.core.kde.grids import mass_inside
from napari_colorkde.core.kernel_sums.kernel_sums import KernelSums, kernel_sums
from napari_colorkde.core.kernel_sums.separable import Sampling
from napari_colorkde.core.kernel_sums.spread_sums import Axes
from napari_colorkde.core.kernel_sums.steps import Steps, value_of
from napari_colorkde.core.palette.palette import Palette

Array = NDArray[np.float64]

LOG_STEP = 0.05
"""Distance of the classes' logarithms: an error of 7e-4 of a kernel's peak in three dimensions."""

MAX_FACTOR = 8.0
"""A kernel is at most so many times as wide as the given one, and at least this part of it."""


def abramson_factors(log_pilot: Array, weights: NDArray[np.float64]) -> Array:
    """Return how many times as wide as the pilot's each color's kernel is, ``(U,)``.

    Parameters
    ----------
    log_pilot
        Logs of the pilot density at the colors.
    weights
        How many pixels have each.
    """
    mean = float(weights @ log_pilot / weights.sum())
    limit = np.log(MAX_FACTOR)
    return np.asarray(np.exp(np.clip(-0.5 * (log_pilot - mean), -limit, limit)))


class VaryingSums:
    """Sums of kernels of varying width, in units of the given bandwidth's; see `KernelSums`.

    Parameters
    ----------
    palette
        Colors, in the space of the bandwidth.
    covariance
        ``(C, C)`` the given bandwidth: the pilot's, and that of a factor of one.
    device
        Where to compute.
    """

    def __init__(self, palette: Palette, covariance: Array, device: Device) -> None:
        self._palette, self._covariance = palette, covariance
        pilot = kernel_sums(palette, covariance, device)
        weights = palette.counts.astype(np.float64)
        self.factors = abramson_factors(pilot.log_at(palette.colors), weights)
        self._parts: list[tuple[float, Palette, KernelSums]] = []
        for factor, part in _classes(palette, self.factors):
            self._parts.append((factor, part, kernel_sums(part, factor**2 * covariance, device)))

    def on_grid(self, axes: Axes, sampling: Sampling = "points") -> NDArray[np.float32]:
        """The sum on a grid."""
        return value_of(self.on_grid_in_steps(axes, sampling))

    def on_grid_in_steps(
        self, axes: Axes, sampling: Sampling = "points"
    ) -> Steps[NDArray[np.float32]]:
        """The sum on a grid, class by class, yielding the part that is done."""
        total = np.zeros([len(axis) for axis in axes], np.float64)
        for number, (factor, _, sums) in enumerate(self._parts):
            yield number / len(self._parts)
            total += sums.on_grid(axes, sampling) * factor ** -len(axes)
        return total.astype(np.float32)

    def at(self, colors: NDArray[np.float64]) -> NDArray[np.float32]:
        """The sum at colors."""
        return value_of(self.at_in_steps(colors))

    def at_in_steps(self, colors: NDArray[np.float64]) -> Steps[NDArray[np.float32]]:
        """The sum at colors, class by class, yielding the part that is done."""
        total = np.zeros(len(colors), np.float64)
        for number, (factor, _, sums) in enumerate(self._parts):
            yield number / len(self._parts)
            total += sums.at(colors) * factor ** -colors.shape[1]
        return total.astype(np.float32)

    def log_at(self, colors: NDArray[np.float64]) -> Array:
        """Its log at colors."""
        return value_of(self.log_at_in_steps(colors))

    def log_at_in_steps(self, colors: NDArray[np.float64]) -> Steps[Array]:
        """Its log at colors, class by class, yielding the part that is done."""
        total = np.full(len(colors), -np.inf)
        for number, (factor, _, sums) in enumerate(self._parts):
            yield number / len(self._parts)
            logs = sums.log_at(colors) - colors.shape[1] * np.log(factor)
            np.logaddexp(total, logs, out=total)
        return total

    def log_others(self) -> Array:
        """Refuse: the widths of the others depend on the color that is left out.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError(
            "leave-one-out likelihoods need one bandwidth for all colors; use varying=False."
        )

    def mass_inside(self, axes: Axes, values: NDArray[np.float32], sampling: Sampling) -> float:
        """Fraction of the density that lies within a grid, see `grids.mass_inside`."""
        if np.any(self._covariance - np.diag(np.diag(self._covariance))):
            return mass_inside(self._palette, self._covariance, axes, values, sampling)
        total = 0.0
        for factor, part, _ in self._parts:
            share = part.total_weight / self._palette.total_weight
            # A share of the class, whose own counts are weights.
            inside = mass_inside(part, factor**2 * self._covariance, axes, values, sampling)
            total += share * inside
        return total


def _classes(palette: Palette, factors: Array) -> list[tuple[float, Palette]]:
    """Return the factor of each class that has colors, and its palette, with shares as weights."""
    positions = np.log(factors) / LOG_STEP
    below = np.floor(positions).astype(np.int64)
    n = palette.n_channels
    low, high = np.exp(LOG_STEP * below), np.exp(LOG_STEP * (below + 1))
    # Peaks are as factor^(−C): what keeps the peak is linear in that.
    upper = (low**-n - factors**-n) / (low**-n - high**-n)
    upper = np.clip(upper, 0.0, 1.0)
    found = []
    for number in np.unique(np.concatenate([below, below + 1])):
        weights = palette.counts * (
            np.where(below == number, 1 - upper, 0.0) + np.where(below + 1 == number, upper, 0.0)
        )
        rows = weights > 0
        if rows.any():
            part = replace(
                palette,
                colors=palette.colors[rows],
                counts=weights[rows],
                ranges=palette.level_ranges,
                moments=None,
            )
            found.append((float(np.exp(LOG_STEP * number)), part))
    return found
