"""NumPy's files: one array (.npy) or an archive of arrays (.npz), sizes checked before reading."""

import io
import math
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from napari_colorkde.core.number_text import bytes_text, shape_text
from napari_colorkde.io.datasets.dataset import StoredParts, are_labels, only_labels
from napari_colorkde.io.datasets.memory import Budget
from napari_colorkde.io.datasets.named_arrays import (
    from_named_arrays,
    label_names,
    stored_names,
)
from napari_colorkde.io.datasets.streams import UnreadableError, open_content

_MAX_HEADER = 1 << 16


class _Bytes(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


def read_npy_file(path: Path, where: str, budget: Budget) -> StoredParts:
    """Read one array, plain or gzip, as training data.

    Raises
    ------
    ValueError
        If it holds anything but numbers, is shorter than it declares, or larger than memory.
    """
    with open_content(path, where, budget.limit + _MAX_HEADER) as stream:
        array = _read_array(stream, where, budget)
        if stream.read(1):
            raise UnreadableError(
                f"{where} is longer than its header declares; give an undamaged file."
            )
    if are_labels(array):
        raise only_labels(where)
    return StoredParts({"train": array})


def read_npz_file(path: Path, where: str, budget: Budget) -> StoredParts:
    """Read an archive of the arrays `train` and perhaps `valid`, `test` and their labels.

    Raises
    ------
    ValueError
        If it is damaged, larger than memory, or an array is missing.
    """

    def wanted(names: Collection[str]) -> list[str]:
        parts = stored_names(names, where)
        return [*parts.values(), *label_names(names, parts).values()]

    return from_named_arrays(read_archive(path, where, budget, wanted), where)


def read_archive(
    path: Path, where: str, budget: Budget, wanted: Callable[[Collection[str]], Iterable[str]]
) -> dict[str, NDArray[Any]]:
    """Read some arrays of an archive by name.

    Parameters
    ----------
    wanted
        Given the names that there are, those that are read.

    Raises
    ------
    ValueError
        If it is damaged, larger than memory, or an array holds objects.
    """
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            members = {
                info.filename.removesuffix(".npy"): info
                for info in archive.infolist()
                if info.filename.endswith(".npy")
            }
            return {
                name: _read_member(archive, members[name], f"{where}, array {name!r}", budget)
                for name in wanted(members)
            }
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        # RuntimeError: the archive is encrypted.
        if isinstance(error, RecursionError):
            raise
        raise _damaged(where) from None


def _read_member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str, budget: Budget
) -> NDArray[Any]:
    with archive.open(info) as member:
        return _read_array(member, where, budget, info.file_size)


def _read_array(
    stream: _Bytes, where: str, budget: Budget, n_stored: int | None = None
) -> NDArray[Any]:
    """Read an array, claiming its memory once its header has said the size."""
    shape, is_fortran, dtype, n_header = _read_header(stream, where)
    if dtype.hasobject:
        raise UnreadableError(f"{where} holds objects; only arrays of numbers are read.")
    n_bytes = math.prod(shape) * dtype.itemsize
    sizes = shape_text(shape) or "1"
    declared = f"{where} declares {sizes} numbers ({bytes_text(n_bytes)})"
    if n_stored is not None and n_stored != n_header + n_bytes:
        raise UnreadableError(
            f"{declared} but has {max(0, n_stored - n_header)} bytes; give an undamaged file."
        )
    budget.claim(n_bytes, where, n_bytes // dtype.itemsize)
    content = stream.read(n_bytes)
    if len(content) != n_bytes:
        raise UnreadableError(
            f"{declared} but is cut off after {len(content)} bytes; give the whole file."
        )
    if not n_bytes:
        return np.empty(shape, dtype)
    return np.frombuffer(content, dtype).reshape(shape, order="F" if is_fortran else "C")


def _read_header(stream: _Bytes, where: str) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Read what stands before the numbers: shape, Fortran order, dtype and its own length."""
    start = stream.read(npy.MAGIC_LEN)
    n_length = {b"\x01": 2, b"\x02": 4, b"\x03": 4}.get(start[6:7], 0)
    length = stream.read(n_length)
    n_text = int.from_bytes(length, "little")
    text = stream.read(n_text) if n_text <= _MAX_HEADER else b""
    header = io.BytesIO(start + length + text)
    try:
        version = npy.read_magic(header)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, is_fortran, dtype = read(header)
        if any(size < 0 for size in shape):
            raise ValueError
    except (ValueError, EOFError, TypeError, UnicodeError, SyntaxError):
        raise _damaged(where) from None
    return tuple(shape), is_fortran, dtype, header.tell()


def _damaged(where: str) -> UnreadableError:
    return UnreadableError(
        f"{where} is not a readable .npy or .npz file of numbers; save the arrays train, valid and "
        "test with numpy.savez."
    )
