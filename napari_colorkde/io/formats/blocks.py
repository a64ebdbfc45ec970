"""Images larger than memory: read block by block, as dask arrays.

A source is indexed by a slice for each axis and decodes what lies there; dask asks for one block at
a time. Sources say where they are, not what they have open, so that other processes read them, too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.palette.image_tiles import is_dask
from napari_colorkde.io.formats.addresses import Address, path_or_address, stamp
from napari_colorkde.io.provenance import as_json

if TYPE_CHECKING:
    import dask.array as da
    from dask.array import Array as DaskArray

LAZY_PIXELS = 1 << 28
"""Pictures of more pixels than these, 268 megapixels, are read block by block where they can be."""

BLOCK_PIXELS = 1 << 22
"""Pixels of a block: many enough to be quick, few enough for memory."""

BLOCK_ROWS = 512

CHUNK = 512
"""Rows and columns of what is written in one piece, about."""


def no_progress(fraction: float) -> None:
    """Say nothing of how far the work is."""


@dataclass(frozen=True, slots=True, eq=False)
class BlockPicture:
    """A result that is written block by block.

    Attributes
    ----------
    path
        Where.
    values
        A dask array ``(..., H, W)``: float32, or numbers of classes.
    record
        How to get it again.
    names
        The classes; None of densities.
    sources
        Files that it is made of: a run that was stopped is gone on with while they are the same.
    progress
        Is called with the fraction that is done.
    jobs
        How many processes make the blocks, where the format can be written by several.
    """

    path: Path
    values: Any
    record: Mapping[str, object]
    names: Sequence[str] | None = None
    sources: Sequence[Path] = ()
    progress: Callable[[float], None] = no_progress
    jobs: int = 1

    def key(self) -> dict[str, object]:
        """Return what the result is made of, and how."""
        stamps: dict[str, list[object]] = {}
        for source in map(path_or_address, self.sources):
            if isinstance(source, Address):
                stamps[str(source)] = stamp(source)
                continue
            found = (source / "zarr.json" if (source / "zarr.json").exists() else source).stat()
            stamps[str(source.resolve())] = [found.st_size, found.st_mtime_ns]
        return {"record": as_json(self.record), "sources": stamps, "names": self.names}


def uniform_blocks(values: "DaskArray") -> "DaskArray":
    """Return a dask array whose blocks are of one size along each axis, but for the last."""
    sizes = {axis: chunks[0] for axis, chunks in enumerate(values.chunks)}
    fits = all(set(c[:-1]) <= {c[0]} and c[-1] <= c[0] for c in values.chunks)
    return values if fits else values.rechunk({axis: max(values.chunks[axis]) for axis in sizes})


class BlockSource(Protocol):
    """A picture in a file, indexed by a slice of step 1 for each axis."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the samples."""
        ...

    def __getitem__(self, index: tuple[slice, ...], /) -> NDArray[Any]: ...


def block_shape(
    shape: tuple[int, ...], stored: tuple[int, ...], rows: int, columns: int
) -> tuple[int, ...]:
    """Return how large the blocks of a picture are: whole pieces of what is stored together.

    Parameters
    ----------
    shape
        Of the array.
    stored
        Of what is decoded in one go, such as a tile.
    rows, columns
        Which axes these are. Axes after the columns, or of channels, are whole in `stored`.
    """
    sides = list(stored)
    sides[rows] *= max(1, round(BLOCK_ROWS / stored[rows]))
    beside = int(np.prod([side for axis, side in enumerate(sides) if axis < rows], dtype=np.int64))
    together = BLOCK_PIXELS // (sides[rows] * stored[columns] * max(beside, 1))
    sides[columns] *= max(1, together)
    return tuple(min(side, n) for side, n in zip(sides, shape, strict=True))


def written_side(block: int) -> int:
    """Return a side of what is written in one piece: near 512, it divides that of a block."""
    for parts in range(max(1, round(block / CHUNK)), 2 * block // CHUNK + 2):
        if block % parts == 0:
            return block // parts
    return block


def in_dask(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array that is in memory as a dask array, a dask array as it is."""
    import dask.array as da

    return array if is_dask(array) else cast("NDArray[Any]", da.from_array(array))


def in_blocks(
    function: Callable[[NDArray[Any]], NDArray[Any]],
    array: Any,
    dtype: np.dtype[Any],
    *,
    whole_last: bool = False,
    drops_last: bool = False,
) -> NDArray[Any]:
    """Return what a function makes of an array; of a dask array block by block, later.

    Parameters
    ----------
    function
        Keeps the shape, but for a last axis that it drops with `drops_last`.
    array
        NumPy's or dask's.
    dtype
        Of the result.
    whole_last, drops_last
        Whether it needs the last axis whole, or drops it.
    """
    if not is_dask(array):
        return function(array)
    import dask.array as da

    last = array.ndim - 1
    if whole_last or drops_last:
        array = array.rechunk({last: -1})
    empty = np.empty((0,) * (array.ndim - drops_last), dtype)
    made = da.map_blocks(
        function, array, dtype=dtype, drop_axis=[last] if drops_last else None, meta=empty
    )
    return cast("NDArray[Any]", made)


def as_dask(source: BlockSource, blocks: tuple[int, ...]) -> "da.Array":
    """Return a picture as a dask array, of which nothing is read yet.

    Raises
    ------
    ImportError
        If there is no dask.
    """
    import uuid

    import dask.array as da

    return da.from_array(
        source,
        chunks=blocks,
        # A name of its own: others are made of all pixels.
        name=f"picture-{uuid.uuid4().hex}",
        asarray=False,
        fancy=False,
        meta=np.empty((0,) * len(source.shape), source.dtype),
    )
