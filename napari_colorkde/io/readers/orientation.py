"""From the levels of a file to those that are asked for: orientation, samples, white level."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.checks.arguments import real_number, whole_number
from napari_colorkde.core.checks.options import refuse_no_list
from napari_colorkde.io.formats.reading import (
    DecodedImage,
)


def axes_of(decoded: DecodedImage, levels: NDArray[Any]) -> str:
    """Return a letter for each axis of the levels; "" where the file does not name them."""
    if decoded.color == "data":
        return ""
    with_samples = has_samples(decoded, levels)
    axes = decoded.axes
    if not axes and levels.ndim - with_samples == 2:
        axes = "YX"
    axes += "S" * with_samples
    return axes if len(axes) == levels.ndim else ""


MOST_ROWS_OF_A_PICTURE = 16
"""Arrays of two or three columns with more rows than so many times them are tables."""


def is_table(decoded: DecodedImage, levels: NDArray[Any]) -> bool:
    """Whether an array is many rows of two or three numbers: events rather than a picture."""
    if decoded.color != "data" or levels.ndim != 2 or levels.shape[1] not in (2, 3):
        return False
    return bool(levels.shape[0] > MOST_ROWS_OF_A_PICTURE * levels.shape[1])


def has_samples(decoded: DecodedImage, levels: NDArray[Any]) -> bool:
    """Whether the last axis of the levels counts the samples of a pixel."""
    if decoded.color == "data":
        return levels.ndim >= 3 and levels.shape[-1] in (3, 4)
    return levels.ndim > decoded.samples.ndim - decoded.has_samples


def chosen_samples(
    path: Path, decoded: DecodedImage, levels: NDArray[Any], channels: Sequence[int] | None
) -> NDArray[Any]:
    """Return the samples that are asked for; refuse four of which the last is no alpha."""
    n_samples = levels.shape[-1] if has_samples(decoded, levels) else 0
    if channels is not None:
        refuse_no_list(channels, "channels", of="numbers of samples, counted from 0")
        channels = [whole_number(each, "channels", 0) for each in channels]
        if not channels:
            raise ValueError("channels is empty; give the numbers of samples, counted from 0.")
        if not n_samples or min(channels) < 0 or max(channels) >= n_samples:
            raise ValueError(
                f"channels={list(channels)}: a pixel of image {str(path)!r} has "
                f"{max(n_samples, 1)} samples; give numbers from 0 to {max(n_samples, 1) - 1}."
            )
        return levels[..., list(channels)]
    if n_samples == 4 and decoded.color not in ("data", "palette", "cmyk") and not decoded.alpha:
        raise ValueError(
            f"image {str(path)!r} has four samples per pixel, and the last is not marked as alpha; "
            "choose with --channels 0,1,2 (channels=), or 0,1,2,3 for four colors."
        )
    return levels


def fractions_of_white(levels: NDArray[Any], white: float) -> NDArray[Any]:
    """Return levels as fractions of the white level, float32 of up to 16 bits."""
    white = real_number(white, "white", "the white level, a number above 0")
    if not 0 < white < float("inf"):
        raise ValueError(f"white={white:g}; give the white level, a number above 0.")
    kind = np.float64 if levels.dtype.itemsize > 2 else np.float32
    return levels / kind(white)


def turned(levels: NDArray[Any], orientation: int, with_samples: bool) -> NDArray[Any]:
    """Turn rows and columns as EXIF's orientation says."""
    if orientation == 1:
        return levels
    rows, columns = (-3, -2) if with_samples else (-2, -1)
    if orientation >= 5:
        levels = levels.swapaxes(rows, columns)
    if orientation in (3, 4, 7, 8):
        levels = np.flip(levels, rows)
    if orientation in (2, 3, 6, 7):
        levels = np.flip(levels, columns)
    return levels
