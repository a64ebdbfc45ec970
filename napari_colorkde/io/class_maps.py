"""Writing class maps: one whole number per pixel, 0 for none.

TIFF and NPY hold the numbers as they are. A PNG has them, too, as entries of its color table, so
that it is a picture for people and still a map for programs; entry 0 is transparent.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.palette.image_tiles import computed, is_dask
from napari_colorkde.io.export_formats import (
    atomic_export,
    check_export,
    export_format,
    write_in_blocks,
)
from napari_colorkde.io.formats.blocks import BlockPicture, no_progress
from napari_colorkde.io.provenance import described


def write_class_map(
    path: str | os.PathLike[str],
    labels: ArrayLike,
    names: Sequence[str],
    *,
    description: Mapping[str, object] | None = None,
    sources: Sequence[Path] = (),
    progress: Callable[[float], None] = no_progress,
    jobs: int = 1,
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
        The classes; "" where a number is that of none.
    description
        How to reproduce the file, as `provenance` gives it.
    sources, progress, jobs
        As for `write_density`.

    Raises
    ------
    ValueError
        If the suffix is not known, the array does not fit the format, or the names do not fit it.
    OSError
        If the file cannot be written. An existing file is then left unchanged.
    """
    path = check_export(path)
    array = cast("NDArray[Any]", labels) if is_dask(labels) else np.asarray(labels)
    if array.ndim < 2 or array.size == 0 or array.dtype.kind != "u" or array.itemsize > 2:
        raise ValueError(
            f"labels is an array of {array.dtype} with shape {array.shape}; "
            "give uint8 or uint16, one per pixel, (H, W)."
        )
    if not is_dask(array) and array.max() > len(names):
        raise ValueError(f"labels go up to {array.max()}, but there are {len(names)} names.")
    record = described(description)
    record["classes"] = {"0": "none", **_numbered(names)}
    known = export_format(path)
    if known.write_classes is None:
        raise ValueError(f"path {str(path)!r}: {known.title} cannot hold classes.")
    if is_dask(array):
        if write_in_blocks(BlockPicture(path, array, record, names, sources, progress, jobs)):
            return
        array = np.asarray(computed(array))
    with atomic_export(path, known) as scratch:
        known.write_classes(scratch, array, names, record)


def _numbered(names: Sequence[str]) -> dict[str, str]:
    return {str(i + 1): name for i, name in enumerate(names) if name}
