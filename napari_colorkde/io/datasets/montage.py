"""Many images in one, as a check that a data set was read correctly."""

import math
import os
from typing import Any

import imageio.v3 as iio
import numpy as np
from numpy.typing import NDArray

from napari_colorkde.io.datasets.dataset import DataSet
from napari_colorkde.io.writers.atomic import atomic_path

MAX_SIDE = 20
"""Images along an edge of the picture, at most."""


def shape_of_images(dataset: DataSet, advice: str = "") -> tuple[int, ...]:
    """Return the shape of the images that a data set's vectors are.

    Raises
    ------
    ValueError
        If it does not say so; `advice` comes before "save them with their rows and columns".
    """
    if dataset.image_shape is None:
        raise ValueError(
            f"data set {str(dataset.path)!r} does not say that its vectors are images; {advice}"
            "save them with their rows and columns."
        )
    return dataset.image_shape


def montage(vectors: NDArray[Any], image_shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Lay images out in a square grid, row by row.

    Parameters
    ----------
    vectors
        ``(n, d)`` real numbers; of more than 400 the first ones are shown.
    image_shape
        ``(H, W)`` or ``(H, W, C)``, with product d.

    Returns
    -------
    ndarray
        ``(S·H, S·W)`` or ``(S·H, S·W, C)`` uint8 with S at most 20; what is left over is 0. uint8
        is shown as it is; other numbers are stretched: black is 0, or the lowest number where
        that is below 0; white is the highest.
    """
    side = min(MAX_SIDE, math.ceil(math.sqrt(len(vectors))))
    shown = vectors[: side * side]
    if shown.dtype != np.uint8:
        numbers = shown.astype(np.float64)
        low, high = min(0.0, numbers.min()), numbers.max()
        shown = np.rint((numbers - low) * (255 / (high - low if high > low else 1.0)))
        shown = shown.astype(np.uint8)
    height, width, *channels = image_shape
    grid = np.zeros((side * side, height, width, *channels), np.uint8)
    grid[: len(shown)] = shown.reshape(-1, *image_shape)
    rows = grid.reshape(side, side, height, width, *channels).swapaxes(1, 2)
    return rows.reshape(side * height, side * width, *channels)


def write_montage(
    path: str | os.PathLike[str], vectors: NDArray[Any], image_shape: tuple[int, ...]
) -> None:
    """Write the montage as a picture, whole or not at all.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    picture = montage(vectors, image_shape)
    if picture.ndim == 3 and picture.shape[-1] == 1:
        picture = picture[..., 0]
    with atomic_path(path) as scratch:
        iio.imwrite(scratch, picture)
