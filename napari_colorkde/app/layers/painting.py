"""A density painted on an image: the levels of an overlay, as napari wants them.

A level is array-like: slicing it gives a smaller one, and numbers are gathered only when NumPy asks
for them. A painting holds one value per palette entry; writing new values changes what all levels
give. The coarsest level of a two-dimensional painting is a plain array, written in place, because
napari keeps ``np.asarray`` of it.
"""

from copy import copy, deepcopy
from types import EllipsisType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_colorkde.app.image.pixels.pixel_index import Axes, PixelIndex
from napari_colorkde.app.image.pixels.pyramid_strides import PLAIN_PIXELS

Position = int | np.integer[Any] | slice
Part = Position | EllipsisType
Key = Part | NDArray[np.integer[Any]] | NDArray[np.bool_]


class PaletteImage:
    """Values of palette entries, spread over an image.

    Parameters
    ----------
    index
        Which entry each pixel has.
    channel_axis
        Where the layer has an axis of channels that the pixels do not: the painting is repeated
        along it, so that it has the layer's axes and lies where the layer does.
    n_channels
        Length of that axis.

    Attributes
    ----------
    levels
        Arrays from fine to coarse, float32, NaN where a pixel is excluded.
    """

    dtype: ClassVar[np.dtype[Any]] = np.dtype(np.float32)
    fill_value: ClassVar[float] = np.nan
    """What excluded pixels have."""

    def __init__(
        self, index: PixelIndex, channel_axis: int | None = None, n_channels: int = 1
    ) -> None:
        self.index = index
        self.channel_axis = channel_axis
        self.n_repeats = n_channels
        # Entry 0 is for excluded pixels.
        self.table: NDArray[Any] = np.full(len(index.palette) + 1, self.fill_value, self.dtype)
        self._plain: NDArray[Any] | None = None
        self._plain_codes: NDArray[np.intp] | None = None
        self.levels: list[LazyLevel | NDArray[Any]] = [
            LazyLevel(self, level, tuple(map(range, self._with_channels(level))))
            for level in range(index.n_levels)
        ]
        coarsest = index.n_levels - 1
        if len(index.shape) <= 2 or _small(index):
            self._plain = np.full(index.level_shape(coarsest), self.fill_value, self.dtype)
            plain: NDArray[Any] = self._plain
            if channel_axis is not None:
                plain = np.broadcast_to(
                    np.expand_dims(plain, channel_axis), self._with_channels(coarsest)
                )
            self.levels[-1] = plain

    @property
    def data(self) -> "LazyLevel | NDArray[Any] | list[LazyLevel | NDArray[Any]]":
        """What a napari layer is made of: the levels, or the only one."""
        return self.levels if len(self.levels) > 1 else self.levels[0]

    def write(self, values: NDArray[Any]) -> None:
        """Give the palette entries new values ``(U,)``. 3 ms for 18 million pixels."""
        self.table[1:] = values
        if self._plain is not None:
            if self._plain_codes is None:
                codes = self.index.codes(
                    self.index.n_levels - 1, tuple(map(range, self._plain.shape))
                )
                # As NumPy wants them: made again for each edit, they would take longer than it.
                self._plain_codes = np.ascontiguousarray(codes, np.intp)
            self.paint(self._plain_codes, self._plain)

    def paint(self, codes: NDArray[np.integer], out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Paint pixels that have these codes."""
        # "clip" is the fast path; codes are never out of range.
        return np.asarray(np.take(self.table, codes, out=out, mode="clip"))

    def collect_samples(self, level: int, axes: Axes) -> NDArray[Any]:
        """Paint the pixels at these positions of a level; integers drop their axes."""
        if self.channel_axis is None:
            return self._gather(level, axes)
        along = axes[self.channel_axis]
        painted = self._gather(level, axes[: self.channel_axis] + axes[self.channel_axis + 1 :])
        if isinstance(along, int):
            return painted
        axis = sum(not isinstance(a, int) for a in axes[: self.channel_axis])
        return np.repeat(np.expand_dims(painted, axis), len(along), axis)

    def _gather(self, level: int, axes: Axes) -> NDArray[Any]:
        return self.paint(self.index.codes(level, axes))

    def _with_channels(self, level: int) -> tuple[int, ...]:
        shape = self.index.level_shape(level)
        if self.channel_axis is None:
            return shape
        return (*shape[: self.channel_axis], self.n_repeats, *shape[self.channel_axis :])

    def __deepcopy__(self, memo: dict[int, object]) -> "PaletteImage":
        # A copied layer keeps its values while the original's change; the index never changes.
        twin = memo[id(self)] = copy(self)
        twin.table = self.table.copy()
        # Whoever copies a level has it; this one writes no plain array.
        twin.levels, twin._plain, twin._plain_codes = [], None, None
        return twin


class LazyLevel:
    """One level of a painting, or a part of it: an array that is computed when it is looked at.

    Parameters
    ----------
    painting, level
        What is looked at.
    axes
        The positions that this part covers, one entry per axis of the level.
    """

    def __init__(self, painting: PaletteImage, level: int, axes: Axes) -> None:
        self.painting = painting
        self._level = level
        self._axes = axes

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of the painting."""
        return self.painting.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of this part."""
        return tuple(len(a) for a in self._axes if isinstance(a, range))

    @property
    def n_pixel_axes(self) -> int:
        """Number of axes that count pixels."""
        return sum(isinstance(a, range) for a in self._axes)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of values."""
        return int(np.prod(self.shape, dtype=np.int64))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Key | tuple[Key, ...]) -> "LazyLevel | NDArray[Any]":
        key = key if isinstance(key, tuple) else (key,)
        parts = tuple(k for k in key if k is Ellipsis or isinstance(k, int | np.integer | slice))
        if len(parts) < len(key):
            painted: NDArray[Any] = np.asarray(self)[key]
            return painted
        given = iter(_expanded(parts, self.n_pixel_axes))
        axes = tuple(a if isinstance(a, int) else _part(a, next(given)) for a in self._axes)
        return type(self)(self.painting, self._level, axes)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError(
                "a painted level is computed when it is read, so it cannot be given without a copy."
            )
        painted = self.painting.collect_samples(self._level, self._axes)
        return painted if dtype is None else painted.astype(dtype, copy=False)

    def __repr__(self) -> str:
        return f"<PaintedLevel {self._level}, shape {self.shape}>"

    def __deepcopy__(self, memo: dict[int, object]) -> "LazyLevel":
        return type(self)(deepcopy(self.painting, memo), self._level, self._axes)


def _small(index: PixelIndex) -> np.bool_ | bool:
    """Whether a stack is small enough to be painted whole at each change."""
    return index.n_levels == 1 and np.prod(index.shape, dtype=np.int64) <= PLAIN_PIXELS**2


def _expanded(key: tuple[Part, ...], ndim: int) -> tuple[Position, ...]:
    """Fill up with whole axes, in place of an ellipsis or at the end."""
    given = [k for k in key if not isinstance(k, EllipsisType)]
    missing = ndim - len(given)
    if missing < 0:
        raise IndexError(f"{len(given)} indices were given for {ndim} axes.")
    at = key.index(Ellipsis) if len(given) < len(key) else len(given)
    return (*given[:at], *(slice(None),) * missing, *given[at:])


def _part(positions: range, key: Position) -> int | range:
    return positions[key] if isinstance(key, slice) else positions[int(key)]
