"""Long parts of an estimate, as generators that report their progress."""

from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.density.color_coordinates import PaletteCoordinates
from napari_colorkde.app.settings.state_values import Bandwidth, is_covariance
from napari_colorkde.core.checks.covariance import checked_covariance
from napari_colorkde.core.device import Device
from napari_colorkde.core.kde.bandwidth import iterate_selection
from napari_colorkde.core.kde.bandwidth_result import BandwidthSelection
from napari_colorkde.core.kde.bandwidth_rules import bandwidth_rule
from napari_colorkde.core.kde.color_kde import ColorKDE
from napari_colorkde.core.kde.estimators.boundary import Boundary, color_box
from napari_colorkde.core.kde.estimators.varying import MAX_FACTOR
from napari_colorkde.core.kde.volumes.density_volume import DensityVolume
from napari_colorkde.core.kernel_sums.separable import Sampling
from napari_colorkde.core.number_text import counted
from napari_colorkde.core.palette.palette import Palette

PART_COLORS = 1 << 16
"""Colors whose narrow kernels are put on the volume in one go, which takes half a second."""


class CoordinatesKDE(ColorKDE):
    """The KDE of a palette's coordinates in a color space, with the walls of that space.

    Parameters
    ----------
    points
        Coordinates of the palette's colors; None for those of `coordinates`. A sketch, or a part of
        them, has the walls of the whole.
    covariance
        As sigmas ``(C,)`` or ``(C, C)``; None for the default.
    """

    def __init__(
        self,
        coordinates: PaletteCoordinates,
        covariance: NDArray[np.float64] | None,
        device: Device,
        *,
        boundary: Boundary = "none",
        varying: bool = False,
        points: Palette | None = None,
    ) -> None:
        given = coordinates.own if points is None else points
        super().__init__(given, covariance, boundary=boundary, varying=varying, device=device)
        self._coordinates = coordinates

    @property
    def box(self) -> NDArray[np.float64]:
        """The walls of the color box, ``(C, 2)``."""
        if self._coordinates.projection is not None:
            return color_box(self.palette, None)
        return color_box(self._coordinates.palette, self._coordinates.space)

    def of_points(self, points: Palette) -> "CoordinatesKDE":
        """Return the same of other points: a sketch of the coordinates, or a part of them."""
        return CoordinatesKDE(
            self._coordinates,
            self.covariance,
            self.device,
            boundary=self.boundary,
            varying=self.varying,
            points=points,
        )


def drawn_kde(kde: CoordinatesKDE, coordinates: PaletteCoordinates) -> CoordinatesKDE:
    """Return the KDE that is drawn: that of the points that are seen, of more than three channels.

    Its kernels are marginals of those of the KDE itself, and so is the density.
    """
    projection = coordinates.projection
    if projection is None:
        return kde
    covariance = projection.matrix @ kde.covariance @ projection.matrix.T
    rounding = 1e-12 * np.abs(covariance).max()  # kernels as wide along all axes stay diagonal
    covariance = np.where(np.abs(covariance) > rounding, covariance, 0.0)
    return CoordinatesKDE(coordinates, covariance, kde.device, points=coordinates.drawn)


def density_in_steps(kde: ColorKDE, log: bool) -> Generator[Progress, None, NDArray[Any]]:
    """The exact densities of a KDE's own colors, so that a newer edit need not wait for all.

    Colors off the lattice, such as those of another color space, take a minute where most of
    them lie in far tails.
    """
    steps = kde.density_in_steps(log)
    while True:
        try:
            done = next(steps)
        except StopIteration as end:
            values: NDArray[Any] = end.value
            return values
        yield Progress("computing the exact density", done)


def resolve_bandwidth(
    palette: Palette, bandwidth: Bandwidth, device: Device
) -> Iterator[Progress | BandwidthSelection | NDArray[np.float64]]:
    """Turn the name of a rule into sigmas, telling how far it is."""
    if isinstance(bandwidth, str):
        total = bandwidth_rule(bandwidth).n_tried
        for selection in iterate_selection(palette, bandwidth, None, device):
            done = len(selection.candidates) / total
            yield Progress("choosing the bandwidth", min(done, 1.0))
        yield selection
    elif is_covariance(bandwidth):
        yield checked_covariance(np.array(bandwidth), palette.n_channels)
    elif bandwidth is not None:
        if len(bandwidth) not in (1, palette.n_channels):
            raise ValueError(
                f"bandwidth={bandwidth}: the image has "
                f"{counted(palette.n_channels, 'color channel')}; give one sigma, or one "
                "per channel."
            )
        yield np.broadcast_to(np.asarray(bandwidth, np.float64), (palette.n_channels,)).copy()


def display_volume(
    kde: ColorKDE, coordinates: PaletteCoordinates, bins: int
) -> Generator[Progress, None, DensityVolume]:
    """The volume that is shown: cell averages where the kernels are narrower than the grid."""
    volume = yield from volume_on(kde, bins, *_display_grid(kde, coordinates, bins))
    return replace(volume, space=coordinates.name)


def volume_on(
    kde: ColorKDE, bins: int | list[int], extent: NDArray[np.float64] | None, sampling: Sampling
) -> Generator[Progress, None, DensityVolume]:
    """A volume, telling how far it is where that takes long: see `ColorKDE.volume`."""
    steps = kde.volume_in_steps(bins, extent, sampling)
    while True:
        try:
            done = next(steps)
        except StopIteration as end:
            volume: DensityVolume = end.value
            return volume
        yield Progress("estimating the density", done)


def display_volume_in_steps(
    kde: CoordinatesKDE, coordinates: PaletteCoordinates, bins: int
) -> Generator[Progress, None, DensityVolume]:
    """The same of many colors: narrow kernels one part after the other, as that takes a minute."""
    extent, sampling = _display_grid(kde, coordinates, bins)
    points = coordinates.drawn
    if sampling == "points" or kde.varying:  # whose widths depend on all colors
        yield Progress("estimating the density")
        return (yield from display_volume(kde, coordinates, bins))
    values, mass = np.zeros((bins,) * points.n_channels), 0.0
    for start in range(0, len(points), PART_COLORS):
        yield Progress("estimating the density", start / len(points))
        rows = slice(start, start + PART_COLORS)
        part = Palette(
            points.colors[rows],
            points.counts[rows],
            np.zeros(points.n_channels),
            ranges=points.level_ranges,
        )
        volume = kde.of_points(part).volume(bins, extent, sampling=sampling)
        weight = part.total_weight / points.total_weight
        values += weight * volume.values
        mass += weight * volume.mass_inside
    whole = values.astype(np.float32)
    return replace(volume, values=whole, mass_inside=mass, space=coordinates.name)


def _display_grid(
    kde: ColorKDE, coordinates: PaletteCoordinates, bins: int
) -> tuple[NDArray[np.float64] | None, Sampling]:
    """The extent of the volume that is shown, None for that of all 8-bit colors, and its kind."""
    sigmas = np.sqrt(np.diagonal(kde.covariance))
    narrowest = sigmas / (MAX_FACTOR if kde.varying else 1)
    extent = coordinates.extent
    if extent is not None:
        span = extent[:, 1] - extent[:, 0]
    elif coordinates.points.dtype == np.uint8:
        span = np.full(len(sigmas), 255.0)
    else:
        low, high = (np.asarray(ends, np.float64) for ends in coordinates.points.extremes)
        extent = np.stack([low - 3 * sigmas, high + 3 * sigmas], axis=1)
        if kde.boundary != "none":
            extent = extent.clip(*kde.box.T[..., np.newaxis])
        span = extent[:, 1] - extent[:, 0]
    narrow = bool((narrowest < span / (bins - 1)).any())
    is_full = bool(np.any(kde.covariance - np.diag(np.diagonal(kde.covariance))))
    return extent, "cells" if narrow and not is_full else "points"
