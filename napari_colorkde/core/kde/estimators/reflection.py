"""Mirror images of colors at the boundary of the color range, and sums over them.

Images lie along the axes, and so does the kernel: on a lattice the sum over all images is a product
of one matrix for each axis, at the cost of the plain sum. Elsewhere images are colors of their own,
which multiply as kernels become wide beside the box.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from napari_colorkde.core.device import Device
from napari_colorkde.core.kernel_sums.lattice_sums import LatticeSums
from napari_colorkde.core.kernel_sums.separable import Sampling, gaussian_matrix
from napari_colorkde.core.kernel_sums.spread_sums import Axes, SpreadSums
from napari_colorkde.core.number_text import grouped
from napari_colorkde.core.palette.lattice import Lattice
from napari_colorkde.core.palette.palette import Palette

Array = NDArray[np.float64]

REACH = 9.0
"""Standard deviations from the box up to which mirror images count: exp(−40) of a kernel's peak."""

WIDE = 3.0
"""Times the box: sigmas from which on the sum over all images is constant, by Poisson's formula to
``2 exp(−(π WIDE)²/2)`` = 1e-19 of itself."""

MAX_IMAGES = 1 << 24
"""Most mirror images of colors on no lattice: 2 GB while they are made."""


def images_along(values: Array, low: float, high: float, sigma: float) -> Iterator[Array]:
    """Yield values and their mirror images at two walls, those within reach of the box.

    Arrays like `values`, each of one reflection; what a reflection carries out of reach of all
    kernels is left out as a whole only.
    """
    reach, length = REACH * sigma, high - low
    turns = int(np.ceil(reach / (2 * length))) + 1
    for turn in range(-turns, turns + 1):
        for start in (values, 2 * low - values):
            moved = start + 2 * turn * length
            if _is_near(moved, low, high, reach).any():
                yield moved


def reflected(
    palette: Palette, box: Array, sigmas: Array, channels: NDArray[np.bool_] | None = None
) -> Palette:
    """Return a palette with the mirror images of its colors at the walls of a box.

    Parameters
    ----------
    box
        (C, 2) walls, low and high.
    sigmas
        (C,) of the kernels: images beyond their reach are left out.
    channels
        (C,): those whose walls reflect; all by default.

    Raises
    ------
    ValueError
        If there would be more than `MAX_IMAGES`.
    """
    colors, counts = palette.colors.astype(np.float64), palette.counts
    at = np.arange(len(box)) if channels is None else np.flatnonzero(channels)
    _refuse_many(colors[:, at], box[at], sigmas[at])
    for channel in at:
        low, high = box[channel]
        reach = REACH * sigmas[channel]
        parts_of_colors, parts_of_counts = [], []
        for moved in images_along(colors[:, channel], low, high, float(sigmas[channel])):
            near = _is_near(moved, low, high, reach)
            image = colors[near]
            image[:, channel] = moved[near]
            parts_of_colors.append(image)
            parts_of_counts.append(counts[near])
        colors, counts = np.concatenate(parts_of_colors), np.concatenate(parts_of_counts)
    # A color on a wall is its own image; a palette has each once, and in order.
    colors, rows = np.unique(colors, axis=0, return_inverse=True)
    counts = np.bincount(rows.ravel(), weights=counts, minlength=len(colors))
    return replace(
        palette,
        colors=colors,
        counts=counts,
        bin_width=np.zeros(palette.n_channels),
        ranges=palette.level_ranges,
        moments=None,
    )


def reflected_mass(palette: Palette, box: Array, sigmas: Array, ends: Array) -> float:
    """Return the fraction of a reflected density within ``(C, 2)`` ends inside the box."""
    inside = np.ones(len(palette))
    for channel, ((low, high), sigma) in enumerate(zip(box, sigmas, strict=True)):
        levels, rows = np.unique(palette.colors[:, channel], return_inverse=True)
        if sigma > WIDE * (high - low):
            inside *= (ends[channel, 1] - ends[channel, 0]) / (high - low)
            continue
        share = np.zeros(len(levels))
        for moved in images_along(levels.astype(np.float64), low, high, float(sigma)):
            share += ndtr((ends[channel, 1] - moved) / sigma)
            share -= ndtr((ends[channel, 0] - moved) / sigma)
        inside *= share[rows.ravel()]
    return float(palette.counts @ inside / palette.total_weight)


class ReflectedLatticeSums(LatticeSums):
    """Sums over the colors of a lattice and all their mirror images; see `LatticeSums`."""

    def __init__(
        self, palette: Palette, lattice: Lattice, sigmas: Array, box: Array, device: Device
    ) -> None:
        super().__init__(palette, lattice, sigmas, device)
        self._box = box

    @cached_property
    def _by_spreading(self) -> SpreadSums:
        images = reflected(self._palette, self._box, self._sigmas)
        return SpreadSums(images, np.diag(self._sigmas**2), self._device)

    def _matrices(self, axes: Axes, sampling: Sampling = "points") -> list[Array]:
        matrices = []
        for channel, (axis, levels) in enumerate(zip(axes, self._lattice.levels, strict=True)):
            sigma, (low, high) = float(self._sigmas[channel]), self._box[channel]
            if sigma > WIDE * (high - low):
                constant = np.sqrt(2 * np.pi) * sigma / (high - low)
                matrices.append(np.full((len(axis), len(levels)), constant))
                continue
            total = np.zeros((len(axis), len(levels)))
            for moved in images_along(levels.astype(np.float64), low, high, sigma):
                total += gaussian_matrix(axis, moved, sigma, sampling)
            matrices.append(total)
        return matrices

    def _with_tails(
        self,
        sums: NDArray[Any],
        floor: float,
        colors: NDArray[Any],
        self_index: NDArray[np.int64] | None,
    ) -> Array:
        # Those are summed from all images by `reflected_log_sums`.
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(sums, dtype=np.float64))


def _is_near(values: Array, low: float, high: float, reach: float) -> NDArray[np.bool_]:
    return np.asarray((values >= low - reach) & (values <= high + reach))


def _refuse_many(colors: Array, box: Array, sigmas: Array) -> None:
    total = np.ones(len(colors))
    for channel, ((low, high), sigma) in enumerate(zip(box, sigmas, strict=True)):
        if sigma > WIDE * (high - low):  # too many turns even to be counted
            total *= 2 * REACH * sigma / (high - low)
            continue
        along = np.zeros(len(colors))
        for moved in images_along(colors[:, channel], low, high, float(sigma)):
            along += _is_near(moved, low, high, REACH * sigma)
        total *= along
    if total.sum() > MAX_IMAGES:
        raise ValueError(
            f'boundary="reflected": {grouped(len(colors))} colors that lie on no lattice have '
            f"{grouped(int(total.sum()))} mirror images within reach of kernels this wide, more "
            f"than the limit of {grouped(MAX_IMAGES)}; give a narrower bandwidth, or "
            '"renormalized".'
        )
