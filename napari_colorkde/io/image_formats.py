"""The file formats that images are read from: one entry each, and what reads them.

Help and refusals name the formats of `IMAGE_FORMATS`; a new one is written there.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import imageio.v3 as iio
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

MAPPED_BYTES = 1 << 28
"""Larger uncompressed files are mapped into memory, not read: pixels are fetched when looked at."""

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

_NOT_RGB_MODES = {"CMYK", "LAB", "YCbCr", "HSV"}
_NOT_RGB_TIFFS = {
    tifffile.PHOTOMETRIC.SEPARATED,
    tifffile.PHOTOMETRIC.CIELAB,
    tifffile.PHOTOMETRIC.ICCLAB,
    tifffile.PHOTOMETRIC.ITULAB,
}
_PALETTE_TIFF = tifffile.PHOTOMETRIC.PALETTE


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
        Returns the numbers of a file that exists, as `napari_colorkde.io.images.read_image` does.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[Path], NDArray[Any]]


def image_format(path: Path) -> ImageFormat:
    """Return the format that a suffix stands for; for an unknown one, that of pictures."""
    for known in IMAGE_FORMATS:
        if path.suffix.lower() in known.suffixes:
            return known
    return _PICTURE


def format_names() -> str:
    """Return the formats as people write them: A, B or C."""
    *most, last = (known.name for known in IMAGE_FORMATS)
    return f"{', '.join(most)} or {last}"


def _read_npy(path: Path) -> NDArray[Any]:
    large = path.stat().st_size > MAPPED_BYTES
    try:
        array = np.load(path, allow_pickle=False, mmap_mode="r" if large else None)
    except (ValueError, EOFError):
        raise ValueError(
            f"image {str(path)!r} is not a readable NPY file of numbers; "
            "save an array of numbers with numpy.save."
        ) from None
    if not isinstance(array, np.ndarray):
        # np.load recognizes archives by content: an .npz under another name.
        array.close()
        raise ValueError(
            f"image {str(path)!r} is an archive of arrays; give one array, saved by numpy.save."
        )
    if array.dtype.kind not in "buif" or array.size == 0:
        raise ValueError(
            f"image {str(path)!r} holds an array of {array.dtype} with shape {array.shape}; "
            "give real numbers, at least one."
        )
    return _native(array)


def _read_tiff(path: Path) -> NDArray[Any]:
    try:
        with tifffile.TiffFile(path) as tiff:
            series = tiff.series[0]
            page = series.keyframe
            if page.photometric in _NOT_RGB_TIFFS:
                raise _NotRGBError
            mapped = _is_mappable(series, tiff.byteorder)
            array = tifffile.memmap(path, series=0, mode="r") if mapped else series.asarray()
            samples = series.axes.find("S")
            colormap = page.colormap if page.photometric == _PALETTE_TIFF else None
    except _NotRGBError:
        raise _not_rgb(path) from None
    except (tifffile.TiffFileError, ValueError, KeyError, IndexError, NotImplementedError) as error:
        if "imagecodecs" in str(error):
            return _read_compressed_tiff(path, error)
        raise ValueError(
            f"image {str(path)!r} is not a readable TIFF file ({_first_line(error)})."
        ) from None
    if colormap is not None:
        return _expand_palette(array, colormap)
    # Planar files hold one plane per color sample; the engine wants colors last.
    return _native(array if samples < 0 else np.moveaxis(array, samples, -1))


def _is_mappable(series: tifffile.TiffPageSeries, byteorder: Literal["<", ">"]) -> bool:
    page = series.keyframe
    return bool(
        series.nbytes > MAPPED_BYTES
        and page.is_memmappable
        and series.dataoffset is not None
        and np.dtype(page.dtype).newbyteorder(byteorder).isnative
    )


def _read_compressed_tiff(path: Path, error: Exception) -> NDArray[Any]:
    """Read with Pillow what tifffile cannot: it knows the usual compressions of 8-bit pictures."""
    with tifffile.TiffFile(path) as tiff:
        simple = len(tiff.pages) == 1 and tiff.series[0].dtype == np.uint8
    if simple:
        return _read_picture(path)
    raise ValueError(
        f"image {str(path)!r} is compressed in a way that needs the package imagecodecs "
        f"({_first_line(error)}); install it, or save the image without compression."
    )


def _read_picture(path: Path) -> NDArray[Any]:
    _refuse_deep_png(path)
    try:
        with warnings.catch_warnings():
            # Pillow warns of an attack above 89 megapixels; this is the user's own file.
            warnings.filterwarnings("ignore", message="Image size .* exceeds limit")
            with iio.imopen(path, "r", plugin="pillow") as file:
                metadata = file.metadata(index=0)
                if metadata["mode"] in _NOT_RGB_MODES:
                    raise _NotRGBError
                has_alpha = metadata["mode"] in {"LA", "PA"} or "transparency" in metadata
                array = np.asarray(file.read(mode="RGBA" if has_alpha else None))
    except _NotRGBError:
        raise _not_rgb(path) from None
    except (OSError, SyntaxError, EOFError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(
            f"image {str(path)!r} cannot be read as a picture ({_reason(error)}); "
            f"give a {format_names()} file."
        ) from None
    return _native(array)


class _NotRGBError(Exception):
    """The file's numbers are no levels of red, green and blue, nor of gray."""


def _not_rgb(path: Path) -> ValueError:
    return ValueError(
        f"image {str(path)!r} is stored in a print color space (CMYK or alike), whose way to RGB "
        "depends on a profile; convert it to RGB in an image editor first."
    )


def _refuse_deep_png(path: Path) -> None:
    """Refuse PNG files of which Pillow would keep only the upper 8 of 16 bits."""
    with path.open("rb") as file:
        head = file.read(26)
    if len(head) < 26 or not head.startswith(_PNG_SIGNATURE):
        return
    depth, color_type = head[24], head[25]
    if depth == 16 and color_type != 0:
        raise ValueError(
            f"image {str(path)!r} is a PNG of 16 bits per channel, which would be cut to 8; "
            "save it as TIFF."
        )


def _expand_palette(index: NDArray[Any], colormap: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Look up a TIFF's palette: ``(3, N)`` uint16, whose upper bytes are the 8-bit levels."""
    return np.asarray((colormap >> 8).astype(np.uint8).T[index])


def _native(array: NDArray[Any]) -> NDArray[Any]:
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _reason(error: BaseException) -> str:
    # imageio wraps what Pillow raises on opening.
    if isinstance(error.__cause__ or error, Image.DecompressionBombError):
        return "it has more pixels than Pillow opens"
    if "can not handle the given uri" in str(error):
        return "Pillow does not know its format"
    return _first_line(error)


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).strip().splitlines()[0].rstrip(".")


_PICTURE = ImageFormat("PNG", (".png",), _read_picture)

IMAGE_FORMATS = (
    ImageFormat("TIFF", (".tif", ".tiff"), _read_tiff),
    ImageFormat("NPY", (".npy",), _read_npy),
    _PICTURE,
    ImageFormat("JPEG", (".jpg", ".jpeg"), _read_picture),
    ImageFormat("BMP", (".bmp",), _read_picture),
    ImageFormat("GIF", (".gif",), _read_picture),
    ImageFormat("WebP", (".webp",), _read_picture),
)
"""All formats, in the order in which help names them."""
