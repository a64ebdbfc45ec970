"""How the array of a layer comes from its file: napari's readers lay some files out their own way.

Planar, palette and gray-with-alpha files, and pictures that are marked as turned, have another
array in napari than `read_image` gives; and the data of a layer may have been replaced.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.app.image.source import ImageSource

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

    A file that cannot be asked (there is none here, the array is lazy) is taken to be read as ever.
    """
    array = source.array
    if not source.path or not Path(source.path).is_file() or not isinstance(array, np.ndarray):
        return FileReading()
    readers = _readers(Path(source.path))
    for reading in _READINGS:
        read = readers.get(reading.module if reading.options is None else reading.call)
        found = None if read is None else _read(read, source.path)
        if found is not None and _is_same(found, array):
            return reading
    return None


def _readers(path: Path) -> dict[str, Callable[[str], Any]]:
    """Return what may have read a file, by its call or, for napari's own, its module."""
    import imageio.v3 as iio
    import tifffile

    from napari_colorkde.io.image_formats import image_format
    from napari_colorkde.io.images import read_image

    plain, kept, converted, moved = (reading.call for reading in _READINGS[:4])
    readers: dict[str, Callable[[str], Any]] = {
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


def _read(read: Callable[[str], Any], path: str) -> NDArray[Any] | None:
    from napari_colorkde.io.formats.reading import library_messages

    with warnings.catch_warnings(), library_messages("tifffile"):
        warnings.simplefilter("ignore")
        try:
            return np.asarray(read(path))
        except Exception:  # whatever a library raises: it is not how napari has read the file
            return None


def _is_same(found: NDArray[Any], array: NDArray[Any]) -> bool:
    if found.shape != array.shape or found.dtype != array.dtype:
        return False
    step = max(1, array.size // MOST_NUMBERS)
    if step > 1:
        found, array = found.reshape(-1)[::step], array.reshape(-1)[::step]
    return bool(np.array_equal(found, array, equal_nan=array.dtype.kind == "f"))
