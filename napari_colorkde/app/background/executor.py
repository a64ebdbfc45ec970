"""Where work runs: on the calling thread, or on another thread that hands over results.

Nothing here knows Qt: `ui.window.background_thread` has the executor that runs in a thread.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

Item = TypeVar("Item")

Work = Callable[[], Iterator[object]]
"""Makes the generator of a job. Called where the job runs."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of `what` is done: a fraction from 0 to 1, or None where that is not known."""

    what: str
    fraction: float | None = None


class Executor(Protocol):
    """Runs one generator at a time, somewhere, and hands over what it yields on this thread."""

    def start(
        self,
        steps: Callable[[], Iterator[Item]],
        deliver: Callable[[Item], None],
        ended: Callable[[], None],
    ) -> None:
        """Run ``steps()`` to its end; then call `ended`. Called only while nothing runs."""

    def wait(self, done: Callable[[], bool], timeout: float | None) -> bool:
        """Hand over what comes until `done()`; return whether that was so within `timeout` s."""

    def close(self) -> None:
        """Hand over nothing any more."""


class SynchronousExecutor:
    """Runs everything at once, on the thread that asks: for scripts and tests."""

    def __init__(self) -> None:
        self._closed = False

    def start(
        self,
        steps: Callable[[], Iterator[Item]],
        deliver: Callable[[Item], None],
        ended: Callable[[], None],
    ) -> None:
        """Run to the end before returning."""
        for item in steps():
            if self._closed:
                return
            deliver(item)
        ended()

    def wait(self, done: Callable[[], bool], timeout: float | None) -> bool:
        """Nothing can be under way: the answer is known at once."""
        return done()

    def close(self) -> None:
        """Hand over nothing any more."""
        self._closed = True
