"""The pixels of large images in blocks, as dask arrays: their colors, and what is painted on them.

What is asked of all pixels of a slide goes block by block; nothing of its size is kept.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.image.pixels.pixel_index import PixelIndex
from napari_colorkde.app.image.source import Box, ImageSource
from napari_colorkde.core.palette.image_tiles import chunks_of
from napari_colorkde.io.formats.blocks import BLOCK_ROWS, as_dask, block_shape

if TYPE_CHECKING:
    import dask.array as da


def check_labels_fit(shape: Sequence[int], what: str, instead: str) -> None:
    """Refuse to make an array with a byte for each pixel where there is no memory for it.

    Parameters
    ----------
    shape
        Of the image in pixels.
    what, instead
        What is made, and what to do in its place, for the message.

    Raises
    ------
    ValueError
        If it takes more than half of what is free.
    """
    from napari_colorkde.core.number_text import bytes_text
    from napari_colorkde.io.datasets.memory import available_bytes

    wanted, free = int(np.prod(shape, dtype=np.int64)), available_bytes()
    if wanted > free // 2:
        raise ValueError(
            f"{what} of this image would take {bytes_text(wanted)}, but only {bytes_text(free)} of "
            f"memory are free; {instead}."
        )


def colors_in_blocks(source: ImageSource, channels: Channels) -> "da.Array":
    """Return the colors of an image, or of the frame that counts, channels last, as a dask array.

    RGBA keeps its alpha.
    """
    frame = source.frame(channels)
    shape = source.shape(channels)[len(frame) :]
    one: Box = (*frame, *(slice(0, 1) for _ in shape))
    n_channels = source.read(channels, one).shape[-1]
    blocks = (*_blocks(source, channels, shape), n_channels)
    return as_dask(_Colors(source, channels, (*shape, n_channels)), blocks)


def painted_in_blocks(
    index: PixelIndex, values: NDArray[Any], dtype: DTypeLike, nothing: float = np.nan
) -> "da.Array | None":
    """Return what `PixelIndex.paint` paints as a dask array.

    None of an image that is small enough for the color of each pixel to be kept: there all at once
    is quicker.
    """
    if index.cached_stride == 1:
        return None
    table = np.concatenate([[nothing], values]).astype(dtype)
    painted = _Painted(index, table)
    return as_dask(painted, _blocks(index.source, index.channels, painted.shape))


class _Colors:
    """The colors of an image, read when they are indexed by a slice for each axis."""

    def __init__(self, source: ImageSource, channels: Channels, shape: tuple[int, ...]) -> None:
        self._source, self._channels = source, channels
        self.shape, self.dtype = shape, np.dtype(source.array.dtype)

    def __getitem__(self, index: tuple[slice, ...], /) -> NDArray[Any]:
        box: Box = (*self._source.frame(self._channels), *index[:-1])
        return self._source.read(self._channels, box)[..., index[-1]]


class _Painted:
    """Values of palette entries on an image, looked up when they are indexed by slices."""

    def __init__(self, index: PixelIndex, table: NDArray[Any]) -> None:
        self._index, self._table = index, table
        self.shape, self.dtype = index.frame_shape, table.dtype

    def __getitem__(self, index: tuple[slice, ...], /) -> NDArray[Any]:
        box = tuple(slice(*s.indices(n)) for s, n in zip(index, self.shape, strict=True))
        leading = tuple(slice(at, at + 1) for at in self._index.frame)
        codes = self._index.tile_codes((*leading, *box))
        return self._table.take(codes.reshape(codes.shape[len(leading) :]), mode="clip")


def _blocks(source: ImageSource, channels: Channels, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return how large blocks of pixels are: of whole chunks, where the image has any."""
    chunks = chunks_of(source.array)
    stored = (*(1,) * (len(shape) - 2), BLOCK_ROWS, BLOCK_ROWS)
    if chunks is not None:
        sizes = [max(chunks[axis]) for axis in source.pixel_axes(channels)]
        stored = (*stored[:-2], *sizes[-2:])
    return block_shape(shape, stored, len(shape) - 2, len(shape) - 1)
