"""Writing block-wise images as OME-Zarr, each block once, across restarts."""

import math
import shutil
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.palette.on_cluster.cluster import (
    check_files,
    check_workers,
    current_client,
)
from napari_colorkde.io.formats.addresses import Address, path_or_address
from napari_colorkde.io.formats.blocks import BlockPicture, uniform_blocks, written_side
from napari_colorkde.io.formats.ome_zarr.cluster_workers import ClusterWorkers
from napari_colorkde.io.formats.ome_zarr.workers import (
    Block,
    BlockWorkers,
    Levels,
    ThisProcess,
    Workers,
)
from napari_colorkde.io.formats.ome_zarr.writer import LABELS, create_image, create_labels
from napari_colorkde.io.formats.resumable import Unfinished, resumable_folder
from napari_colorkde.io.formats.tiff.ome import halved

LEVEL_BLOCK = (1, 2)
"""Chunks, down and across, of what is made of a coarser level in one go."""


def write_blocks(picture: BlockPicture) -> None:
    """Write a picture block by block; what a run that was stopped has written is not made again."""
    values = uniform_blocks(picture.values)
    if values.ndim > 4:
        values = values.reshape(-1, *values.shape[-3:])
    sides = tuple(written_side(sizes[0]) for sizes in values.chunks[-2:])
    key = {**picture.key(), "shape": values.shape, "dtype": str(values.dtype), "sides": sides}
    with resumable_folder(picture.path, key) as unfinished:
        images = _arrays(unfinished, picture, values, (sides[0], sides[1]))
        finest, *_ = images
        levels = [(values, [each[0] for each in images])] + [
            (_Halved(finer, averages=picture.names is None), [each[number] for each in images])
            for number, finer in enumerate(finest[:-1], 1)
        ]
        sizes = tuple(chunks[0] for chunks in values.chunks)
        coarser = (
            *(1,) * (values.ndim - 2),
            *(n * s for n, s in zip(LEVEL_BLOCK, sides, strict=True)),
        )
        total, done = sum(math.prod(array.shape) for array in finest), 0
        with _workers_for(picture, unfinished.content, levels) as workers:
            for number, array in enumerate(finest):
                blocks = _named(number, array.shape, coarser if number else sizes)
                missing = {n: b for n, b in blocks.items() if n not in unfinished.done}
                done += sum(_size(blocks[name]) for name in blocks.keys() - missing.keys())
                picture.progress(done / total)
                for name in workers.write(number, missing):
                    unfinished.note(name)
                    done += _size(blocks[name])
                    picture.progress(done / total)


def _workers_for(picture: BlockPicture, content: Path, levels: Levels) -> BlockWorkers:
    """Return who makes the blocks: a cluster where there is one, processes, or this one."""
    client = current_client()
    if client is not None:
        check_workers(client)
        places = (path_or_address(source).absolute() for source in picture.sources)
        here = [place for place in places if not isinstance(place, Address)]
        check_files(client, [*here, content])
        return ClusterWorkers(levels, client)
    return Workers(levels, picture.jobs) if picture.jobs > 1 else ThisProcess(levels)


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


def _size(block: Block) -> int:
    return math.prod(s.stop - s.start for s in block)


def _named(number: int, shape: tuple[int, ...], sizes: tuple[int, ...]) -> dict[str, Block]:
    """Return the blocks of a level by their names in the journal."""
    axes = (
        [slice(start, min(start + size, n)) for start in range(0, n, size)]
        for n, size in zip(shape, sizes, strict=True)
    )
    return {f"{number}:{i}": block for i, block in enumerate(product(*axes))}
