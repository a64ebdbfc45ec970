"""A layer's colors saved to a file, for scripts whose image has no file."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_colorkde.app.image.channel_choices import RGB_NAMES
from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.image.source import ImageSource
from napari_colorkde.io.writers.atomic import atomic_path
from napari_colorkde.io.writers.targets import check_target

MOST_BYTES = 1 << 32
"""Larger arrays are not written beside a script."""


def save_colors(source: ImageSource, channels: Channels, path: str | Path) -> ImageSource:
    """Write the colors of an image as NPY, channels last, and return the image of that file.

    Of a stack of which one frame counts, that frame.

    Its first choice of channels is what `channels` are. RGBA keeps its alpha.

    Raises
    ------
    ValueError
        If the suffix is not ``.npy``, or there are more than 4 GB of them.
    OSError
        If the file cannot be written.
    """
    target = check_target(path, (".npy",))
    frame = source.frame(channels)
    shape = source.shape(channels)[len(frame) :]
    colors_each = np.dtype(source.array.dtype).itemsize * len(channels)
    if np.prod(shape, dtype=np.int64) * colors_each > MOST_BYTES:
        raise ValueError(
            f"the layer {source.name!r} is too large to be saved beside a script; save it with "
            "File ▸ Save Selected Layers, and open that file."
        )
    colors = source.read(channels, (*frame, *(slice(None),) * len(shape)))
    if len(channels) == 1 and colors.shape[-1] == 1:
        array, meant = colors[..., 0], Channels(channels.names)
    else:
        indices = tuple(range(len(channels)))
        names = RGB_NAMES if len(channels) == len(RGB_NAMES) else channels.names
        array, meant = colors, Channels(tuple(names), colors.ndim - 1, indices)
    with atomic_path(target) as scratch:
        np.save(scratch, array)
    return replace(
        source,
        arrays={source.name: array},
        rgb=len(channels) == len(RGB_NAMES),
        choices=(meant,),
        coarse=None,
        path=str(target),
        at=None,
    )
