"""A folder of images of the same size, with subfolders as labels; or a multipage TIFF."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from napari_colorkde.io.datasets.dataset import PART_NAMES, StoredParts, image_shape
from napari_colorkde.io.datasets.memory import Budget
from napari_colorkde.io.images import read_image


def read_picture_folder(path: Path, where: str, budget: Budget) -> StoredParts:
    """Read all pictures below a folder, in the order of their names.

    Subfolders that are all named after parts (train, valid, test) are the parts, otherwise all
    pictures are training data. Further subfolders are labels, numbered in the order of their names.
    Names that begin with a dot are left aside.

    Raises
    ------
    ValueError
        If there are none, a file is no picture, or one has another size, number of channels or
        dtype than the first.
    """
    folders = _part_folders(path)
    if not folders:
        folders = {"train": path}
    stacks, names = {}, {}
    first: tuple[Path, NDArray[Any]] | None = None
    for part, folder in folders.items():
        files = list(_files(folder))
        if not files:
            raise ValueError(f"{where}: the folder {folder.name!r} is empty; put images in it.")
        if first is None:
            first = (files[0], read_image(files[0]))
        stacks[part] = _read_all(files, path, where, first, budget)
        names[part] = [file.parent.relative_to(folder).as_posix() for file in files]
    labels, label_names = _labels(names)
    assert first is not None
    shape = image_shape(first[1][None])
    return StoredParts(stacks, labels, label_names, shape)


def read_picture_stack(path: Path, where: str, budget: Budget) -> StoredParts:
    """Read a TIFF of several pages as training data.

    Raises
    ------
    ValueError
        If it is a single picture, or larger than memory.
    """
    budget.claim(*_declared(path, where))
    array = read_image(path)
    if array.ndim < 3 or (array.ndim == 3 and array.shape[-1] in (3, 4)):
        raise ValueError(
            f"{where} is a single image; give a folder of images of the same size, or a TIFF of "
            "several pages."
        )
    return StoredParts({"train": array})


def _declared(path: Path, where: str) -> tuple[int, str, int]:
    """Return the bytes and the numbers that the pages of a picture take, by its header alone."""
    if path.suffix.lower() in (".tif", ".tiff"):
        with tifffile.TiffFile(path) as file:
            n_bytes = sum(int(series.nbytes) for series in file.series)
            return n_bytes, where, sum(int(series.size) for series in file.series)
    with Image.open(path) as picture:
        width, height = picture.size
        n_frames = getattr(picture, "n_frames", 1)
        n_numbers = int(width * height * n_frames * len(picture.getbands()))
        return n_numbers, where, n_numbers


def _part_folders(path: Path) -> dict[str, Path]:
    """Find subfolders that are parts; none unless all of them are, with one for training."""
    inside = [entry for entry in sorted(path.iterdir()) if not entry.name.startswith(".")]
    parts = {
        part: entry
        for part, known in PART_NAMES.items()
        for entry in inside
        if entry.is_dir() and entry.name.lower() in (*known, f"{part}ing")
    }
    return parts if "train" in parts and len(parts) == len(inside) else {}


def _files(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from _files(entry)
        elif entry.is_file():
            yield entry


def _read_all(
    files: list[Path],
    folder: Path,
    where: str,
    first: tuple[Path, NDArray[Any]],
    budget: Budget,
) -> NDArray[Any]:
    first_file, model = first
    budget.claim(len(files) * model.nbytes, where, len(files) * model.size)
    stack = np.empty((len(files), *model.shape), model.dtype)
    for i, file in enumerate(files):
        picture = read_image(file)
        if picture.shape != model.shape or picture.dtype != model.dtype:
            raise ValueError(
                f"{where}: the image {file.relative_to(folder).as_posix()!r} is "
                f"{_described(picture)}, {first_file.relative_to(folder).as_posix()!r} is "
                f"{_described(model)}; all must have the same size and kind."
            )
        stack[i] = picture
    return stack


def _described(picture: NDArray[Any]) -> str:
    return f"{' × '.join(map(str, picture.shape))} {picture.dtype}"


def _labels(
    names: dict[str, list[str]],
) -> tuple[dict[str, NDArray[np.int64]], tuple[str, ...]]:
    """Number the subfolders; pictures outside of any leave all without labels."""
    known = sorted({name for in_part in names.values() for name in in_part})
    if "." in known:
        return {}, ()
    numbers = {name: i for i, name in enumerate(known)}
    labels = {
        part: np.array([numbers[name] for name in in_part], np.int64)
        for part, in_part in names.items()
    }
    return labels, tuple(known)
