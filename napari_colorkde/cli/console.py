"""Talking to a terminal: results go to stdout, everything else to stderr.

What a step of work is and how long it took stands in one line; on a terminal a bar shows how far it
is while it runs. Where stdout is no terminal, it is plain and no line is wrapped. What goes to
stderr goes through `logging`, whose level `verbosity` chooses. Nothing is computed here.
"""

import io
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from napari_colorkde.app.results.tasks import duration
from napari_colorkde.cli.verbosity import LOGGER
from napari_colorkde.io.provenance import PROGRAM

if TYPE_CHECKING:
    from rich.progress import Progress

QUIET_SECONDS = 10.0
"""Without a terminal, long work says how far it is about this often."""

LONGEST_MESSAGE = 300
"""Characters of an error or a warning; what is longer loses its middle."""

UNWRAPPED = 1 << 20
"""Columns of a table that is not shown on a terminal."""

_running: "list[Progress]" = []
"""The bars on the terminal; a line that is printed meanwhile stands above them."""


class TimedStep:
    """A piece of work that is being done.

    Attributes
    ----------
    title
        What is done.
    outcome
        What came of it, for the line that ends it.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.outcome = ""
        self.bar: Progress | None = None
        self._start = self._printed = time.perf_counter()
        self._begun: tuple[float, float] | None = None

    def progress(self, fraction: float) -> None:
        """Say how far the work is, from 0 to 1."""
        if self.bar is not None:
            self.bar.update(self.bar.task_ids[0], completed=fraction, total=1.0)
            return
        now = time.perf_counter()
        if self._begun is None:  # what an earlier run has done took no time
            self._begun = now, fraction
        if now - self._printed > QUIET_SECONDS:
            seconds, done = now - self._begun[0], fraction - self._begun[1]
            rest = f", about {duration(seconds / done * (1 - fraction))} left" if done > 0 else ""
            print_status(f"{self.title}: {fraction:.0%}{rest}")
            self._printed = now

    @property
    def seconds(self) -> float:
        """Time since the step began."""
        return time.perf_counter() - self._start


@contextmanager
def timed_step(title: str) -> Iterator[TimedStep]:
    """Announce a piece of work, and say what came of it and how long it took."""
    LOGGER.debug("%s …", title)
    step = TimedStep(title)
    if sys.stderr.isatty() and LOGGER.isEnabledFor(logging.INFO):
        with _bar(title) as step.bar:
            yield step
    else:
        yield step
    outcome = f": {step.outcome}" if step.outcome else ""
    print_status(f"{title}{outcome} ({step.seconds:.2f} s)")


@contextmanager
def _bar(title: str) -> "Iterator[Progress]":
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description} …", markup=False), BarColumn(24))
    bar = Progress(
        *columns,
        TaskProgressColumn(),
        TimeRemainingColumn(compact=True),
        console=Console(file=sys.stderr, highlight=False),
        transient=True,
    )
    bar.add_task(title, total=None)
    with bar:
        _running.append(bar)
        try:
            yield bar
        finally:
            _running.remove(bar)


def print_status(text: str) -> None:
    """Write a line to stderr, unless the program shall be quiet."""
    LOGGER.info("%s", text)


def print_error(text: str) -> None:
    """Write one line to stderr that says why the program ends."""
    _print_line(logging.ERROR, text)


def print_warning(text: str) -> None:
    """Write one line to stderr that says what to know of the result."""
    _print_line(logging.WARNING, f"warning: {text}")


def _print_line(level: int, text: str) -> None:
    LOGGER.log(level, "%s: %s", PROGRAM, _shortened(" ".join(text.split())))


def _shortened(text: str) -> str:
    """Leave out the middle of a text that is too long for a line: names of files are in it."""
    # What no encoding knows, of a name that is none, would end the program here.
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    most = LONGEST_MESSAGE - len(PROGRAM) - 2
    if len(text) <= most:
        return text
    return f"{text[: most // 2 - 1]}…{text[-(most - most // 2) :]}"


class _LinesOnStderr(logging.Handler):
    """Writes each record as a line, above the bar if one is shown."""

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        if _running:
            from rich.text import Text

            _running[-1].console.print(Text(line), soft_wrap=True)
        else:
            typer.echo(line, err=True)


LOGGER.addHandler(_LinesOnStderr())
LOGGER.setLevel(logging.INFO)
# The program's lines are its own: a handler of the root would show them twice.
LOGGER.propagate = False


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Align a table: columns to the right, two spaces between them, no line at the end."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    for _ in header:
        grid.add_column(justify="right", no_wrap=True)
    for row in (header, *rows):
        grid.add_row(*map(Text, row))
    width = None if sys.stdout.isatty() else UNWRAPPED
    console = Console(file=io.StringIO(), width=width, color_system=None)
    with console.capture() as printed:
        console.print(grid)
    return printed.get().removesuffix("\n")
