"""Palettes: the distinct colors of an image with their counts, and the way back to its pixels.

Counts add, so palettes of tiles, slices, files and machines merge.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from napari_colorkde.core.checks.arguments import real_numbers, whole_number
from napari_colorkde.core.checks.rows_of_colors import warn_of_rows
from napari_colorkde.core.number_text import counted
from napari_colorkde.core.palette.bins.bin_widths import narrowest_width, powers_of_two
from napari_colorkde.core.palette.bins.binning import bin_colors, widen_bins
from napari_colorkde.core.palette.counters.color_counter import MAX_COLORS
from napari_colorkde.core.palette.lookup.indexed_palette import IndexedPalette
from napari_colorkde.core.palette.sorted_rows.distinct_rows import CountedColors


class Palette(IndexedPalette):
    """The distinct colors of an image and how many pixels have each.

    Attributes
    ----------
    colors
        ``(U, C)``, sorted lexicographically, in the image's dtype; where colors were binned,
        float64 means of the bins, sorted by bin.
    counts
        ``(U,)`` int64: numbers of pixels. float64: weights, see `with_weights`.
    bin_width
        ``(C,)`` float64: width of the bins in image units, powers of two; zero where every color
        was kept, as if none is given. A pixel is less than this from its palette entry, channel by
        channel.
    n_masked, n_transparent, n_not_finite, n_rare
        Pixels left out, by reason; the last by `without_rare`.
    ranges
        ``(C,)`` range of values each channel can take, where the dtype does not say: of 16-bit
        colors that were binned, or of the color space they were converted to. None otherwise.
    moments
        What bins keep of their pixels beside their number, in whole numbers, so that binned
        palettes merge without rounding. None where every color was kept.
    image_dtype
        dtype of the image whose colors were binned; None where `colors` still has it.
    """

    @classmethod
    def from_image(
        cls,
        image: ArrayLike,
        mask: ArrayLike | None = None,
        channel_axis: int | None = -1,
        *,
        max_colors: int = MAX_COLORS,
        weights: ArrayLike | None = None,
        n_channels: int | None = None,
    ) -> "Palette":
        """Count the colors of an image, tile by tile.

        Parameters
        ----------
        image
            ``(..., H, W, C)`` with 1 to 32 color channels, RGBA, or ``(H, W)`` gray; uint8, uint16,
            float or bool. Lazy arrays (dask, zarr, memmap) are read in tiles.
        mask
            ``(..., H, W)``; a pixel counts where it is nonzero.
        channel_axis
            Axis of the channels; None for a gray image of any number of axes.
        max_colors
            Budget of distinct colors. A palette of 16-bit or float colors that exceeds it is
            binned, and `bin_width` says how coarsely: bins half as wide would be too many. At least
            8. With more than three channels, 8-bit colors may be binned, too; with more than 16,
            fewer are kept, 268 million numbers in all. Colors of more than six channels are not
            binned: more than are kept are refused.
        weights
            ``(..., H, W)`` weights of the pixels, at least 0; None: all equal. The palette is then
            weighted; the moments that bins keep are not.
        n_channels
            Number of color channels. None: as the image's shape says; four channels are then RGBA,
            and five or more need an axis that is named by another number than -1. 4 takes all four
            channels, such as RGB with near infrared, or four stains.

        Raises
        ------
        TypeError, ValueError
            If the image or mask is not of that form, or if no pixel counts.

        Notes
        -----
        18 million 8-bit pixels take 0.1 to 0.2 s on two cores and a table of 67 MB for each core
        while counting. Other images are counted in sorts of at most `max_colors` pixels: 12
        million 12-bit RGB pixels, nearly all of them distinct, in 0.6 s and 0.5 GB, of which 0.2
        GB are the palette.
        """
        from napari_colorkde.core.palette.count_image import count_image

        palette = count_image(
            image,
            mask,
            channel_axis,
            max_colors=max_colors,
            weights=weights,
            n_channels=n_channels,
        )
        warn_of_rows(image, channel_axis, "image")
        return palette

    @classmethod
    def from_images(
        cls,
        images: Iterable["Palette | ArrayLike"],
        masks: Iterable[ArrayLike | None] | None = None,
        channel_axis: int | None = -1,
        *,
        max_colors: int = MAX_COLORS,
        n_channels: int | None = None,
    ) -> "Palette":
        """Count the colors of several images together, one after the other.

        Parameters
        ----------
        images
            Images of one dtype and number of channels, and palettes; read once, in their order.
        masks
            A mask, or None, for each image; None for no masks at all.
        channel_axis, max_colors, n_channels
            See `from_image`; the budget is for all images together.

        Raises
        ------
        TypeError, ValueError
            If there are no images, if one is not of that form, or no pixel counts; the message says
            which one, counted from 0.
        """
        from napari_colorkde.core.palette.count_image import count_images

        return count_images(
            images, masks, channel_axis, max_colors=max_colors, n_channels=n_channels
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Palette":
        """Read a palette that `save` wrote, as `load_palette` does.

        Raises
        ------
        TypeError, ValueError, OSError
            As `load_palette`.
        """
        from napari_colorkde.io.palettes import load_palette

        return load_palette(path)

    def save(
        self, path: str | os.PathLike[str], *, description: Mapping[str, object] | None = None
    ) -> None:
        """Write the palette to an ``.npz`` file, as `save_palette` does.

        Parameters
        ----------
        path, description
            See `save_palette`.

        Raises
        ------
        TypeError, ValueError, OSError
            As `save_palette`.
        """
        from napari_colorkde.io.palettes import save_palette

        save_palette(path, self, description=description)

    def with_weights(self, weights: ArrayLike) -> "Palette":
        """Return the palette with a positive weight ``(U,)`` for each color instead of its count.

        Raises
        ------
        ValueError
            If weights are not of that form.
        """
        given = real_numbers(weights, "weights").astype(np.float64)
        if given.shape != (len(self),) or not (np.isfinite(given) & (given > 0)).all():
            raise ValueError(
                f"weights of shape {given.shape}: give a positive, finite one for each of the "
                f"{len(self)} colors."
            )
        if self.moments is None:
            return replace(self, counts=given)
        factor = (given / self.counts)[:, np.newaxis]
        moments = replace(
            self.moments, first=self.moments.first * factor, second=self.moments.second * factor
        )
        return replace(self, counts=given, moments=moments)

    def binned(self, width: ArrayLike) -> "Palette":
        """Return the palette in bins of the widest powers of two that are not above `width`.

        The bins keep their pixels' mean (`colors`), and second moments (`within_bin`).

        Parameters
        ----------
        width
            One width, or ``(C,)``, in image units. Bins are never split: if the palette's own are
            wider, they are kept.
        """
        powers = powers_of_two(width, self.n_channels)
        if self.bin_width.any():
            bins = widen_bins(self.bins, np.maximum(powers, self.bin_width))
        else:
            powers = np.maximum(powers, narrowest_width(self.colors))
            bins = bin_colors(CountedColors(self.colors, self.counts), powers)
        return self.with_bins(bins, self.level_ranges)

    def without_rare(self, min_count: int) -> "Palette":
        """Return the palette without rare colors; `n_rare` counts their pixels. O(U).

        Rare colors may identify a single object or person: leave them out of palettes that you
        share.

        Parameters
        ----------
        min_count
            The fewest pixels that a color (or bin, in a binned palette) must have to be kept.

        Raises
        ------
        ValueError
            If no color is left, or the palette has weights instead of counts.
        """
        fewest = whole_number(min_count, "min_count")
        if self.is_weighted:
            raise ValueError(
                f"min_count={fewest} is a number of pixels, but this palette has weights; leave "
                "out rare colors before calling with_weights."
            )
        stays = self.counts >= fewest
        if not stays.any():
            raise ValueError(
                f"min_count={fewest} leaves no color: the most common has "
                f"{counted(int(self.counts.max()), 'pixel')}; give no more."
            )
        return replace(
            self,
            colors=self.colors[stays],
            counts=self.counts[stays],
            moments=None if self.moments is None else self.moments.of(stays),
            n_rare=self.n_rare + int(self.counts[~stays].sum()),
        )

    def merge(self, other: "Palette") -> "Palette":
        """Return the palette of both images together. O((U + V) log (U + V)).

        Exact, for binned palettes, too: the result does not depend on the order. Weights add up to
        within rounding.

        Raises
        ------
        ValueError
            If the two have different channels or dtypes.
        """
        from napari_colorkde.core.palette.merge import merge_palettes

        return merge_palettes(self, other)
