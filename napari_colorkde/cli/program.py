"""What a command is made of, and how commands become a program. They are listed in `commands`."""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer
from typer.core import TyperCommand

from napari_colorkde import __version__
from napari_colorkde.cli.console import print_warning
from napari_colorkde.cli.shared_options import filled
from napari_colorkde.cli.verbosity import (
    QuietOption,
    VerboseOption,
    choose_level,
    with_verbosity,
)
from napari_colorkde.io.provenance import PROGRAM

if TYPE_CHECKING:
    from typer._click.core import Context
    from typer._click.formatting import HelpFormatter


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the program.

    Attributes
    ----------
    run
        What it does: its parameters are the arguments and options, its docstring the help.
    summary
        One line, for the list of all commands.
    examples
        Command lines without the program's name, each of which can be run as it stands.
    name
        How it is called.
    former_name
        A name that still works, and says what to write instead.
    """

    run: Callable[..., None]
    summary: str
    examples: tuple[str, ...]
    name: str
    former_name: str | None = None

    @property
    def epilog(self) -> str:
        """The examples, below the help; the first sign keeps the lines as they are."""
        return "\b\nExamples:\n" + "\n".join(f"  {PROGRAM} {line}" for line in self.examples)

    @property
    def run_by_former_name(self) -> Callable[..., None]:
        """The same under its former name, with a line about it when the work is done."""

        @functools.wraps(self.run)
        def run(*arguments: object, **options: object) -> None:
            self.run(*arguments, **options)
            print_warning(
                f"the command {self.former_name} is now called {self.name}; the former "
                "name will go away."
            )

        return run


class _FilledHelp(TyperCommand):
    """A command whose help lists what the tables of formats, color spaces and so on hold."""

    def format_help(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        for parameter in self.params:
            if text := getattr(parameter, "help", None):
                parameter.help = filled(text)  # type: ignore[attr-defined]
        super().format_help(ctx, formatter)


class _Settings(TypedDict):
    cls: type[TyperCommand]
    epilog: str


def program(commands: Iterable[Command]) -> typer.Typer:
    """Make the program that has these commands, in this order."""
    app = typer.Typer(
        help="Exact kernel density estimates of an image's colors.",
        # Plain text: the same everywhere, and examples keep their lines.
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for command in commands:
        settings = _Settings(cls=_FilledHelp, epilog=command.epilog)
        app.command(command.name, short_help=command.summary, **settings)(
            with_verbosity(command.run)
        )
        if command.former_name is not None:
            former = command.run_by_former_name
            app.command(command.former_name, hidden=True, **settings)(with_verbosity(former))
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Exact kernel density estimates of an image's colors."""
    choose_level(quiet=quiet, verbose=verbose)
