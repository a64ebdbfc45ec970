"""What the readers of several formats share."""

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

MAPPED_BYTES = 1 << 28
"""Larger uncompressed files are mapped into memory, not read: pixels are fetched when looked at."""


class NotRGBError(Exception):
    """The file's numbers are no levels of red, green and blue, nor of gray."""


def not_rgb(path: Path) -> ValueError:
    """Return the refusal of a file in another color space than RGB."""
    return ValueError(
        f"image {str(path)!r} is stored in a print color space (CMYK or alike), whose way to RGB "
        "depends on a profile; convert it to RGB in an image editor first."
    )


def native(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array in the byte order of this machine."""
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says, without its period."""
    return (str(error) or type(error).__name__).strip().splitlines()[0].rstrip(".")
