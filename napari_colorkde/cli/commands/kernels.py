"""The command `kernels`."""

from pathlib import Path
from typing import Annotated

import typer

from napari_colorkde.cli import inputs
from napari_colorkde.cli.console import timed_step
from napari_colorkde.cli.parsers import refuse_overwriting_inputs
from napari_colorkde.cli.program import Command


def kernels(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Kernel file (.json, .csv).")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write them there: .json (everything) or .csv."),
    ] = None,
    set_name: Annotated[str | None, typer.Option("--set", help="Only this set.")] = None,
) -> None:
    """Say what a kernel file holds and what in it looks like a mistake; convert JSON and CSV.

    No number is changed on the way.
    """
    from napari_colorkde.io.atomic import check_target
    from napari_colorkde.io.kernel_files import KERNEL_SUFFIXES, save_kernels, summarize_kernels

    if output is not None:
        check_target(output, KERNEL_SUFFIXES, name="output")
        refuse_overwriting_inputs(output, file)
    kernel_sets = inputs.chosen_sets(file, set_name)
    if output is None:
        for line in summarize_kernels(kernel_sets):
            typer.echo(line)
        return
    with timed_step(f"Writing {output}") as work:
        save_kernels(output, kernel_sets, about=context.obj or "")
        work.outcome = "; ".join(summarize_kernels(kernel_sets))


COMMAND = Command(
    kernels,
    name="kernels",
    summary="Check and convert kernel files.",
    examples=("kernels jones_rehg_1999.csv", "kernels kernels.csv -o kernels.json"),
)
