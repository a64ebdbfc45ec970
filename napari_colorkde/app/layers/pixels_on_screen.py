"""The pixels that a layer draws now: those whose colors are computed first."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from napari_colorkde.app.density.colors_on_screen import ReadCodes
from napari_colorkde.app.image.pixels.pixel_index import PixelIndex

if TYPE_CHECKING:
    from napari.layers import Image


def codes_on_screen(layer: "Image", index: PixelIndex) -> ReadCodes | None:
    """Return what reads the codes of the pixels drawn now; None without two axes and levels."""
    if index.is_preview or len(index.shape) != 2 or not layer.multiscale:
        return None
    level = int(layer.data_level)
    shape = index.level_shape(level)
    low, high = np.clip(np.asarray(layer.corner_pixels)[:, -2:], 0, np.array(shape) - 1)
    if level == index.n_levels - 1:  # is painted whole
        low, high = np.zeros(2, int), np.array(shape) - 1
    axes = tuple(range(int(a), int(b) + 1) for a, b in zip(low, high, strict=True))
    return partial(index.codes, level, axes)
