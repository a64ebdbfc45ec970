"""Pictures as Pillow reads them: PNG, JPEG, BMP, GIF, WebP."""

import warnings
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_colorkde.io.formats.reading import NotRGBError, first_line, native, not_rgb

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

_NOT_RGB_MODES = {"CMYK", "LAB", "YCbCr", "HSV"}


def read(path: Path) -> NDArray[Any]:
    """Return the levels of a picture, with alpha where it has some."""
    from napari_colorkde.io.image_formats import format_names  # the table has this reader

    _refuse_deep_png(path)
    try:
        with warnings.catch_warnings():
            # Pillow warns of an attack above 89 megapixels; this is the user's own file.
            warnings.filterwarnings("ignore", message="Image size .* exceeds limit")
            with iio.imopen(path, "r", plugin="pillow") as file:
                metadata = file.metadata(index=0)
                if metadata["mode"] in _NOT_RGB_MODES:
                    raise NotRGBError
                has_alpha = metadata["mode"] in {"LA", "PA"} or "transparency" in metadata
                array = np.asarray(file.read(mode="RGBA" if has_alpha else None))
    except NotRGBError:
        raise not_rgb(path) from None
    except (OSError, SyntaxError, EOFError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(
            f"image {str(path)!r} cannot be read as a picture ({_reason(error)}); "
            f"give a {format_names()} file."
        ) from None
    return native(array)


def _refuse_deep_png(path: Path) -> None:
    """Refuse PNG files of which Pillow would keep only the upper 8 of 16 bits."""
    with path.open("rb") as file:
        head = file.read(26)
    if len(head) < 26 or not head.startswith(_PNG_SIGNATURE):
        return
    depth, color_type = head[24], head[25]
    if depth == 16 and color_type != 0:
        raise ValueError(
            f"image {str(path)!r} is a PNG of 16 bits per channel, which would be cut to 8; "
            "save it as TIFF."
        )


def _reason(error: BaseException) -> str:
    # imageio wraps what Pillow raises on opening.
    if isinstance(error.__cause__ or error, Image.DecompressionBombError):
        return "it has more pixels than Pillow opens"
    if "can not handle the given uri" in str(error):
        return "Pillow does not know its format"
    return first_line(error)
