"""OME-Zarr: images read; densities, volumes, and classes as labels, written as 0.5.

https://ngff.openmicroscopy.org/0.5/. A folder, not a file.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.io.colors.colormaps import CLASS_COLORS
from napari_colorkde.io.formats.ome_tiff import LARGE, halved
from napari_colorkde.io.formats.reading import DecodedImage, Part, check_size, native
from napari_colorkde.io.provenance import PIXEL_SIZE, as_json

if TYPE_CHECKING:
    from napari_colorkde.core.kde.volumes.density_volume import DensityVolume
    from napari_colorkde.io.export_formats import DensityMap

CHUNK = 512


def is_zarr(path: Path) -> bool:
    """Whether a folder is a zarr group or array."""
    return any((path / name).is_file() for name in ("zarr.json", ".zgroup", ".zarray"))


def read(path: Path, part: Part = Part()) -> DecodedImage:  # noqa: B008  # frozen
    """Return a level of an OME-Zarr image (0.4, 0.5), or an array; channels stay where they are."""
    import zarr

    root = zarr.open(path, mode="r")
    about: dict[str, Any] = {}
    if isinstance(root, zarr.Group):
        levels = _levels(root)
        if part.series or part.page is not None or not 0 <= part.level < len(levels):
            raise ValueError(f"it has one picture of {len(levels)} levels; choose by level.")
        about, datasets = levels[part.level]
        array: Any = root[datasets]
    else:
        array = root
    if not isinstance(array, zarr.Array):
        raise ValueError("it holds no array where it says.")
    check_size(path, tuple(array.shape), array.dtype)
    samples = native(np.asarray(array[...]))
    return DecodedImage(samples, "gray", pixel_size=_pixel_size(about), unit="µm")


def _levels(group: Any) -> list[tuple[dict[str, Any], str]]:
    """Return, for each level, what is said about the image and the path of the array."""
    attributes = dict(group.attrs)
    found = attributes.get("ome", attributes).get("multiscales")
    if not found:
        raise ValueError("it is no OME-Zarr image: it names no multiscales.")
    levels = []
    for dataset in found[0]["datasets"]:
        about = {"axes": found[0].get("axes", []), **dataset}
        levels.append((about, str(dataset["path"])))
    return levels


def _pixel_size(about: Mapping[str, Any]) -> tuple[float, float] | None:
    axes = [axis if isinstance(axis, dict) else {"name": axis} for axis in about.get("axes", [])]
    names = [axis.get("name") for axis in axes]
    scales = [
        t["scale"] for t in about.get("coordinateTransformations", []) if t.get("type") == "scale"
    ]
    if not scales or not {"y", "x"} <= set(names):
        return None
    y, x = names.index("y"), names.index("x")
    if {axes[y].get("unit"), axes[x].get("unit")} != {"micrometer"}:
        return None
    return float(scales[0][y]), float(scales[0][x])


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
