"""Shared by the readers of all formats: what a file holds, and which part of it is wanted."""

import logging
import lzma
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

MAPPED_BYTES = 1 << 28
"""Larger uncompressed files are mapped into memory, not read: pixels are fetched when looked at."""

ColorModel = Literal["gray", "rgb", "palette", "ycbcr", "cmyk", "cielab", "icclab", "data"]
Alpha = Literal["", "straight", "associated"]
GeoTag = tuple[int, str, tuple[float, ...] | tuple[int, ...] | str]


@dataclass(frozen=True, slots=True)
class Part:
    """Which picture of a file is read.

    Attributes
    ----------
    series
        Picture, counted from 0 as `info` lists them; None is the main one.
    page
        A single page of the file, counted from 0, in place of a series.
    level
        Of a pyramid: 0 is the finest.
    """

    series: int | None = None
    page: int | None = None
    level: int = 0

    @property
    def is_default(self) -> bool:
        """Whether nothing was asked for: the main picture, at its finest."""
        return self == Part()


@dataclass(frozen=True, slots=True, eq=False)
class DecodedImage:
    """The samples of a picture as the file holds them, and what its tags say about them.

    Attributes
    ----------
    samples
        ``(..., H, W)``, or ``(..., H, W, S)`` where `has_samples`.
    color
        What the samples are; "data" for arrays that say nothing about themselves.
    has_samples
        Whether the last axis counts samples of a pixel.
    axes
        One letter for each axis before the samples of a pixel, as OME names them (T, C, Z, Y, X);
        "" where the file does not say what they are.
    alpha
        What the first sample after the colors is: "straight" or "associated" (colors are multiplied
        by it) alpha, or nothing of the kind.
    bits
        Significant bits of an integer sample; 0: all of them.
    step
        What a level was multiplied by: pictures of 2 and 4 bits are stretched to 8.
    white_is_zero
        Whether 0 is white.
    table
        ``(N, 3)`` or ``(N, 4)``: the colors of a palette.
    ycbcr
        Coefficients of luma and (black, white) of each sample.
    profile
        The ICC profile.
    orientation
        EXIF's number, 1 to 8.
    no_data
        The level of pixels that hold nothing.
    pixel_size
        Height and width of a pixel, in `unit`.
    geo_tags
        GeoTIFF's tags: number, type (a letter of `struct`, or "s"), values.
    remarks
        Sentences about what the reader left behind.
    """

    samples: NDArray[Any]
    color: ColorModel = "data"
    has_samples: bool = False
    axes: str = ""
    alpha: Alpha = ""
    bits: int = 0
    step: int = 1
    white_is_zero: bool = False
    table: NDArray[Any] | None = None
    ycbcr: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    profile: bytes | None = None
    orientation: int = 1
    no_data: float | None = None
    pixel_size: tuple[float, float] | None = None
    unit: str = ""
    geo_tags: tuple[GeoTag, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PictureInfo:
    """One picture of a file, for the list that `info` prints.

    Attributes
    ----------
    series
        Its number.
    kind
        "picture", "thumbnail", "reduced" or "mask".
    shape, axes, dtype
        Of its samples.
    color, compression
        As people know them.
    levels
        Shapes of the levels of a pyramid, the finest first.
    pages
        How many pages of the file it takes.
    pixel_size
        Height and width of a pixel, in `unit`.
    profile
        Name of the ICC profile.
    orientation
        EXIF's number, 1 to 8.
    is_main
        Whether it is the one that is read when none is named.
    """

    series: int
    kind: str
    shape: tuple[int, ...]
    axes: str
    dtype: str
    color: str
    compression: str = ""
    levels: tuple[tuple[int, ...], ...] = ()
    pages: int = 1
    pixel_size: tuple[float, float] | None = None
    unit: str = ""
    profile: str = ""
    orientation: int = 1
    is_main: bool = True


JsonObject = dict[str, Any]
"""What a file says of itself in JSON; its keys and values are checked where they are read."""

LIBRARY_ERRORS: tuple[type[Exception], ...] = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    zlib.error,
)
"""What libraries raise where a file is damaged, or not what it says: nearly anything."""


def native(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array in the byte order of this machine."""
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says, without its period."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


def check_size(path: Path, shape: tuple[int, ...], dtype: Any) -> None:
    """Refuse, before it is unpacked, a picture that does not fit into memory.

    Raises
    ------
    ValueError
        If the file declares more pixels than there is room for.
    """
    from napari_colorkde.core.number_text import bytes_text
    from napari_colorkde.io.datasets.memory import available_bytes

    wanted = int(np.prod(shape, dtype=np.float64)) * np.dtype(dtype).itemsize
    free = available_bytes()
    if wanted > free:
        raise ValueError(
            f"image {str(path)!r} unpacks to {bytes_text(wanted)}, but only {bytes_text(free)} of "
            "memory are free; choose a part of it (--series, --page, --level) or a smaller image."
        )


class _Keeping(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextmanager
def library_messages(*loggers: str) -> Iterator[list[logging.LogRecord]]:
    """Collect what libraries log meanwhile, so that nothing of it reaches the terminal."""
    handler = _Keeping()
    before = []
    for name in loggers:
        logger = logging.getLogger(name)
        before.append((logger, logger.propagate))
        logger.propagate = False
        logger.addHandler(handler)
    try:
        yield handler.records
    finally:
        for logger, propagate in before:
            logger.removeHandler(handler)
            logger.propagate = propagate
