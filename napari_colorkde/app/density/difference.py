"""The difference of the densities of two images, on one grid. A pure generator."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.density.color_coordinates import PaletteCoordinates, conversion_error
from napari_colorkde.app.density.estimation import CoordinatesKDE, volume_on
from napari_colorkde.app.density.request import Estimate
from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.image.counting_steps import count_palette
from napari_colorkde.app.image.source import ImageSource
from napari_colorkde.core.colorspaces import palette_in_space
from napari_colorkde.core.device import Device
from napari_colorkde.core.palette.palette import Palette


@dataclass(frozen=True, eq=False)
class DifferenceRequest:
    """An estimate, and the image whose density is to be taken away from it.

    Attributes
    ----------
    channels
        The first image's; of the second one the same are taken.
    palette
        Colors of the second image, if they were counted before.
    """

    estimate: Estimate = field(repr=False)
    source: ImageSource
    channels: Channels
    device: Device
    palette: Palette | None = field(default=None, repr=False)


@dataclass(frozen=True, eq=False)
class Difference:
    """First density minus second, on the estimate's grid, with its bandwidth, in its space."""

    estimate: Estimate = field(repr=False)
    palette: Palette = field(repr=False)
    values: NDArray[np.float32] = field(repr=False)


def difference(request: DifferenceRequest) -> Iterator[Progress | Difference]:
    """Count the second image if need be, and estimate its density as the first one's was.

    Raises
    ------
    ValueError
        If the two images' colors are of different kinds, see `like_channels` too.
    """
    estimate, source = request.estimate, request.source
    if estimate.coordinates.projection is not None:
        raise ValueError(
            "a difference from a second image is shown of up to three channels; choose fewer."
        )
    first = estimate.palette
    palette = request.palette
    if palette is None:
        channels = like_channels(source, request.channels)
        if estimate.coordinates.space is not None and (
            reason := conversion_error(source, channels)
        ):
            raise ValueError(reason)
        palette = yield from count_palette(source, channels, "counting the second image")
    space, volume = estimate.coordinates.space, estimate.volume
    if space is None and palette.dtype != first.dtype:
        raise ValueError(
            f"{source.name!r} has colors of {palette.dtype}, the first image of {first.dtype}; "
            "convert one of them, or choose another color space."
        )
    yield Progress("estimating the second density")
    points = palette if space is None else palette_in_space(palette, space)
    coordinates = PaletteCoordinates(palette, points, space)
    kde = CoordinatesKDE(
        coordinates,
        volume.covariance,
        request.device,
        boundary=estimate.boundary,
        varying=estimate.varying,
    )
    bins = [len(axis) for axis in volume.axes]
    extent = np.array([(axis[0], axis[-1]) for axis in volume.axes])
    second = yield from volume_on(kde, bins, extent, volume.sampling)
    yield Difference(replace(estimate, kde=None), palette, volume.values - second.values)


def like_channels(source: ImageSource, channels: Channels) -> Channels:
    """The channels of another image that mean the same: red is compared with red.

    They have the same positions, and the same further layers; of several such choices those with
    the same names are taken, then those along the same axis.

    Raises
    ------
    ValueError
        If it has none.
    """
    alike = [
        choice
        for choice in source.choices
        if (choice.indices, choice.layers) == (channels.indices, channels.layers)
    ]
    if not alike:
        raise ValueError(
            f"{source.name!r} has no channels like {channels.label} to compare; choose an image of "
            "the same kind, or other channels."
        )
    return max(alike, key=lambda c: (c.names == channels.names, c.axis == channels.axis))
