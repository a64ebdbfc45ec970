"""TIFF: images read by their tags; densities that ImageJ opens as a stack, numbers of classes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_colorkde.io.coloring import default_limits
from napari_colorkde.io.formats import picture, reading
from napari_colorkde.io.formats.reading import NotRGBError, first_line, native, not_rgb
from napari_colorkde.io.provenance import SOFTWARE, as_lines

if TYPE_CHECKING:
    from napari_colorkde.core.kde.color_kde import DensityVolume
    from napari_colorkde.io.export_formats import DensityMap

IMAGEJ_BYTES = (1 << 32) - (1 << 25)
"""ImageJ's own TIFF ends at 4 GB; larger ones are BigTIFF, which ImageJ opens with Bio-Formats."""


_NOT_RGB = {
    tifffile.PHOTOMETRIC.SEPARATED,
    tifffile.PHOTOMETRIC.CIELAB,
    tifffile.PHOTOMETRIC.ICCLAB,
    tifffile.PHOTOMETRIC.ITULAB,
}
_PALETTE = tifffile.PHOTOMETRIC.PALETTE


def read(path: Path) -> NDArray[Any]:
    """Return the pixels of the first picture of a file, colors last."""
    try:
        with tifffile.TiffFile(path) as tiff:
            series = tiff.series[0]
            page = series.keyframe
            if page.photometric in _NOT_RGB:
                raise NotRGBError
            mapped = _is_mappable(series, tiff.byteorder)
            array = tifffile.memmap(path, series=0, mode="r") if mapped else series.asarray()
            samples = series.axes.find("S")
            colormap = page.colormap if page.photometric == _PALETTE else None
    except NotRGBError:
        raise not_rgb(path) from None
    except (tifffile.TiffFileError, ValueError, KeyError, IndexError, NotImplementedError) as error:
        if "imagecodecs" in str(error):
            return _read_compressed_tiff(path, error)
        raise ValueError(
            f"image {str(path)!r} is not a readable TIFF file ({first_line(error)})."
        ) from None
    if colormap is not None:
        return _expand_palette(array, colormap)
    # Planar files hold one plane per color sample; the engine wants colors last.
    return native(array if samples < 0 else np.moveaxis(array, samples, -1))


def _is_mappable(series: tifffile.TiffPageSeries, byteorder: Literal["<", ">"]) -> bool:
    page = series.keyframe
    return bool(
        series.nbytes > reading.MAPPED_BYTES
        and page.is_memmappable
        and series.dataoffset is not None
        and np.dtype(page.dtype).newbyteorder(byteorder).isnative
    )


def _read_compressed_tiff(path: Path, error: Exception) -> NDArray[Any]:
    """Read with Pillow what tifffile cannot: it knows the usual compressions of 8-bit pictures."""
    with tifffile.TiffFile(path) as tiff:
        simple = len(tiff.pages) == 1 and tiff.series[0].dtype == np.uint8
    if simple:
        return picture.read(path)
    raise ValueError(
        f"image {str(path)!r} is compressed in a way that needs the package imagecodecs "
        f"({first_line(error)}); install it, or save the image without compression."
    )


def _expand_palette(index: NDArray[Any], colormap: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Look up a TIFF's palette: ``(3, N)`` uint16, whose upper bytes are the 8-bit levels."""
    return np.asarray((colormap >> 8).astype(np.uint8).T[index])


def write_density(path: Path, density: "DensityMap", record: Mapping[str, Any]) -> None:
    """Write densities or log-densities as float32."""
    values = density.values.astype(np.float32, copy=False)
    low, high = default_limits(values, density.log)
    write_imagej(path, values, record, {"min": low, "max": high})


def write_classes(
    path: Path, labels: NDArray[Any], names: Sequence[str], record: Mapping[str, Any]
) -> None:
    """Write numbers of classes, of 8 or 16 bits."""
    tifffile.imwrite(
        path,
        labels,
        photometric="minisblack",
        description=as_lines(record).encode("ascii", "backslashreplace").decode(),
        software=SOFTWARE,
        metadata=None,
    )


def write_volume(path: Path, volume: "DensityVolume", record: Mapping[str, Any]) -> None:
    """Write a volume as float32, with voxel size and origin in color units."""
    values = volume.values if volume.values.ndim > 1 else volume.values[np.newaxis]
    steps = [float(step) for step in volume.spacing]
    starts = [float(axis[0]) for axis in volume.axes]
    if len(steps) == 1:
        steps, starts = [1.0, *steps], [0.0, *starts]
    # ImageJ's origin is the pixel, counted from 0, whose coordinate is zero.
    origins = [-start / step for start, step in zip(starts, steps, strict=True)]
    metadata: dict[str, Any] = {
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
