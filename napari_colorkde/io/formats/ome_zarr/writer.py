"""Densities, volumes, and classes as labels, written as OME-Zarr 0.5.

https://ngff.openmicroscopy.org/0.5/. A folder, not a file.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.io.colors.colormaps import CLASS_COLORS
from napari_colorkde.io.formats.blocks import CHUNK
from napari_colorkde.io.formats.tiff.ome import LARGE, halved, halved_shape
from napari_colorkde.io.provenance import PIXEL_SIZE, as_json

if TYPE_CHECKING:
    from zarr import Array as ZarrArray

    from napari_colorkde.core.kde.volumes.density_volume import DensityVolume
    from napari_colorkde.io.export_formats import DensityMap

LABELS = "labels/classes"
"""The group of class maps."""


def write_density(path: Path, density: "DensityMap", record: Mapping[str, object]) -> None:
    """Write densities or log-densities as float32."""
    values = density.values.astype(np.float32, copy=False)
    _write_image(path, "", values, record, averages=True)


def write_classes(
    path: Path, labels: NDArray[Any], names: Sequence[str], record: Mapping[str, object]
) -> None:
    """Write numbers of classes, as an image and as its labels with names and colors."""
    _write_image(path, "", labels, record, averages=False)
    extra = create_labels(path, names)
    _write_image(path, LABELS, labels, record, averages=False, extra=extra)


def create_labels(path: Path, names: Sequence[str]) -> Mapping[str, object]:
    """Create the group of labels, and return what is said about those of classes."""
    import zarr

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
    return {"image-label": about}


def check_volume(volume: "DensityVolume") -> None:
    """Refuse a volume of one axis.

    Raises
    ------
    ValueError
        An image has two or more.
    """
    if volume.values.ndim < 2:
        raise ValueError("OME-Zarr needs two or more axes, but the volume has one; write .npz.")


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
    if values.ndim > 4:
        values = values.reshape(-1, *values.shape[-3:])
    arrays = create_image(
        path,
        name,
        values.shape,
        values.dtype,
        record,
        averages=averages,
        scale=scale,
        origin=origin,
        extra=extra,
    )
    level = values
    for number, array in enumerate(arrays):
        if number:
            level = halved(level, averages=averages)
        _write_chunks(array, level)


def _write_chunks(array: "ZarrArray", values: NDArray[Any]) -> None:
    """Write one chunk after the other.

    Of several at a time zarr leaves some running when one fails, as on a full disk: they write into
    a folder that is being removed, and complain on the terminal.
    """
    counts = [-(-n // side) for n, side in zip(array.shape, array.chunks, strict=True)]
    for number in np.ndindex(*counts):
        box = tuple(
            slice(i * side, min((i + 1) * side, n))
            for i, side, n in zip(number, array.chunks, array.shape, strict=True)
        )
        array[box] = values[box]


def create_image(
    path: Path,
    name: str,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    record: Mapping[str, object],
    *,
    averages: bool,
    sides: tuple[int, int] = (CHUNK, CHUNK),
    scale: Sequence[float] | None = None,
    origin: Sequence[float] | None = None,
    extra: Mapping[str, object] | None = None,
) -> list[object]:
    """Create the arrays of an image, the finest first, and all that is said about it.

    Parameters
    ----------
    path, name
        The root, and the group in it; "" is the root itself.
    shape, dtype, record
        Of the image, of two to four axes, and how to get it again.
    averages
        Whether levels are means or every second pixel: `halved`.
    sides
        Rows and columns of a chunk.
    scale, origin
        Step and start of each axis; None: the size of a pixel, from `record`.
    extra
        What else is said.

    Returns
    -------
    list of zarr.Array
        Nothing is written in them yet.
    """
    import zarr
    from zarr.codecs import BloscCodec

    axes = "tzyx"[-len(shape) :]
    size = record.get(PIXEL_SIZE)
    unit = ""
    if scale is None:
        scale = [1.0] * len(shape)
        if isinstance(size, Sequence) and len(size) == 2:
            scale = [*scale[:-2], float(size[0]), float(size[1])]
            unit = "micrometer"
    root = zarr.open_group(path, mode="a", zarr_format=3)
    group = root.create_group(name) if name else root
    arrays: list[ZarrArray] = []
    datasets: list[dict[str, object]] = []
    number, factor = 0, 1
    while True:
        chunks = tuple(min(side, n) for side, n in zip(sides, shape[-2:], strict=True))
        arrays.append(
            group.create_array(
                str(number),
                shape=shape,
                dtype=dtype,
                chunks=(1,) * (len(shape) - 2) + chunks,
                dimension_names=list(axes),
                # Eight times as fast as zstd, and no larger, of floats.
                compressors=BloscCodec(cname="lz4", clevel=5, shuffle="bitshuffle"),
                # A chunk that is not there is one that is missing.
                config={"write_empty_chunks": True},
            )
        )
        factors = [1] * (len(shape) - 2) + [factor] * 2
        transforms: list[dict[str, object]] = [
            {"type": "scale", "scale": [s * f for s, f in zip(scale, factors, strict=True)]}
        ]
        if origin is not None:
            transforms.append({"type": "translation", "translation": list(origin)})
        datasets.append({"path": str(number), "coordinateTransformations": transforms})
        if max(shape[-2:]) <= LARGE:
            break
        shape = halved_shape(shape, averages=averages)
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
    return arrays
