"""Small slides: a pyramid as other programs write it, as TIFF and as OME-Zarr."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import zarr
from numpy.typing import NDArray

APERIO = "Aperio Image Library v10.0.51\n{} {} [0,0 {} {}] (64x64) JPEG/RGB Q=80"
PIXEL_SIZE = 0.499


def slide_pixels(height: int = 640, width: int = 512) -> NDArray[np.uint8]:
    """Return the finest level, of few colors, ``(height, width, 3)``."""
    noise = np.random.default_rng(0).integers(0, 6, (height, width, 3))
    rows, columns = np.mgrid[:height, :width]
    tissue = ((rows // 80 + columns // 80) % 3)[..., None] * np.array([30, 20, 10])
    return np.asarray(120 + tissue + 4 * noise, np.uint8)


def pyramid(finest: NDArray[Any]) -> list[NDArray[Any]]:
    """Return three levels, each half as fine as the one before."""
    levels = [finest]
    for _ in range(2):
        height, width = (n // 2 for n in levels[-1].shape[:2])
        blocks = levels[-1][: 2 * height, : 2 * width].reshape(height, 2, width, 2, 3)
        levels.append(blocks.mean((1, 3)).round().astype(finest.dtype))
    return levels


def write_svs(path: Path, levels: list[NDArray[Any]], **options: Any) -> Path:
    """Write a slide as Aperio's scanners do: thumbnail, label and macro picture beside levels."""
    height, width = levels[0].shape[:2]
    about = APERIO.format(width, height, width, height)
    options = {"photometric": "rgb", "metadata": None, "compression": "zlib"} | options
    with tifffile.TiffWriter(path) as tiff:
        described = f"{about}|AppMag = 20|MPP = {PIXEL_SIZE}"
        tiff.write(levels[0], tile=(64, 64), description=described, **options)
        tiff.write(np.ascontiguousarray(levels[-1][::2, ::2]), description=about, **options)
        for level in levels[1:]:
            tiff.write(level, tile=(64, 64), description=about, **options)
        for kind, name in ((1, "label"), (9, "macro")):
            picture = np.full((40, 60, 3), 200, np.uint8)
            tiff.write(picture, subfiletype=kind, description=f"{about}\n{name} 60x40", **options)
    return path


def write_ome_zarr(path: Path, levels: list[NDArray[Any]], version: str = "0.5") -> Path:
    """Write a slide as OME-Zarr, red, green and blue before rows and columns."""
    group = zarr.open_group(path, mode="w", zarr_format=2 if version == "0.4" else 3)
    datasets = []
    for number, level in enumerate(levels):
        planes = np.moveaxis(level, -1, 0)[None]
        array = group.create_array(
            str(number), shape=planes.shape, chunks=(1, 3, 64, 64), dtype=level.dtype
        )
        array[...] = planes
        scale = [1, 1, *(PIXEL_SIZE * 2**number,) * 2]
        transformation = {"type": "scale", "scale": scale}
        datasets.append({"path": str(number), "coordinateTransformations": [transformation]})
    axes: list[dict[str, str]] = [{"name": "t", "type": "time"}, {"name": "c", "type": "channel"}]
    axes += [{"name": name, "type": "space", "unit": "micrometer"} for name in "yx"]
    image: dict[str, Any] = {"name": "slide", "axes": axes, "datasets": datasets}
    if version == "0.4":
        group.attrs["multiscales"] = [{"version": version, **image}]
    else:
        group.attrs["ome"] = {"version": version, "multiscales": [image]}
    return path
