"""The search space: one sigma, one per channel, or the scale of the data's own covariance."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.kde.bandwidth_rules import Shape
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.palette.ranges import channel_ranges

Array = NDArray[np.float64]

LEAST_EIGENVALUE = 1e-9
"""Of correlations: below, they are taken for singular."""


@dataclass(frozen=True, eq=False)
class Frame:
    """The coordinates in which kernels are diagonal.

    Attributes
    ----------
    unit
        ``(C,)`` what fractions are fractions of.
    root
        ``(C, C)`` lower triangular; colors are its products with the coordinates. None if these are
        the colors themselves.
    """

    unit: Array
    root: Array | None = None

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return len(self.unit)

    @property
    def log_volume(self) -> float:
        """Log of the volume that one of the coordinates' has in color space."""
        return 0.0 if self.root is None else float(np.log(np.diag(self.root)).sum())

    def points(self, palette: Palette) -> Palette:
        """Return a palette with its colors in these coordinates."""
        if self.root is None:
            return palette
        colors = palette.colors.astype(np.float64) @ np.linalg.inv(self.root).T
        zeros = np.zeros(self.n_channels)
        return replace(palette, colors=colors, bin_width=zeros, moments=None, ranges=self.unit)

    def sigmas(self, scales: Array) -> Array:
        """Return the standard deviations along the channels of a kernel, ``(C,)``."""
        if self.root is None:
            return scales
        return np.asarray(np.sqrt(((self.root * scales) ** 2).sum(axis=1)))

    def scales_of(self, sigmas: Array) -> Array:
        """Return what a kernel of the volume of these sigmas is in the coordinates, ``(C,)``."""
        if self.root is None:
            return sigmas
        log_scale = (np.log(sigmas).sum() - self.log_volume) / self.n_channels
        return np.full(self.n_channels, np.exp(log_scale))

    def full_covariance(self, scales: Array) -> Array | None:
        """Return the covariance of a kernel, ``(C, C)``; None if it is along the channels."""
        if self.root is None:
            return None
        factor = self.root * scales
        return np.asarray(factor @ factor.T)


def frame_of(palette: Palette, shape: Shape) -> Frame:
    """Return the coordinates of a search.

    Raises
    ------
    ValueError
        If the covariance of the colors is singular.
    """
    ranges = channel_ranges(palette)
    if shape != "covariance":
        return Frame(ranges)
    refuse_few(palette.n_pixels, palette.n_channels)
    covariance = refuse_singular(color_covariance(palette))
    root: Array = np.linalg.cholesky(covariance).astype(np.float64)
    # As large as the ranges: fractions then mean kernels of the same volume.
    volume = float(np.exp(np.log(ranges).mean() - np.log(np.diag(root)).mean()))
    return Frame(np.ones(palette.n_channels), root * volume)


def color_covariance(palette: Palette) -> Array:
    """Return the covariance of a palette's pixels, ``(C, C)``."""
    shares = palette.counts / palette.total_weight
    centered = palette.colors - shares @ palette.colors.astype(np.float64)
    return np.asarray((centered * shares[:, np.newaxis]).T @ centered)


def refuse_few(n_pixels: int, n_channels: int) -> None:
    """Refuse to make a full bandwidth of fewer pixels than it takes.

    Raises
    ------
    ValueError
        If there are not more pixels than channels.
    """
    if n_pixels <= n_channels:
        raise ValueError(
            f"image has {n_pixels} pixels of {n_channels} channels; a full bandwidth needs more "
            "pixels than channels."
        )


def refuse_singular(covariance: Array) -> Array:
    """Return a covariance that a full bandwidth can be made of.

    Raises
    ------
    ValueError
        If channels are constant, or some follow from others.
    """
    spread = np.sqrt(np.diag(covariance))
    if not spread.all():
        constant = ", ".join(str(c) for c in np.flatnonzero(spread == 0))
        raise ValueError(
            f"channel {constant} (counted from 0) is constant, and a full bandwidth needs channels "
            "that vary; leave it out, or give one sigma for each channel."
        )
    if np.linalg.eigvalsh(covariance / np.outer(spread, spread))[0] < LEAST_EIGENVALUE:
        raise ValueError(
            "channels depend linearly on each other, as in a gray image stored as RGB, and have no "
            "full bandwidth; keep one of them, or give one sigma for each channel."
        )
    return covariance
