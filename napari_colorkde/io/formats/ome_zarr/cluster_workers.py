"""Blocks computed and written by the workers of a dask cluster.

As `workers` does it with processes of this machine. Workers open the picture, and the folder that
is written, under the same names as this process. A worker that ends is replaced by the others: its
blocks are made again, and written where they were to be.
"""

import pickle
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_colorkde.core.palette.on_cluster.cluster import LARGE_TASK, failures_in_words
from napari_colorkde.io.formats.ome_zarr.workers import Block, Levels, make, put

if TYPE_CHECKING:
    from distributed import Client
    from distributed import Future as ClusterFuture
    from zarr import Array as ZarrArray

WAITING = 4
"""Blocks given out for each thread of the cluster: enough to be busy, few to be stopped."""


class ClusterWorkers:
    """Workers that make and write the blocks of a pyramid.

    Parameters
    ----------
    levels
        See `Workers`.
    client
        That of the cluster.
    """

    def __init__(self, levels: Levels, client: "Client") -> None:
        self._levels, self._client = list(levels), client
        self._task: ClusterFuture | None = None

    def __enter__(self) -> "ClusterWorkers":
        return self

    def __exit__(self, *error: object) -> None:
        self._task = None

    def write(self, level: int, blocks: Mapping[str, Block]) -> Iterator[str]:
        """Make and write blocks of a level, in any order; yield the name of each that is done.

        Raises
        ------
        ValueError
            If workers were ended, or as from reading.
        """
        if not blocks:
            return
        from distributed import as_completed

        todo, given_out = iter(blocks.items()), dict[str, tuple[Any, str]]()

        def give(n: int) -> "list[ClusterFuture]":
            given = []
            for name, block in islice(todo, n):
                future = self._client.submit(
                    write_unless_over, self._started(), level, block, pure=False
                )
                given_out[future.key] = future, name
                given.append(future)
            return given

        with failures_in_words():
            threads = sum(self._client.nthreads().values())
            first = give(WAITING * max(threads, 1))
            waiting = as_completed(first, loop=self._client.loop)
            try:
                for future in waiting:
                    future.result()
                    waiting.update(give(1))
                    yield given_out.pop(future.key)[1]
            finally:
                if given_out:  # it was stopped
                    self._client.cancel([future for future, _ in given_out.values()])

    def _started(self) -> "ClusterFuture":
        """Return what is made, which workers ask each other for; what is lost is sent again."""
        import cloudpickle
        import dask

        if self._task is None:
            with dask.config.set({LARGE_TASK: "10 GB"}):  # tables of many colors are large
                self._task = self._client.submit(bytes, cloudpickle.dumps(self._levels), pure=False)
        return self._task


def write_unless_over(task: bytes, level: int, block: Block) -> None:
    """Make a block and write it, unless what it belongs to is gone."""
    values, arrays = _unpacked(task)[level]
    if not all(_is_there(array) for array in arrays):
        return  # the run has ended meanwhile: nothing of it is made again
    # This is a thread of a worker: what it asks for is not for the cluster to compute.
    made = make(values, block, scheduler="synchronous")
    put(made, [array for array in arrays if _is_there(array)], block)


def _is_there(array: "ZarrArray") -> bool:
    """Whether the folder of an array is still where it was made."""
    return Path(array.store.root, array.path, "zarr.json").exists()


@lru_cache(maxsize=1)
def _unpacked(task: bytes) -> Levels:
    unpacked: Levels = pickle.loads(task)  # from the client, by dask
    return unpacked
