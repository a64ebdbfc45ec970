"""A palette counted tile by tile."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from napari_colorkde.core.checks.arguments import whole_number
from napari_colorkde.core.checks.channels import RGBA_CHANNELS, checked_channels
from napari_colorkde.core.checks.options import text_of
from napari_colorkde.core.image import Pixels, as_pixels
from napari_colorkde.core.number_text import counted
from napari_colorkde.core.palette.counters.color_counter import MAX_COLORS, ColorCounter
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.palette.sorted_rows.distinct_rows import CountedColors

MIN_BUDGET = 8
"""Bins meet at zero and never join across it: colors of both signs need one bin per octant."""


class PaletteBuilder:
    """Counts an image that comes in tiles.

    Add each tile once, in any order, then take the `palette`. If tiles are counted separately, by
    several processes or machines, merge their palettes: `Palette.merge` is exact.

    Parameters
    ----------
    max_colors
        See `Palette.from_image`: the budget is for all tiles together.
    name
        How the caller names the image, for messages.
    n_channels
        See `Palette.from_image`.

    Raises
    ------
    TypeError, ValueError
        If the budget is below 8, or the number of channels is not from 1 to 32.
    """

    def __init__(
        self,
        max_colors: int = MAX_COLORS,
        *,
        name: str = "image",
        n_channels: int | None = None,
    ) -> None:
        self._wanted = None if n_channels is None else checked_channels((), None, n_channels)
        self._counter: ColorCounter | None = None
        self._max_colors = checked_budget(max_colors)
        self._name = text_of(name, "name")
        self._dtype: np.dtype[Any] | None = None
        self._channels = 0
        self._excluded = [0, 0, 0]

    def add(
        self, image: ArrayLike, mask: ArrayLike | None = None, channel_axis: int | None = -1
    ) -> None:
        """Count one tile.

        Parameters
        ----------
        image, mask, channel_axis
            See `Palette.from_image`; the whole tile is in memory. A tile without any pixel that
            counts is allowed.

        Raises
        ------
        TypeError, ValueError
            If it is not of that form, or differs from earlier tiles in channels or dtype.
        """
        wanted = self._wanted
        if wanted is None and self._channels > RGBA_CHANNELS:
            wanted = self._channels
        pixels = as_pixels(image, mask=mask, channel_axis=channel_axis, n_channels=wanted)
        self.add_pixels(pixels)

    def add_pixels(self, pixels: Pixels) -> None:
        """Count one tile whose pixels `as_pixels` has already checked."""
        self._agree(pixels)
        reasons = (pixels.n_masked, pixels.n_transparent, pixels.n_not_finite)
        self._excluded = [a + b for a, b in zip(self._excluded, reasons, strict=True)]
        values = pixels.included()
        if len(values) == 0:
            return
        if self._counter is None:
            self._counter = ColorCounter(values.dtype, self._channels, self._max_colors)
        self._counter.add(values)

    def palette(self) -> Palette:
        """Return the palette of all tiles added so far.

        Raises
        ------
        ValueError
            If no pixel counts.
        """
        masked, transparent, broken = self._excluded
        if self._counter is None:
            raise nothing_counts(self._name, masked, transparent, broken)
        counted = self._counter.counted()
        reasons = (masked, transparent, broken)
        if isinstance(counted, CountedColors):
            return Palette(counted.colors, counted.counts, np.zeros(self._channels), *reasons)
        known = self._counter.range()
        ranges = None if known is None else np.full(self._channels, known)
        extent = (counted.means(), counted.counts, counted.width)
        return Palette(*extent, *reasons, ranges, counted.moments, self._dtype)

    def _agree(self, pixels: Pixels) -> None:
        if self._dtype is None:
            self._dtype, self._channels = pixels.values.dtype, pixels.n_channels
        elif (self._dtype, self._channels) != (pixels.values.dtype, pixels.n_channels):
            raise ValueError(
                f"{self._name}: this tile has {counted(pixels.n_channels, 'channel')} of "
                f"{pixels.values.dtype}, those before {self._channels} of {self._dtype}; give "
                "tiles of the same kind."
            )


def nothing_counts(name: str, masked: int, transparent: int, broken: int) -> ValueError:
    """Return the error of an image of which no pixel counts."""
    return ValueError(
        f"{name}: no pixel counts ({masked} masked, {transparent} transparent, "
        f"{broken} not finite); give at least one finite, opaque pixel inside the mask."
    )


def checked_budget(max_colors: int) -> int:
    """Return a budget of colors.

    Raises
    ------
    ValueError
        If it is too small.
    """
    return whole_number(max_colors, "max_colors", MIN_BUDGET)
