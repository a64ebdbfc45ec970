"""Images as the session sees them: their pixels, the channels of their colors, their place.

`source_of` turns a napari layer into a `ImageSource`, or refuses it with a sentence. A source only
refers to the layer's arrays: it reads them box by box, on whatever thread asks.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.app.image.channel_choices import axis_choices, layer_choices, rgb_choices
from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.image.layer_files import file_of
from napari_colorkde.app.image.placement import Placement
from napari_colorkde.core.image import SliceableArray
from napari_colorkde.core.palette.image_tiles import (
    chunks_of,
    computed,
    is_dask,
    read_ahead,
    tile_slices,
)

if TYPE_CHECKING:
    from napari.layers import Image, Layer

Unwrapped = TypeVar("Unwrapped")

Box = tuple[int | slice, ...]
"""One index per axis of the pixels; integers drop their axis."""


COARSE_NUMBERS = 1 << 22
"""Of levels of a pyramid with no more numbers than these the finest stands in for the image."""


MOST_SAMPLED = 1 << 28
"""Coarse levels of more numbers are not read for a sample."""


@dataclass(frozen=True, eq=False)
class ImageSource:
    """An image whose colors are looked at.

    All of it: of a stack the frames together have one palette, so that they compare; or one frame
    alone, if `at` says which.

    Attributes
    ----------
    name
        A name for people.
    arrays
        The image itself under its own name, then those of other layers that may serve as further
        channels. Each is anything that can be sliced: NumPy, dask, zarr, memmap.
    rgb
        Whether the last axis of the arrays holds red, green, blue and perhaps alpha.
    choices
        The ways its channels can be understood; the first is the natural one.
    coarse
        Of a multiscale image a level that is small enough to stand in for it, or its coarsest.
    placement
        Where the layer lies; None for plain arrays.
    path
        The file it was read from, if known.
    at
        Position along each axis of the layer: of a stack only the frame there counts. None: all of
        them together.
    """

    name: str
    arrays: Mapping[str, SliceableArray]
    rgb: bool
    choices: tuple[Channels, ...]
    coarse: SliceableArray | None = None
    placement: Placement | None = field(default=None, repr=False)
    path: str = ""
    at: tuple[int, ...] | None = None

    @property
    def array(self) -> SliceableArray:
        """The image itself, with its channel axis if it has one."""
        return self.arrays[self.name]

    @property
    def ndim(self) -> int:
        """Number of axes of the layer: without those of RGB, with any other channel axis."""
        return len(self.array.shape) - int(self.rgb)

    def pixel_axes(self, channels: Channels) -> tuple[int, ...]:
        """The axes of the array that count pixels, not channels."""
        return tuple(a for a in range(len(self.array.shape)) if a != channels.axis)

    def shape(self, channels: Channels) -> tuple[int, ...]:
        """Shape of the image in pixels, without channels."""
        return tuple(int(self.array.shape[a]) for a in self.pixel_axes(channels))

    def frame(self, channels: Channels) -> tuple[int, ...]:
        """Which frame counts: its position before rows and columns; empty for all of them."""
        if self.at is None:
            return ()
        return tuple(self.at[axis] for axis in self.pixel_axes(channels)[:-2])

    def n_pixels(self, channels: Channels) -> int:
        """Number of pixels, of the frame if one alone counts."""
        shape = self.shape(channels)[len(self.frame(channels)) :]
        return int(np.prod(shape, dtype=np.int64))

    def read(self, channels: Channels, box: Box) -> NDArray[Any]:
        """Read the colors in a box of pixels, channels last.

        RGBA keeps its alpha, for the engine to leave out transparent pixels.
        """
        return self._colors_in(self.array, channels, box)

    def tiles(self, channels: Channels, pixels: int) -> Iterator[tuple[Box, NDArray[Any]]]:
        """Read all of it, or the frame that counts, about `pixels` at a time.

        Of arrays that are not in memory whole chunks are read, the next ones meanwhile.
        """
        chunks = chunks_of(self.array)
        if chunks is not None:
            chunks = tuple(chunks[axis] for axis in self.pixel_axes(channels))
        frame = self.frame(channels)
        n = len(frame)
        inside = None if chunks is None else chunks[n:]
        leading = tuple(slice(position, position + 1) for position in frame)
        tiles = tile_slices(self.shape(channels)[n:], None, pixels, inside)
        boxes = ((*leading, *tile) for tile in tiles)
        if self.is_in_memory:
            for box in boxes:
                yield box, self.read(channels, box)
            return
        yield from read_ahead(boxes, partial(self.read, channels))

    @property
    def is_in_memory(self) -> bool:
        """Whether reading it costs nothing."""
        arrays = self.arrays.values()
        return all(isinstance(a, np.ndarray) and not isinstance(a, np.memmap) for a in arrays)

    def sample(self, channels: Channels, pixels: int) -> tuple[int, NDArray[Any]] | None:
        """Return a coarse version of at most about `pixels` and its stride; None if that is slow.

        A multiscale image has one (stride 0: it is not made of the image's own pixels); arrays in
        memory and memory maps are strided; others would have to be read whole. A frame has none.
        """
        if self.frame(channels):
            return None
        if self.coarse is not None:
            axes, n_numbers = self.pixel_axes(channels), math.prod(self.coarse.shape)
            if channels.layers or n_numbers > MOST_SAMPLED:
                return None
            step = 1
            while math.prod(self.coarse.shape[a] for a in axes) > 2 * pixels * step**2:
                step *= 2
            strides: Box = (slice(None),) * (len(axes) - 2) + (slice(None, None, step),) * 2
            return 0, self._colors_in(self.coarse, channels, strides[-len(axes) :])
        if not isinstance(self.array, np.ndarray):
            return None
        stride = 1
        while self.n_pixels(channels) > pixels * stride**2:
            stride *= 2
        ndim = len(self.pixel_axes(channels))
        box = (slice(None),) * (ndim - 2) + (slice(None, None, stride),) * min(ndim, 2)
        return stride, self.read(channels, box)

    def _colors_in(self, array: SliceableArray, channels: Channels, box: Box) -> NDArray[Any]:
        if channels.axis is None:
            first = _in_memory(array[box])
            others = [_in_memory(self.arrays[name][box]) for name in channels.layers]
            return np.stack([first, *others], axis=-1)
        key: list[int | slice] = list(box)
        keep: slice | None = _as_slice(channels.indices)
        if self.rgb and channels.indices == (0, 1, 2):
            keep = slice(None)  # alpha, too
        key.insert(channels.axis, slice(None) if keep is None else keep)
        # Integers before the channel axis drop their axes.
        axis = channels.axis - sum(isinstance(k, int) for k in key[: channels.axis])
        colors = np.moveaxis(_in_memory(array[tuple(key)]), axis, -1)
        return colors if keep is not None else colors[..., list(channels.indices)]


def source_of(layer: "Layer", others: "Sequence[Layer]" = ()) -> ImageSource:
    """Turn a napari image layer into a source.

    Parameters
    ----------
    layer
        An image layer, or a proxy of one. Call this on the main thread: proxies refuse others.
    others
        Other layers of the viewer; gray ones of the same shape and type may serve as channels.

    Raises
    ------
    TypeError
        If it is no image layer.
    """
    layer = unwrap_proxy(layer)
    name = str(layer.name)
    if not is_image(layer):
        raise TypeError(f"{name!r} is a {_kind(layer)} layer; choose an image layer.")
    finest, coarse = _levels(layer)
    arrays = {name: finest}
    if not layer.rgb:
        for other in map(unwrap_proxy, others):
            if other is not layer and is_image(other) and _matches(other, layer, finest):
                arrays.setdefault(str(other.name), _levels(other)[0])
    choices = layer_choices(layer, finest, arrays)
    path = str(file_of(layer) or "")
    return ImageSource(name, arrays, bool(layer.rgb), choices, coarse, Placement.of(layer), path)


def source_of_array(
    image: SliceableArray | ArrayLike, name: str = "image", channel_axis: int | None = -1
) -> ImageSource:
    """Turn a plain array into a source, for scripts: 2-D is gray, else `channel_axis` is color."""
    array = cast(SliceableArray, image if hasattr(image, "shape") else np.asarray(image))
    ndim = len(array.shape)
    if ndim <= 2 or channel_axis is None:
        return ImageSource(name, {name: array}, False, (Channels((name,)),))
    axis = channel_axis % ndim
    rgb = axis == ndim - 1 and array.shape[-1] in (3, 4)
    choices = rgb_choices(axis) if rgb else axis_choices(axis, array.shape[axis], "channel")
    return ImageSource(name, {name: array}, rgb, choices)


def file_stem(name: str) -> str:
    """Return a layer's name without what file names should not have."""
    return re.sub(r"[^\w.-]+", "_", name).strip("_.") or "image"


def is_image(layer: "Layer") -> bool:
    """Whether this is an image layer (labels, shapes and the rest are not)."""
    return _kind(unwrap_proxy(layer)) == "Image"


def is_labels(layer: "Layer") -> bool:
    """Whether this is a Labels layer. napari need not be loaded to ask."""
    return _kind(unwrap_proxy(layer)) == "Labels"


def is_shapes(layer: "Layer") -> bool:
    """Whether this is a Shapes layer."""
    return _kind(unwrap_proxy(layer)) == "Shapes"


def is_points(layer: "Layer") -> bool:
    """Whether this is a Points layer."""
    return _kind(unwrap_proxy(layer)) == "Points"


def unwrap_proxy(proxy: Unwrapped) -> Unwrapped:
    """The object behind a napari proxy; other objects as they are."""
    # napari's proxies are wrapt's; an array must not be asked (zarr groups answer any attribute).
    if not type(proxy).__name__.endswith("PublicOnlyProxy"):
        return proxy
    wrapped: Unwrapped = getattr(proxy, "__wrapped__")  # noqa: B009 - no type of ours has it
    return wrapped


def _kind(layer: "Layer") -> str:
    return next((c.__name__ for c in type(layer).__mro__ if c.__module__.startswith("napari")), "")


def _levels(layer: "Image") -> tuple[SliceableArray, SliceableArray | None]:
    """The finest level, and, if there are several, the finest one of a few screens."""
    data = unwrap_proxy(layer.data)
    if not layer.multiscale:
        return data, None
    small = [level for level in data[1:] if np.prod(level.shape, dtype=np.int64) <= COARSE_NUMBERS]
    return data[0], next(iter([*small, *data[-1:]])) if len(data) > 1 else None


def _in_memory(part: object) -> NDArray[Any]:
    return np.asarray(computed(part) if is_dask(part) else part)


def _matches(other: "Image", layer: "Image", finest: SliceableArray) -> bool:
    if other.rgb or other.multiscale != layer.multiscale:
        return False
    data = _levels(other)[0]
    return bool(data.shape == finest.shape and np.dtype(data.dtype) == np.dtype(finest.dtype))


def _as_slice(indices: tuple[int, ...]) -> slice | None:
    """The entries as a slice, which every kind of array can read; None if they are none."""
    steps = {b - a for a, b in pairwise(indices)} or {1}
    if len(steps) != 1 or min(steps) < 1:
        return None
    step = steps.pop()
    return slice(indices[0], indices[-1] + 1, step)
