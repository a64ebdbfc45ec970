"""What a data set is once it is read, and the checks that every format shares."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

PART_NAMES: dict[str, tuple[str, ...]] = {
    "train": ("train", "x_train", "training"),
    "valid": ("valid", "x_valid", "val", "x_val", "validation", "x_validation"),
    "test": ("test", "x_test"),
}
"""What the parts are called, in lower case, by those who store them."""


@dataclass(frozen=True, slots=True, eq=False)
class DataSet:
    """Vectors as a file holds them: nothing scaled, shuffled or drawn.

    Attributes
    ----------
    name
        The file's or folder's name.
    path
        Where it was read from.
    train
        ``(n, d)`` real numbers, finite, in the file's dtype (in the machine's byte order).
    valid, test
        The same with other n; None where the file has no such part.
    labels
        ``(n,)`` int64 for each of the parts whose labels are known.
    label_names
        What label 0, 1, … means; empty where the file does not say.
    image_shape
        ``(H, W)`` or ``(H, W, C)`` where the vectors are images: ``vector.reshape(image_shape)`` is
        one of them. None where they are not, or where the file does not say.
    """

    name: str
    path: Path
    train: NDArray[Any]
    valid: NDArray[Any] | None = None
    test: NDArray[Any] | None = None
    labels: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    label_names: tuple[str, ...] = ()
    image_shape: tuple[int, ...] | None = None


@dataclass(slots=True)
class StoredParts:
    """What a format's reader found, unchecked: arrays whose first axis runs over the items."""

    arrays: dict[str, NDArray[Any]]
    labels: dict[str, NDArray[Any]] = field(default_factory=dict)
    label_names: tuple[str, ...] = ()
    image_shape: tuple[int, ...] | None = None


def assemble(path: Path, stored: StoredParts) -> DataSet:
    """Check the parts of a data set and flatten their items to vectors.

    Raises
    ------
    ValueError
        If an array is empty, not of real finite numbers, or its vectors are longer or shorter than
        the training vectors; or if there are more or fewer labels than items.
    """
    where = f"data set {str(path)!r}"
    parts = {part: _vectors(where, part, array) for part, array in stored.arrays.items()}
    for part, vectors in parts.items():
        if vectors.shape[1] != parts["train"].shape[1]:
            raise ValueError(
                f"{where}: the vectors of {part!r} have {vectors.shape[1]} numbers, those of "
                f"'train' {parts['train'].shape[1]}; all must have the same length."
            )
    for part, labels in stored.labels.items():
        if labels.shape != (len(parts[part]),):
            raise ValueError(
                f"{where}: {part!r} has {len(parts[part])} items but labels of shape "
                f"{labels.shape}; give one label for each item."
            )
    return DataSet(
        name=path.resolve().name,
        path=path,
        train=parts["train"],
        valid=parts.get("valid"),
        test=parts.get("test"),
        labels={part: labels.astype(np.int64) for part, labels in stored.labels.items()},
        label_names=stored.label_names,
        image_shape=stored.image_shape or image_shape(stored.arrays["train"]),
    )


def dataset_of_array(array: NDArray[Any], name: str) -> DataSet:
    """Make a data set of an array whose first axis runs over the items: all are for training.

    Raises
    ------
    ValueError
        See `assemble`; or if the array holds labels.
    """
    if are_labels(array):
        raise only_labels(f"data set {name!r}")
    return replace(assemble(Path(name), StoredParts({"train": array})), name=name)


def image_shape(array: NDArray[Any]) -> tuple[int, ...] | None:
    """Return the shape of one image in ``(n, H, W)`` or ``(n, H, W, C)``, else None."""
    if array.ndim == 3 or (array.ndim == 4 and array.shape[-1] in (1, 3, 4)):
        return tuple(array.shape[1:])
    return None


def are_labels(array: NDArray[Any]) -> bool:
    """Return whether an array holds one whole number per item, as labels do."""
    return array.ndim == 1 and array.dtype.kind in "iu"


def only_labels(where: str) -> ValueError:
    """Return the error for labels that are given as data."""
    return ValueError(
        f"{where} holds one whole number per item, as labels do; give the images or vectors."
    )


def _vectors(where: str, part: str, array: NDArray[Any]) -> NDArray[Any]:
    """Check an array and give it the shape ``(n, d)``."""
    if array.dtype.kind not in "buif" or array.ndim == 0 or array.size == 0:
        raise ValueError(
            f"{where}: {part!r} holds {array.dtype} with shape {array.shape}; give real numbers, "
            "with one or more items."
        )
    vectors = array.reshape(len(array), -1)
    if not vectors.dtype.isnative:
        vectors = vectors.astype(vectors.dtype.newbyteorder("="))
    if vectors.dtype.kind == "f":
        broken = ~np.isfinite(vectors).all(axis=1)
        if broken.any():
            raise ValueError(
                f"{where}: {part!r} has NaN or inf in {np.count_nonzero(broken)} of "
                f"{len(vectors)} items, the first of them item {int(broken.argmax())}; "
                "leave them out."
            )
    return vectors
