"""Work on each of many images: the result or the reason for failure, and what is left."""

import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from napari_colorkde.app.background.error_sentences import FORESEEN, refusal

Item = TypeVar("Item")


Arguments = Mapping[str, Any]
"""Arguments of a command by their names, as they were typed and parsed."""

CommandFunction = Callable[..., Any]
"""What a command does; its parameters are its options."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is done with one image.

    Attributes
    ----------
    path
        The image.
    work
        A function of a module; called by name in other processes.
    arguments
        By name.
    """

    path: Path
    work: Callable[..., Any]
    arguments: Arguments


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a task.

    Attributes
    ----------
    result
        What the function returned.
    error
        The sentence with which it failed, or "".
    said
        What it wrote on stderr, in another process.
    seconds
        How long it took.
    """

    result: Any
    error: str
    said: str
    seconds: float


def do_task(work: Callable[[], Any]) -> Outcome:
    """Do it; an error that a user can do something about becomes a sentence."""
    started = time.perf_counter()
    result, sentence = None, ""
    try:
        result = work()
    except FORESEEN as error:
        sentence = _foreseen(error)
    return Outcome(result, sentence, "", time.perf_counter() - started)


def do_steps(steps: Generator[Item, None, Any]) -> Generator[Item, None, Outcome]:
    """Do it step by step, as `do_task` does."""
    started = time.perf_counter()
    result, sentence = None, ""
    try:
        result = yield from steps
    except FORESEEN as error:
        sentence = _foreseen(error)
    return Outcome(result, sentence, "", time.perf_counter() - started)


def _foreseen(error: Exception) -> str:
    sentence = refusal(error)
    if sentence is None:
        raise error
    return sentence


def named_error(path: Path, sentence: str) -> str:
    """Return why an image failed, with its name."""
    return sentence if str(path) in sentence else f"{path}: {sentence}"


def time_left(seconds: float, done: int, left: int) -> str:
    """Estimate how long the rest takes, in words, from the time that those before took."""
    return duration(seconds / done * left)


def duration(rest: float) -> str:
    """Return a time in seconds, in words."""
    if rest < 90:
        return f"{rest:.0f} s"
    minutes = rest / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
