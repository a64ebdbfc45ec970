"""How the array of a layer comes from its file: napari's readers lay some files out their own way.

Planar, palette and gray-with-alpha files, and pictures that are marked as turned, have another
array in napari than `read_image` gives; and the data of a layer may have been replaced.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.app.image.source import ImageSource
from napari_colorkde.core.palette.image_tiles import is_dask
from napari_colorkde.io.formats.addresses import Address, path_or_address

PROBE = 16
"""Rows and columns of a lazy array that are compared."""

MOST_NUMBERS = 1 << 27
"""Larger arrays are compared at every so many numbers only."""


@dataclass(frozen=True, slots=True)
class FileReading:
    """What reads a file as the layer has it.

    Attributes
    ----------
    call
        Code with a place for the path.
    module
        What the code imports besides `read_image`; "" for nothing.
    options
        What makes a command read the file so; None where nothing does.
    moves_channels
        Whether a command has the channels last which the layer has first.
    """

    call: str = "read_image({})"
    module: str = ""
    options: tuple[str, ...] | None = ()
    moves_channels: bool = False


_READINGS: tuple[FileReading, ...] = (
    FileReading(),
    FileReading("read_image({}, orientation='keep')", options=("--orientation", "keep")),
    FileReading("read_image({}, icc='convert')", options=("--icc", "convert")),
    FileReading("np.moveaxis(read_image({}), -1, 0)", moves_channels=True),
    FileReading("tifffile.imread({})", "tifffile", None),
    FileReading("iio.imread({})", "imageio.v3 as iio", None),
)


def reading_of(source: ImageSource) -> FileReading | None:
    """Return how the array of a source is read from its file; None where the file has another.

    A file that cannot be asked (there is none here) is taken to be read as ever; of a lazy array a
    few pixels are compared.
    """
    array = source.array
    path = path_or_address(source.path) if source.path else None
    if path is None or not (path.exists() or isinstance(path, Address)):
        return FileReading()
    if is_dask(array):
        return _lazy_reading(source.path, array)
    if not Path(source.path).is_file() or not isinstance(array, np.ndarray):
        return FileReading()
    readers = _readers(Path(source.path))
    for reading in _READINGS:
        read = readers.get(reading.module if reading.options is None else reading.call)
        found = None if read is None else _read(read, source.path)
        if found is not None and _is_same(found, array):
            return reading
    return None


def _lazy_reading(path: str, array: Any) -> FileReading | None:
    """Return how a dask array is read from its file, block by block."""
    from napari_colorkde.io.images import read_image
    from napari_colorkde.io.pyramids import channels_last

    for icc in ("", "convert"):
        more = f", icc={icc!r}" if icc else ""
        call, options = f"read_image({{}}{more}, lazy=True)", ("--icc", icc) if icc else ()
        given: dict[str, Any] = {"icc": icc} if icc else {}
        found: Any = _read_as_is(partial(read_image, lazy=True, **given), path)
        if found is None:
            return None
        if _looks_same(found, array):
            return FileReading(call, options=(*options, "--lazy"))
        for axis in range(found.ndim - 2):
            moved = channels_last(found, axis)
            if _looks_same(moved, array):
                call = f"np.moveaxis({call}, {axis}, -1)"
                if moved.ndim < found.ndim:
                    single = [a for a in range(found.ndim - 1) if _moved(found, axis)[a] == 1]
                    call += f".squeeze({tuple(single)!r})"
                return FileReading(call, options=(*options, "--lazy", "--channel-axis", str(axis)))
    return None


def _moved(array: Any, axis: int) -> tuple[int, ...]:
    return (*array.shape[:axis], *array.shape[axis + 1 :], array.shape[axis])


def _looks_same(found: Any, array: Any) -> bool:
    """Compare shape, type and a few pixels in the middle, of which one block is decoded."""
    if found.shape != array.shape or found.dtype != array.dtype:
        return False
    middle = tuple(slice(n // 2, n // 2 + PROBE) if n > 4 else slice(None) for n in found.shape)
    kinds = found.dtype.kind == "f"
    return bool(np.array_equal(np.asarray(found[middle]), np.asarray(array[middle]), kinds))


def _readers(path: Path) -> dict[str, Callable[[str], object]]:
    """Return what may have read a file, by its call or, for napari's own, its module."""
    import imageio.v3 as iio
    import tifffile

    from napari_colorkde.io.images import read_image
    from napari_colorkde.io.readers.image_formats import image_format

    plain, kept, converted, moved = (reading.call for reading in _READINGS[:4])
    readers: dict[str, Callable[[str], object]] = {
        plain: read_image,
        kept: lambda name: read_image(name, orientation="keep"),
        converted: lambda name: read_image(name, icc="convert"),
        moved: lambda name: np.moveaxis(read_image(name), -1, 0),
    }
    # Of a file of another format they would leave open what they tried.
    known = image_format(path).name
    if known == "TIFF":
        readers["tifffile"] = tifffile.imread
    elif known in ("PNG", "JPEG", "GIF", "BMP", "WebP"):
        readers["imageio.v3 as iio"] = iio.imread
    return readers


def _read(read: Callable[[str], object], path: str) -> NDArray[Any] | None:
    found = _read_as_is(read, path)
    return None if found is None else np.asarray(found)


def _read_as_is(read: Callable[[str], object], path: str) -> object:
    from napari_colorkde.io.formats.reading import LIBRARY_ERRORS, library_messages

    with warnings.catch_warnings(), library_messages("tifffile"):
        warnings.simplefilter("ignore")
        try:
            return read(path)
        except LIBRARY_ERRORS:  # it is not how napari has read the file
            return None


def _is_same(found: NDArray[Any], array: NDArray[Any]) -> bool:
    if found.shape != array.shape or found.dtype != array.dtype:
        return False
    step = max(1, array.size // MOST_NUMBERS)
    if step > 1:
        found, array = found.reshape(-1)[::step], array.reshape(-1)[::step]
    return bool(np.array_equal(found, array, equal_nan=array.dtype.kind == "f"))
