"""Talking to a terminal: results go to stdout, everything else to stderr.

What a step of work is and how long it took stands in one line; on a terminal the line is written
while the step runs, with a bar where the work says how far it is. Nothing is computed here.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import typer

PROGRAM = "napari-colorkde"

QUIET_SECONDS = 10.0
"""Without a terminal, long work says how far it is about this often."""


class Step:
    """A piece of work that is being done.

    Attributes
    ----------
    outcome
        What came of it, for the line that ends it.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.outcome = ""
        self._start = self._said = time.perf_counter()

    def progress(self, fraction: float) -> None:
        """Say how far the work is, from 0 to 1."""
        now = time.perf_counter()
        if sys.stderr.isatty():
            if now - self._said > 0.1:
                filled = round(24 * fraction)
                bar = f"[{'#' * filled}{'-' * (24 - filled)}] {fraction:4.0%}"
                typer.echo(f"\r{self.title} {bar}\x1b[K", err=True, nl=False)
                self._said = now
        elif now - self._said > QUIET_SECONDS:
            typer.echo(f"{self.title}: {fraction:.0%}", err=True)
            self._said = now

    @property
    def seconds(self) -> float:
        """Time since the step began."""
        return time.perf_counter() - self._start


@contextmanager
def step(title: str) -> Iterator[Step]:
    """Announce a piece of work, and say what came of it and how long it took."""
    work = Step(title)
    terminal = sys.stderr.isatty()
    if terminal:
        typer.echo(f"{title} …", err=True, nl=False)
    try:
        yield work
    except BaseException:
        if terminal:
            typer.echo("", err=True)
        raise
    outcome = f": {work.outcome}" if work.outcome else ""
    report(f"{title}{outcome} ({work.seconds:.2f} s)")


def report(text: str) -> None:
    """Write a line to stderr."""
    # On a terminal a step may be standing there unfinished.
    clear = "\r\x1b[K" if sys.stderr.isatty() else ""
    typer.echo(f"{clear}{text}", err=True)


def say(text: str) -> None:
    """Write one line that begins with the program's name to stderr: an error or a warning."""
    report(f"{PROGRAM}: {' '.join(text.split())}")


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Align a table: columns to the right, two spaces between them, no line at the end."""
    lines = [list(header), *(list(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )
