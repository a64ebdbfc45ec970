"""Named arrays, as in NumPy archives and dicts: which array is for which split."""

from collections.abc import Iterable, Mapping
from typing import Any

from numpy.typing import NDArray

from napari_colorkde.io.datasets.dataset import PART_NAMES, StoredParts, are_labels

_ALONE = ("arr_0", "data", "images", "x")
"""Names of an array that is the whole data set, if there is none for training."""

_LABEL_NAMES = {
    part: tuple(
        label
        for name in names
        for label in (name.replace("x_", "y_"), f"y_{name}", f"{name}_labels")
        if label not in names
    )
    for part, names in PART_NAMES.items()
}


def stored_names(names: Iterable[str], where: str) -> dict[str, str]:
    """Find the arrays that are wanted: part → its name in the file.

    Raises
    ------
    ValueError
        If there is none for training, or a part is there under two names.
    """
    names = list(names)
    found = {part: _only(names, PART_NAMES[part], part, where) for part in PART_NAMES}
    if not found["train"]:
        alone = [name for name in names if name.lower() in _ALONE]
        if len(alone) != 1 or found["valid"] or found["test"]:
            raise ValueError(
                f"{where} has no array 'train' (of {', '.join(names) or 'none'}); "
                "give train and, if you like, valid and test."
            )
        found["train"] = alone[0]
    return {part: name for part, name in found.items() if name}


def label_names(names: Iterable[str], parts: Iterable[str]) -> dict[str, str]:
    """Find the arrays of labels of these parts: part → its name in the file."""
    names = list(names)
    labels = {}
    for part in parts:
        found = [name for name in names if name.lower() in _LABEL_NAMES[part]]
        if len(found) == 1:
            labels[part] = found[0]
    return labels


def from_named_arrays(arrays: Mapping[str, NDArray[Any]], where: str) -> StoredParts:
    """Sort arrays into parts and labels; what is neither is left aside."""
    stored = stored_names(arrays, where)
    parts = {part: arrays[name] for part, name in stored.items()}
    labels = {
        part: arrays[name]
        for part, name in label_names(arrays, parts).items()
        if are_labels(arrays[name]) and arrays[name].shape == parts[part].shape[:1]
    }
    return StoredParts(parts, labels)


def _only(names: list[str], known: tuple[str, ...], part: str, where: str) -> str:
    found = [name for name in names if name.lower() in known]
    if len(found) > 1:
        raise ValueError(
            f"{where} holds the arrays {', '.join(found)}; keep one of them as {part!r}."
        )
    return found[0] if found else ""
