"""Slides with their pyramids: every level a dask array that is decoded on demand."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.palette.image_tiles import is_dask
from napari_colorkde.io.formats.reading import Part
from napari_colorkde.io.images import Icc, LoadedImage, image_contents, load_image
from napari_colorkde.io.readers.decoding import check_image_path
from napari_colorkde.io.readers.image_formats import image_format

if TYPE_CHECKING:
    from dask.array import Array as DaskArray


@dataclass(frozen=True, slots=True, eq=False)
class Pyramid:
    """A picture at several resolutions.

    Attributes
    ----------
    levels
        From fine to coarse, all with the same axes: those of `read_image`, or, where
        `channel_axis` is a number, without axes of one entry and with the channels last.
    finest
        Level 0 as it was read, with what its file says of it.
    channel_axis
        Where the file has the red, green and blue that are last here; None where axes are as they
        are read.
    """

    levels: tuple[NDArray[Any], ...]
    finest: LoadedImage
    channel_axis: int | None = None


def load_pyramid(path: str | os.PathLike[str], *, icc: Icc = "keep") -> Pyramid | None:
    """Open the main picture of a file with all of its levels, none of which is read yet.

    None where it has one level only, is not stored in pieces, or has levels that disagree: then it
    is one picture, see `read_image`.

    Parameters
    ----------
    path, icc
        As for `read_image`.

    Raises
    ------
    OSError, ValueError
        As from `read_image`.
    """
    if image_format(check_image_path(path)).read_lazily is None:
        return None
    format_name, pictures = image_contents(path)
    main = next((picture for picture in pictures if picture.is_main), None)
    if main is None or len(main.levels) < 2:
        return None
    finest = load_image(path, icc=icc, lazy=True)
    if not is_dask(finest.pixels):
        return None
    levels = [finest.pixels]
    for number in range(1, len(main.levels)):
        try:
            level = load_image(path, Part(level=number), icc=icc, lazy=True).pixels
        except ValueError:
            return None  # what is wrong with it is said of the whole
        if not _fits(level, levels[-1]):
            return None
        levels.append(level)
    axis = _axis_of_planes(main.axes, levels[0]) if format_name == "OME-Zarr" else None
    if axis is not None:
        levels = [channels_last(level, axis) for level in levels]
    return Pyramid(tuple(levels), finest, axis)


def channels_last(array: "DaskArray", axis: int) -> "DaskArray":
    """Return an array without axes of one entry, and with the channels of this axis last."""
    moved = np.moveaxis(array, axis, -1)
    single = tuple(a for a, n in enumerate(moved.shape[:-3]) if n == 1)
    return moved.squeeze(single) if single else moved


def _fits(level: "DaskArray", finer: "DaskArray") -> bool:
    return (
        is_dask(level)
        and level.ndim == finer.ndim
        and level.dtype == finer.dtype
        and all(m <= n for m, n in zip(level.shape, finer.shape, strict=True))
        and level.shape != finer.shape
    )


def _axis_of_planes(axes: str, array: "DaskArray") -> int | None:
    """Return the axis of red, green and blue that stand before rows and columns; None without."""
    axis = axes.find("C")
    if len(axes) != array.ndim or axis < 0 or array.dtype != np.uint8:
        return None
    return axis if array.shape[axis] == 3 and axis < array.ndim - 1 else None
