"""From the pixels of a file to those that a command asks for: channels, rows of colors, a look."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray


def one_color_a_row(table: Any, axis: int) -> Any:
    """Return a table of colors as a picture one pixel wide, channels last."""
    if axis not in (-2, -1, 0, 1):
        raise ValueError(f"channel_axis={axis}: a table has the axes 0 and 1; give -1 or 0.")
    return (table.T if axis in (0, -2) else table)[:, None, :]


def graded(pixels: "NDArray[Any]", channel_axis: int | None, file: Path) -> "NDArray[Any]":
    """Grade the colors of an image."""
    import numpy as np

    from napari_colorkde.core.checks.channels import channels_last, has_channel_axis
    from napari_colorkde.io.formats.blocks import in_blocks
    from napari_colorkde.io.formats.color_space.cube_reader import read_look

    look = read_look(file)
    if channel_axis is None or not has_channel_axis(pixels.ndim, channel_axis):
        raise ValueError(
            f"--look {str(file)!r} grades red, green and blue, but the image is gray; leave it out."
        )
    last = channels_last(pixels, channel_axis)
    graded = in_blocks(look.apply, last, last.dtype, whole_last=True)
    return np.moveaxis(graded, -1, channel_axis)


def entries(
    pixels: "NDArray[Any]", channel_axis: int | None, channels: list[int]
) -> "NDArray[Any]":
    """Keep these entries of the channel axis, which then stands last."""
    import numpy as np

    if channel_axis is None or not -pixels.ndim <= channel_axis < pixels.ndim or pixels.ndim < 3:
        raise ValueError(
            f"channels={channels} needs a channel axis, but the image has shape {pixels.shape} and "
            f"--channel-axis is {channel_axis}; name the axis."
        )
    n_entries = pixels.shape[channel_axis]
    if max(channels) >= n_entries:
        raise ValueError(
            f"channels={channels}: the channel axis has {n_entries} entries; "
            f"give numbers from 0 to {n_entries - 1}."
        )
    return np.moveaxis(pixels, channel_axis, -1)[..., channels]
