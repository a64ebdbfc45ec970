"""How the mask of a threshold or a selection is drawn: filled, or outlined.

It is painted lazily as densities are, in five levels of gray that a table colors: nothing, filled,
the two sides of an outline, and what lies within it.
"""

from copy import deepcopy
from typing import Any, ClassVar
from weakref import WeakSet

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.app.image.pixels.pixel_index import PixelIndex
from napari_colorkde.app.layers.painting import PaletteImage

NOTHING, FILLED, OUTSIDE, INSIDE, WITHIN = range(5)
COLORS = ((0, 0, 0, 0), (0, 0.9, 1, 0.6), (0, 0, 0, 1), (1, 1, 1, 1), (0, 0.9, 1, 0.22))
"""Of these five. A line that is white inside and black outside is seen on every colormap, and a
tint tells which side of it was chosen."""


class MaskImage(PaletteImage):
    """Chosen palette entries, spread over an image: filled, or outlined.

    Attributes
    ----------
    outlined
        Whether the pixels along the border are painted, on both sides of it, so that the line is
        not lost where the screen shows every other pixel, and those within only tinted.
    """

    dtype: ClassVar[np.dtype[Any]] = np.dtype(np.uint8)
    fill_value: ClassVar[float] = NOTHING
    outlined = False

    def __init__(
        self, index: PixelIndex, channel_axis: int | None = None, n_channels: int = 1
    ) -> None:
        super().__init__(index, channel_axis, n_channels)
        _mask_images.add(self)

    def paint(self, codes: NDArray[np.integer], out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Paint a tile from its pixels' codes; pixels outside of it make no outline at its edge."""
        painted = super().paint(codes, out)
        # A single row is what the cursor or a plot asks for.
        if not self.outlined or painted.ndim < 2 or min(painted.shape[-2:]) < 2:
            return painted
        line = outline(painted)
        if out is None:
            return line
        out[...] = line
        return out


_mask_images: WeakSet[MaskImage] = WeakSet()


def marked_pixels(level: ArrayLike) -> NDArray[np.uint8]:
    """Return 1 for each marked pixel and 0 for all others, whether or not an outline is drawn.

    Parameters
    ----------
    level
        The finest level of a mask layer.
    """
    for painting in _mask_images:
        if painting.levels[0] is level:
            filled = deepcopy(painting)
            filled.outlined = False
            shape = np.shape(painting.levels[0])
            return np.asarray(filled.collect_samples(0, tuple(map(range, shape))), np.uint8)
    # A copy: of an outline only the inner border is known.
    return np.isin(np.asarray(level), (FILLED, INSIDE, WITHIN)).astype(np.uint8)


def outline(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Mark the pixels of 0 or 1 that have a neighbor of the other kind along the last two axes.

    `INSIDE` or `OUTSIDE`, of the same shape; `WITHIN` or `NOTHING` elsewhere. 2 ms per million
    pixels.
    """
    border = np.zeros(mask.shape, bool)
    below = mask[..., 1:, :] != mask[..., :-1, :]
    border[..., 1:, :] |= below
    border[..., :-1, :] |= below
    right = mask[..., :, 1:] != mask[..., :, :-1]
    border[..., :, 1:] |= right
    border[..., :, :-1] |= right
    # OUTSIDE + 1 is INSIDE.
    return np.where(border, mask + np.uint8(OUTSIDE), mask * np.uint8(WITHIN))
