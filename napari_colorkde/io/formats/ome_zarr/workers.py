"""Blocks computed and written by several processes, each of which reads the image itself.

A process gets what is made, and where it is written, when it begins; then one block after another,
by its place. Blocks are of whole chunks, so that no two processes write the same one.
"""

import multiprocessing
import pickle
import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.palette.image_tiles import computed, is_dask, read_ahead

if TYPE_CHECKING:
    from zarr import Array as ZarrArray

Block = tuple[slice, ...]

Levels = Sequence[tuple[Any, "Sequence[ZarrArray]"]]
"""What is made of each level, and the arrays it is written to: see `Workers`."""

_work: list[Any] = []
"""What this process makes of each level, and the arrays it writes it to."""


def make(values: Any, block: Block, scheduler: str | None = None) -> NDArray[Any]:
    """Return a block of a dask array, or of what is made when it is indexed."""
    part = values[block]
    return np.asarray(computed(part, scheduler=scheduler) if is_dask(part) else part)


def put(made: NDArray[Any], arrays: "Sequence[ZarrArray]", block: Block) -> None:
    """Write a block to all arrays that it belongs to."""
    for array in arrays:
        array[block] = made


class BlockWorkers(Protocol):
    """Who makes and writes the blocks of a pyramid."""

    def __enter__(self) -> "BlockWorkers": ...

    def __exit__(self, *error: object) -> None: ...

    def write(self, level: int, blocks: Mapping[str, Block]) -> Iterator[str]:
        """Make and write blocks of a level, in any order; yield the name of each that is done."""
        ...


class Workers:
    """Processes that make and write the blocks of a pyramid.

    Parameters
    ----------
    levels
        Of each level what is made, a dask array or what makes blocks when it is indexed, and the
        zarr arrays that it is written to.
    jobs
        How many processes, begun when they are first needed.
    """

    def __init__(self, levels: Levels, jobs: int) -> None:
        self._levels, self._jobs = levels, jobs
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *error: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def write(self, level: int, blocks: Mapping[str, Block]) -> Iterator[str]:
        """Make and write blocks of a level, in any order; yield the name of each that is done.

        Raises
        ------
        ValueError
            If a process was ended, or as from reading.
        """
        if not blocks:
            return
        try:
            pool = self._started()
            names: dict[Future[None], str] = {
                pool.submit(_make_and_put, level, block): name for name, block in blocks.items()
            }
            for future in as_completed(names):
                future.result()
                yield names[future]
        except BrokenProcessPool:
            raise ValueError(
                "a process died at work, perhaps because memory ran out; use fewer --jobs."
            ) from None

    def _started(self) -> ProcessPoolExecutor:
        import cloudpickle

        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._jobs,
                mp_context=multiprocessing.get_context("spawn"),  # torch does not survive a fork
                initializer=_begin,
                # Functions made of functions, as dask's are, are none that pickle knows by name.
                initargs=(cloudpickle.dumps(list(self._levels)),),
            )
        return self._pool


class ThisProcess:
    """Makes and writes the blocks of a pyramid one by one, the next one made meanwhile."""

    def __init__(self, levels: Levels) -> None:
        self._levels = levels

    def __enter__(self) -> "ThisProcess":
        return self

    def __exit__(self, *error: object) -> None:
        return

    def write(self, level: int, blocks: Mapping[str, Block]) -> Iterator[str]:
        """Make and write blocks of a level; yield the name of each that is done."""
        values, arrays = self._levels[level]
        for name, made in read_ahead(blocks, lambda name: make(values, blocks[name])):
            put(made, arrays, blocks[name])
            yield name


def _begin(task: bytes) -> None:
    """Unpack what is made. Ctrl+C is for the process that gives the blocks out."""
    import dask

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    dask.config.set(scheduler="synchronous")
    _work[:] = pickle.loads(task)  # from the process that began this one, by its pipe


def _make_and_put(level: int, block: Block) -> None:
    values, arrays = _work[level]
    put(make(values, block), arrays, block)
