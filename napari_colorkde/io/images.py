"""Reading images and masks from files.

The numbers come as the file holds them, in the arrangement in which napari's own reader gives
them: no rescaling, no gamma, and no rotation by the EXIF orientation, so that a density computed
here fits the image opened there. What would be changed on the way (CMYK, 16-bit color PNG) is
refused.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.io.image_formats import image_format


def read_image(path: str | os.PathLike[str]) -> NDArray[Any]:
    """Read an image file.

    Parameters
    ----------
    path
        In one of `IMAGE_FORMATS`: TIFF (any bit depth, several pages, ImageJ, OME), NPY, or a
        picture that Pillow reads.

    Returns
    -------
    ndarray
        ``(H, W)`` gray, ``(H, W, C)``, or with leading axes for pages, in the file's dtype (in the
        machine's byte order). Palette pictures are expanded to RGB, gray with alpha to RGBA. The
        color samples of a TIFF stand last; ImageJ's and OME's channels stay where they are, before
        rows and columns. Files of more than 256 MB that allow it are read-only memory maps.

    Raises
    ------
    OSError
        If there is no such file or it cannot be opened.
    ValueError
        If it is no image, or one whose numbers would be changed by reading it.

    Notes
    -----
    The EXIF orientation is not applied, as in napari: rows and columns are the file's.
    """
    path = check_image_path(path)
    return image_format(path).read(path)


def read_mask(path: str | os.PathLike[str]) -> NDArray[np.bool_]:
    """Read a mask: True where the picture is not zero (in any of its color channels).

    Parameters
    ----------
    path
        As for `read_image`. An alpha channel is left aside.

    Returns
    -------
    ndarray
        ``(H, W)`` bool, or with leading axes for pages.

    Raises
    ------
    OSError, ValueError
        As for `read_image`.
    """
    image = read_image(path)
    if image.ndim >= 3 and image.shape[-1] in (3, 4):
        return np.asarray((image[..., :3] != 0).any(axis=-1))
    return np.asarray(image != 0)


def check_image_path(path: str | os.PathLike[str]) -> Path:
    """Refuse a path at which there is no file to read.

    Raises
    ------
    OSError
        If there is nothing, or a folder, or a file that may not be read.
    ValueError
        If the file is empty.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"image {str(path)!r} is a folder; give the name of a file.")
    if not path.exists():
        raise FileNotFoundError(f"image {str(path)!r} does not exist; check the name.")
    if not os.access(path, os.R_OK):
        raise PermissionError(f"image {str(path)!r} may not be read; check its permissions.")
    if path.stat().st_size == 0:
        raise ValueError(f"image {str(path)!r} is an empty file; give an image.")
    return path
