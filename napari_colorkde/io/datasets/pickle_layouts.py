"""Layouts of pickled data sets: MNIST's pairs of images and labels, or arrays by name."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.io.datasets.cifar import as_batch, from_batches
from napari_colorkde.io.datasets.dataset import StoredParts, are_labels, only_labels
from napari_colorkde.io.datasets.memory import Budget
from napari_colorkde.io.datasets.named_arrays import from_named_arrays
from napari_colorkde.io.datasets.pickled_arrays import PickledArray
from napari_colorkde.io.datasets.pickles import read_pickle
from napari_colorkde.io.datasets.streams import open_content

_PAIRS = {2: ("train", "test"), 3: ("train", "valid", "test")}


def read_pickle_file(path: Path, where: str, budget: Budget) -> StoredParts:
    """Read a pickle, plain or gzip.

    ``mnist.pkl.gz`` is three pairs (images, labels), for training, validation and test; two pairs
    are training and test. A dict of arrays is read like an ``.npz``, a batch of CIFAR as training
    data, and an array alone is training data as well.

    Raises
    ------
    ValueError
        If it is laid out otherwise.
    """
    with open_content(path, where, budget.limit) as stream:
        content = read_pickle(stream, where, budget)
    batch = as_batch(content, path.name, where)
    if batch is not None:
        return from_batches([batch._replace(part="train")], (), where)
    if isinstance(content, dict):
        arrays = {
            str(key): value.array
            for key, value in content.items()
            if isinstance(value, PickledArray)
        }
        return from_named_arrays(arrays, where)
    if isinstance(content, tuple | list) and len(content) in _PAIRS:
        pairs = [_pair(item) for item in content]
        if all(pair is not None for pair in pairs):
            return _from_pairs([pair for pair in pairs if pair is not None], where)
    if isinstance(content, PickledArray):
        if are_labels(content.array):
            raise only_labels(where)
        return StoredParts({"train": content.array})
    raise ValueError(
        f"{where} is a pickle of a {type(content).__name__} that is not laid out like a data set; "
        "give pairs (images, labels) for training, validation and test as in mnist.pkl.gz, a dict "
        "with train, valid and test, or a batch of CIFAR."
    )


def _pair(item: object) -> tuple[NDArray[Any], NDArray[Any]] | None:
    if not isinstance(item, tuple | list) or len(item) != 2:
        return None
    images, labels = item
    if isinstance(labels, list) and all(isinstance(label, int) for label in labels):
        labels = np.array(labels, np.int64)
    elif isinstance(labels, PickledArray):
        labels = labels.array
    else:
        return None
    return (images.array, labels) if isinstance(images, PickledArray) else None


def _from_pairs(pairs: list[tuple[NDArray[Any], NDArray[Any]]], where: str) -> StoredParts:
    parts = _PAIRS[len(pairs)]
    for part, (images, labels) in zip(parts, pairs, strict=True):
        if are_labels(images) and not are_labels(labels):
            raise ValueError(
                f"{where}: the {part} pair has its labels before its images; give (images, labels)."
            )
        if are_labels(images):
            raise only_labels(f"{where}: the first of the {part} pair")
    arrays = {part: images for part, (images, _labels) in zip(parts, pairs, strict=True)}
    known = {
        part: labels
        for part, (_images, labels) in zip(parts, pairs, strict=True)
        if are_labels(labels)
    }
    # MNIST's rows are square images; the file does not say so.
    length = arrays["train"][0].size if len(arrays["train"]) else 0
    side = math.isqrt(length)
    flat_square = arrays["train"].ndim == 2 and side > 1 and side * side == length
    return StoredParts(arrays, known, image_shape=(side, side) if flat_square else None)
