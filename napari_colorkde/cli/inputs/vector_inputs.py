"""Reading vectors for commands that take images or vectors."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_colorkde.cli.console import timed_step

if TYPE_CHECKING:
    from numpy.typing import NDArray

VectorsOption = Annotated[
    bool,
    typer.Option(
        "--vectors",
        help="Read an .npy or a multipage TIFF as a data set, not as an image. Folders, .npz, IDX, "
        "CIFAR and pickles always are data sets.",
    ),
]
ScaleOption = Annotated[
    float | None,
    typer.Option("--scale", help="For data sets: divide all numbers by this, such as 256."),
]


def are_vectors(path: Path, asked: bool) -> bool:
    """Return whether a file or folder shall be read as a data set.

    Raises
    ------
    OSError
        If it cannot be opened.
    """
    from napari_colorkde.io.datasets import is_dataset
    from napari_colorkde.io.palettes import is_palette_file

    return asked or (not is_palette_file(path) and is_dataset(path))


def read_training_vectors(path: Path, scale: float | None) -> "NDArray[Any]":
    """Read the training vectors of a data set, (n, d)."""
    from napari_colorkde.io.datasets import read_dataset
    from napari_colorkde.io.datasets.splits import scaled

    with timed_step(f"Reading {path}") as work:
        dataset = read_dataset(path)
        vectors = scaled(dataset.train, scale, f"data set {str(path)!r}")
        work.outcome = f"{len(vectors)} training vectors of {vectors.shape[1]} numbers"
    return vectors


def read_both_parts(
    path: Path, scale: float | None, n_train: int, n_valid: int
) -> "tuple[NDArray[Any], NDArray[Any]]":
    """Read the first training vectors, and the first validation ones or those that follow.

    Fewer of each where there are not as many.
    """
    from napari_colorkde.io.datasets import read_dataset
    from napari_colorkde.io.datasets.splits import scaled

    with timed_step(f"Reading {path}") as work:
        dataset = read_dataset(path)
        rows, valid = dataset.train, dataset.valid
        if valid is None:
            n_train = min(n_train, max(1, len(rows) - n_valid))
            valid = rows[n_train:]
        if not len(valid):
            raise ValueError(
                f"data set {str(path)!r} has a single vector; give a data set with two or more."
            )
        where = f"data set {str(path)!r}"
        train, valid = scaled(rows[:n_train], scale, where), scaled(valid[:n_valid], scale, where)
        work.outcome = f"{len(train)} training and {len(valid)} validation vectors of them"
    return train, valid
