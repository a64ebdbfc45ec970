"""Long sums as generators that yield their progress, so that they can be stopped in between."""

from collections.abc import Generator
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Value = TypeVar("Value")

Steps = Generator[float, None, Value]
"""Yields the part that is done, from 0 to 1, and returns the value."""


class Sums(Protocol):
    """Sums that are known at colors ``(Q, C)``, see `kernel_sums.KernelSums`."""

    def at(self, colors: NDArray[Any]) -> NDArray[np.float32]:
        """The sums."""

    def log_at(self, colors: NDArray[Any]) -> NDArray[np.float64]:
        """Their logs."""


@runtime_checkable
class SteppedSums(Protocol):
    """Sums that take long, and can be left alone between steps."""

    def at_in_steps(self, colors: NDArray[Any]) -> Steps[NDArray[np.float32]]:
        """The sums, yielding the part that is done."""

    def log_at_in_steps(self, colors: NDArray[Any]) -> Steps[NDArray[np.float64]]:
        """Their logs, yielding the part that is done."""


def sum_in_steps(sums: Sums, colors: NDArray[Any], *, log: bool) -> Steps[NDArray[Any]]:
    """Return sums at colors, or their logs: in steps where there are some, or in one go."""
    if isinstance(sums, SteppedSums):
        steps = sums.log_at_in_steps(colors) if log else sums.at_in_steps(colors)
        return (yield from steps)
    return sums.log_at(colors) if log else sums.at(colors)


def value_of(steps: Steps[Value]) -> Value:
    """Take all the steps; what they return."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            value: Value = end.value
            return value


def between(low: float, high: float, steps: Steps[Value]) -> Steps[Value]:
    """Take steps that are only a part of the whole, from `low` to `high` of it."""
    while True:
        try:
            done = next(steps)
        except StopIteration as end:
            value: Value = end.value
            return value
        yield low + (high - low) * done
