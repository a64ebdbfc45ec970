"""TIFF: densities that ImageJ opens as a stack, numbers of classes, volumes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_colorkde.io.colors.coloring import default_limits
from napari_colorkde.io.provenance import GEO_TAGS, SOFTWARE, as_lines

if TYPE_CHECKING:
    from napari_colorkde.core.kde.volumes.density_volume import DensityVolume
    from napari_colorkde.io.export_formats import DensityMap

IMAGEJ_BYTES = (1 << 32) - (1 << 25)
"""ImageJ's own TIFF ends at 4 GB; larger ones are BigTIFF, which ImageJ opens with Bio-Formats."""


def write_density(path: Path, density: "DensityMap", record: Mapping[str, object]) -> None:
    """Write densities or log-densities as float32."""
    values = density.values.astype(np.float32, copy=False)
    low, high = default_limits(values, density.log)
    write_imagej(path, values, record, {"min": low, "max": high})


def write_classes(
    path: Path, labels: NDArray[Any], names: Sequence[str], record: Mapping[str, object]
) -> None:
    """Write numbers of classes, of 8 or 16 bits."""
    tifffile.imwrite(
        path,
        labels,
        photometric="minisblack",
        description=as_lines(record).encode("ascii", "backslashreplace").decode(),
        software=SOFTWARE,
        metadata=None,
        extratags=geo_extratags(record),
    )


def geo_extratags(record: Mapping[str, object]) -> list[tuple[int, str, int, object, bool]]:
    """Return the tags of the image that say where on Earth it lies, as tifffile takes them."""
    found: list[tuple[int, str, int, object, bool]] = []
    tags = record.get(GEO_TAGS, ())
    for code, kind, value in tags if isinstance(tags, list | tuple) else ():
        count = 0 if kind == "s" else len(value)
        found.append((code, kind, count, value, True))
    return found


def write_volume(path: Path, volume: "DensityVolume", record: Mapping[str, object]) -> None:
    """Write a volume as float32, with voxel size and origin in color units."""
    values = volume.values if volume.values.ndim > 1 else volume.values[np.newaxis]
    steps = [float(step) for step in volume.spacing]
    starts = [float(axis[0]) for axis in volume.axes]
    if len(steps) == 1:
        steps, starts = [1.0, *steps], [0.0, *starts]
    # ImageJ's origin is the pixel, counted from 0, whose coordinate is zero.
    origins = [-start / step for start, step in zip(starts, steps, strict=True)]
    metadata: dict[str, object] = {
        "unit": "level" if volume.space == "rgb" else volume.space,
        "min": 0.0,
        "max": float(values.max()),
        **dict(zip(("xorigin", "yorigin", "zorigin"), reversed(origins), strict=False)),
    }
    if len(steps) == 3:
        metadata["spacing"] = steps[0]
    axes = {f"axis {i}": [float(a[0]), float(a[-1]), len(a)] for i, a in enumerate(volume.axes)}
    write_imagej(
        path,
        values.astype(np.float32, copy=False),
        {**record, **axes, "color space": volume.space, "mass inside": volume.mass_inside},
        metadata,
        resolution=(1 / steps[-1], 1 / steps[-2]),
    )


def write_imagej(
    path: Path,
    values: NDArray[np.float32],
    record: Mapping[str, object],
    metadata: Mapping[str, object],
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
            extratags=geo_extratags(record),
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
        extratags=geo_extratags(record),
    )
