"""The command line.

Results go to stdout, progress and errors to stderr. Exit code 0; 2 with one line for bad input; 130
after Ctrl+C. `commands` holds the commands and their options, `command_list` all of them, `inputs`
what they read, `tasks` what they do, `parsers` how values are typed, `console` how the program
speaks, `verbosity` how much.
"""

import shlex
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

import typer

from napari_colorkde.app.background.error_sentences import FORESEEN, refusal
from napari_colorkde.cli.command_list import app
from napari_colorkde.cli.console import print_error, print_warning
from napari_colorkde.cli.verbosity import level_of_environment
from napari_colorkde.io.provenance import PROGRAM
from napari_colorkde.openmp import wait_without_spinning


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments
        What follows the program's name; None takes it from `sys.argv`.

    Returns
    -------
    int
        0; 1 where some of many images failed; 2 after bad input, with one line on stderr; 130
        after Ctrl+C.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    command = shlex.join([PROGRAM, *words])
    wait_without_spinning()
    try:
        with level_of_environment(), _warnings_as_lines():
            code = app(args=words, prog_name=PROGRAM, standalone_mode=False, obj=command)
    except typer.TyperException as error:
        return _refuse(_usage(error))
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except FORESEEN as error:
        sentence = refusal(error)
        if sentence is None:
            raise
        return _refuse(sentence)
    if code == 130:
        print_error("stopped.")
    return int(code or 0)


def _refuse(sentence: str) -> int:
    print_error(sentence)
    return 2


def _usage(error: typer.TyperException) -> str:
    # pydantic, with which typer calls the parsers, puts these words before their sentences.
    message = error.format_message().replace("Value error, ", "")
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else PROGRAM
    return f"{message.rstrip('.')}; see {path} --help."


@contextmanager
def _warnings_as_lines() -> Iterator[None]:
    """Show warnings meant for users as one line; leave those for programmers as they are."""
    with warnings.catch_warnings():
        show = warnings.showwarning

        def show_line(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, UserWarning):
                print_warning(str(message))
            else:
                show(message, category, filename, lineno, file, line)

        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = show_line
        yield
