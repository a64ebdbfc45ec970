"""Regions of an image that are measured separately, such as labels."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A part of an image, in a box.

    Attributes
    ----------
    name
        For people.
    box
        Rows and columns, or with leading axes.
    inside
        The box's shape, bool: which of its pixels belong to it.
    """

    name: str
    box: tuple[slice, ...]
    inside: NDArray[np.bool_]


def regions_of_labels(labels: ArrayLike, names: Mapping[int, str] | None = None) -> list[Region]:
    """Return the regions of labels, in ascending order; 0 is none.

    Parameters
    ----------
    labels
        Whole numbers, one per pixel, of any size.
    names
        Names by label; default: the number.

    Raises
    ------
    ValueError
        If these are not whole numbers, or all are 0.
    """
    from scipy.ndimage import find_objects

    array = np.asarray(labels)
    if array.dtype.kind not in ("b", "u", "i"):
        raise ValueError(
            f"labels is an array of {array.dtype}; give whole numbers, one for each pixel."
        )
    values, inverse = np.unique(array, return_inverse=True)
    if not values.any():
        raise ValueError("labels are all 0; give each region a number of 1 or more.")
    codes = inverse.reshape(array.shape)
    boxes = find_objects(codes + 1)
    given = {} if names is None else names
    return [
        Region(given.get(int(value), str(int(value))), box, codes[box] == code)
        for code, (value, box) in enumerate(zip(values.tolist(), boxes, strict=True))
        if value and box is not None
    ]
