"""CIFAR-10 and CIFAR-100 as distributed for Python: pickled batches, in an archive or a folder.

A batch is a dict: ``data`` is ``(n, 3072)`` uint8, the red, the green and the blue plane of 32 × 32
pixels, ``labels`` (or ``fine_labels``) a list of whole numbers, and ``batch_label`` says
"training batch 2 of 5" or "testing batch 1 of 1"
(https://www.cs.toronto.edu/~kriz/cifar.html).
"""

import io
import re
import tarfile
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.io.datasets.dataset import StoredParts
from napari_colorkde.io.datasets.memory import Budget
from napari_colorkde.io.datasets.pickled_arrays import PickledArray
from napari_colorkde.io.datasets.pickles import read_pickle
from napari_colorkde.io.datasets.streams import (
    Reader,
    UnreadableError,
    content_kind,
    head_kind,
    open_content,
)

_SIDE, _CHANNELS = 32, 3


class Batch(NamedTuple):
    """One file of images.

    Attributes
    ----------
    part
        "train" or "test".
    order
        Place among the batches of the part.
    images
        ``(n, 32, 32, 3)`` uint8.
    labels
        ``(n,)`` int64.
    """

    part: str
    order: tuple[int, str]
    images: NDArray[Any]
    labels: NDArray[np.int64]


def as_batch(content: object, name: str, where: str) -> Batch | None:
    """Return the batch that a pickle holds, or None if it is something else.

    Raises
    ------
    UnreadableError
        If it is one, with images of another size or without a label for each.
    """
    if not isinstance(content, dict):
        return None
    fields = _text_keys(content)
    data, labels = fields.get("data"), fields.get("fine_labels", fields.get("labels"))
    if not isinstance(data, PickledArray) or labels is None:
        return None
    images = data.array
    n_numbers = _CHANNELS * _SIDE**2
    if images.dtype != np.uint8 or images.ndim != 2 or images.shape[1] != n_numbers:
        raise UnreadableError(
            f"{where} holds {images.dtype} with shape {images.shape}; "
            f"a batch of CIFAR has n images of {n_numbers} uint8 numbers."
        )
    if isinstance(labels, PickledArray):
        labels = labels.array.tolist()
    if not isinstance(labels, list) or len(labels) != len(images):
        raise UnreadableError(f"{where} has {len(images)} images but a different number of labels.")
    if not all(isinstance(label, int) and 0 <= label < 1 << 31 for label in labels):
        raise UnreadableError(f"{where} has labels that are not whole numbers of 0 or more.")
    planes = images.reshape(-1, _CHANNELS, _SIDE, _SIDE)
    part, number = _role(str(_text(fields.get("batch_label", ""))), name)
    return Batch(part, (number, name), planes.transpose(0, 2, 3, 1), np.array(labels, np.int64))


def from_batches(batches: list[Batch], label_names: tuple[str, ...], where: str) -> StoredParts:
    """Join batches in their order.

    Raises
    ------
    ValueError
        If none of them is for training.
    """
    stored = StoredParts({}, label_names=label_names, image_shape=(_SIDE, _SIDE, _CHANNELS))
    for part in ("train", "test"):
        chosen = sorted((batch for batch in batches if batch.part == part), key=lambda b: b.order)
        if chosen:
            stored.arrays[part] = np.concatenate([batch.images for batch in chosen])
            stored.labels[part] = np.concatenate([batch.labels for batch in chosen])
    if "train" not in stored.arrays:
        raise ValueError(f"{where} has no training batch of CIFAR; give the whole archive.")
    return stored


def read_cifar_folder(path: Path, where: str, budget: Budget) -> StoredParts:
    """Read the unpacked files of CIFAR; what is no pickle is left aside."""
    found = _Found()
    for file in sorted(path.iterdir()):
        inside = f"{where}, file {file.name!r}"
        if not file.is_file() or file.name.startswith("."):
            continue
        if content_kind(file, inside) == "pickle":
            # Twice: the batches are joined. Nearly every byte is a number.
            n_bytes = file.stat().st_size
            budget.claim(2 * n_bytes, inside, n_bytes)
            with open_content(file, inside, budget.limit) as stream:
                found.take(read_pickle(stream, inside), file.name, inside)
    return found.joined(where)


def read_cifar_archive(path: Path, where: str, budget: Budget) -> StoredParts:
    """Read a tar archive of CIFAR, plain or gzip, without unpacking it to the disk.

    Raises
    ------
    UnreadableError
        If the archive is damaged, or has links or paths that lead out of it.
    """
    found = _Found()
    try:
        with (
            open_content(path, where, budget.limit) as stream,
            tarfile.open(fileobj=_ForTarfile(stream), mode="r|", errorlevel=2) as archive,
        ):
            for member in archive:
                _take_member(archive, member, where, budget, found)
            # The end of a gzip file holds its checksum.
            while stream.read(1 << 20):
                pass
    except UnreadableError:
        raise
    except (tarfile.TarError, EOFError, OverflowError, ValueError) as error:
        raise UnreadableError(
            f"{where} is a damaged tar archive ({error}); give the whole file."
        ) from None
    return found.joined(where)


class _Found:
    """Batches, and the names of the labels, as they come."""

    def __init__(self) -> None:
        self._batches: list[Batch] = []
        self._label_names: tuple[str, ...] = ()

    def take(self, content: object, name: str, where: str) -> None:
        batch = as_batch(content, name, where)
        if batch is not None:
            self._batches.append(batch)
        elif isinstance(content, dict):
            fields = _text_keys(content)
            names = fields.get("fine_label_names", fields.get("label_names"))
            if isinstance(names, list):
                self._label_names = tuple(str(_text(name)) for name in names)

    def joined(self, where: str) -> StoredParts:
        if not self._batches:
            raise ValueError(
                f"{where} holds no batch of CIFAR (a dict with data and labels); give "
                "cifar-10-python.tar.gz, cifar-100-python.tar.gz or the files in them."
            )
        return from_batches(self._batches, self._label_names, where)


class _ForTarfile:
    """A stream with what `tarfile` may ask for; reading a stream of members, it only reads."""

    def __init__(self, stream: Reader) -> None:
        self._stream = stream

    def read(self, size: int = -1, /) -> bytes:
        return self._stream.read(size)

    def write(self, _content: bytes, /) -> int:
        raise io.UnsupportedOperation

    def tell(self) -> int:
        raise io.UnsupportedOperation

    def seek(self, _position: int, /) -> int:
        raise io.UnsupportedOperation

    def close(self) -> None:
        """Leave it to the one who has opened it."""


def _take_member(
    archive: tarfile.TarFile, member: tarfile.TarInfo, where: str, budget: Budget, found: _Found
) -> None:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise UnreadableError(
            f"{where} has the member {member.name!r}, which points outside the archive; give an "
            "archive without such paths."
        )
    if member.isdir():
        return
    if not member.isfile():
        raise UnreadableError(
            f"{where} has the member {member.name!r}, which is a link or a device; "
            "give an archive of plain files."
        )
    inside = f"{where}, member {member.name!r}"
    with cast(io.BufferedReader, archive.extractfile(member)) as file:
        if head_kind(file.peek(512)[:512]) == "pickle":
            # Twice: the batches are joined. Nearly every byte is a number.
            budget.claim(2 * member.size, inside, member.size)
            found.take(read_pickle(Reader(file, inside, member.size), inside), path.name, inside)


def _role(batch_label: str, name: str) -> tuple[str, int]:
    """Return the part that a batch is for, and its number."""
    said = re.match(r"(train|test)ing batch (\d+)", batch_label)
    if said:
        return said[1], int(said[2])
    number = re.search(r"(\d+)$", name)
    return "test" if name.startswith("test") else "train", int(number[1]) if number else 0


def _text_keys(content: dict[object, object]) -> dict[str, object]:
    """Return a dict with its keys as texts; Python 3 has stored some as bytes."""
    return {str(_text(key)): value for key, value in content.items()}


def _text(value: object) -> object:
    return value.decode("latin1") if isinstance(value, bytes) else value
