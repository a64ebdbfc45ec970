"""Image files as napari takes them: photographs whole, slides with their pyramids."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.app.image.coarse_levels import coarse_levels, is_slide
from napari_colorkde.core.checks.channels import MAX_COLOR_CHANNELS, RGBA_CHANNELS
from napari_colorkde.core.palette.image_tiles import is_dask
from napari_colorkde.io.images import Icc, LoadedImage, load_image
from napari_colorkde.io.pyramids import load_pyramid

MICROMETER = "µm"

AXIS_LABELS = {"C": "channel", "T": "time"}
"""Axes that are not labeled by their letter."""

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
        What `viewer.add_image` is to be told besides: `rgb`; `axis_labels` where an axis is of
        channels, which comes first if each pixel has more than four; of a slide `multiscale`;
        `scale` and `units` where its file says how large a pixel is.
    """

    data: NDArray[Any] | list[NDArray[Any]]
    arguments: dict[str, Any]


def open_image_file(path: str | Path, *, icc: Icc = "keep") -> OpenedImage:
    """Read an image file for the window: of a slide, whose file has a pyramid, nothing yet.

    Of a slide without a pyramid every pixel is read once, for coarser levels; it stays in its file.

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
    loaded = load_image(path, icc=icc, lazy=None) if pyramid is None else pyramid.finest
    for remark in loaded.remarks:
        warnings.warn(remark, UserWarning, stacklevel=2)
    if pyramid is None:
        if not loaded.axes and _may_be_channels(loaded.pixels.shape):
            n = loaded.pixels.shape[-1]
            warnings.warn(
                f"image {str(path)!r} has {n} values on its last axis, which are shown as the "
                f"columns of a gray stack; to have {n} channels, save it with the channels first, "
                "or as a TIFF.",
                UserWarning,
                stacklevel=2,
            )
        data, arguments = as_layer(loaded)
        rgb = bool(arguments["rgb"])
        if not is_slide(data, rgb=rgb):
            return OpenedImage(np.asanyarray(data) if is_dask(data) else data, arguments)
        levels = [data, *coarse_levels(data, rgb=rgb)]
        return OpenedImage(levels, {**arguments, "multiscale": True})
    finest = pyramid.levels[0]
    rgb = finest.ndim >= 3 and finest.shape[-1] in (3, 4)
    leading = finest.ndim - int(rgb) - 2
    arguments = {"rgb": rgb, "multiscale": True, **_place(loaded, leading)}
    return OpenedImage(list(pyramid.levels), arguments)


def as_layer(loaded: LoadedImage) -> tuple[NDArray[Any], dict[str, object]]:
    """Lay out the axes of an image as napari has them: rows and columns last, but for RGB.

    Returns
    -------
    data : ndarray
    arguments : dict
        As of `OpenedImage`.
    """
    pixels, axes = loaded.pixels, loaded.axes
    has_samples = axes.endswith("S") or not axes
    if has_samples and pixels.ndim >= 3 and pixels.shape[-1] in (3, 4):
        return pixels, {"rgb": True, **_place(loaded, pixels.ndim - 3)}
    if axes.endswith("S") and pixels.shape[-1] > RGBA_CHANNELS:
        pixels, axes = np.moveaxis(pixels, -1, 0), f"C{axes[:-1]}"
    arguments = {"rgb": False, **_place(loaded, pixels.ndim - 2)}
    if "C" not in axes:
        return pixels, arguments
    labels = tuple(AXIS_LABELS.get(letter, letter.lower()) for letter in axes)
    return pixels, {**arguments, "axis_labels": labels}


def _may_be_channels(shape: tuple[int, ...]) -> bool:
    """Whether the last axis of a bare array is long for colors and short for columns."""
    if len(shape) != 3 or not RGBA_CHANNELS < shape[-1] <= MAX_COLOR_CHANNELS:
        return False
    return shape[-2] > shape[-1]


def _place(loaded: LoadedImage, n_leading: int) -> dict[str, object]:
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
