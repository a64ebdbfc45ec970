"""Writing class maps: one whole number per pixel, 0 for none.

TIFF and NPY hold the numbers as they are. A PNG has them, too, as entries of its color table, so
that it is a picture for people and still a map for programs; entry 0 is transparent.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from napari_colorkde.io.atomic import atomic_path, check_target
from napari_colorkde.io.densities import DENSITY_SUFFIXES, write_npy, write_npz
from napari_colorkde.io.provenance import SOFTWARE, as_json, as_lines, provenance

CLASS_COLORS = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
"""Told apart by color-blind people, too; after them they begin again. Okabe and Ito, Color
Universal Design (2008)."""

MAX_COLORS = 255
"""Classes that the color table of a PNG has room for."""


def write_class_map(
    path: str | os.PathLike[str],
    labels: Any,
    names: Sequence[str],
    *,
    description: Mapping[str, Any] | None = None,
) -> None:
    """Write the class of each pixel.

    Parameters
    ----------
    path
        ``.tif`` whole numbers of 8 or 16 bits; ``.npy`` the array as it is; ``.npz`` the arrays
        `labels`, `names` and `provenance` (JSON); ``.png`` a picture with a color for each class.
    labels
        ``(H, W)`` unsigned integers, or with leading axes (not for PNG): 0 for none, 1 for the
        first of `names`, and so on.
    names
        The classes.
    description
        How to get the file again, as `provenance` gives it.

    Raises
    ------
    ValueError
        If the suffix is not known, the array does not fit the format, or the names do not fit it.
    OSError
        If the file cannot be written. A file that stood there before is then still whole.
    """
    path = check_target(path, DENSITY_SUFFIXES)
    array = np.asarray(labels)
    if array.ndim < 2 or array.size == 0 or array.dtype.kind != "u" or array.itemsize > 2:
        raise ValueError(
            f"labels is an array of {array.dtype} with shape {array.shape}; "
            "give uint8 or uint16, one per pixel, (H, W)."
        )
    if array.max() > len(names):
        raise ValueError(f"labels go up to {array.max()}, but there are {len(names)} names.")
    record = provenance() if description is None else dict(description)
    record["classes"] = {"0": "none", **{str(i + 1): name for i, name in enumerate(names)}}
    suffix = path.suffix.lower()
    if suffix == ".png":
        _write_png(path, array, len(names), record)
        return
    with atomic_path(path) as scratch:
        if suffix == ".npy":
            write_npy(scratch, array)
        elif suffix == ".npz":
            write_npz(
                scratch, labels=array, names=np.array(list(names)), provenance=as_json(record)
            )
        else:
            tifffile.imwrite(
                scratch,
                array,
                photometric="minisblack",
                description=as_lines(record).encode("ascii", "backslashreplace").decode(),
                software=SOFTWARE,
                metadata=None,
            )


def _write_png(path: Path, labels: NDArray[Any], n_classes: int, record: Mapping[str, Any]) -> None:
    if labels.ndim != 2:
        raise ValueError(
            f"labels has shape {labels.shape}, but a PNG holds one picture, (H, W); write a TIFF."
        )
    if n_classes > MAX_COLORS:
        raise ValueError(
            f"the color table of a PNG has room for {MAX_COLORS} classes, but there are "
            f"{n_classes}; write .tif or .npy."
        )
    picture = Image.fromarray(labels.astype(np.uint8), mode="L")
    colors = [CLASS_COLORS[i % len(CLASS_COLORS)] for i in range(n_classes)]
    picture.putpalette([level for color in [(0, 0, 0), *colors] for level in color])
    text = PngInfo()
    text.add_text("Software", str(record.get("software", SOFTWARE)))
    text.add_text("Description", as_lines(record))
    with atomic_path(path) as scratch:
        picture.save(scratch, format="PNG", pnginfo=text, transparency=0, compress_level=4)
