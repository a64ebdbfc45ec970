"""Reading images, masks and labels from files.

What a file is decides its content; what its tags say is done (see `samples_to_levels`): palettes
and YCbCr become RGB, alpha is divided out where colors were multiplied by it, rows and columns are
turned as the orientation says. Levels are never scaled, and no gamma is applied. What is left out
or could be taken otherwise is said in a warning; what has no one meaning is refused.
"""

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.checks.arguments import choice, whole_number
from napari_colorkde.core.checks.channels import RGBA_CHANNELS
from napari_colorkde.core.checks.options import flag
from napari_colorkde.io.formats import samples_to_levels
from napari_colorkde.io.formats.blocks import in_blocks, in_dask
from napari_colorkde.io.formats.reading import GeoTag, Part, PictureInfo
from napari_colorkde.io.readers.decoding import check_image_path, decode_file, one_sentence
from napari_colorkde.io.readers.image_formats import image_format
from napari_colorkde.io.readers.orientation import (
    axes_of,
    chosen_samples,
    fractions_of_white,
    has_samples,
    is_table,
    turned,
)

Icc = Literal["keep", "convert"]
Orientation = Literal["apply", "keep"]


@dataclass(frozen=True, slots=True, eq=False)
class LoadedImage:
    """An image with what its file says about it.

    Attributes
    ----------
    pixels
        As `read_image` returns them.
    remarks
        Sentences about what was left out, or is not obvious.
    pixel_size
        Height and width of a pixel, in `unit`; None where the file does not say it.
    unit
        "µm", or "".
    geo_tags
        GeoTIFF's tags, where the pixels are those of the whole picture as it is stored.
    is_table
        Whether this is an array of many rows of two or three numbers: events rather than a picture.
    axes
        One letter for each axis, as OME names them (T, C, Z, Y, X, and S for the samples of a
        pixel); "" where the file does not say what they are.
    """

    pixels: NDArray[Any]
    remarks: tuple[str, ...] = ()
    pixel_size: tuple[float, float] | None = None
    unit: str = ""
    geo_tags: tuple[GeoTag, ...] = ()
    is_table: bool = False
    axes: str = ""

    @property
    def named_channels(self) -> tuple[int | None, int | None] | None:
        """Axis of the channels and, where that is certain, their number; None: not said.

        (None, None) of a stack of gray pictures. RGBA is the engine's to recognize.
        """
        if not self.axes:
            return None
        axis = self.axes.find("S")
        if axis >= 0:
            n = int(self.pixels.shape[axis])
            return axis, n if n > RGBA_CHANNELS else None
        axis = self.axes.find("C")
        return (None, None) if axis < 0 else (axis, int(self.pixels.shape[axis]))


def read_image(
    path: str | os.PathLike[str],
    *,
    series: int | None = None,
    page: int | None = None,
    level: int = 0,
    channels: Sequence[int] | None = None,
    icc: Icc = "keep",
    white: float | None = None,
    orientation: Orientation = "apply",
    lazy: bool = False,
) -> NDArray[Any]:
    """Read an image file.

    Parameters
    ----------
    path
        In one of `IMAGE_FORMATS`. Content decides, not the suffix.
    series, page, level
        For a file with several images: which one to read, counted from 0 as `napari-colorkde info`
        lists them; a single page instead; the level of a pyramid. The default is the main image at
        full resolution, never a thumbnail.
    channels
        Which samples of a pixel to read; needed if there are four and the last is not alpha.
    icc
        "keep" the levels of a color profile other than sRGB, with a warning that names it, or
        "convert" them to sRGB.
    white
        The white level, such as 4095 for 12 bits: levels become fractions of it, so that white has
        L* 100 in CIELAB. None keeps the levels.
    orientation
        "apply" rotates rows and columns as EXIF or TIFF tags say; "keep" leaves them as stored, as
        napari's own reader does.
    lazy
        Return a dask array that decodes tiles on demand, for tiled and pyramidal TIFF and for
        OME-Zarr. Other files are read whole.

    Returns
    -------
    ndarray
        ``(H, W)`` gray, ``(H, W, C)``, or with leading axes for pages, in the file's dtype (in the
        machine's byte order). Indexed images are expanded to RGB, gray with alpha to RGBA. The
        color samples of a TIFF come last; ImageJ's and OME's channels stay where they are, before
        rows and columns. Pixels with GDAL's no-data level are NaN, or masked in integers. Files of
        more than 256 MB that allow it are read-only memory maps.

    Raises
    ------
    OSError
        If there is no such file or it cannot be opened.
    ValueError
        If it is not an image, damaged, larger than memory, or ambiguous.

    Warns
    -----
    UserWarning
        If something is left out or could be interpreted differently: further images, a color
        profile, an orientation.
    """
    for name, number in (("series", series), ("page", page), ("level", level)):
        if number is not None or name == "level":
            whole_number(number, name, 0)
    loaded = load_image(
        path,
        Part(series, page, level),
        channels=channels,
        icc=choice(icc, "icc", get_args(Icc)),
        white=white,
        orientation=choice(orientation, "orientation", get_args(Orientation)),
        lazy=flag(lazy, "lazy"),
    )
    for remark in loaded.remarks:
        warnings.warn(remark, UserWarning, stacklevel=2)
    return loaded.pixels


def load_image(
    path: str | os.PathLike[str],
    part: Part = Part(),  # noqa: B008  # frozen
    *,
    channels: Sequence[int] | None = None,
    icc: Icc = "keep",
    white: float | None = None,
    orientation: Orientation = "apply",
    takes_any_samples: bool = False,
    lazy: bool | None = False,
) -> LoadedImage:
    """Read an image file with what it says about itself: see `read_image`.

    Nothing is warned of; sentences are in `remarks`. With `takes_any_samples` four samples of
    which the last is no alpha are returned, for the caller to choose from. `lazy` None means that
    pictures of more than `LAZY_PIXELS` become dask arrays, where the format has it.
    """
    path = check_image_path(path)
    decoded = decode_file(path, part, lazy=lazy)
    levels, remarks = samples_to_levels.to_levels(path, decoded, icc)
    if orientation == "apply" and decoded.orientation != 1:
        levels = turned(levels, decoded.orientation, has_samples(decoded, levels))
        remarks.append(
            f"image {str(path)!r} is rotated as its orientation tag {decoded.orientation} says; "
            "--orientation keep (orientation='keep') leaves rows and columns as stored."
        )
    if not takes_any_samples:
        levels = chosen_samples(path, decoded, levels, channels)
    if white is not None:
        levels = fractions_of_white(levels, white)
    if lazy:
        levels = in_dask(levels)
    size = decoded.pixel_size
    if size is not None and part.level:
        size = None  # that of the finest level
    if size is not None and decoded.orientation >= 5 and orientation == "apply":
        size = size[::-1]
    return LoadedImage(
        levels,
        tuple(remarks),
        size,
        decoded.unit if size else "",
        decoded.geo_tags if decoded.orientation == 1 and not part.level else (),
        is_table=is_table(decoded, levels),
        axes=axes_of(decoded, levels),
    )


def read_mask(path: str | os.PathLike[str], *, lazy: bool | None = False) -> NDArray[np.bool_]:
    """Read a mask: True where the picture is not black (in any of its color channels).

    Parameters
    ----------
    path
        As for `read_image`. An alpha channel is left aside; where a file counts its levels from
        white, white counts all the same.
    lazy
        As for `load_image`.

    Returns
    -------
    ndarray
        ``(H, W)`` bool, or with leading axes for pages.

    Raises
    ------
    OSError, ValueError
        As for `read_image`.
    """
    path = check_image_path(path)
    decoded = decode_file(path, Part(), lazy=lazy)
    levels, _ = samples_to_levels.to_levels(path, decoded)
    with_samples = has_samples(decoded, levels)
    levels = turned(levels, decoded.orientation, with_samples)
    if with_samples:
        levels = levels[..., :3] if levels.shape[-1] >= 3 else levels[..., :1]

    def mark(part: NDArray[Any]) -> NDArray[np.bool_]:
        marked = np.ma.filled(part, 0) != 0
        return np.asarray(marked.any(axis=-1) if with_samples else marked)

    return in_blocks(mark, levels, np.dtype(bool), drops_last=with_samples)


def read_labels(path: str | os.PathLike[str]) -> NDArray[Any]:
    """Read labels: whole numbers as the file holds them, of a palette picture its entries.

    Parameters
    ----------
    path
        As for `read_image`.

    Returns
    -------
    ndarray
        ``(H, W)``, or with leading axes for pages.

    Raises
    ------
    OSError, ValueError
        As for `read_image`.
    """
    path = check_image_path(path)
    decoded = decode_file(path, Part())
    indices = samples_to_levels.to_indices(decoded)
    return turned(indices, decoded.orientation, decoded.has_samples and indices.ndim > 2)


def image_contents(path: str | os.PathLike[str]) -> tuple[str, list[PictureInfo]]:
    """Tell what a file holds, without reading its pixels where the format allows that.

    Returns
    -------
    format : str
        Name of the format.
    pictures : list of PictureInfo

    Raises
    ------
    OSError, ValueError
        As for `read_image`.
    """
    path = check_image_path(path)
    known = image_format(path)
    if known.contents is not None:
        with one_sentence(path, known):
            return known.name, known.contents(path)
    decoded = decode_file(path, Part())
    axes = "YX"[-decoded.samples.ndim :] + ("S" if decoded.has_samples else "")
    extra = decoded.samples.ndim - len(axes)
    info = PictureInfo(
        series=0,
        kind="picture",
        shape=decoded.samples.shape,
        axes="Q" * max(extra, 0) + axes,
        dtype=str(decoded.samples.dtype),
        color=decoded.color,
    )
    return known.name, [info]
