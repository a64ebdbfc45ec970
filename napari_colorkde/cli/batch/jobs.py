"""Working through many images, in this process or in several, with progress and failures."""

import contextlib
import functools
import importlib
import inspect
import io
import logging
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from napari_colorkde.app.results.processes import ENDED, call_in_processes
from napari_colorkde.app.results.tasks import Outcome, Task, do_task, named_error, time_left
from napari_colorkde.cli.console import print_error, print_status
from napari_colorkde.cli.verbosity import LOGGER


@dataclass(frozen=True, slots=True)
class CommandLine:
    """What commands ask of typer's context, in a form that goes to another process in its place.

    Attributes
    ----------
    obj
        The command line.
    typed
        Options that were given, be it with their defaults.
    """

    obj: str
    typed: frozenset[str]


class FailedError(ValueError):
    """The sentence of an image that failed; `results` are those of the images before."""

    def __init__(self, sentence: str, results: Sequence[Any] = ()) -> None:
        super().__init__(sentence)
        self.results = list(results)


def run_tasks(
    tasks: Sequence[Task],
    jobs: int,
    *,
    keep_going: bool,
    take: Callable[[Path, Any], None] | None = None,
) -> list[Any]:
    """Do all tasks, and say after each how many are left.

    Parameters
    ----------
    tasks
        In the order in which they are begun.
    jobs
        So many at a time, each in a process of its own with its part of the cores; 1 works in this
        process.
    keep_going
        Whether the others are done when one fails.
    take
        Is given each image and its result as they come, so that they are not kept.

    Returns
    -------
    list
        Results in the order of the tasks; None for those that failed, or were taken.

    Raises
    ------
    FailedError
        If one fails and `keep_going` is not asked for.
    typer.Exit
        With code 1 where some have failed, which are listed. Results are then in its attribute
        `results`.
    """
    started = time.perf_counter()
    results: list[Any] = [None] * len(tasks)
    failed: list[tuple[Path, str]] = []
    outcomes = _one_by_one(tasks) if jobs == 1 else _in_processes(tasks, jobs)
    with contextlib.closing(outcomes):
        for done, (number, outcome) in enumerate(outcomes, 1):
            path = tasks[number].path
            if outcome.said:
                typer.echo(outcome.said, err=True, nl=False)
            if outcome.error:
                sentence = named_error(path, outcome.error)
                if not keep_going:
                    if len(tasks) > 1:
                        print_status(
                            f"{done - 1} of {len(tasks)} images are done; --keep-going goes on "
                            "when one fails."
                        )
                    raise FailedError(sentence, results)
                failed.append((path, sentence))
                print_error(sentence)
            elif take is not None:
                take(path, outcome.result)
            else:
                results[number] = outcome.result
            left = len(tasks) - done
            seconds = time.perf_counter() - started
            about = f"; about {time_left(seconds, done, left)} left" if left else ""
            print_status(f"[{done}/{len(tasks)}] {path}: {outcome.seconds:.1f} s{about}")
    if failed:
        print_error(f"{len(failed)} of {len(tasks)} images failed:")
        for path, _ in failed:
            LOGGER.error("  %s", path)
        exit_ = typer.Exit(1)
        exit_.results = results  # type: ignore[attr-defined]  # for commands that write a table
        raise exit_
    return results


def _one_by_one(tasks: Sequence[Task]) -> Generator[tuple[int, Outcome], None, None]:
    for number, task in enumerate(tasks):
        with _quieter():
            outcome = do_task(functools.partial(task.work, **task.arguments))
        yield number, outcome


def _in_processes(tasks: Sequence[Task], jobs: int) -> Generator[tuple[int, Outcome], None, None]:
    """Do tasks in processes of their own."""
    level = max(LOGGER.level, logging.WARNING) if LOGGER.level > logging.DEBUG else 10
    arguments = [
        (
            task.work.__module__,
            task.work.__name__,
            {name: _portable(value) for name, value in task.arguments.items()},
            level,
        )
        for task in tasks
    ]
    with contextlib.closing(call_in_processes(_work, arguments, jobs)) as calls:
        for call in calls:
            if call is None:
                continue
            number, future = call
            try:
                outcome = future.result()
            except BrokenProcessPool:
                raise FailedError(f"{ENDED}; use fewer --jobs.") from None
            yield number, outcome


def _work(module: str, name: str, arguments: dict[str, object], level: int) -> Outcome:
    """Do a task in a process of its own; what it says goes back as text."""
    from napari_colorkde.cli import _warnings_as_lines

    work = inspect.unwrap(getattr(importlib.import_module(module), name))
    said = io.StringIO()
    LOGGER.setLevel(level)
    before = sys.stderr
    sys.stderr = said
    try:
        with _warnings_as_lines():
            outcome = do_task(functools.partial(work, **arguments))
    finally:
        sys.stderr = before
    return Outcome(outcome.result, outcome.error, said.getvalue(), outcome.seconds)


def _portable(value: Any) -> Any:
    # The class that typer gives is none of its public ones.
    if not hasattr(value, "get_parameter_source"):
        return value
    typed = {
        name
        for name in value.params
        if (source := value.get_parameter_source(name)) is not None and source.name == "COMMANDLINE"
    }
    return CommandLine(value.obj or "", frozenset(typed))


@contextmanager
def _quieter() -> Iterator[None]:
    """Say of each image only what is worth a warning, unless --verbose asks for all."""
    before = LOGGER.level
    if before > logging.DEBUG:
        LOGGER.setLevel(max(before, logging.WARNING))
    try:
        yield
    finally:
        LOGGER.setLevel(before)
