"""Recognizing a data set by its content, and reading it."""

import os
from itertools import islice
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from napari_colorkde.io.datasets.cifar import read_cifar_archive, read_cifar_folder
from napari_colorkde.io.datasets.dataset import DataSet, StoredParts, assemble
from napari_colorkde.io.datasets.idx import read_idx_file, read_idx_folder
from napari_colorkde.io.datasets.memory import Budget
from napari_colorkde.io.datasets.npz import read_npy_file, read_npz_file
from napari_colorkde.io.datasets.pickle_layouts import read_pickle_file
from napari_colorkde.io.datasets.pictures import read_picture_folder, read_picture_stack
from napari_colorkde.io.datasets.streams import content_kind, is_gzip

FORMATS = (
    "IDX, mnist.pkl.gz, CIFAR for Python, .npy, .npz, a TIFF of several pages, or a folder of "
    "pictures of one size"
)

_READERS = {
    "idx": read_idx_file,
    "npy": read_npy_file,
    "zip": read_npz_file,
    "tar": read_cifar_archive,
    "pickle": read_pickle_file,
}

_MAX_LOOKED_AT = 100
"""Files of a folder whose content is looked at to tell what it holds."""


def read_dataset(
    path: str | os.PathLike[str], *, max_bytes: int | None = None, scaled: bool = False
) -> DataSet:
    """Read a data set.

    Parameters
    ----------
    path
        One of these, told apart by content; all but the last three may be packed by gzip:

        - an IDX file, or a folder of MNIST's;
        - a pickle as ``mnist.pkl.gz``: pairs (images, labels) for training, validation and test;
        - CIFAR-10 or CIFAR-100 for Python: the archive, the unpacked folder, or one batch;
        - an ``.npy``, whose first axis runs over the items;
        - an ``.npz`` with `train` and perhaps `valid` and `test`; ``x_train`` and so on, `val` and
          `validation` are understood as well, whatever their case;
        - a TIFF of several pages;
        - a folder of pictures of one size, whose subfolders are labels.
    max_bytes
        Most memory to take; None means what is free.
    scaled
        Whether all of it will be scaled to float64: where that does not fit into memory, too, it is
        refused before it is read; of a pickle, array by array.

    Returns
    -------
    DataSet
        Numbers as they are stored. `split` scales, shuffles and draws.

    Raises
    ------
    OSError
        If there is no such file or it cannot be opened.
    ValueError
        If it is none of these, damaged, larger than memory, or not of real finite numbers; if a
        pickle holds anything but arrays of numbers and plain containers; if items differ in size.
    """
    path = Path(path)
    where = f"data set {str(path)!r}"
    if not path.exists():
        raise FileNotFoundError(f"{where} does not exist; check the name.")
    budget = Budget(max_bytes, scaled=scaled)
    stored = _read_folder(path, where, budget) if path.is_dir() else _read_file(path, where, budget)
    return assemble(path, stored)


def is_dataset(path: str | os.PathLike[str]) -> bool:
    """Return whether this is a data set and no image, by its content.

    An ``.npy`` or a TIFF of several pages may be either; they are taken for images.
    """
    path = Path(path)
    if path.is_dir():
        return True
    return path.is_file() and content_kind(path, f"data set {str(path)!r}") not in ("npy", "other")


def _read_file(path: Path, where: str, budget: Budget) -> StoredParts:
    if not path.is_file():
        raise OSError(f"{where} is not an ordinary file; give {FORMATS}.")
    if not path.stat().st_size:
        raise ValueError(f"{where} is an empty file; give {FORMATS}.")
    kind = content_kind(path, where)
    if kind == "zip" and is_gzip(path):
        raise ValueError(
            f"{where} is an archive that was compressed again with gzip; unpack it with gunzip."
        )
    if kind in _READERS:
        return _READERS[kind](path, where, budget)
    if _is_picture(path):
        return read_picture_stack(path, where, budget)
    if path.suffix.lower() in (".gz", ".tgz") and not is_gzip(path):
        raise ValueError(f"{where} has a gzip suffix but is not a gzip file; give {FORMATS}.")
    raise ValueError(f"{where} is not a data set in a known format; give {FORMATS}.")


def _read_folder(path: Path, where: str, budget: Budget) -> StoredParts:
    kinds = _kinds(path, where)
    inside = [entry for entry in path.iterdir() if not entry.name.startswith(".")]
    if not kinds and len(inside) == 1 and inside[0].is_dir():
        # As an archive unpacks: one folder in a folder.
        below = _kinds(inside[0], where)
        if below & {"idx", "pickle"}:
            path, kinds = inside[0], below
    if "idx" in kinds:
        return read_idx_folder(path, where, budget)
    if "pickle" in kinds:
        return read_cifar_folder(path, where, budget)
    if kinds & {"npy", "zip", "tar"}:
        raise ValueError(f"{where} is a folder of archives or arrays; give one of its files.")
    return read_picture_folder(path, where, budget)


def _kinds(folder: Path, where: str) -> set[str]:
    """Tell what the files of a folder are, not those of its subfolders."""
    files = (
        entry for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith(".")
    )
    return {
        content_kind(file, f"{where}, file {file.name!r}") for file in islice(files, _MAX_LOOKED_AT)
    }


def _is_picture(path: Path) -> bool:
    try:
        with Image.open(path):
            return True
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return False
