"""How much the program prints to stderr: levels of the standard `logging`.

``INFO`` unless the environment's ``LOGLEVEL``, or ``--quiet`` (warnings and errors only) or
``--verbose`` (each step as it begins, too) says otherwise; the options win. Errors are always said.
"""

import functools
import inspect
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

LOGGER = logging.getLogger("napari_colorkde")
"""Of the whole program: what the library logs is shown as well."""

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="Report only warnings and errors.")
]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Report each step.")]


@contextmanager
def level_of_environment() -> Iterator[None]:
    """Take the level from ``LOGLEVEL``; afterwards the former one is back.

    Raises
    ------
    ValueError
        If it is neither the name of a level nor a whole number.
    """
    before = LOGGER.level
    text = os.environ.get("LOGLEVEL", "").strip()
    try:
        _set(_level(text) if text else logging.INFO)
        yield
    finally:
        LOGGER.setLevel(before)


def choose_level(*, quiet: bool, verbose: bool) -> None:
    """Set the level that these options ask for; without any, leave it.

    Raises
    ------
    ValueError
        If both are given.
    """
    if quiet and verbose:
        raise ValueError("--quiet and --verbose cannot be combined; give one of them.")
    if quiet or verbose:
        _set(logging.WARNING if quiet else logging.DEBUG)


def with_verbosity(run: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options ``--quiet`` and ``--verbose``."""

    @functools.wraps(run)
    def wrapped(*arguments: object, quiet: bool, verbose: bool, **options: object) -> None:
        choose_level(quiet=quiet, verbose=verbose)
        run(*arguments, **options)

    signature = inspect.signature(run, eval_str=True)
    kind = inspect.Parameter.KEYWORD_ONLY
    added = (
        inspect.Parameter("quiet", kind, default=False, annotation=QuietOption),
        inspect.Parameter("verbose", kind, default=False, annotation=VerboseOption),
    )
    # Typer reads options from the signature.
    whole = signature.replace(parameters=[*signature.parameters.values(), *added])
    wrapped.__signature__ = whole  # type: ignore[attr-defined]  # of every function, says inspect
    return wrapped


def _level(text: str) -> int:
    if text.upper() in LEVELS:
        return logging.getLevelNamesMapping()[text.upper()]
    if text.isdecimal():
        return int(text)
    raise ValueError(f"LOGLEVEL={text!r} is not a log level; use {', '.join(LEVELS)} or a number.")


def _set(level: int) -> None:
    # A program that fails says why, however quiet it shall be.
    LOGGER.setLevel(min(level, logging.ERROR))
