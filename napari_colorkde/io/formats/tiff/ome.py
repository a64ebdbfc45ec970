"""OME-TIFF: densities and classes with axes and the size of a pixel, as a pyramid where large."""

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_colorkde.core.checks.arguments import Keywords
from napari_colorkde.io.formats.tiff.writer import geo_extratags
from napari_colorkde.io.provenance import PIXEL_SIZE, SOFTWARE, as_lines

if TYPE_CHECKING:
    from napari_colorkde.io.export_formats import DensityMap

LARGE = 4096
"""Pictures with more rows or columns are pyramids."""

TILE = 512


def write_density(path: Path, density: "DensityMap", record: Mapping[str, object]) -> None:
    """Write densities or log-densities as float32; levels are means of 2 × 2 pixels."""
    _write(path, density.values.astype(np.float32, copy=False), record, averages=True)


def write_classes(
    path: Path, labels: NDArray[Any], names: Sequence[str], record: Mapping[str, object]
) -> None:
    """Write numbers of classes, of 8 or 16 bits; levels are every second pixel."""
    _write(path, labels, record, averages=False)


def halved(values: NDArray[Any], *, averages: bool) -> NDArray[Any]:
    """Return every second row and column, or the means of 2 × 2."""
    if not averages or min(values.shape[-2:]) < 2:
        return np.ascontiguousarray(values[..., ::2, ::2])
    rows, columns = (n // 2 * 2 for n in values.shape[-2:])
    even = values[..., :rows, :columns]
    parts = [even[..., i::2, j::2] for i in (0, 1) for j in (0, 1)]
    mean: NDArray[Any] = (parts[0] + parts[1] + parts[2] + parts[3]) / np.float32(4)
    return mean


def halved_shape(shape: tuple[int, ...], *, averages: bool) -> tuple[int, ...]:
    """Return the shape that `halved` gives."""
    if not averages or min(shape[-2:]) < 2:
        return (*shape[:-2], *(-(-n // 2) for n in shape[-2:]))
    return (*shape[:-2], *(n // 2 for n in shape[-2:]))


def _write(
    path: Path, values: NDArray[Any], record: Mapping[str, object], *, averages: bool
) -> None:
    frames = values.reshape(-1, *values.shape[-3:]) if values.ndim > 4 else values
    n_levels = levels_above(frames.shape)
    options = options_for(is_tiled=n_levels > 0)
    with tifffile.TiffWriter(path, ome=True, bigtiff=frames.nbytes > 1 << 31) as tiff:
        metadata, extratags = metadata_of(frames.ndim, record), geo_extratags(record)
        tiff.write(frames, subifds=n_levels, metadata=metadata, extratags=extratags, **options)
        level = frames
        for _ in range(n_levels):
            level = halved(level, averages=averages)
            tiff.write(level, subfiletype=1, metadata=None, **options)


def levels_above(shape: tuple[int, ...]) -> int:
    """Return how many coarser levels a picture of this shape has."""
    n_levels = 0
    while max(shape[-2:]) >> n_levels > LARGE:
        n_levels += 1
    return n_levels


def options_for(*, is_tiled: bool) -> Keywords:
    """Return how tifffile writes each level."""
    options: Keywords = {"photometric": "minisblack", "software": SOFTWARE}
    return options | {"tile": (TILE, TILE), "compression": "zlib"} if is_tiled else options


def metadata_of(ndim: int, record: Mapping[str, object]) -> Keywords:
    """Return what the OME-XML says of a picture."""
    text = as_lines(record)
    metadata: Keywords = {
        "axes": {2: "YX", 3: "ZYX", 4: "TZYX"}[ndim],
        "Description": text,
        "Creator": SOFTWARE,
        # The same state gives the same file.
        "UUID": str(uuid.uuid5(uuid.NAMESPACE_OID, text)),
    }
    size = record.get(PIXEL_SIZE)
    if isinstance(size, Sequence) and len(size) == 2:
        metadata |= {"PhysicalSizeY": size[0], "PhysicalSizeX": size[1]}
        metadata |= {"PhysicalSizeYUnit": "µm", "PhysicalSizeXUnit": "µm"}
    return metadata
