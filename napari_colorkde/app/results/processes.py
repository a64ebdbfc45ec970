"""Calls run in several processes, each with its share of the cores."""

import contextlib
import multiprocessing
import os
import pickle
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from types import ModuleType
from typing import Any, TypeVar

from napari_colorkde.openmp import wait_without_spinning

Result = TypeVar("Result")

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")

ENDED = "a process was ended while it worked, perhaps because memory ran out"
"""What `BrokenProcessPool` means."""

_stop: list[Any] = []
"""The event that tells this process to stop."""


class Packed:
    """A value whose functions need not be found by name, as dask's are not.

    It is packed when it is sent, so that not all values are packed at once, and comes as itself.
    """

    def __init__(self, value: object) -> None:
        self._value = value

    def __reduce__(self) -> tuple[Callable[[bytes], Any], tuple[bytes]]:
        import cloudpickle

        return pickle.loads, (cloudpickle.dumps(self._value),)


def call_in_processes(
    work: Callable[..., Result],
    arguments: Sequence[tuple[object, ...]],
    jobs: int,
    *,
    seconds: float | None = None,
    grace: float | None = None,
) -> Generator[tuple[int, Future[Result]] | None, None, None]:
    """Call a function once for each of many arguments, in processes that are begun afresh.

    torch and OpenMP do not survive a fork. Processes that are closed early are told to stop, see
    `is_stopped`, and waited for; they end with this one, however that ends.

    Parameters
    ----------
    work
        A function of a module.
    arguments
        Of each call; plain values, or `Packed` ones.
    jobs
        How many processes.
    seconds
        Yield None where nothing was done for so long, so that a caller can do something else.
    grace
        So many seconds after they are told to stop, processes end in the middle of what they do;
        None: never.

    Yields
    ------
    int, Future
        The number of a call that is done, in any order, and what came of it.
    """
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    pool = ProcessPoolExecutor(
        min(jobs, max(len(arguments), 1)), context, initializer=_begin, initargs=(stop, grace)
    )
    try:
        with _threads_for(jobs), _without_main():
            numbers = {pool.submit(work, *each): i for i, each in enumerate(arguments)}
        waiting = set(numbers)
        while waiting:
            done, waiting = wait(waiting, seconds, FIRST_COMPLETED)
            if not done:
                yield None
            for future in done:
                yield numbers.pop(future), future
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


def is_stopped() -> bool:
    """Whether this process was told to stop; false where it is none of `call_in_processes`."""
    return any(event.is_set() for event in _stop)


def _begin(stop: Any, grace: float | None) -> None:
    """Prepare a process."""
    wait_without_spinning()
    _stop[:] = [stop]
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if grace is not None:
        threading.Thread(target=_end_after, args=(stop, grace), daemon=True).start()


def _end_after(stop: Any, grace: float) -> None:
    stop.wait()
    time.sleep(grace)
    os._exit(1)  # files are written beside their place: none is left half


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # nobody is there who could be told anything


@contextlib.contextmanager
def _threads_for(jobs: int) -> Iterator[None]:
    """Give each process its part of the cores, unless the environment says how many threads."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads = str(max(1, (cores or 1) // jobs))
    added = [name for name in THREAD_VARIABLES if name not in os.environ]
    os.environ.update(dict.fromkeys(added, threads))
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Keep processes from running the program that was started, which may open a window."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
