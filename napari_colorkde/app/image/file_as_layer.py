"""Image files as napari takes them: photographs whole, slides with their pyramids."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.checks.channels import MAX_COLOR_CHANNELS, RGBA_CHANNELS
from napari_colorkde.io.images import Icc, LoadedImage, load_image
from napari_colorkde.io.pyramids import load_pyramid

MICROMETER = "µm"

ZARR_FILES = ("zarr.json", ".zgroup", ".zattrs", ".zarray")
"""Files in a zarr's folder, any of which stands for it where only files can be chosen."""


@dataclass(frozen=True, slots=True, eq=False)
class OpenedImage:
    """The image of a file, and how it is shown.

    Attributes
    ----------
    data
        An array, or the levels of a pyramid, from fine to coarse.
    arguments
        What `viewer.add_image` is to be told besides: `rgb`; of more than four channels
        `axis_labels`, as they come first; of a slide `multiscale`, and `scale`
        and `units` where its file says how large a pixel is.
    """

    data: NDArray[Any] | list[NDArray[Any]]
    arguments: dict[str, Any]


def open_image_file(path: str | Path, *, icc: Icc = "keep") -> OpenedImage:
    """Read an image file for the window: of a slide, whose file has a pyramid, nothing yet.

    Parameters
    ----------
    path, icc
        As for `read_image`.

    Raises
    ------
    OSError, ValueError
        As from `read_image`.

    Warns
    -----
    UserWarning
        As from `read_image`.
    """
    pyramid = load_pyramid(path, icc=icc)
    loaded = load_image(path, icc=icc) if pyramid is None else pyramid.finest
    for remark in loaded.remarks:
        warnings.warn(remark, UserWarning, stacklevel=2)
    finest = loaded.pixels if pyramid is None else pyramid.levels[0]
    rgb = finest.ndim >= 3 and finest.shape[-1] in (3, 4)
    if pyramid is None and has_many_channels(finest.shape):
        # napari's last two axes are rows and columns.
        channels_first = {"rgb": False, "axis_labels": ("channel", "y", "x")}
        return OpenedImage(np.moveaxis(finest, -1, 0), channels_first)
    if pyramid is None:
        return OpenedImage(finest, {"rgb": rgb})
    leading = finest.ndim - int(rgb) - 2
    arguments = {"rgb": rgb, "multiscale": True, **_place(loaded, leading)}
    return OpenedImage(list(pyramid.levels), arguments)


def has_many_channels(shape: tuple[int, ...]) -> bool:
    """Whether an image ``(H, W, C)`` has more channels than RGBA, see `checked_channels`."""
    if len(shape) != 3 or not RGBA_CHANNELS < shape[-1] <= MAX_COLOR_CHANNELS:
        return False
    return shape[-2] > shape[-1]


def _place(loaded: LoadedImage, n_leading: int) -> dict[str, Any]:
    size = loaded.pixel_size
    if size is None or loaded.unit != MICROMETER:
        return {}
    return {
        "scale": (*(1.0,) * n_leading, *size),
        "units": (*("pixel",) * n_leading, *("micrometer",) * 2),
    }


def zarr_folder(path: Path) -> Path:
    """Return the folder of a zarr of which a file was chosen; other paths as they are."""
    return path.parent if path.name in ZARR_FILES else path
