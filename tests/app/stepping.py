"""An executor that runs one step at a time, so that tests decide what happens in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from napari_colorkde.app.background.executor import Work


class SteppingExecutor:
    """Advances the work only when told to; what was yielded is delivered at once or later."""

    def __init__(self) -> None:
        self.steps: Iterator[Any] | None = None
        self.on_the_way: list[Any] = []
        self.closed = False

    def start(self, steps: Work, deliver: Callable[[Any], None], ended: Callable[[], None]) -> None:
        assert self.steps is None, "started while something ran"
        self.steps, self._deliver, self._ended = steps(), deliver, ended

    def compute(self) -> bool:
        """Run to the next yield without delivering it; False at the end of all work."""
        if self.steps is None:
            return False
        try:
            self.on_the_way.append(next(self.steps))
        except StopIteration:
            self.steps = None
            return False
        return True

    def deliver(self) -> None:
        """Hand over what was computed, and the end if it was reached."""
        items, self.on_the_way = self.on_the_way, []
        for item in items:
            self._deliver(item)
        if self.steps is None:
            self._ended()

    def step(self) -> bool:
        more = self.compute()
        self.deliver()
        return more

    def run(self) -> None:
        while self.steps is not None:
            self.step()

    def wait(self, done: Callable[[], bool], timeout: float | None) -> bool:
        self.run()
        return done()

    def close(self) -> None:
        self.closed = True
