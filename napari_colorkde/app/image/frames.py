"""The frames of a stack: each an image of its own, or all of them one."""

from dataclasses import replace

import numpy as np

from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.image.source import ImageSource
from napari_colorkde.core.image import as_sliceable

Frame = tuple[int, ...]
"""Position along the axes before rows and columns; empty for the whole."""


def frames_of(source: ImageSource, channels: Channels) -> list[Frame]:
    """Return the positions of all frames; one empty position of a single picture."""
    return [tuple(map(int, at)) for at in np.ndindex(*source.shape(channels)[:-2])]


def frame_source(
    source: ImageSource, channels: Channels, frame: Frame
) -> tuple[ImageSource, Channels]:
    """Return one frame of a stack as an image, with its channels.

    Its arrays are views, or as lazy as those of the stack; where the stack lies, a frame does not
    know.
    """
    if not frame:
        return source, channels
    axes = source.pixel_axes(channels)[: len(frame)]
    key = tuple(
        frame[axes.index(axis)] if axis in axes else slice(None)
        for axis in range(len(source.array.shape))
    )
    if channels.axis is not None:
        dropped = sum(axis < channels.axis for axis in axes)
        channels = replace(channels, axis=channels.axis - dropped)
    arrays = {name: as_sliceable(array[key]) for name, array in source.arrays.items()}
    alone = replace(
        source, arrays=arrays, choices=(channels,), coarse=None, placement=None, at=None
    )
    return alone, channels
