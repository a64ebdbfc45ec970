"""The file formats that images are read from: one entry each. What reads them is in `io.formats`.

Help and refusals name the formats of `IMAGE_FORMATS`; a new one is written there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_colorkde.io.formats import npy, picture, tiff


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


def file_filter() -> str:
    """Return the formats as Qt's file dialogs take them."""
    patterns = " ".join(f"*{suffix}" for known in IMAGE_FORMATS for suffix in known.suffixes)
    return f"Images ({patterns});;All files (*)"


_PICTURE = ImageFormat("PNG", (".png",), picture.read)

IMAGE_FORMATS = (
    ImageFormat("TIFF", (".tif", ".tiff"), tiff.read),
    ImageFormat("NPY", (".npy",), npy.read),
    _PICTURE,
    ImageFormat("JPEG", (".jpg", ".jpeg"), picture.read),
    ImageFormat("BMP", (".bmp",), picture.read),
    ImageFormat("GIF", (".gif",), picture.read),
    ImageFormat("WebP", (".webp",), picture.read),
)
"""All formats, in the order in which help names them."""
