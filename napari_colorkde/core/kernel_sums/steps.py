"""Long sums as generators that yield how much is done, so that they can be stopped in between."""

from collections.abc import Generator
from typing import TypeVar

Value = TypeVar("Value")

Steps = Generator[float, None, Value]
"""Yields the part that is done, from 0 to 1, and returns the value."""


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
