"""OME-Zarr images, and bare zarr arrays, as they are read.

https://ngff.openmicroscopy.org/0.5/. A folder, not a file.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_colorkde.io.formats.reading import DecodedImage, Part, check_size, native


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
