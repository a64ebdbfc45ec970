"""The images of a TIFF in pieces: only what is needed is decoded.

Tiles and strips are decoded one by one; where a picture is one uncompressed block, it is mapped.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_colorkde.io.formats.reading import LIBRARY_ERRORS, first_line

AXES = ("YX", "YXS", "SYX")
"""Axes of a page that are read so; volumes in tiles of several planes are not."""

Again = tuple[Callable[..., Any], tuple[Any, ...]]

_JPEG = {6, 7, 34892, 33007}


@dataclass(frozen=True, slots=True, eq=False)
class _Page:
    """Where the tiles of a page are."""

    offsets: Sequence[int]
    sizes: Sequence[int]
    tables: bytes | None


class TiffTiles:
    """The samples of a picture, decoded when it is indexed by a slice for each axis.

    Parameters
    ----------
    path
        The file, which is opened for each block anew.
    series, page
        Pages of one kind, of which the first or only one is this. The file is open.
    again
        A function and its arguments that return the same in another process.

    Attributes
    ----------
    shape, dtype
        Of the samples, the axes as they are in the file.
    stored
        Shape of what is decoded in one go; of channels all.
    """

    def __init__(
        self,
        path: Path,
        series: tifffile.TiffPageSeries | None,
        page: tifffile.TiffPage,
        again: Again,
    ) -> None:
        self.path, self._again = path, again
        self.shape = tuple((page if series is None else series).shape)
        self.dtype = np.dtype(page.dtype)
        self._pages = [_page(each) for each in ([page] if series is None else series.pages)]
        self._axes = page.axes
        self._decode = page.decode
        self._nothing = page.nodata
        self._header = page.jpegheader if page.compression in _JPEG else None
        self._is_jpeg = page.compression in _JPEG
        self._rows, self._columns = page.imagelength, page.imagewidth
        if page.is_tiled:
            self._tile = page.tilelength, page.tilewidth
        else:
            self._tile = min(page.rowsperstrip, self._rows), self._columns
        self._stamp = _stamp(path)
        inner = {"Y": self._tile[0], "X": self._tile[1], "S": page.samplesperpixel}
        leading = len(self.shape) - len(self._axes)
        self.stored = (*(1,) * leading, *(inner[axis] for axis in self._axes))

    def __reduce__(self) -> Again:
        """Say how another process gets the same."""
        return self._again

    def __getitem__(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """Decode what lies there.

        Raises
        ------
        ValueError
            If a tile is damaged or missing.
        OSError
            If the file is no longer there.
        """
        _check_unchanged(self.path, self._stamp)
        ranges = [range(*s.indices(n)) for s, n in zip(index, self.shape, strict=True)]
        leading, inner = ranges[: -len(self._axes)], ranges[-len(self._axes) :]
        result = np.empty([len(r) for r in ranges], self.dtype)
        outer = self.shape[: len(leading)]
        with self.path.open("rb") as file:
            for place in np.ndindex(*(len(r) for r in leading)):
                at = tuple(r[i] for r, i in zip(leading, place, strict=True))
                number = int(np.ravel_multi_index(at, outer)) if outer else 0
                self._fill(file, self._pages[number], inner, result[place])
        return result

    def _fill(
        self, file: BinaryIO, page: _Page, ranges: Sequence[range], result: NDArray[Any]
    ) -> None:
        by_axis = dict(zip(self._axes, ranges, strict=True))
        rows, columns = by_axis["Y"], by_axis["X"]
        planes = by_axis["S"] if self._axes == "SYX" else range(1)
        samples = by_axis.get("S", range(1)) if self._axes != "SYX" else range(1)
        # (planes, rows, columns, samples), whatever axes there are.
        target = result.reshape(len(planes), len(rows), len(columns), len(samples))
        for p, plane in enumerate(planes):
            for row, column, number in self._touched(plane, rows, columns):
                tile = self._tile_at(file, page, number)
                top, left = row * self._tile[0], column * self._tile[1]
                y, x = slice(top - rows.start, None), slice(left - columns.start, None)
                y_from, y_to = max(y.start, 0), min(y.start + self._tile[0], len(rows))
                x_from, x_to = max(x.start, 0), min(x.start + self._tile[1], len(columns))
                place = target[p, y_from:y_to, x_from:x_to]
                if tile is None:
                    place[...] = self._nothing
                    continue
                inside = (
                    slice(y_from - y.start, y_to - y.start),
                    slice(x_from - x.start, x_to - x.start),
                    slice(samples.start, samples.stop),
                )
                place[...] = tile[inside]

    def _touched(self, plane: int, rows: range, columns: range) -> Iterator[tuple[int, int, int]]:
        """Yield row and column of each tile that is needed, and its number in the page."""
        (height, width), across = self._tile, -(-self._columns // self._tile[1])
        down = -(-self._rows // height)
        for row in range(rows.start // height, -(-rows.stop // height)):
            for column in range(columns.start // width, -(-columns.stop // width)):
                yield row, column, (plane * down + row) * across + column

    def _tile_at(self, file: BinaryIO, page: _Page, number: int) -> NDArray[Any] | None:
        """Return a tile ``(rows, columns, samples)``; None where the file leaves it out."""
        size = page.sizes[number] if number < len(page.sizes) else 0
        if not size:
            return None
        file.seek(page.offsets[number])
        data = file.read(size)
        extra = {"jpegtables": page.tables, "jpegheader": self._header} if self._is_jpeg else {}
        try:
            if len(data) < size:
                raise ValueError("the file ends before the tile.")
            tile, _, _ = self._decode(data, number, **extra)
        except LIBRARY_ERRORS as error:
            raise ValueError(
                f"image {str(self.path)!r} has a damaged tile, number {number} "
                f"({first_line(error)}); copy or download the file again."
            ) from None
        return None if tile is None else np.asarray(tile[0])


class MappedTiff:
    """The samples of a picture that is one uncompressed block, as `TiffTiles` has them."""

    def __init__(
        self, path: Path, offset: int, dtype: Any, shape: Sequence[int], axes: str
    ) -> None:
        self.path, self.dtype, self.shape = path, np.dtype(dtype), tuple(shape)
        self._offset, self._stamp = offset, _stamp(path)
        leading = len(self.shape) - len(axes)
        # Rows are read one by one; what lies beside each other comes together.
        whole = zip(axes, self.shape[leading:], strict=True)
        self.stored = (*(1,) * leading, *(1 if axis == "Y" else n for axis, n in whole))

    def __getitem__(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """Read what lies there, see `TiffTiles`."""
        _check_unchanged(self.path, self._stamp)
        mapped: NDArray[Any] = np.memmap(
            self.path, self.dtype, mode="r", offset=self._offset, shape=self.shape
        )
        return np.array(mapped[index])


def pieces_of(
    path: Path,
    tiff: tifffile.TiffFile,
    series: tifffile.TiffPageSeries | None,
    page: tifffile.TiffPage,
    again: Again,
) -> TiffTiles | MappedTiff | None:
    """Return a picture in pieces; None where it is not made of pages of plain tiles or strips.

    Parameters
    ----------
    path, tiff, series, page
        The file, which is open, and what is read of it.
    again
        See `TiffTiles`.
    """
    if series is not None and series.dataoffset is not None and page.is_memmappable:
        dtype = np.dtype(page.dtype).newbyteorder(tiff.byteorder)
        return MappedTiff(path, series.dataoffset, dtype, series.shape, page.axes)
    if page.axes not in AXES or page.imagedepth > 1 or 0 in page.shaped or page.dtype is None:
        return None
    if series is not None:
        pages = list(series.pages)
        leading = tuple(series.shape)[: -len(page.shape)]
        if tuple(series.shape) != (*leading, *page.shape) or len(pages) != np.prod(leading or (1,)):
            return None
        if any(each is None or each.parent is not page.parent for each in pages):
            return None
    return TiffTiles(path, series, page, again)


def _page(page: Any) -> _Page:
    return _Page(page.dataoffsets, page.databytecounts, page.jpegtables)


def _check_unchanged(path: Path, stamp: tuple[int, int]) -> None:
    if _stamp(path) != stamp:
        raise ValueError(f"image {str(path)!r} changed while it was being read; read it again.")


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns
