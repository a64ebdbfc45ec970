"""Counting an image's colors: its palette, and the index of which pixel has which.

A pure generator that can be stopped between its yields. The executor runs it: in a window, in the
thread of `ui.window.background_thread`.
"""

import time
import zlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.image.pixels.pixel_index import PixelIndex, build_index, preview_index
from napari_colorkde.app.image.pixels.pyramid_strides import kept_stride
from napari_colorkde.app.image.pixels.strided_colors import StridedColors
from napari_colorkde.app.image.source import ImageSource
from napari_colorkde.core.checks.channels import beyond_rgb
from napari_colorkde.core.kernel_sums.choose_loops import LOOPS
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.palette.palette_builder import PaletteBuilder

TILE_PIXELS = 1 << 21
SAMPLE_PIXELS = 1 << 20
LARGE = 1 << 26
"""Images of more pixels, and those not in memory, show a sample first."""

LARGE_DEEP = 1 << 22
"""The same of images that are not of 8 bits, which take ten times as long."""


@dataclass(frozen=True, eq=False)
class CountedImage:
    """An image's palette and index. `index.is_preview` says whether they are those of a sample."""

    index: PixelIndex
    seconds: float

    @property
    def palette(self) -> Palette:
        """The palette."""
        return self.index.palette


def count_colors(source: ImageSource, channels: Channels) -> Iterator[Progress | CountedImage]:
    """Count an image's colors by tiles and look all its pixels up in the palette.

    A large image, or one that is not in memory, gives the palette of a sample first.
    """
    started = time.perf_counter()
    n_pixels = source.n_pixels(channels)
    yield Progress("counting colors", 0.0)
    is_deep = np.dtype(source.array.dtype).itemsize > 1
    if is_deep:
        LOOPS.after(n_pixels)
    if n_pixels > (LARGE_DEEP if is_deep else LARGE) or not source.is_in_memory:
        sample = source.sample(channels, SAMPLE_PIXELS)
        if sample is not None and (index := _sampled(source, channels, *sample)) is not None:
            yield CountedImage(index, time.perf_counter() - started)
    kept = None
    if not source.is_in_memory:
        shape, frame = source.shape(channels), source.frame(channels)
        kept = StridedColors(shape[len(frame) :], kept_stride(shape))
    palette = yield from count_palette(source, channels, "counting colors", kept)
    for step in build_index(source, channels, palette, None if kept is None else kept.colors):
        if isinstance(step, PixelIndex):
            yield CountedImage(step, time.perf_counter() - started)
        else:
            yield Progress("finding the pixels' colors", step)


def count_palette(
    source: ImageSource, channels: Channels, what: str, kept: StridedColors | None = None
) -> Generator[Progress, None, Palette]:
    """Count an image's colors by tiles; `what` is said meanwhile. Returns the palette.

    The colors that `kept` is for are put there.
    """
    builder, done, n_pixels = builder_for(channels), 0, source.n_pixels(channels)
    for box, colors in source.tiles(channels, TILE_PIXELS):
        if kept is not None:
            kept.add(box, colors)
        builder.add(colors, channel_axis=colors.ndim - 1)
        done += int(np.prod(colors.shape[:-1], dtype=np.int64))
        yield Progress(what, done / n_pixels)
    return builder.palette()


def builder_for(channels: Channels) -> PaletteBuilder:
    """Return what counts colors of these channels: four of them are no RGBA."""
    return PaletteBuilder(n_channels=beyond_rgb(len(channels)))


def _sampled(
    source: ImageSource, channels: Channels, stride: int, sample: NDArray[Any]
) -> PixelIndex | None:
    builder = builder_for(channels)
    builder.add(sample, channel_axis=sample.ndim - 1)
    try:
        palette = builder.palette()
    except ValueError:
        # None of the sample's pixels counts; others may.
        return None
    return preview_index(source, channels, palette, sample, stride)


def pixels_checksum(source: ImageSource, channels: Channels) -> Iterator[int | None]:
    """Sum up the pixels whose colors are counted, to see later whether they were changed.

    1 GB/s. No sum is yielded of arrays that are not in memory, or large; None meanwhile.
    """
    if not source.is_in_memory or source.n_pixels(channels) > LARGE:
        return
    checksum = 0
    for _, colors in source.tiles(channels, TILE_PIXELS):
        checksum = zlib.crc32(np.ascontiguousarray(colors).data, checksum)
        yield None
    yield checksum
