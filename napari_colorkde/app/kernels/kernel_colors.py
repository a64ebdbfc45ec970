"""The color of a kernel in the table: that of its mean, as the image shows it.

Ellipsoids are colored in `ui.colorspace.ellipsoid_colors`.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.palette.ranges import channel_ranges

WHITE_8BIT = 255.0


def display_colors(colors: ArrayLike, palette: Palette | None = None) -> NDArray[np.float64]:
    """Return sRGB in 0..1 ``(N, 3)`` for colors ``(N, C)`` in image units.

    Three channels are red, green and blue, of more the first three are; two are magenta and green,
    one is gray. Without a palette, whose values say how bright white is, colors are 8-bit.
    """
    values = np.atleast_2d(np.asarray(colors, np.float64))
    ranges: float | NDArray[np.float64] = WHITE_8BIT
    if palette is not None and palette.n_channels == values.shape[1]:
        ranges = channel_ranges(palette)
    shares = np.clip(values / ranges, 0, 1)
    if shares.shape[1] >= 3:
        return np.asarray(shares[:, :3])
    first, last = shares[:, 0], shares[:, -1]
    return np.stack([first, last, first], axis=1)
