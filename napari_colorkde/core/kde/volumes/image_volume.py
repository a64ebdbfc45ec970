"""The color KDE of an image on a regular grid, in one call."""

from numpy.typing import ArrayLike

from napari_colorkde.core.colorspaces import SpaceName
from napari_colorkde.core.device import DeviceLike
from napari_colorkde.core.kde.bandwidth import Bandwidth
from napari_colorkde.core.kde.color_kde import ColorKDE
from napari_colorkde.core.kde.estimators.boundary import Boundary
from napari_colorkde.core.kde.volumes.density_volume import DensityVolume
from napari_colorkde.core.kde.volumes.on_grid import volume_of
from napari_colorkde.core.palette.palette import Palette


def color_kde(
    image: "Palette | ArrayLike",
    bandwidth: Bandwidth = None,
    *,
    bins: int | ArrayLike = 128,
    extent: ArrayLike | None = None,
    space: SpaceName | str = "rgb",
    boundary: Boundary = "none",
    varying: bool = False,
    mask: ArrayLike | None = None,
    channel_axis: int | None = -1,
    weights: ArrayLike | None = None,
    device: DeviceLike = "auto",
) -> DensityVolume:
    """Kernel density estimate of an image's colors on a regular grid.

    Parameters
    ----------
    image, mask, channel_axis, weights
        See `Palette.from_image`.
    bandwidth, space, boundary, varying, device
        See `ColorKDE`.
    bins, extent
        See `ColorKDE.volume`.

    Returns
    -------
    DensityVolume
        float32, to 1e-6 of its peak (8-bit, diagonal) or 1e-5.

    Notes
    -----
    For 8-bit colors the time is that of counting the pixels plus at most 7.5 GFLOP for 128³; for
    others, and for full covariances, it grows with the number of distinct colors. `ColorKDE`
    describes the image's dtypes, the *range* of each, and how long it takes.
    """
    kde = ColorKDE(
        image,
        bandwidth,
        space=space,
        boundary=boundary,
        varying=varying,
        mask=mask,
        channel_axis=channel_axis,
        weights=weights,
        device=device,
    )
    return volume_of(kde, bins, extent, "points")
