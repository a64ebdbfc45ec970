"""Commands whose result is a table: rows for one image after another, as CSV."""

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from napari_colorkde.app.results.files import InputFile, filled_in, find_images, has_fields
from napari_colorkde.app.results.tasks import Arguments, Task
from napari_colorkde.cli.batch.files import OPTIONS, TEMPLATES, with_many_options
from napari_colorkde.cli.batch.jobs import FailedError, run_tasks
from napari_colorkde.cli.console import print_status, timed_step
from napari_colorkde.core.csv_and_frames import Cell, Row, csv_of_rows
from napari_colorkde.io.csv_files import read_rows, write_rows

OutputOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Write the table to this file (.csv); default: print it."),
]


def makes_rows(command: Callable[..., list[Row]]) -> Callable[..., None]:
    """Let a command that returns the rows of one image take any number, and write the table."""

    @functools.wraps(command)
    def run(**given: Any) -> None:
        from napari_colorkde.io.writers.targets import check_target

        options = {name: given.pop(name) for name in OPTIONS}
        words, output = given.pop("image"), given.pop("output")
        if output is not None:
            check_target(output, (".csv",), name="output")
        files = find_images(words, recursive=options["recursive"])
        known = _known_rows(output) if options["skip_existing"] else []
        there = {row["image"] for row in known}
        wanted = [file for file in files if str(file.path) not in there]
        if len(wanted) < len(files):
            print_status(f"{len(files) - len(wanted)} of {len(files)} are there already.")
        if len(files) == 1 and files[0].is_named and wanted:
            rows = command(**_arguments(given, files[0]), output=output)
            _write(output, [*known, *rows])
            return
        tasks = [
            Task(file.path, command, {**_arguments(given, file), "output": output})
            for file in wanted
        ]
        try:
            found = run_tasks(tasks, options["jobs"], keep_going=options["keep_going"])
        except FailedError as failed:
            # A table that is there already stays, unless it is being completed.
            is_kept = output is not None and output.exists() and not options["skip_existing"]
            rows = [row for rows in failed.results for row in rows or ()]
            if output is not None and rows and not is_kept:
                _write(output, [*known, *rows])
            raise
        except typer.Exit as ended:
            found = getattr(ended, "results", [])
            _write(output, [*known, *(row for rows in found for row in rows or ())])
            raise
        _write(output, [*known, *(row for rows in found for row in rows)])

    signature = with_many_options(command)
    parameters = [
        p.replace(annotation=OutputOption, default=None) if p.name == "output" else p
        for p in signature.parameters.values()
    ]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]  # what typer reads
    return run


def _arguments(given: Arguments, file: InputFile) -> dict[str, Any]:
    own = {
        name: filled_in(Path(value), file, "regions")
        if name in TEMPLATES and has_fields(value)
        else value
        for name, value in given.items()
    }
    return {**own, "image": file.path}


def _known_rows(output: Path | None) -> list[Row]:
    """Return the rows of a table that is there already.

    Raises
    ------
    ValueError
        If there is a file that is no such table.
    """
    if output is None or not output.exists():
        return []
    rows = read_rows(output)
    if rows and "image" not in rows[0]:
        raise ValueError(
            f"output {str(output)!r} has no column 'image', so it is not a table of this "
            "command; give another name."
        )
    return rows


def _write(output: Path | None, rows: Sequence[Mapping[str, Cell]]) -> None:
    if output is None:
        typer.echo(csv_of_rows(rows), nl=False)
        return
    with timed_step(f"Writing {output}") as work:
        write_rows(output, rows)
        work.outcome = f"{len(rows)} rows"
