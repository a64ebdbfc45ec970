"""IDX, the format of MNIST: a big-endian header of sizes, then the numbers.

Bytes 0 and 1 are 0, byte 2 is the type, byte 3 the number of axes; a uint32 for each axis follows
(http://yann.lecun.com/exdb/mnist).
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.number_text import bytes_text, shape_text
from napari_colorkde.io.datasets.dataset import StoredParts, are_labels, only_labels
from napari_colorkde.io.datasets.memory import Budget, check_fits
from napari_colorkde.io.datasets.streams import Reader, content_kind, is_gzip, open_content

_DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}

_MAX_GZIP_RATIO = 1032
"""Deflate packs at most so many bytes into one: a larger declared size cannot be true."""


def read_idx(path: Path, where: str, budget: Budget) -> NDArray[Any]:
    """Read one IDX file, plain or gzip.

    Returns
    -------
    ndarray
        In the shape and, but for the byte order, the dtype that its header declares.

    Raises
    ------
    ValueError
        If the file is longer or shorter than its header declares, or larger than memory.
    """
    with open_content(path, where, budget.limit + 64) as stream:
        dtype, shape, n_header = _read_header(stream, where)
        n_bytes = math.prod(shape) * dtype.itemsize
        sizes = shape_text(shape)
        declared = f"{where} declares {sizes} numbers ({bytes_text(n_bytes)})"
        n_on_disk = path.stat().st_size
        packed = is_gzip(path)
        if packed and n_bytes > n_on_disk * _MAX_GZIP_RATIO:
            raise ValueError(
                f"{declared}, more than a gzip file of {bytes_text(n_on_disk)} can hold; "
                "give the whole file."
            )
        if not packed and n_on_disk != n_bytes + n_header:
            raise _wrong_length(declared, n_on_disk - n_header, n_bytes)
        budget.claim(n_bytes, where, n_bytes // dtype.itemsize)
        content = stream.read(n_bytes)
        # What follows is read as well: the end of a gzip file holds its checksum.
        rest = stream.read(1)
    if len(content) != n_bytes or rest:
        raise _wrong_length(declared, len(content) + len(rest), n_bytes)
    array = np.frombuffer(content, dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def read_idx_file(path: Path, where: str, budget: Budget) -> StoredParts:
    """Read a single IDX file as training data."""
    array = read_idx(path, where, budget)
    if are_labels(array):
        raise only_labels(where)
    return StoredParts({"train": array})


def read_idx_folder(path: Path, where: str, budget: Budget) -> StoredParts:
    """Read a folder of IDX files, such as MNIST's four.

    Notes
    -----
    IDX says what is an image and what a label, but not what is for training: the names do
    ("train-…", "t10k-…" or "test-…", "valid-…"). A file that lies there packed and unpacked is read
    once.
    """
    images: dict[str, NDArray[Any]] = {}
    labels: dict[str, NDArray[Any]] = {}
    names: dict[tuple[str, bool], str] = {}
    for file in _without_twins(path):
        inside = f"{where}, file {file.name!r}"
        if content_kind(file, inside) != "idx":
            continue
        part = _part_of(file.name)
        if part is None:
            raise ValueError(
                f"{inside}: the name does not say which split it is; start it with train, valid, "
                "test or t10k."
            )
        array = read_idx(file, inside, budget)
        is_label = are_labels(array)
        if (part, is_label) in names:
            kind = "labels" if is_label else "images"
            raise ValueError(
                f"{where} has two files of {part} {kind}, {names[part, is_label]!r} and "
                f"{file.name!r}; keep one of them."
            )
        names[part, is_label] = file.name
        (labels if is_label else images)[part] = array
    if "train" not in images:
        found = ", ".join(sorted(names.values()))
        raise ValueError(
            f"{where} has no IDX file of training images (of {found}); "
            "give one whose name begins with train."
        )
    return StoredParts(images, {part: array for part, array in labels.items() if part in images})


def _read_header(stream: Reader, where: str) -> tuple[np.dtype[Any], tuple[int, ...], int]:
    head = stream.read(4)
    n_axes = head[3]
    sizes = stream.read(4 * n_axes)
    if len(sizes) != 4 * n_axes:
        raise ValueError(f"{where} is an IDX file cut off in its header; give the whole file.")
    shape = tuple(int(size) for size in np.frombuffer(sizes, ">u4"))
    check_fits(math.prod(shape), 1 << 62, where)
    return np.dtype(_DTYPES[head[2]]), shape, 4 + 4 * n_axes


def _wrong_length(declared: str, found: int, n_bytes: int) -> ValueError:
    if found < n_bytes:
        return ValueError(f"{declared} but is cut off after {found} bytes; give the whole file.")
    return ValueError(f"{declared} but is longer than that; give an undamaged IDX file.")


def _part_of(name: str) -> str | None:
    name = name.lower()
    beginnings = {"train": ("train",), "valid": ("valid", "val"), "test": ("test", "t10k")}
    return next((part for part, heads in beginnings.items() if name.startswith(heads)), None)


def _without_twins(folder: Path) -> list[Path]:
    """Files of the folder in order of name, without packed ones that lie there unpacked as well."""
    files = sorted(
        path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")
    )
    names = {path.name for path in files}
    return [path for path in files if path.suffix != ".gz" or path.stem not in names]
