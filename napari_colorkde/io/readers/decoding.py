"""From a file to its samples; whatever cannot be read ends in one message.

Libraries raise what they like, log and warn: none of it leaves here. `io.images` makes pictures of
the samples.
"""

import errno
import os
import warnings
from pathlib import Path

import numpy as np

from napari_colorkde.core.checks.arguments import path_of
from napari_colorkde.io.formats import blocks
from napari_colorkde.io.formats.addresses import Address, check_address, path_or_address
from napari_colorkde.io.formats.ome_zarr.reader import is_zarr
from napari_colorkde.io.formats.reading import DecodedImage, Part, first_line, library_messages
from napari_colorkde.io.formats.signatures import is_heif, is_zip
from napari_colorkde.io.readers.image_formats import (
    ImageFormat,
    format_names,
    image_format,
    image_suffixes,
)

_LOGGERS = ("tifffile", "PIL", "imagecodecs", "netpbmfile", "zarr")


def check_image_path(path: str | os.PathLike[str]) -> Path:
    """Refuse a path at which there is no file to read; return it, or the address that it is.

    Raises
    ------
    OSError
        If there is nothing, or a folder, or a file that may not be read; of an address, if what
        reads it is not installed.
    ValueError
        If the file is empty, or an address is not that of a zarr.
    """
    path = path_or_address(path_of(path))
    if isinstance(path, Address):
        check_address(path)
        if path.suffix.lower() in image_suffixes() and path.suffix.lower() != ".zarr":
            raise ValueError(
                f"image {str(path)!r} is a file at a URL, from which only OME-Zarr and zarr can be "
                "read; download it and give the file."
            )
        return path
    try:
        found = path.stat()
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(
                f"image {str(path)!r} is a link to itself; give the name of a file."
            ) from None
        found = None
    except ValueError:
        found = None  # a NUL in the name
    if found is None:
        raise FileNotFoundError(f"image {str(path)!r} does not exist; check the name.")
    if path.is_dir() and not is_zarr(path):
        raise IsADirectoryError(f"image {str(path)!r} is a folder; give the name of a file.")
    if not os.access(path, os.R_OK):
        raise PermissionError(f"image {str(path)!r} cannot be read; check its permissions.")
    if found.st_size == 0 and not path.is_dir():
        raise ValueError(f"image {str(path)!r} is an empty file; give an image.")
    return path


def decode_file(path: Path, part: Part, *, lazy: bool | None = False) -> DecodedImage:
    """Return what is in a file, in the words of its format.

    Parameters
    ----------
    path, part
        The file, and which of its pictures.
    lazy
        Whether samples are a dask array, of which nothing is read yet, where the format has it;
        None: where there are more than `LAZY_PIXELS` of them.

    Raises
    ------
    OSError, ValueError
        If it cannot be read, with one sentence.
    """
    known = image_format(path)
    with one_sentence(path, known):
        if lazy is not False and known.read_lazily is not None:
            least = blocks.LAZY_PIXELS if lazy is None else 0
            if (in_blocks := known.read_lazily(path, part, least)) is not None:
                return in_blocks
        if part.is_default:
            found = known.read(path)
        elif known.read_part is not None:
            found = known.read_part(path, part)
        else:
            raise ValueError("it holds a single image; leave out series, page and level.")
        decoded = found if isinstance(found, DecodedImage) else DecodedImage(np.asarray(found))
        if decoded.samples.size == 0:
            raise ValueError("it has no pixels.")
        return decoded


class one_sentence:  # noqa: N801  # a context manager
    """Turns whatever a library raises while it reads a file into one sentence."""

    def __init__(self, path: Path, known: ImageFormat) -> None:
        self.path, self.known = path, known
        self._warnings = warnings.catch_warnings()
        self._messages = library_messages(*_LOGGERS)

    def __enter__(self) -> None:
        self._warnings.__enter__()
        warnings.simplefilter("ignore")
        self._messages.__enter__()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._messages.__exit__(None, None, None)
        self._warnings.__exit__(None, None, None)
        if isinstance(error, Exception) and f"image {str(self.path)!r}" not in str(error):
            raise ValueError(_refusal(self.path, self.known, error)) from None


def _refusal(path: Path, known: ImageFormat, error: Exception) -> str:
    """Return the sentence for what a library raised."""
    from PIL import Image, UnidentifiedImageError

    head = b""
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(64)
    if is_heif(head):
        return f"image {str(path)!r} is HEIC, which cannot be read; save it as TIFF, PNG or JPEG."
    if is_zip(head) and known.name != "NPY":
        return f"image {str(path)!r} is an archive; unpack it and give an image."
    if isinstance(error, UnidentifiedImageError):
        return (
            f"image {str(path)!r} is damaged or in an unknown format; give a {format_names()} file."
        )
    if isinstance(error, Image.DecompressionBombError):
        return f"image {str(path)!r} has more pixels than Pillow can open; save it as TIFF."
    if isinstance(error, MemoryError):
        return f"image {str(path)!r} does not fit in the free memory; give a smaller one."
    if isinstance(path, Address):
        return (
            f"image {str(path)!r} is not a readable zarr, or its server does not respond "
            f"({first_line(error)}); check the address."
        )
    kind = "folder" if path.is_dir() else "file"
    return f"image {str(path)!r} is not a readable {known.name} {kind} ({first_line(error)})."
