"""A dask cluster, if it has a client: whether its workers can do this work."""

import asyncio
import os
import pkgutil
import sys
from collections.abc import Iterable, Iterator
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from distributed import Client

VERSION = "napari_colorkde:__version__"
"""Where it is found, by name: a worker needs nothing of ours to be asked."""

LARGE_TASK = "distributed.admin.large-graph-warning-threshold"
"""Setting of dask's: from which size on it warns of what is sent."""


def current_client() -> "Client | None":
    """Return the client of `dask.distributed` that dask computes with; None of threads.

    Nothing is imported for it: where a client is, `distributed` is.
    """
    if "distributed" not in sys.modules:
        return None
    from dask.base import get_scheduler

    client = getattr(get_scheduler(), "__self__", None)
    return client if hasattr(client, "scheduler_info") else None


def check_workers(client: "Client") -> None:
    """Refuse a cluster whose workers could not do what is sent to them.

    Raises
    ------
    ValueError
        If there is no worker, or one has no napari-colorkde, or another version of it.
    """
    ours = pkgutil.resolve_name(VERSION)
    found = client.run(pkgutil.resolve_name, VERSION, on_error="return")
    if not found:
        raise ValueError(
            f"the cluster at {client.scheduler.address} has no worker; start one, as with "
            f'"dask worker {client.scheduler.address}".'
        )
    for worker, version in found.items():
        if isinstance(version, BaseException):
            raise ValueError(
                f"worker {worker} has no napari-colorkde ({version}); install version {ours} there."
            )
        if version != ours:
            raise ValueError(
                f"worker {worker} has napari-colorkde {version}, but this is {ours}; "
                "install the same version everywhere."
            )


def check_files(client: "Client", paths: Iterable[Path]) -> None:
    """Refuse files and folders that a worker does not find under their names.

    Raises
    ------
    ValueError
        Workers read and write for themselves.
    """
    for path in paths:
        for worker, is_there in client.run(os.path.exists, str(path)).items():
            if not is_there:
                raise ValueError(
                    f"worker {worker} cannot find {str(path)!r}; give a path on a disk that all "
                    "workers share."
                )


@contextmanager
def failures_in_words() -> Iterator[None]:
    """Say in a sentence what has become of workers, or of the scheduler.

    Raises
    ------
    ValueError
        If several workers died at a piece of work, or the scheduler is gone.
    """
    from distributed import KilledWorker
    from distributed.comm import CommClosedError

    try:
        yield
    except KilledWorker:
        raise ValueError(
            "several workers died on the same task, perhaps because they ran out of memory; start "
            "workers with fewer threads or more memory."
        ) from None
    except (futures.CancelledError, asyncio.CancelledError, CommClosedError):
        raise ValueError("the cluster's scheduler is gone; restart it, then try again.") from None
