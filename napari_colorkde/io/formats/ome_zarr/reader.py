"""Reading OME-Zarr images and bare zarr arrays.

https://ngff.openmicroscopy.org/0.5/. A folder, not a file.
"""

import math
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.io.formats.addresses import Address
from napari_colorkde.io.formats.blocks import as_dask, block_shape
from napari_colorkde.io.formats.reading import (
    LIBRARY_ERRORS,
    DecodedImage,
    JsonObject,
    Part,
    PictureInfo,
    check_size,
    first_line,
    native,
)

if TYPE_CHECKING:
    from zarr import Array as ZarrArray
    from zarr import Group as ZarrGroup


def is_zarr(path: Path) -> bool:
    """Whether a folder is a zarr group or array."""
    return any((path / name).is_file() for name in ("zarr.json", ".zgroup", ".zarray"))


def read(path: Path, part: Part = Part()) -> DecodedImage:  # noqa: B008  # frozen
    """Return a level of an OME-Zarr image (0.4, 0.5), or an array; channels stay where they are."""
    array, about, remarks = _opened(path, part)
    check_size(path, tuple(array.shape), array.dtype)
    samples = native(np.asarray(array[...]))
    return _decoded(samples, about, remarks)


def read_lazily(path: Path, part: Part, more_than: int) -> DecodedImage | None:
    """Return the same as a dask array, of which nothing is read yet.

    None of a picture that has no more than so many pixels.
    """
    array, about, remarks = _opened(path, part)
    source = ZarrChunks(path, array)
    rows, columns, channels = _pixel_axes(about, source.shape)
    if math.prod(source.shape) // (1 if channels is None else source.shape[channels]) <= more_than:
        return None
    stored = list(source.stored)
    if channels is not None:
        stored[channels] = source.shape[channels]
    blocks = block_shape(source.shape, tuple(stored), rows, columns)
    return _decoded(as_dask(source, blocks), about, remarks)


def contents(path: Path) -> list[PictureInfo]:
    """Tell what a folder holds, by what it says of itself."""
    import zarr

    array, about, _ = _opened(path, Part())
    root = zarr.open(str(path), mode="r")
    levels = [root[name] for _, name in _levels(root)] if isinstance(root, zarr.Group) else [array]
    rows, columns, channels = _pixel_axes(about, tuple(array.shape))
    letters = {rows: "Y", columns: "X", channels: "C" if _axis_names(about) else "S"}
    names = _axis_names(about) or [letters.get(axis, "Q") for axis in range(array.ndim)]
    codecs = [type(codec).__name__.removesuffix("Codec") for codec in array.compressors]
    size = _pixel_size(about)
    return [
        PictureInfo(
            series=0,
            kind="picture",
            shape=tuple(array.shape),
            axes="".join(names).upper(),
            dtype=str(array.dtype),
            color="gray",
            compression=", ".join(codecs).lower(),
            levels=tuple(tuple(level.shape) for level in levels),
            pixel_size=size,
            unit="µm" if size else "",
        )
    ]


class ZarrChunks:
    """The samples of a zarr array, decoded when it is indexed by a slice for each axis.

    Attributes
    ----------
    shape, dtype
        Of the array.
    stored
        Shape of a chunk, or of a shard.
    """

    def __init__(self, path: Path, array: "ZarrArray") -> None:
        self.path = path
        self._array = array
        self.shape, self.dtype = tuple(array.shape), np.dtype(array.dtype)
        self.stored = tuple(getattr(array, "shards", None) or array.chunks)

    def __getitem__(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """Decode what lies there.

        Raises
        ------
        ValueError
            If a chunk is damaged.
        """
        try:
            return np.asarray(self._array[index])
        except LIBRARY_ERRORS as error:
            place = ", ".join(f"{s.start or 0}:{s.stop}" for s in index)
            raise ValueError(
                f"image {str(self.path)!r} has a damaged chunk in [{place}] ({first_line(error)}); "
                "copy or download it again."
            ) from None


def _opened(path: Path, part: Part) -> tuple["ZarrArray", JsonObject, list[str]]:
    """Return the array of a level, what is said about it, and what a reader should know of it."""
    import zarr

    root = zarr.open(str(path), mode="r")
    about: JsonObject = {}
    remarks: list[str] = []
    array: Any = root
    if isinstance(root, zarr.Group):
        levels = _levels(root)
        if part.series or part.page is not None or not 0 <= part.level < len(levels):
            raise ValueError(
                f"it has a single image with {len(levels)} levels; choose one by level."
            )
        about, name = levels[part.level]
        array = root[name]
        found = [root.get(name) for _, name in levels]
        problem = _disagreement([each for each in found if isinstance(each, zarr.Array)])
        if problem:
            if part.level:
                raise ValueError(f"its levels disagree: {problem}; give level 0.")
            remarks.append(
                f"image {str(path)!r} is a pyramid whose levels disagree: {problem}; only level 0 "
                "is read."
            )
    if not isinstance(array, zarr.Array):
        raise ValueError("its metadata names an array that does not exist.")
    # Of what is at an address each chunk would have to be asked for.
    missing = 0 if isinstance(path, Address) else array.nchunks - array.nchunks_initialized
    if missing:
        remarks.append(
            f"image {str(path)!r} has {missing} of {array.nchunks} chunks that were never "
            f"written, or are missing; their pixels are {array.fill_value}."
        )
    return array, about, remarks


def _disagreement(levels: "list[ZarrArray]") -> str:
    """Say how two levels of a pyramid do not fit together; "" if all do."""
    for number, (finer, coarser) in enumerate(pairwise(levels)):
        fits = finer.dtype == coarser.dtype and finer.ndim == coarser.ndim
        if not fits or any(n > m for m, n in zip(finer.shape, coarser.shape, strict=True)):
            one, other = (
                f"{' × '.join(map(str, each.shape))} of {each.dtype}" for each in (finer, coarser)
            )
            return f"level {number} is {one}, level {number + 1} is {other}"
    return ""


def _decoded(samples: Any, about: JsonObject, remarks: list[str]) -> DecodedImage:
    axes = "".join(_axis_names(about)).upper()
    return DecodedImage(
        samples,
        "gray",
        axes=axes if len(axes) == samples.ndim else "",
        pixel_size=_pixel_size(about),
        unit="µm",
        remarks=tuple(remarks),
    )


def _pixel_axes(about: JsonObject, shape: tuple[int, ...]) -> tuple[int, int, int | None]:
    """Return which axes are rows, columns and channels, by their names or by their lengths."""
    names = _axis_names(about)
    if len(names) == len(shape) and {"y", "x"} <= set(names):
        channels = names.index("c") if "c" in names else None
        return names.index("y"), names.index("x"), channels
    has_samples = len(shape) > 2 and shape[-1] <= 4
    last = len(shape) - has_samples
    return max(last - 2, 0), last - 1, len(shape) - 1 if has_samples else None


def _axis_names(about: JsonObject) -> list[str]:
    axes = about.get("axes", [])
    return [str(axis.get("name") if isinstance(axis, dict) else axis) for axis in axes]


def _levels(group: "ZarrGroup") -> list[tuple[JsonObject, str]]:
    """Return, for each level, what is said about the image and the path of the array."""
    attributes = dict(group.attrs)
    found = attributes.get("ome", attributes).get("multiscales")
    if not found:
        raise ValueError("it is not an OME-Zarr image: its metadata has no multiscales.")
    levels = []
    for dataset in found[0]["datasets"]:
        about = {"axes": found[0].get("axes", []), **dataset}
        levels.append((about, str(dataset["path"])))
    return levels


def _pixel_size(about: JsonObject) -> tuple[float, float] | None:
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
