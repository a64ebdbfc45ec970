"""Densities, volumes, and classes as labels, written as OME-Zarr 0.5.

https://ngff.openmicroscopy.org/0.5/. A folder, not a file.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.io.colors.colormaps import CLASS_COLORS
from napari_colorkde.io.formats.tiff.ome import LARGE, halved
from napari_colorkde.io.provenance import PIXEL_SIZE, as_json

if TYPE_CHECKING:
    from napari_colorkde.core.kde.volumes.density_volume import DensityVolume
    from napari_colorkde.io.export_formats import DensityMap

CHUNK = 512


def write_density(path: Path, density: "DensityMap", record: Mapping[str, object]) -> None:
    """Write densities or log-densities as float32."""
    values = density.values.astype(np.float32, copy=False)
    _write_image(path, "", values, record, averages=True)


def write_classes(
    path: Path, labels: NDArray[Any], names: Sequence[str], record: Mapping[str, object]
) -> None:
    """Write numbers of classes, as an image and as its labels with names and colors."""
    import zarr

    _write_image(path, "", labels, record, averages=False)
    group = zarr.open_group(path, mode="a").create_group("labels")
    group.attrs["ome"] = {"version": "0.5", "labels": ["classes"]}
    numbers = range(1, len(names) + 1)
    about = {
        "colors": [
            {"label-value": i, "rgba": [*CLASS_COLORS[(i - 1) % len(CLASS_COLORS)], 255]}
            for i in numbers
        ],
        "properties": [
            {"label-value": i, "class": name} for i, name in zip(numbers, names, strict=True)
        ],
        "source": {"image": "../../"},
    }
    extra = {"image-label": about}
    _write_image(path, "labels/classes", labels, record, averages=False, extra=extra)


def check_volume(volume: "DensityVolume") -> None:
    """Refuse a volume of one axis.

    Raises
    ------
    ValueError
        An image has two or more.
    """
    if volume.values.ndim < 2:
        raise ValueError("OME-Zarr needs two axes or more, but the volume has one; write .npz.")


def write_volume(path: Path, volume: "DensityVolume", record: Mapping[str, object]) -> None:
    """Write a volume as float32, with spacing and origin of each axis in color units.

    Raises
    ------
    ValueError
        If it has one axis: an image has two or more.
    """
    check_volume(volume)
    steps = [float(step) for step in volume.spacing]
    starts = [float(axis[0]) for axis in volume.axes]
    about = {**record, "color space": volume.space, "mass inside": volume.mass_inside}
    values = volume.values.astype(np.float32, copy=False)
    _write_image(path, "", values, about, averages=True, scale=steps, origin=starts)


def _write_image(
    path: Path,
    name: str,
    values: NDArray[Any],
    record: Mapping[str, object],
    *,
    averages: bool,
    scale: Sequence[float] | None = None,
    origin: Sequence[float] | None = None,
    extra: Mapping[str, object] | None = None,
) -> None:
    import zarr

    if values.ndim > 4:
        values = values.reshape(-1, *values.shape[-3:])
    axes = "tzyx"[-values.ndim :]
    size = record.get(PIXEL_SIZE)
    unit = ""
    if scale is None:
        scale = [1.0] * values.ndim
        if isinstance(size, Sequence) and len(size) == 2:
            scale = [*scale[:-2], float(size[0]), float(size[1])]
            unit = "micrometer"
    root = zarr.open_group(path, mode="a", zarr_format=3)
    group = root.create_group(name) if name else root
    datasets, level, number, factor = [], values, 0, 1
    while True:
        chunks = (1,) * (level.ndim - 2) + tuple(min(CHUNK, n) for n in level.shape[-2:])
        array = group.create_array(
            str(number),
            shape=level.shape,
            dtype=level.dtype,
            chunks=chunks,
            dimension_names=list(axes),
        )
        array[:] = level
        factors = [1] * (level.ndim - 2) + [factor] * 2
        transforms: list[dict[str, object]] = [
            {"type": "scale", "scale": [s * f for s, f in zip(scale, factors, strict=True)]}
        ]
        if origin is not None:
            transforms.append({"type": "translation", "translation": list(origin)})
        datasets.append({"path": str(number), "coordinateTransformations": transforms})
        if max(level.shape[-2:]) <= LARGE:
            break
        level = halved(level, averages=averages)
        number, factor = number + 1, factor * 2
    kinds = {"t": "time"}
    described: list[dict[str, str]] = [
        {"name": axis, "type": kinds.get(axis, "space")}
        | ({"unit": unit} if unit and axis in "yx" else {})
        for axis in axes
    ]
    multiscales = [{"name": name or "values", "axes": described, "datasets": datasets}]
    group.attrs["ome"] = {"version": "0.5", "multiscales": multiscales, **(extra or {})}
    group.attrs["napari-colorkde"] = as_json(record)
