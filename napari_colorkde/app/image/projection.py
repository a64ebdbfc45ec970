"""How colors of more than three channels are viewed: three of them, or principal axes.

Pure functions and values; what is computed of the colors is of all channels.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.app.settings.view_settings import FIRST_AXES, Axes
from napari_colorkde.core.checks.channels import MAX_GRID_CHANNELS
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.palette.ranges import channel_ranges
from napari_colorkde.core.palette.sorted_rows.distinct_rows import count_rows

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Projection:
    """Where colors of C channels are seen in a space of three axes.

    Attributes
    ----------
    axes
        The channels; None for the principal axes.
    matrix
        ``(3, C)``; its rows are of length 1 and at right angles.
    shares
        ``(3,)`` what part of the variance lies along each principal axis; None of channels.
    """

    axes: Axes
    matrix: Floats
    shares: Floats | None = None

    @property
    def n_channels(self) -> int:
        """Number of channels C of the colors."""
        return int(self.matrix.shape[1])

    def names(self, channels: tuple[str, ...]) -> tuple[str, ...]:
        """Return the names of the axes, from those of the channels."""
        if self.axes is not None:
            return tuple(channels[c] for c in self.axes)
        return tuple(f"axis {i}" for i in range(1, len(self.matrix) + 1))

    def about(self, channels: tuple[str, ...]) -> str:
        """Say in a sentence what is looked at."""
        n = self.n_channels
        if self.axes is not None:
            return f"Shown: {', '.join(self.names(channels))} (3 of {n} channels)."
        shares = [] if self.shares is None else [f"{100 * share:.0f}" for share in self.shares]
        return f"Shown: principal axes of {n} channels ({', '.join(shares)} % of the variance)."

    def points(self, colors: ArrayLike) -> Floats:
        """Return where colors ``(N, C)`` are seen, ``(N, 3)``."""
        return np.asarray(np.asarray(colors, np.float64) @ self.matrix.T)

    def gaussians(self, means: Floats, covariances: Floats) -> tuple[Floats, Floats]:
        """Return what Gaussians ``(K, C)``, ``(K, C, C)`` are where they are seen: marginals."""
        return means @ self.matrix.T, self.matrix @ covariances @ self.matrix.T

    def moved(self, mean: Floats, seen: Floats) -> Floats:
        """Return the color nearest to `mean` that is seen at a place ``(3,)``."""
        return np.asarray(mean + (seen - self.matrix @ mean) @ self.matrix)

    def stretched(self, covariance: Floats, seen: Floats) -> Floats:
        """Return a covariance ``(C, C)`` that is seen as `seen`, ``(3, 3)``.

        ``A C Aᵀ``, with A the identity at right angles to what is seen, and there the symmetric
        matrix that carries the one seen before to this one: A is the least that does it.
        """
        before = self.matrix @ covariance @ self.matrix.T
        root, inverse = _roots(before)
        inner, _ = _roots(root @ seen @ root)
        carry = inverse @ inner @ inverse
        change = np.eye(self.n_channels) + self.matrix.T @ (carry - np.eye(3)) @ self.matrix
        found = change @ covariance @ change.T
        return np.asarray((found + found.T) / 2)


def known_axes(axes: Axes, n_channels: int) -> Axes:
    """Return the axes as an image of so many channels has them: else its first three."""
    return FIRST_AXES if axes is not None and max(axes) >= n_channels else axes


def projection_of(palette: Palette, axes: Axes) -> Projection | None:
    """Return how the colors of a palette are looked at; None of up to three channels.

    Channels that there are not give way to the first three. O(U C²) for principal axes.
    """
    n = palette.n_channels
    if n <= MAX_GRID_CHANNELS:
        return None
    axes = known_axes(axes, n)
    if axes is not None:
        return Projection(axes, np.eye(n)[list(axes)])
    weights = palette.counts / palette.total_weight
    centered = palette.colors - weights @ palette.colors.astype(np.float64)
    values, vectors = np.linalg.eigh((centered * weights[:, np.newaxis]).T @ centered)
    matrix = vectors.T[:-4:-1]
    # An axis points where its channels increase, so that the same image gives the same picture.
    matrix = matrix * np.where(matrix.sum(axis=1) < 0, -1.0, 1.0)[:, np.newaxis]
    total = float(values.sum())
    shares = values[:-4:-1] / total if total > 0 else np.zeros(3)
    return Projection(None, matrix, np.clip(shares, 0, 1))


def seen_palette(palette: Palette, projection: Projection) -> Palette:
    """Return a palette's entries, in their order, where they are seen: colors ``(U, 3)``.

    Several may be seen at one place.
    """
    if projection.axes is not None:
        chosen = list(projection.axes)
        colors, ranges = palette.colors[:, chosen], channel_ranges(palette)[chosen]
    else:
        colors = projection.points(palette.colors)
        ranges = np.maximum(np.ptp(colors, axis=0), np.finfo(np.float64).tiny)
        ranges[:] = ranges.max()
    zeros = np.zeros(3)
    return replace(
        palette, colors=colors, ranges=ranges, bin_width=zeros, moments=None, image_dtype=None
    )


def distinct_places(seen: Palette) -> Palette:
    """Return the places at which entries are seen, each once, with the sums of their counts."""
    counted = count_rows(np.ascontiguousarray(seen.colors), seen.counts)
    return replace(seen, colors=counted.colors, counts=counted.counts)


def _roots(covariance: Floats) -> tuple[Floats, Floats]:
    """Return the symmetric square root of a covariance, and its inverse."""
    values, vectors = np.linalg.eigh(covariance)
    values = np.sqrt(np.maximum(values, np.finfo(np.float64).tiny))
    return (vectors * values) @ vectors.T, (vectors / values) @ vectors.T
