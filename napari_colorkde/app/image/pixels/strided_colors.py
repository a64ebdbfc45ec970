"""The colors at every n-th pixel, kept while an image is counted, to avoid reading it again."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.app.image.source import Box


class StridedColors:
    """Collects colors from tiles of an image.

    Parameters
    ----------
    shape
        Of the image in pixels, or of the frame that counts.
    stride
        Along the last two axes.

    Attributes
    ----------
    colors
        ``(*strided shape, C)``; None before there are any.
    """

    def __init__(self, shape: tuple[int, ...], stride: int) -> None:
        self._shape = (*shape[:-2], *(len(range(0, n, stride)) for n in shape[-2:]))
        self._stride = stride
        self.colors: NDArray[Any] | None = None

    def add(self, box: Box, tile: NDArray[Any]) -> None:
        """Keep what is wanted of a tile ``(..., H, W, C)`` that lies in a box of slices."""
        if self.colors is None:
            self.colors = np.empty((*self._shape, tile.shape[-1]), tile.dtype)
        first = len(box) - len(self._shape)
        to: list[slice] = []
        at: list[slice] = []
        for axis, part in enumerate(box[first:]):
            step = self._stride if axis >= len(self._shape) - 2 else 1
            length = tile.shape[first + axis]
            start = (part.start if isinstance(part, slice) else part) or 0
            skipped = -start % step
            n = len(range(skipped, length, step))
            to.append(slice((start + skipped) // step, (start + skipped) // step + n))
            at.append(slice(skipped, None, step))
        inner = tile.reshape(tile.shape[first:])
        self.colors[tuple(to)] = inner[tuple(at)]
