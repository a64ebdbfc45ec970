"""TIFF under any suffix: the samples of the main image, or of the one chosen.

tifffile finds the pictures and, with imagecodecs, unpacks them; their tags are read in `tags`. A
file that is cut short or damaged is refused: tifffile only logs that pages are missing.
"""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_colorkde.io.formats import reading
from napari_colorkde.io.formats.blocks import as_dask, block_shape
from napari_colorkde.io.formats.profiles import profile_name
from napari_colorkde.io.formats.reading import (
    DecodedImage,
    Part,
    PictureInfo,
    check_size,
    library_messages,
)
from napari_colorkde.io.formats.tiff.tags import (
    color_name,
    named_kind,
    orientation_tag,
    physical_size,
    picture_tags,
    profile_tag,
)
from napari_colorkde.io.formats.tiff.tiles import MappedTiff, TiffTiles, pieces_of

KNOWN_AXES = "RTCZYX"
"""Axes that are what they are called: regions, times, channels, planes, rows, columns."""

_DAMAGE = ("page offset", "corrupted", "series metadata", "missing", "failed to read")


def read(path: Path, part: Part = Part()) -> DecodedImage:  # noqa: B008  # frozen
    """Return the samples of a picture, those of a pixel last."""
    with _opened(path) as tiff:
        series, page, remarks = _chosen(path, tiff, part)
        source = page if series is None else series
        check_size(path, source.shape, source.dtype or np.uint8)
        if series is not None:
            _check_complete(tiff, series)
        axes = page.axes if series is None else series.axes
        image = picture_tags(tiff, page)
        plain = image["color"] in ("gray", "rgb") and not (
            image["white_is_zero"] or image["alpha"] == "associated" or image["profile"]
        )
        samples = _mapped(path, tiff, series) if plain and series is not None else None
        if samples is None:
            samples = source.asarray()
    at = axes.find("S")
    if at >= 0:
        # Planar files hold one plane per color sample; the engine wants colors last.
        samples = np.moveaxis(samples, at, -1)
    image |= {"axes": _named_axes(axes), "remarks": tuple(remarks)}
    return DecodedImage(samples, has_samples=at >= 0, **image)


def read_lazily(path: Path, part: Part, more_than: int) -> DecodedImage | None:
    """Return the samples of a picture as a dask array, of which nothing is decoded yet.

    Parameters
    ----------
    path, part
        As for `read`.
    more_than
        So many pixels the picture must have, else it is None, as it is of one that is not stored
        in tiles or strips.
    """
    with _opened(path) as tiff:
        series, page, remarks = _chosen(path, tiff, part)
        source = page if series is None else series
        axes = source.axes
        at = axes.find("S")
        n_pixels = math.prod(source.shape) // (source.shape[at] if at >= 0 else 1)
        if n_pixels <= more_than:
            return None
        if series is not None:
            _check_complete(tiff, series)
        found = pieces_of(path, tiff, series, page, (_pieces_again, (path, part)))
        image = picture_tags(tiff, page)
    if found is None:
        return None
    rows = len(found.shape) - len(page.axes) + page.axes.find("Y")
    samples: Any = as_dask(found, block_shape(found.shape, found.stored, rows, rows + 1))
    if at >= 0:
        samples = np.moveaxis(samples, at, -1)
    image |= {"axes": _named_axes(axes), "remarks": tuple(remarks)}
    return DecodedImage(samples, has_samples=at >= 0, **image)


def _named_axes(axes: str) -> str:
    """Return the axes before the samples; "" if one is unknown: pages that a file does not name."""
    pixels = axes.replace("S", "")
    return pixels if set(pixels) <= set(KNOWN_AXES) else ""


def _pieces_again(path: Path, part: Part) -> TiffTiles | MappedTiff | None:
    """Return the pieces of a picture, in another process than the one that opened it."""
    with _opened(path) as tiff:
        series, page, _ = _chosen(path, tiff, part)
        return pieces_of(path, tiff, series, page, (_pieces_again, (path, part)))


def contents(path: Path) -> list[PictureInfo]:
    """List the pictures of a file."""
    with _opened(path) as tiff:
        main = _main(tiff)
        return [_described(tiff, number, main) for number in range(len(tiff.series))]


@contextmanager
def _opened(path: Path) -> Iterator[tifffile.TiffFile]:
    """Open a file; afterwards complain about what tifffile only logged."""
    with library_messages("tifffile") as records, tifffile.TiffFile(path) as tiff:
        if not _hides_a_slide(tiff):
            yield tiff
        else:
            # Pages are then those of a slide, and not pictures of their own.
            with tifffile.TiffFile(path, is_shaped=False) as slide:
                yield slide
    for record in records:
        said = record.getMessage()
        if record.levelname in ("ERROR", "CRITICAL") and any(word in said for word in _DAMAGE):
            raise tifffile.TiffFileError("it is damaged or truncated.")


def _hides_a_slide(tiff: tifffile.TiffFile) -> bool:
    """Whether tifffile wrote a slide, with shapes of its own, which it believes before Aperio."""
    return bool(tiff.is_svs and tiff.series[0].kind == "shaped" and not tiff.pages.first.subifds)


def _chosen(
    path: Path, tiff: tifffile.TiffFile, part: Part
) -> tuple[tifffile.TiffPageSeries | None, tifffile.TiffPage, list[str]]:
    """Return the series (None for a single page), its first page, and what is left behind."""
    if part.page is not None:
        if part.series is not None or part.level:
            raise ValueError(
                "a page cannot be combined with a series or a level; give one of them."
            )
        if not 0 <= part.page < len(tiff.pages):
            raise ValueError(
                f"page {part.page} does not exist; it has {len(tiff.pages)}, counted from 0."
            )
        page = tiff.pages[part.page]
        return None, page if isinstance(page, tifffile.TiffPage) else page.aspage(), []
    n_series = len(tiff.series)
    if part.series is not None and not 0 <= part.series < n_series:
        raise ValueError(f"series {part.series} does not exist; it has {n_series}, counted from 0.")
    number = _main(tiff) if part.series is None else part.series
    series = tiff.series[number]
    if not 0 <= part.level < len(series.levels):
        raise ValueError(
            f"level {part.level} does not exist; series {number} has {len(series.levels)}, counted "
            "from 0."
        )
    remarks = []
    pictures = [i for i in range(n_series) if named_kind(tiff, i) == "picture"]
    if part.series is None and len(pictures) > 1:
        remarks.append(
            f"image {str(path)!r} holds {len(pictures)} images, and number {number} is read; "
            "choose another with --series (series=); `napari-colorkde info` lists them."
        )
    chosen = series.levels[part.level]
    return chosen, chosen.keyframe, remarks


def _main(tiff: tifffile.TiffFile) -> int:
    """Return the number of the main picture: the first that is no thumbnail, else the largest."""
    for number in range(len(tiff.series)):
        if named_kind(tiff, number) == "picture":
            return number
    return int(np.argmax([series.size for series in tiff.series]))


def _check_complete(tiff: tifffile.TiffFile, series: tifffile.TiffPageSeries) -> None:
    """Refuse a picture some of whose planes are missing from the file."""
    size = os.fstat(tiff.filehandle.fileno()).st_size
    if series.dataoffset is not None:
        if series.dataoffset + series.nbytes > size:
            raise tifffile.TiffFileError("it is truncated.")
        return
    for page in series.pages:
        if page is None:
            raise tifffile.TiffFileError("planes that it refers to are missing or in another file.")


def _mapped(
    path: Path, tiff: tifffile.TiffFile, series: tifffile.TiffPageSeries
) -> NDArray[Any] | None:
    """Map a large uncompressed picture into memory; None where it is to be read."""
    page = series.keyframe
    if (
        series.nbytes > reading.MAPPED_BYTES
        and page.is_memmappable
        and series.dataoffset is not None
        and (dtype := np.dtype(page.dtype)).newbyteorder(tiff.byteorder).isnative
    ):
        shape = tuple(series.shape)
        mapped: NDArray[Any] = np.memmap(
            path, dtype, mode="r", offset=series.dataoffset, shape=shape
        )
        return mapped
    return None


def _described(tiff: tifffile.TiffFile, number: int, main: int) -> PictureInfo:
    series = tiff.series[number]
    page = series.keyframe
    profile = profile_tag(page)
    size, unit = physical_size(tiff, page)
    return PictureInfo(
        series=number,
        kind=named_kind(tiff, number),
        shape=tuple(series.shape),
        axes=series.axes,
        dtype=str(series.dtype),
        color=color_name(page),
        compression=getattr(page.compression, "name", str(page.compression)).lower(),
        levels=tuple(tuple(level.shape) for level in series.levels),
        pages=len(series.pages),
        pixel_size=size,
        unit=unit,
        profile="" if profile is None else profile_name(profile),
        orientation=orientation_tag(page),
        is_main=number == main,
    )
