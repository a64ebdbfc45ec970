"""Looks: `.cube` lookup tables for grading images, as editing programs write them.

Format: Adobe, Cube LUT Specification 1.0 (2013), and DaVinci Resolve's input range; red runs
fastest. Between the points of a table colors are interpolated linearly along each axis.
"""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.checks.arguments import IMAGE, Wanted, kind_of, path_of, real_numbers
from napari_colorkde.core.checks.options import text_of
from napari_colorkde.core.number_text import counted

if TYPE_CHECKING:
    from napari_colorkde.core.palette.palette import Palette

LOOK_SUFFIX = ".cube"

MOST_POINTS = 256
"""Along an axis of a table of colors; the specification's limit."""

MOST_LEVELS = 65536
"""Of a table for each channel."""

TABLE = Wanted("colors, (N, N, N, 3), or those of each level, (N, 3), of two points or more")

DOMAIN = Wanted("the lowest and the highest input, (2, 3)")

BLOCK_COLORS = 1 << 20
"""Colors looked up in one go: 100 MB on the way."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A lookup table of colors.

    Attributes
    ----------
    table
        ``(N, N, N, 3)``: the color that replaces each, red along the first axis; or ``(N, 3)``: the
        values that replace the levels of each channel.
    domain
        ``(2, 3)``: the lowest and the highest input; values outside are clipped to these.
    title
        Of the file.
    """

    table: NDArray[np.float64] = field(repr=False)
    domain: NDArray[np.float64] = field(default_factory=lambda: np.array([[0.0] * 3, [1.0] * 3]))
    title: str = ""

    def __post_init__(self) -> None:
        """Refuse a table and a domain of other forms; floats take the place of integers."""
        table = real_numbers(self.table, "table", TABLE).astype(np.float64)
        n = table.shape[0] if table.ndim else 0
        if table.shape not in ((n, 3), (n, n, n, 3)) or n < 2 or not np.isfinite(table).all():
            raise ValueError(f"table has shape {table.shape}; give {TABLE.text}, all finite.")
        domain = real_numbers(self.domain, "domain", DOMAIN).astype(np.float64)
        is_known = domain.shape == (2, 3) and np.isfinite(domain).all()
        if not is_known or (domain[0] >= domain[1]).any():
            raise ValueError(f"domain={domain.tolist()}; give {DOMAIN.text}.")
        object.__setattr__(self, "table", table)
        object.__setattr__(self, "domain", domain)
        object.__setattr__(self, "title", text_of(self.title, "title"))

    def apply(self, image: ArrayLike) -> NDArray[Any]:
        """Grade an image.

        Parameters
        ----------
        image
            ``(..., 3)`` or, with alpha, ``(..., 4)``: uint8, uint16 (the highest level is white),
            or floats in which 1 is white.

        Returns
        -------
        ndarray
            Of the same shape and type; integers are rounded and clipped at white. Alpha is kept.

        Raises
        ------
        TypeError, ValueError
            If it is not such an image.

        Notes
        -----
        O(pixels); 2 s for 18 million. If only colors matter, grade a palette instead.
        """
        array = real_numbers(image, "image", IMAGE)
        if array.size == 0 or array.ndim == 0 or array.shape[-1] not in (3, 4):
            raise ValueError(
                f"image has the shape {array.shape}; give an image with red, green and blue along "
                "the last axis."
            )
        if array.dtype not in (np.uint8, np.uint16) and array.dtype.kind != "f":
            raise TypeError(f"image holds {array.dtype}; give uint8, uint16 or floats.")
        graded = array.copy()
        colors = array[..., :3].reshape(-1, 3)
        out = np.empty_like(colors)
        for start in range(0, len(colors), BLOCK_COLORS):
            part = slice(start, start + BLOCK_COLORS)
            out[part] = self._graded(colors[part])
        graded[..., :3] = out.reshape(array[..., :3].shape)
        return graded

    def apply_to_palette(self, palette: "Palette") -> "Palette":
        """Grade the colors of a palette; those that become the same are one.

        Raises
        ------
        ValueError
            If it does not have three channels, or its colors are means of bins of integers.

        Notes
        -----
        O(U log U).
        """
        if not hasattr(palette, "n_channels"):
            raise TypeError(f"palette is {kind_of(palette)}; give a Palette.")
        if palette.n_channels != 3:
            raise ValueError(
                f"palette has {counted(palette.n_channels, 'channel')}; give one of red, "
                "green and blue."
            )
        if palette.image_dtype is not None and palette.image_dtype.kind != "f":
            raise ValueError("palette is binned; grade the image first, then count its colors.")
        colors, inverse = np.unique(self.apply(palette.colors), axis=0, return_inverse=True)
        counts = np.zeros(len(colors), palette.counts.dtype)
        np.add.at(counts, inverse.reshape(-1), palette.counts)
        return replace(
            palette,
            colors=colors,
            counts=counts,
            bin_width=np.zeros(3),
            moments=None,
            image_dtype=None,
        )

    def _graded(self, colors: NDArray[Any]) -> NDArray[Any]:
        from scipy.ndimage import map_coordinates

        is_integer = colors.dtype.kind == "u"
        white = float(np.iinfo(colors.dtype).max) if is_integer else 1.0
        low, high = self.domain
        n = len(self.table)
        with np.errstate(invalid="ignore"):
            at = np.clip((colors / white - low) / (high - low), 0.0, 1.0) * (n - 1)
        if self.table.ndim == 2:
            found = [
                np.interp(at[:, i], np.arange(n), channel) for i, channel in enumerate(self.table.T)
            ]
        else:
            channels = np.moveaxis(self.table, -1, 0)
            found = [map_coordinates(c, at.T, order=1, mode="nearest") for c in channels]
        graded = np.stack(found, axis=-1) * white
        if is_integer:
            graded = np.clip(np.rint(graded), 0, white)
        else:
            graded[~np.isfinite(colors).all(axis=-1)] = np.nan
        return graded.astype(colors.dtype)


def read_look(path: str | os.PathLike[str]) -> Look:
    """Read a `.cube` lookup table of one or three dimensions.

    Raises
    ------
    OSError
        If there is no such file.
    ValueError
        If it is not a lookup table; the message names the line.
    """
    path = Path(path_of(path))
    if not path.is_file():
        raise FileNotFoundError(f"look {str(path)!r} does not exist; check the name.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"look {str(path)!r} is not a text file; give a .cube file.") from None
    reader = _Reader(path)
    for number, line in enumerate(text.splitlines(), 1):
        reader.read(number, line.strip())
    return reader.look()


class _Reader:
    """Reads a look line by line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size: int | None = None
        self._is_volume = False
        self._title = ""
        self._low, self._high = [0.0] * 3, [1.0] * 3
        self._rows: list[list[float]] = []

    def read(self, number: int, line: str) -> None:
        if not line or line.startswith("#"):
            return
        word, _, rest = line.partition(" ")
        if word == "TITLE":
            self._title = rest.strip().strip('"')
        elif word in ("LUT_3D_SIZE", "LUT_1D_SIZE"):
            if self._size is not None:
                self._refuse(number, "a second size; give a file with one table")
            self._is_volume = word == "LUT_3D_SIZE"
            most = MOST_POINTS if self._is_volume else MOST_LEVELS
            size = int(rest) if rest.strip().isdecimal() else 0
            if not 2 <= size <= most:
                self._refuse(number, f"the size {rest.strip()!r}; use 2 to {most}")
            self._size = size
        elif word == "DOMAIN_MIN":
            self._low = list(self._numbers(number, rest, 3))
        elif word == "DOMAIN_MAX":
            self._high = list(self._numbers(number, rest, 3))
        elif word in ("LUT_3D_INPUT_RANGE", "LUT_1D_INPUT_RANGE"):
            low, high = self._numbers(number, rest, 2)
            self._low, self._high = [low] * 3, [high] * 3
        elif word.isidentifier() and word.isupper():
            return  # a word of another program
        else:
            self._rows.append(list(self._numbers(number, line, 3)))

    def look(self) -> Look:
        if self._size is None:
            raise ValueError(
                f"look {str(self._path)!r} has no LUT_3D_SIZE or LUT_1D_SIZE; give a .cube file."
            )
        wanted = self._size**3 if self._is_volume else self._size
        if len(self._rows) != wanted:
            raise ValueError(
                f"look {str(self._path)!r} has {len(self._rows)} colors, but its size asks for "
                f"{wanted}; it may have been cut short."
            )
        domain = np.array([self._low, self._high])
        if not (domain[0] < domain[1]).all():
            raise ValueError(
                f"look {str(self._path)!r} has the domain {domain.tolist()}; the lowest must be "
                "below the highest."
            )
        table = np.array(self._rows, np.float64)
        if self._is_volume:
            n = self._size
            table = np.ascontiguousarray(table.reshape(n, n, n, 3).transpose(2, 1, 0, 3))
        return Look(table, domain, self._title)

    def _numbers(self, number: int, text: str, n: int) -> Iterator[float]:
        words = text.split()
        try:
            numbers = [float(word) for word in words]
        except ValueError:
            numbers = []
        if len(numbers) != n or not all(map(math.isfinite, numbers)):
            self._refuse(number, f"{text[:40]!r}; give {n} finite numbers")
        yield from numbers

    def _refuse(self, number: int, found: str) -> None:
        raise ValueError(f"look {str(self._path)!r}: line {number} has {found}.")
