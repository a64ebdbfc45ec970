"""Kernel sums of colors of many channels, pair by pair: there are no grids in so many dimensions.

``S(x) = Σ_u counts_u exp(−½ (x − c_u)ᵀ Σ⁻¹ (x − c_u))``
"""

from collections.abc import Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.device import Device
from napari_colorkde.core.vectors.local_kernels import whitened
from napari_colorkde.core.vectors.log_densities import log_densities
from napari_colorkde.core.vectors.pair_sums import log_pair_sums

Array = NDArray[np.float64]
Steps = Generator[float, None, Any]

MAX_PAIRS = 1 << 36
"""Pairs of a color and a point that are summed at most: 260 000 colors at themselves, which take
two cores some ten minutes."""

STEP_PAIRS = 1 << 26
"""Pairs between two yields: about a second."""


class VectorSums:
    """Sums of the kernels of weighted colors with one covariance, for any number of channels.

    Exact to 1e-5 of themselves at any distance. O(U Q C) at Q points, in bounded memory.

    Parameters
    ----------
    colors, counts
        ``(U, C)`` and ``(U,)``.
    covariance
        ``(C, C)`` of the kernels.
    device
        Where to compute.
    """

    def __init__(
        self, colors: NDArray[Any], counts: NDArray[Any], covariance: Array, device: Device
    ) -> None:
        self._device = device
        self._root = np.asarray(np.linalg.cholesky(covariance), np.float64)
        self._colors = colors
        self._center = colors.mean(axis=0, dtype=np.float64)
        self._whitened = whitened(colors - self._center, self._root)
        self._counts = counts.astype(np.float64)

    def on_grid(self, axes: tuple[Array, ...], sampling: str = "points") -> NDArray[np.float32]:
        """Refuse a grid: it would have more points than memory holds.

        Raises
        ------
        ValueError
            Always.
        """
        raise no_grid(len(axes))

    def log_at(self, colors: NDArray[Any]) -> Array:
        """Log S at colors ``(Q, C)``.

        Raises
        ------
        ValueError
            If that is more than `MAX_PAIRS`.
        """
        steps = self.log_at_in_steps(colors)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return np.asarray(end.value, np.float64)

    def log_at_in_steps(self, colors: NDArray[Any]) -> Steps:
        """Log S at colors, yielding the part that is done."""
        self._refuse_many(len(colors))
        is_own = colors is self._colors
        points = self._whitened if is_own else whitened(colors - self._center, self._root)
        logs = np.empty(len(points))
        step = max(1, STEP_PAIRS // len(self._whitened))
        for start in range(0, len(points), step):
            yield start / len(points)
            part = slice(start, start + step)
            logs[part] = self._summed(points[part])
        return logs

    def at(self, colors: NDArray[Any]) -> NDArray[np.float32]:
        """S at colors ``(Q, C)``; as `log_at`."""
        return np.exp(self.log_at(colors)).astype(np.float32)

    def at_in_steps(self, colors: NDArray[Any]) -> Steps:
        """S at colors, yielding the part that is done."""
        logs = yield from self.log_at_in_steps(colors)
        return np.exp(logs).astype(np.float32)

    def log_others(self, rows: NDArray[np.intp] | None = None) -> Array:
        """Log S at some colors, or all, without the color itself; −inf of a single one.

        Parameters
        ----------
        rows
            Which of the colors; None for all, ``(U,)``.

        Raises
        ------
        ValueError
            If that is more than `MAX_PAIRS`.
        """
        own = np.arange(len(self._counts)) if rows is None else rows
        self._refuse_many(len(own))
        if len(self._counts) < 2:
            return np.full(len(own), -np.inf)
        return self._summed(self._whitened[own], own)

    def _summed(self, points: Array, own: NDArray[np.intp] | None = None) -> Array:
        if self._device.torch_device.type == "cpu":
            return log_pair_sums(self._whitened, points, self._counts, own)
        logs = log_densities(
            self._whitened,
            points,
            np.ones(1),
            device=self._device,
            weights=self._counts,
            own=own,
        )
        total = self._counts.sum() - (0 if own is None else self._counts[own])
        unit = 0.5 * self._whitened.shape[1] * np.log(2 * np.pi)
        return np.asarray(logs[0] + np.log(total) + unit)

    def _refuse_many(self, n_points: int) -> None:
        n_colors, n_channels = self._whitened.shape
        refuse_many_pairs(n_colors, n_channels, n_points)


def refuse_many_pairs(n_colors: int, n_channels: int, n_points: int) -> None:
    """Refuse a density of so many colors at so many points that it would take hours.

    Raises
    ------
    ValueError
        If there are more than `MAX_PAIRS` pairs.
    """
    if n_colors * n_points > MAX_PAIRS:
        raise ValueError(
            f"the density of {n_colors} colors of {n_channels} channels at {n_points} points takes "
            f"{float(n_colors * n_points):.1e} pairs, more than the limit of "
            f"{float(MAX_PAIRS):.1e}. Give a binned palette, "
            "Palette.from_image(image).binned(width), choose up to three channels, or fit kernels, "
            "whose density needs no pairs."
        )


def no_grid(n_channels: int) -> ValueError:
    """Return the error of a volume, or another grid, of more than three channels."""
    return ValueError(
        f"image has {n_channels} channels, and grids of colors have up to 3 axes; choose up to "
        "three channels, or take the density at pixels or colors (the command density, "
        "ColorKDE.density, ColorKDE.evaluate)."
    )
