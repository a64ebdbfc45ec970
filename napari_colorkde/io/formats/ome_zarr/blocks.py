"""Pictures that come in blocks written as OME-Zarr, each block once, however often one begins."""

import math
import shutil
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.palette.image_tiles import read_ahead
from napari_colorkde.io.formats.blocks import BlockPicture, uniform_blocks, written_side
from napari_colorkde.io.formats.ome_zarr.writer import LABELS, create_image, create_labels
from napari_colorkde.io.formats.resumable import Unfinished, resumable_folder
from napari_colorkde.io.formats.tiff.ome import halved

LEVEL_BLOCK = (1, 2)
"""Chunks, down and across, of what is made of a coarser level in one go."""

Block = tuple[slice, ...]


def write_blocks(picture: BlockPicture) -> None:
    """Write a picture block by block; what a run that was stopped has written is not made again."""
    values = uniform_blocks(picture.values)
    if values.ndim > 4:
        values = values.reshape(-1, *values.shape[-3:])
    sides = tuple(written_side(sizes[0]) for sizes in values.chunks[-2:])
    key = {**picture.key(), "shape": values.shape, "dtype": str(values.dtype), "sides": sides}
    with resumable_folder(picture.path, key) as unfinished:
        images = _arrays(unfinished, picture, values, (sides[0], sides[1]))
        total = sum(math.prod(array.shape) for array in images[0])
        blocks = list(_blocks(values.shape, tuple(sizes[0] for sizes in values.chunks)))
        done = _write_level(unfinished, picture, images, 0, blocks, values, 0, total)
        for number, finer in enumerate(images[0][:-1], 1):
            shape = images[0][number].shape
            sizes = (1,) * (len(shape) - 2) + tuple(
                n * side for n, side in zip(LEVEL_BLOCK, sides, strict=True)
            )
            coarser = _Halved(finer, averages=picture.names is None)
            blocks = list(_blocks(shape, sizes))
            done = _write_level(unfinished, picture, images, number, blocks, coarser, done, total)


class _Halved:
    """The next level of a pyramid, made when it is indexed."""

    def __init__(self, finer: Any, *, averages: bool) -> None:
        self._finer, self._averages = finer, averages

    def __getitem__(self, block: Block) -> NDArray[Any]:
        sizes = self._finer.shape
        rows, columns = (
            slice(2 * s.start, min(2 * s.stop, n))
            for s, n in zip(block[-2:], sizes[-2:], strict=True)
        )
        return halved(
            np.asarray(self._finer[(*block[:-2], rows, columns)]), averages=self._averages
        )


def _arrays(
    unfinished: Unfinished, picture: BlockPicture, values: Any, sides: tuple[int, int]
) -> list[list[Any]]:
    """Return the arrays of the picture, and of the labels of classes: new, or begun before."""
    import zarr

    names = [""] if picture.names is None else ["", LABELS]
    if "created" in unfinished.done:
        root = zarr.open_group(unfinished.content, mode="r+")
        groups = [root[name] if name else root for name in names]
        return [[group[n] for n in sorted(group.array_keys(), key=int)] for group in groups]
    for entry in unfinished.content.iterdir():  # a run was killed while it created them
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    found = []
    for name in names:
        extra = None if not name else create_labels(unfinished.content, picture.names or ())
        found.append(
            create_image(
                unfinished.content,
                name,
                tuple(values.shape),
                values.dtype,
                picture.record,
                averages=picture.names is None,
                sides=sides,
                extra=extra,
            )
        )
    unfinished.note("created")
    return found


def _write_level(
    unfinished: Unfinished,
    picture: BlockPicture,
    images: Sequence[Sequence[Any]],
    number: int,
    blocks: Sequence[Block],
    values: Any,
    done: int,
    total: int,
) -> int:
    """Write what is missing of a level in each of the images; return how many pixels are done."""

    def make(block: Block) -> NDArray[Any]:
        part = values[block]
        return np.asarray(part.compute() if hasattr(part, "compute") else part)

    names = {f"{number}:{i}": block for i, block in enumerate(blocks)}
    missing = [name for name in names if name not in unfinished.done]
    done += sum(_size(block) for name, block in names.items() if name in unfinished.done)
    picture.progress(done / total)
    pairs = read_ahead(missing, lambda name: make(names[name]))
    for name, made in pairs:
        for levels in images:
            levels[number][names[name]] = made
        unfinished.note(name)
        done += made.size
        picture.progress(done / total)
    return done


def _size(block: Block) -> int:
    return math.prod(s.stop - s.start for s in block)


def _blocks(shape: tuple[int, ...], sizes: tuple[int, ...]) -> Iterator[Block]:
    axes = (
        [slice(start, min(start + size, n)) for start in range(0, n, size)]
        for n, size in zip(shape, sizes, strict=True)
    )
    return product(*axes)
