"""Data sets of vectors: training, validation and test.

An ``.npz`` archive with the arrays `train`, `valid` and (optionally) `test`. The names `x_train`
and so on, `val` and `validation` are understood as well, whatever their case; other arrays, such as
labels, are left aside. Each item along the first axis is flattened into one vector.
"""

import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

_NAMES = {
    "train": ("train", "x_train", "training"),
    "valid": ("valid", "x_valid", "val", "x_val", "validation", "x_validation"),
    "test": ("test", "x_test"),
}


@dataclass(frozen=True, slots=True, eq=False)
class DataSet:
    """Vectors to estimate a density from, to choose its bandwidth by, and to judge it on.

    Attributes
    ----------
    train, valid
        ``(n, d)`` real numbers, finite, in the file's dtype or, when scaled, float64.
    test
        The same, or None.
    """

    train: NDArray[Any]
    valid: NDArray[Any]
    test: NDArray[Any] | None = None


def read_dataset(path: str | os.PathLike[str], *, scale: float | None = None) -> DataSet:
    """Read a data set.

    Parameters
    ----------
    path
        An ``.npz`` file, as the module says.
    scale
        Divide all numbers by this, in float64: 256 for 8-bit pictures whose values shall lie in
        [0, 1). None leaves them as they are; nothing is ever scaled unasked.

    Raises
    ------
    OSError
        If there is no such file or it cannot be opened.
    ValueError
        If an array is missing, empty, not of real finite numbers, or of another length of vectors
        than the training data; or if `scale` is not a positive number.
    """
    path = Path(path)
    if scale is not None and not (np.isfinite(scale) and scale > 0):
        raise ValueError(f"scale={scale}; give a positive number, such as 256.")
    if not path.is_file():
        raise FileNotFoundError(f"data set {str(path)!r} does not exist; check the name.")
    arrays = _read_arrays(path)
    parts = {part: _vectors(path, part, array, scale) for part, array in arrays.items()}
    for part, vectors in parts.items():
        if vectors.shape[1] != parts["train"].shape[1]:
            raise ValueError(
                f"data set {str(path)!r}: the vectors of {part!r} have {vectors.shape[1]} numbers, "
                f"those of 'train' {parts['train'].shape[1]}; all need as many."
            )
    return DataSet(**parts)


def _read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read the arrays of the archive that are wanted: 'train', 'valid' and perhaps 'test'."""
    try:
        # Opened here, because numpy leaves a broken archive open.
        with path.open("rb") as stream:
            file = np.load(stream, allow_pickle=False)
            if isinstance(file, np.ndarray):
                raise ValueError
            stored = {part: _stored_name(path, file.files, part) for part in _NAMES}
            return {part: file[name] for part, name in stored.items() if name}
    except _NamesError:
        raise
    except (ValueError, EOFError, BadZipFile, zlib.error):
        raise ValueError(
            f"data set {str(path)!r} is not a readable .npz archive of numbers; "
            "save the arrays train, valid and test with numpy.savez."
        ) from None


class _NamesError(ValueError):
    """An array is missing from the archive, or there under two names."""


def _stored_name(path: Path, files: list[str], part: str) -> str:
    found = [name for name in files if name.lower() in _NAMES[part]]
    if len(found) > 1:
        raise _NamesError(
            f"data set {str(path)!r} holds the arrays {', '.join(found)}; "
            f"keep one of them as {part!r}."
        )
    if not found and part != "test":
        raise _NamesError(
            f"data set {str(path)!r} has no array {part!r} (of {', '.join(files) or 'none'}); "
            "give train, valid and, if you like, test."
        )
    return found[0] if found else ""


def _vectors(path: Path, part: str, array: NDArray[Any], scale: float | None) -> NDArray[Any]:
    """Check an array and give it the shape ``(n, d)``."""
    if array.dtype.kind not in "buif" or array.ndim == 0 or array.size == 0:
        raise ValueError(
            f"data set {str(path)!r}: {part!r} holds {array.dtype} with shape {array.shape}; "
            "give real numbers, one item or more."
        )
    vectors = array.reshape(len(array), -1)
    broken = ~np.isfinite(vectors).all(axis=1)
    if broken.any():
        raise ValueError(
            f"data set {str(path)!r}: {part!r} has NaN or inf in {np.count_nonzero(broken)} of "
            f"{len(vectors)} items, the first of them item {int(broken.argmax())}; leave them out."
        )
    return vectors if scale is None else vectors / np.float64(scale)
