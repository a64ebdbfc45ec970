"""The colors that napari shows a palette in: red, green and blue of each of its entries."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.kernels.kernel_colors import display_colors

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
    n = colors.shape[1]
    owners = [layers[min(channel, len(layers) - 1)] for channel in range(n)]
    shares = np.stack(
        [_share(colors[:, channel], owner) for channel, owner in enumerate(owners)], axis=1
    )
    image = layers[0]
    if image.rgb:
        shown = np.zeros((len(colors), 3))
        shown[:, list(channels.indices)] = shares
    elif n == 1 or len({owner.colormap.name for owner in owners}) == n:
        shown = sum(
            owner.colormap.map(shares[:, channel])[:, :3] for channel, owner in enumerate(owners)
        )
    else:
        shown = display_colors(255 * shares)
    return np.rint(255 * np.clip(shown, 0, 1)).astype(np.uint8)


def _share(values: NDArray[Any], layer: "Image") -> NDArray[np.float64]:
    low, high = map(float, layer.contrast_limits)
    share = (values.astype(np.float64) - low) / ((high - low) or 1.0)
    return np.asarray(np.clip(share, 0, 1) ** float(layer.gamma))
