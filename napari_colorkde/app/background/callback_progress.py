"""Wraps work that reports progress through a callback as work of a session."""

from collections.abc import Callable, Iterator
from queue import SimpleQueue
from threading import Event, Thread

from napari_colorkde.app.background.executor import Progress
from napari_colorkde.unexpected import outcome_of

Tell = Callable[[float], None]
"""Is called with the fraction that is done."""


class _StoppedError(Exception):
    """Ends work that nobody waits for any more."""


def told_progress(what: str, work: Callable[[Tell], None]) -> Iterator[Progress]:
    """Do work in a thread of its own, and yield what it tells.

    Whoever stops between the yields has the work end where it tells of its progress next.

    Raises
    ------
    Exception
        Whatever the work raises.
    """
    told: SimpleQueue[float | None] = SimpleQueue()
    stopped, errors = Event(), list[Exception]()

    def tell(fraction: float) -> None:
        if stopped.is_set():
            raise _StoppedError
        told.put(fraction)

    def run() -> None:
        _, error = outcome_of(lambda: work(tell))
        if error is not None and not isinstance(error, _StoppedError):
            errors.append(error)
        told.put(None)

    thread = Thread(target=run, name=what, daemon=True)
    thread.start()
    try:
        while (fraction := told.get()) is not None:
            yield Progress(what, fraction)
    finally:
        stopped.set()
        thread.join()
    if errors:
        raise errors[0]
