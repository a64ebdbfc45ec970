"""The channels of an image: which axis they are, how many there may be, what has an alpha.

Nothing is computed or copied.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.checks.arguments import whole_number

MAX_COLOR_CHANNELS = 32
"""Most channels of a color."""

MAX_GRID_CHANNELS = 3
"""Most channels of which all colors can be looked at: tables and volumes have three axes."""

RGBA_CHANNELS = 4
"""Channels that are taken for RGB and alpha, unless that many color channels are wanted."""


def checked_channels(
    shape: tuple[int, ...],
    channel_axis: int | None,
    n_channels: int | None = None,
    name: str = "image",
) -> int | None:
    """Return how many color channels an image has whose tiles are looked at one by one.

    Parameters
    ----------
    shape
        Of the whole image.
    n_channels
        How many are wanted; None: what the shape says.

    Returns
    -------
    int or None
        None where four channels may be RGBA, and the tiles say it.

    Raises
    ------
    TypeError, ValueError
        If the number is not from 1 to 32, or `refuse_unclear_channels` refuses the shape.
    """
    if n_channels is not None:
        return whole_number(n_channels, "n_channels", 1, MAX_COLOR_CHANNELS)
    ordered = channels_last(np.broadcast_to(np.uint8(0), shape), channel_axis, name).shape
    refuse_unclear_channels(ordered, channel_axis, name)
    return ordered[-1] if ordered[-1] > RGBA_CHANNELS else None


def beyond_rgb(n_channels: int) -> int | None:
    """Return how many channels to ask an image for where a KDE or kernels have so many.

    None up to three, of which an image says itself how many it has: RGBA is RGB, too.
    """
    return n_channels if n_channels >= RGBA_CHANNELS else None


def refuse_unclear_channels(
    shape: tuple[int, ...], channel_axis: int | None, name: str = "image"
) -> None:
    """Refuse an image of which nobody said that its last axis is channels, and which may be none.

    Up to four are taken for channels. More are, up to 32, where the axis was named: by another
    number than -1, which stands for the last one unless something else is said. Without that they
    may just as well be the columns of a stack of narrow gray pictures.

    Parameters
    ----------
    shape
        Of the image, channels last.
    channel_axis
        As the caller gave it.

    Raises
    ------
    ValueError
        If it is so.
    """
    n = shape[-1]
    if n > MAX_COLOR_CHANNELS:
        raise ValueError(
            f"{name} has {n} channels on axis {channel_axis}; a color has 1 to "
            f"{MAX_COLOR_CHANNELS}. Choose channels, or give channel_axis=None for a gray stack."
        )
    if n > RGBA_CHANNELS and channel_axis == -1:
        raise ValueError(
            f"{name} has {n} values on its last axis, which may be channels or columns; give "
            f"channel_axis={len(shape) - 1} (--channel-axis {len(shape) - 1}) for colors of {n} "
            "channels, or channel_axis=None (--channel-axis none) for a gray stack."
        )


def advice_for(shape: tuple[int, ...], wanted: int) -> str:
    """Say how to get an image with so many channels from one of this shape, channels last."""
    if len(shape) == 3 and shape[1:] == (wanted, 1):
        return (
            f"give colors, ({shape[0]}, {wanted}), to ColorKDE.evaluate, or as an image of one "
            "row, colors[np.newaxis]"
        )
    return "choose the channels (image[..., :n]) or name the channel axis with channel_axis"


def has_channel_axis(ndim: int, channel_axis: int | None) -> bool:
    """Whether an image of this many axes has one for channels: two axes by default have none."""
    return channel_axis is not None and not (ndim <= 2 and channel_axis == -1)


def pixel_shape(
    shape: tuple[int, ...], channel_axis: int | None, name: str = "image"
) -> tuple[int, ...]:
    """Shape of an image without its channels.

    Raises
    ------
    ValueError
        If the image is empty or has no such axis.
    """
    return channels_last(np.broadcast_to(np.uint8(0), shape), channel_axis, name).shape[:-1]


def channels_last(
    image: NDArray[Any], channel_axis: int | None, name: str = "image"
) -> NDArray[Any]:
    """Give the image's channels the last axis; a gray image gets one of length 1.

    Raises
    ------
    TypeError, ValueError
        If the image is empty, has no axes, or has no such axis.
    """
    if image.ndim == 0:
        raise ValueError(f"{name} is a single number; give an array of at least one axis.")
    if image.size == 0:
        raise ValueError(f"{name} of shape {image.shape} is empty; give at least one pixel.")
    if channel_axis is None or not has_channel_axis(image.ndim, channel_axis):
        return image[..., np.newaxis]
    if not hasattr(channel_axis, "__index__"):
        raise TypeError(f"channel_axis={channel_axis!r}; give a whole number, or None.")
    if not -image.ndim <= channel_axis < image.ndim:
        raise ValueError(
            f"channel_axis={channel_axis} does not exist in {name} of shape {image.shape}; use one "
            f"from {-image.ndim} to {image.ndim - 1}, or None for a gray image."
        )
    return np.moveaxis(image, channel_axis, -1)
