"""Writing densities: one number per pixel.

Each format that has room for text says how to get the file again (see `provenance`): TIFF in
ImageJ's "Info" and the software tag, PNG in text chunks, NPZ in an array. NPY has no such room, and
no second file is written beside it: take NPZ where the origin shall travel with the numbers.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.palette.image_tiles import computed, is_dask
from napari_colorkde.io.export_formats import (
    DensityMap,
    atomic_export,
    check_export,
    export_format,
    write_in_blocks,
)
from napari_colorkde.io.formats.blocks import BlockPicture, no_progress
from napari_colorkde.io.provenance import described


def write_density(
    path: str | os.PathLike[str],
    density: ArrayLike,
    *,
    log: bool = False,
    description: Mapping[str, object] | None = None,
    colormap: str | NDArray[Any] = "magma",
    contrast_limits: tuple[float, float] | None = None,
    color_bar: bool = False,
    sources: Sequence[Path] = (),
    progress: Callable[[float], None] = no_progress,
    jobs: int = 1,
) -> None:
    """Write the density, or log-density, at each pixel of an image.

    Parameters
    ----------
    path
        ``.tif`` float32, readable by ImageJ, in linear densities or nats; ``.npy`` the array as it
        is; ``.npz`` the array `density` as it is, with `log` and `provenance` (JSON); ``.png`` a
        colored picture of 8 bits per channel, for looking at; ``.ome.tif`` and ``.zarr`` OME's.
    density
        ``(H, W)`` floats, or any array-like with leading axes (not for PNG). NaN, which marks
        pixels that do not count, is kept; in the PNG it is transparent. A dask array is written
        block by block to OME-TIFF and OME-Zarr.
    log
        Whether these are log-densities.
    description
        How to reproduce the file, as `provenance` gives it.
    colormap, contrast_limits
        For the PNG: see `napari_colorkde.io.colors.colormaps.lookup_table` and
        `napari_colorkde.io.colors.coloring.default_limits`.
    color_bar
        For the PNG: a bar with numbers at the right, which makes the picture wider.
    sources, progress, jobs
        Of a dask array that is written block by block: what it is made of, so that a run that was
        stopped is gone on with (OME-Zarr); what is called with the fraction that is done; how many
        processes make the blocks (OME-Zarr).

    Raises
    ------
    ValueError
        If the suffix is not known or the array does not fit the format.
    OSError
        If the file cannot be written. An existing file is then left unchanged.
    """
    path = check_export(path)
    array = cast("NDArray[Any]", density) if is_dask(density) else np.asarray(density)
    if array.ndim < 2 or array.size == 0 or array.dtype.kind != "f":
        raise ValueError(
            f"density is an array of {array.dtype} with shape {array.shape}; "
            "give floats, one per pixel, (H, W)."
        )
    record = described(description)
    record.setdefault("values", "natural log of the density" if log else "density")
    known = export_format(path)
    if known.write_density is None:
        raise ValueError(f"path {str(path)!r}: {known.title} cannot hold a density.")
    if is_dask(array):
        values = array.astype(np.float32)
        if write_in_blocks(BlockPicture(path, values, record, None, sources, progress, jobs)):
            return
        array = np.asarray(computed(array))
    with atomic_export(path, known) as scratch:
        shown = DensityMap(array, log, colormap, contrast_limits, color_bar)
        known.write_density(scratch, shown, record)
