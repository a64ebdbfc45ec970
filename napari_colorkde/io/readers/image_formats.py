"""The file formats that images are read from: one entry each. What reads them is in `io.formats`.

What a file is decides its content; a suffix is a hint for formats without a signature. Help and
refusals name the formats of `IMAGE_FORMATS`; a new one is written there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_colorkde.io.formats import codecs, npy, pillow, signatures
from napari_colorkde.io.formats.addresses import Address
from napari_colorkde.io.formats.ome_zarr import reader as ome_zarr
from napari_colorkde.io.formats.reading import DecodedImage, Part, PictureInfo
from napari_colorkde.io.formats.tiff import reader as tiff

Read = Callable[[Path], NDArray[Any] | DecodedImage]


@dataclass(frozen=True, slots=True)
class ImageFormat:
    """A file format.

    Attributes
    ----------
    name
        As people know it.
    suffixes
        With their dots, in lower case.
    read
        Returns the numbers of a file that exists, or its samples with what its tags say. Whatever
        it raises becomes one sentence with the file's name.
    matches
        Whether a file that begins with these bytes is of this format; None where only the suffix
        tells.
    read_part
        The same of one of several pictures; None where a file holds only one.
    contents
        Lists the pictures of a file; None where there is one, which `read` tells of.
    read_lazily
        Reads a part as a dask array; returns None where a picture is not stored in pieces, or has
        no more than so many pixels. None where no picture is.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Read
    matches: signatures.Matches | None = None
    read_part: Callable[[Path, Part], DecodedImage] | None = None
    contents: Callable[[Path], list[PictureInfo]] | None = None
    read_lazily: Callable[[Path, Part, int], DecodedImage | None] | None = None


def image_format(path: Path) -> ImageFormat:
    """Return the format of a file that exists: by content, else by suffix, else Pillow's.

    What is at an address is a zarr.
    """
    if path.is_dir() or isinstance(path, Address):
        return _ZARR
    with path.open("rb") as file:
        head = file.read(signatures.SIGNATURE_BYTES)
    for known in IMAGE_FORMATS:
        if known.matches is not None and known.matches(head):
            return known
    for known in IMAGE_FORMATS:
        if path.suffix.lower() in known.suffixes:
            return known
    return _PNG


def format_names() -> str:
    """Return the formats as people write them: A, B or C."""
    *most, last = (known.name for known in IMAGE_FORMATS)
    return f"{', '.join(most)} or {last}"


def file_filter() -> str:
    """Return the formats as Qt's file dialogs take them."""
    patterns = " ".join(f"*{suffix}" for suffix in image_suffixes())
    return f"Images ({patterns});;All files (*)"


def image_suffixes() -> tuple[str, ...]:
    """Return the suffixes of all formats: what is taken for an image in a folder."""
    return tuple(suffix for known in IMAGE_FORMATS for suffix in known.suffixes)


_TIFF_SUFFIXES = (
    ".tif",
    ".tiff",
    ".btf",
    ".tf8",
    ".lsm",
    ".svs",
    ".ndpi",
    ".qptiff",
    ".scn",
    ".stk",
)

_ZARR = ImageFormat(
    "OME-Zarr",
    (".zarr",),
    ome_zarr.read,
    None,
    ome_zarr.read,
    ome_zarr.contents,
    ome_zarr.read_lazily,
)

_PNG = ImageFormat("PNG", (".png",), pillow.read, signatures.is_png, pillow.read, pillow.contents)

IMAGE_FORMATS = (
    ImageFormat(
        "TIFF",
        _TIFF_SUFFIXES,
        tiff.read,
        signatures.is_tiff,
        tiff.read,
        tiff.contents,
        tiff.read_lazily,
    ),
    ImageFormat("NPY", (".npy",), npy.read, signatures.is_npy),
    _PNG,
    ImageFormat(
        "JPEG", (".jpg", ".jpeg"), pillow.read, signatures.is_jpeg, contents=pillow.contents
    ),
    ImageFormat("BMP", (".bmp",), pillow.read, signatures.is_bmp, contents=pillow.contents),
    ImageFormat("GIF", (".gif",), pillow.read, signatures.is_gif, pillow.read, pillow.contents),
    ImageFormat("WebP", (".webp",), pillow.read, signatures.is_webp, pillow.read, pillow.contents),
    ImageFormat("JPEG 2000", (".jp2", ".j2k"), codecs.read_jpeg2000, signatures.is_jpeg2000),
    ImageFormat("AVIF", (".avif",), codecs.read_avif, signatures.is_avif),
    ImageFormat("JPEG XL", (".jxl",), codecs.read_jpegxl, signatures.is_jpegxl),
    ImageFormat("JPEG XR", (".jxr",), codecs.read_jpegxr, signatures.is_jpegxr),
    ImageFormat("QOI", (".qoi",), codecs.read_qoi, signatures.is_qoi),
    ImageFormat(
        "Netpbm", (".ppm", ".pgm", ".pbm", ".pam", ".pfm"), codecs.read_netpbm, signatures.is_netpbm
    ),
    _ZARR,
)
"""All formats, in the order in which help names them."""
