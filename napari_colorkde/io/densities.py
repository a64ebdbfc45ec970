"""Writing densities: one number per pixel.

Each format that has room for text says how to get the file again (see `provenance`): TIFF in
ImageJ's "Info" and the software tag, PNG in text chunks, NPZ in an array. NPY has no such room, and
no second file is written beside it: take NPZ where the origin shall travel with the numbers.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from napari_colorkde.io.atomic import atomic_path, check_target
from napari_colorkde.io.colormaps import lookup_table
from napari_colorkde.io.provenance import SOFTWARE, as_json, as_lines, provenance

DENSITY_SUFFIXES = (".tif", ".tiff", ".npy", ".npz", ".png")

IMAGEJ_BYTES = (1 << 32) - (1 << 25)
"""ImageJ's own TIFF ends at 4 GB; larger ones are BigTIFF, which ImageJ opens with Bio-Formats."""

QUANTILE_PIXELS = 1 << 20
"""Contrast limits come from at most about so many pixels, evenly spaced."""

BLOCK_PIXELS = 1 << 20
"""Pixels colored in one go, to keep intermediate arrays small."""


def write_density(
    path: str | os.PathLike[str],
    density: Any,
    *,
    log: bool = False,
    description: Mapping[str, Any] | None = None,
    colormap: str | NDArray[Any] = "magma",
    contrast_limits: tuple[float, float] | None = None,
) -> None:
    """Write the density, or log-density, at each pixel of an image.

    Parameters
    ----------
    path
        ``.tif`` float32, readable by ImageJ, in linear densities or nats; ``.npy`` the array as it
        is; ``.npz`` the array `density` as it is, with `log` and `provenance` (JSON); ``.png`` a
        colored picture of 8 bits per channel, for looking at.
    density
        ``(H, W)`` floats, or any array-like with leading axes (not for PNG). NaN, which marks
        pixels that do not count, is kept; in the PNG it is transparent.
    log
        Whether these are log-densities.
    description
        How to get the file again, as `provenance` gives it.
    colormap, contrast_limits
        For the PNG: see `napari_colorkde.io.colormaps.lookup_table` and `default_limits`.

    Raises
    ------
    ValueError
        If the suffix is not known or the array does not fit the format.
    OSError
        If the file cannot be written. A file that stood there before is then still whole.
    """
    path = check_target(path, DENSITY_SUFFIXES)
    array = np.asarray(density)
    if array.ndim < 2 or array.size == 0 or array.dtype.kind != "f":
        raise ValueError(
            f"density is an array of {array.dtype} with shape {array.shape}; "
            "give floats, one per pixel, (H, W)."
        )
    record = provenance() if description is None else dict(description)
    record.setdefault("values", "natural log of the density" if log else "density")
    suffix = path.suffix.lower()
    if suffix == ".png":
        picture, limits = color_density(array, log, colormap, contrast_limits)
        record["contrast limits"] = limits
        _write_png(path, picture, record)
        return
    with atomic_path(path) as scratch:
        if suffix == ".npy":
            write_npy(scratch, array)
        elif suffix == ".npz":
            write_npz(scratch, density=array, log=np.array(log), provenance=as_json(record))
        else:
            _write_tiff(scratch, array, log, record)


def default_limits(density: NDArray[Any], log: bool) -> tuple[float, float]:
    """Contrast limits that show a density well.

    Linear densities: from 0 to the 99.5 % quantile, above which a few common colors outshine all
    others. Logs: from the 1 % quantile, below which lie the far tails, to the maximum. Taken from
    finite pixels, every n-th of them in large images.
    """
    flat = density.reshape(-1)
    flat = flat[:: max(1, flat.size // QUANTILE_PIXELS)]
    flat = flat[np.isfinite(flat)]
    if flat.size == 0:
        return 0.0, 1.0
    low = float(np.quantile(flat, 0.01)) if log else 0.0
    high = float(flat.max()) if log else float(np.quantile(flat, 0.995))
    if not log and high <= 0:
        high = float(flat.max())
    return (low, high) if high > low else (low, low + 1.0)


def color_density(
    density: NDArray[Any],
    log: bool,
    colormap: str | NDArray[Any] = "magma",
    contrast_limits: tuple[float, float] | None = None,
) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """Color a density.

    Returns
    -------
    picture
        ``(H, W, 4)`` uint8: the colormap between the limits; NaN is transparent.
    limits
        The contrast limits used.

    Raises
    ------
    ValueError
        If the density is no single picture, or the colormap or the limits are not valid.
    """
    if density.ndim != 2:
        raise ValueError(
            f"density has shape {density.shape}, but a PNG holds one picture, (H, W); write a TIFF."
        )
    table = lookup_table(colormap)
    low, high = default_limits(density, log) if contrast_limits is None else contrast_limits
    if not (np.isfinite([low, high]).all() and low < high):
        raise ValueError(f"contrast_limits={contrast_limits}; give two numbers, the lower first.")
    picture = np.empty((*density.shape, 4), dtype=np.uint8)
    rows = max(1, BLOCK_PIXELS // density.shape[1])
    for start in range(0, len(density), rows):
        block = density[start : start + rows]
        missing = np.isnan(block)
        position = np.clip((np.where(missing, low, block) - low) / (high - low), 0, 1)
        index = np.minimum(position * len(table), len(table) - 1).astype(np.intp)
        picture[start : start + rows, :, :3] = table[index]
        picture[start : start + rows, :, 3] = np.where(missing, 0, 255)
    return picture, (float(low), float(high))


def write_npy(path: Path, array: NDArray[Any]) -> None:
    """Write an array to just this path; numpy would append ``.npy`` to a name in capitals."""
    with path.open("wb") as file:
        np.save(file, array, allow_pickle=False)


def write_npz(path: Path, **arrays: Any) -> None:
    """Write an archive of arrays (text becomes an array of its own) to just this path."""
    with path.open("wb") as file:
        np.savez(file, **arrays)


def _write_png(path: Path, picture: NDArray[np.uint8], record: Mapping[str, Any]) -> None:
    text = PngInfo()
    text.add_text("Software", str(record.get("software", SOFTWARE)))
    text.add_text("Description", as_lines(record))
    with atomic_path(path) as scratch:
        Image.fromarray(picture).save(scratch, format="PNG", pnginfo=text, compress_level=4)


def _write_tiff(path: Path, array: NDArray[Any], log: bool, record: Mapping[str, Any]) -> None:
    values = array.astype(np.float32, copy=False)
    low, high = default_limits(values, log)
    write_imagej(path, values, record, {"min": low, "max": high})


def write_imagej(
    path: Path,
    values: NDArray[np.float32],
    record: Mapping[str, Any],
    metadata: Mapping[str, Any],
    resolution: tuple[float, float] | None = None,
) -> None:
    """Write a float32 TIFF that ImageJ opens as a stack, with `record` under Image ▸ Show Info.

    Parameters
    ----------
    path
        Written in place: give the path of `atomic_path`.
    values
        ``(H, W)`` or with leading axes, which become slices; further ones become frames, then are
        flattened into them.
    record
        How to get the file again.
    metadata
        ImageJ's own entries: min, max, unit, spacing, origins.
    resolution
        Pixels per unit along the last axis and the one before.
    """
    frames = values.reshape(-1, *values.shape[-3:]) if values.ndim > 4 else values
    axes = {2: "YX", 3: "ZYX", 4: "TZYX"}[frames.ndim]
    info = as_lines(record)
    if values.nbytes > IMAGEJ_BYTES:
        tifffile.imwrite(
            path,
            values,
            bigtiff=True,
            photometric="minisblack",
            description=info.encode("ascii", "backslashreplace").decode(),
            software=SOFTWARE,
            metadata=None,
        )
        return
    tifffile.imwrite(
        path,
        frames,
        imagej=True,
        photometric="minisblack",
        resolution=resolution,
        software=SOFTWARE,
        metadata={"axes": axes, "Info": info, **metadata},
    )
