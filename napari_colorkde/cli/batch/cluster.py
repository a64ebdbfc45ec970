"""A dask cluster for the duration of a command: --scheduler."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_colorkde.cli.console import print_status
from napari_colorkde.core.checks.arguments import Keywords

LOCAL = "local"
"""In place of an address: workers of this machine, for this command."""

PATIENCE = 10
"""Seconds in which a scheduler has to answer."""


@contextmanager
def cluster_at(scheduler: str) -> Iterator[None]:
    """Let dask compute with the workers of a scheduler.

    Parameters
    ----------
    scheduler
        Its address, or "local".

    Raises
    ------
    ValueError
        If dask.distributed is not installed, nobody answers there, or its workers cannot do it.
    """
    try:
        from distributed import Client
    except ImportError:
        raise ValueError(
            f"--scheduler {scheduler} needs dask.distributed; install "
            '"napari-colorkde[distributed]", here and on the workers.'
        ) from None
    import dask

    from napari_colorkde.core.number_text import counted
    from napari_colorkde.core.palette.on_cluster.cluster import LARGE_TASK, check_workers

    options: Keywords = {"threads_per_worker": 1, "dashboard_address": ":0"}
    options["silence_logs"] = logging.CRITICAL  # what matters is said below, or raised
    if scheduler != LOCAL:
        options = {"address": scheduler, "timeout": PATIENCE}
    try:
        # One that is dask's default before it is connected stays so where connecting fails, and
        # whatever is computed later waits for it for ever.
        client = Client(**options, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(
            f"--scheduler {scheduler}: no scheduler responds there ({reason}); give the address "
            'that "dask scheduler" prints, such as tcp://192.168.0.1:8786, or local.'
        ) from None
    # Tables of many colors are large.
    settings = {"scheduler": client, LARGE_TASK: "10 GB"}
    with client, dask.config.set(settings):
        check_workers(client)
        workers = client.nthreads()
        threads = counted(sum(workers.values()), "thread")
        print_status(f"{counted(len(workers), 'worker')} with {threads} at {scheduler}.")
        yield


def seen_by_workers(path: Path) -> Path:
    """Return the whole name of a file that is read, which all workers find."""
    from napari_colorkde.core.palette.on_cluster.cluster import check_files, current_client
    from napari_colorkde.io.formats.addresses import path_or_address

    whole = path_or_address(path).absolute()
    client = current_client()
    if client is not None and whole.exists():  # else it is refused when it is read
        check_files(client, [whole])
    return whole
