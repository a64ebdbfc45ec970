"""The range of values of a palette's channels, and how finely they are rounded."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.palette.palette_data import PaletteData

QUANTIZATION = 1 / 12
"""Variance of rounding to whole levels."""

FLOAT_LEVELS = 255
"""Floats are taken to be rounded to this fraction of their range, as photographs are."""


class ColorUnitsWarning(UserWarning):
    """Colors from 0 to 1 meet a density of whole levels, or the other way round."""


def channel_ranges(palette: PaletteData) -> NDArray[np.float64]:
    """Return the range of values of each channel, ``(C,)``.

    8-bit: 256. 16-bit: the power of two above the largest value, so that 12-bit data in 16 bits
    have 4096. Floats that are multiples of 1/(2ⁿ − 1), n = 8 … 16: the same as a fraction of 1, so
    that 12-bit data divided by 65535 have 1/16. Other floats between 0 and 1: 1; other floats: what
    the data span. A palette that was binned, or converted to another color space, carries its
    ranges.
    """
    if palette.level_ranges is not None:
        return palette.level_ranges
    low, high = palette.extremes
    if low.min() >= 0 and high.max() <= 1:
        return np.ones(palette.n_channels)
    span: NDArray[np.float64] = high.astype(np.float64) - low.astype(np.float64)
    # A constant channel takes the width of the widest; one color alone takes 1.
    span[span == 0] = span.max() or 1.0
    return span


def rounding_variances(palette: PaletteData) -> NDArray[np.float64]:
    """Return the variance of rounding to the palette's levels, ``(C,)``, in squared image units.

    1/12 of a level squared, and a level is: of a palette that was binned a bin; otherwise the step
    between the image's levels; 1/255 of the range of floats that have none.
    """
    levels = palette.step
    if palette.bin_width.any():
        levels = palette.bin_width
    elif levels is None:
        levels = channel_ranges(palette) / FLOAT_LEVELS
    return np.asarray(QUANTIZATION * levels**2)


def refuse_other_kind(palette: PaletteData, known: PaletteData) -> None:
    """Refuse colors from 0 to 1 where whole levels are known, and the other way round.

    A density of the one says nothing of the other, and looks plausible.

    Raises
    ------
    ValueError
        If they are so.
    """
    if are_fractions(palette) and are_levels(known):
        raise ValueError(
            f"image has floats from 0 to 1, but the KDE has levels up to {_largest(known):g}; "
            "multiply the image by the white level, such as 255."
        )
    if are_levels(palette) and are_fractions(known):
        raise ValueError(
            f"image has levels up to {_largest(palette):g}, but the KDE has floats from 0 to 1; "
            "divide the image by the white level, such as 255."
        )


def warn_of_fractions(colors: NDArray[np.float64], known: PaletteData, stacklevel: int) -> None:
    """Warn of colors ``(n, C)`` that are all from 0 to 1 where whole levels are known.

    Warns
    -----
    ColorUnitsWarning
        If they are so, and some lie between.
    """
    if are_levels(known):
        watch = FractionsWatch()
        watch.look(colors)
        watch.warn(known, "colors are", "the KDE", stacklevel + 1)


class FractionsWatch:
    """Looks whether all colors that are asked about are floats from 0 to 1, some between."""

    def __init__(self) -> None:
        self._all_inside, self._some_between = True, False

    def look(self, colors: NDArray[Any]) -> None:
        """Look at finite colors ``(n, C)``, one part after the other."""
        if colors.dtype.kind != "f" or not self._all_inside or not len(colors):
            return
        self._all_inside = bool(colors.min() >= 0 and colors.max() <= 1)
        if self._all_inside and not self._some_between:
            self._some_between = bool(((colors > 0) & (colors < 1)).any())

    def warn(self, known: PaletteData, given: str, known_name: str, stacklevel: int) -> None:
        """Warn if it is so; known are whole levels.

        Parameters
        ----------
        given, known_name
            What was given, with its verb, and whose levels are known.

        Warns
        -----
        ColorUnitsWarning
            Then.
        """
        if self._all_inside and self._some_between:
            warnings.warn(
                f"{given} floats from 0 to 1, {known_name} has levels up to {_largest(known):g}; "
                "multiply the floats by the white level, such as 255.",
                ColorUnitsWarning,
                stacklevel=stacklevel + 1,
            )


def _largest(palette: PaletteData) -> float:
    return float(palette.extremes[1].max())


def are_levels(palette: PaletteData) -> bool:
    """Whether colors are levels of integers, some above 1."""
    kind = (palette.image_dtype or palette.dtype).kind
    return kind == "u" and palette.ranges is None and _largest(palette) > 1


def are_fractions(palette: PaletteData) -> bool:
    """Whether colors are floats from 0 to 1, some between."""
    low, high = palette.extremes
    if palette.dtype.kind != "f" or palette.bin_width.any() or palette.ranges is not None:
        return False
    inside = float(low.min()) >= 0 and float(high.max()) <= 1
    return inside and bool(((palette.colors > 0) & (palette.colors < 1)).any())
