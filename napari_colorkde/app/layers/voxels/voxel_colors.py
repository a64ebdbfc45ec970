"""The colors in which napari shows a palette: red, green and blue for each entry."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.app.image.channels import Channels

if TYPE_CHECKING:
    from napari.layers import Image

COLOR_EVENTS = ("contrast_limits", "gamma", "colormap")
"""Events of a layer that change its colors."""


def true_colors(
    colors: NDArray[Any], channels: Channels, layers: "Sequence[Image]"
) -> NDArray[np.uint8]:
    """Return the colors on the screen of colors in image units.

    Those of an RGB image are its own; layers of one channel each are added up in the colors of
    their colormaps. Channels that have no colors of their own (along an axis, or layers with one
    colormap) are red, green and blue, or magenta and green. Contrast limits and gamma are those of
    the layers.

    Parameters
    ----------
    colors
        ``(U, C)`` in image units.
    channels
        What the C channels are.
    layers
        The image, then the layers that are further channels of it.

    Returns
    -------
    ndarray
        ``(U, 3)`` uint8, sRGB. O(U C).
    """
    n, image = colors.shape[1], layers[0]
    owners = [layers[min(channel, len(layers) - 1)] for channel in range(n)]
    levels = [_levels(colors[:, channel], owner) for channel, owner in enumerate(owners)]
    if image.rgb:
        shown = np.zeros((len(colors), 3), np.uint8)
        for position, level in zip(channels.indices, levels, strict=True):
            shown[:, position] = level
        return shown
    if n == 1 or len({owner.colormap.name for owner in owners}) == n:
        total = np.zeros((len(colors), 3), np.uint16)
        for level, owner in zip(levels, owners, strict=True):
            for channel, part in enumerate(_colormap_levels(owner).T):
                if part.any():
                    total[:, channel] += part[level]
        return np.minimum(total, 255).astype(np.uint8)
    if n == 3:
        return np.stack(levels, axis=1)
    return np.stack([levels[0], levels[-1], levels[0]], axis=1)


def _levels(values: NDArray[Any], layer: "Image") -> NDArray[np.uint8]:
    """Between a layer's contrast limits, 0 to 255. In float32: there may be millions of colors."""
    low, high = map(float, layer.contrast_limits)
    share = values.astype(np.float32)
    share -= np.float32(low)
    share *= np.float32(1 / ((high - low) or 1.0))
    np.clip(share, 0, 1, out=share)
    if float(layer.gamma) != 1:
        share **= np.float32(layer.gamma)
    share *= 255
    return np.rint(share, out=share).astype(np.uint8)


def _colormap_levels(layer: "Image") -> NDArray[np.uint16]:
    """The colors of a layer's 256 levels."""
    colors = np.clip(layer.colormap.map(np.linspace(0, 1, 256))[:, :3], 0, 1)
    return np.asarray(np.rint(255 * colors), np.uint16)
