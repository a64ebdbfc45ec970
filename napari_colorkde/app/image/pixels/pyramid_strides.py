"""Levels of a painted image: how many there are, at which strides, and which stride is kept."""

import numpy as np

INDEX_BYTES = 1 << 28
"""Budget of a kept index: 64 million pixels."""

COARSEST_PIXELS = 1536
"""Longest side of the coarsest level, in pixels: about a screen's."""

PLAIN_PIXELS = 2048
"""An image with no longer side needs no levels."""

VOLUME_VOXELS = 1 << 24
"""Of a stack that is seen in three dimensions about so many voxels are painted, at most: 64 MB, and
a tenth of a second."""

TEXTURE_SIDE = 2048
"""Longest side of a volume that graphics cards draw. napari leaves out frames of longer stacks, but
not where they have levels."""


def kept_stride(shape: tuple[int, ...], budget: int | None = None) -> int:
    """Return the stride at which the codes of an image fit into the budget."""
    most = INDEX_BYTES if budget is None else budget
    stride = 1
    while 4 * np.prod(strided_shape(shape, stride), dtype=np.int64) > most:
        stride *= 2
    return stride


def level_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Strides of the levels of an overlay: 1 alone for an image of no more than a few screens.

    napari draws the coarsest level of a stack in three dimensions, whole.
    """
    strides = [1]
    if max(shape[-2:]) >= PLAIN_PIXELS:
        while _can_halve(shape, strides[-1]) and max(shape[-2:]) / strides[-1] > COARSEST_PIXELS:
            strides.append(2 * strides[-1])
    volume = shape[-3:]
    if len(volume) == 3 and volume[0] <= TEXTURE_SIDE:
        while (
            _can_halve(shape, strides[-1])
            and np.prod(strided_shape(volume, strides[-1]), dtype=np.int64) > VOLUME_VOXELS
        ):
            strides.append(2 * strides[-1])
    return tuple(strides)


def strided_shape(shape: tuple[int, ...], stride: int) -> tuple[int, ...]:
    """Shape of every `stride`-th pixel along the last two axes."""
    return (*shape[:-2], *(len(range(0, n, stride)) for n in shape[-2:]))


def _can_halve(shape: tuple[int, ...], stride: int) -> bool:
    return min(shape[-2:]) / stride >= 64
