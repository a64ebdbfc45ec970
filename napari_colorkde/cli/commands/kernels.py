"""The command `kernels`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_colorkde.cli.console import timed_step
from napari_colorkde.cli.inputs import kernel_inputs
from napari_colorkde.cli.parsers import refuse_overwriting_inputs
from napari_colorkde.cli.program import Command

if TYPE_CHECKING:
    from napari_colorkde.core.mixture.kernels import KernelSet


def kernels(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Kernel file (.json, .csv).")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write them to this file: .json (everything), .csv, or .ply (ellipsoids).",
        ),
    ] = None,
    set_name: Annotated[
        str | None, typer.Option("--set", help="Show or write only this set.")
    ] = None,
) -> None:
    """Show what a kernel file holds, warn of likely mistakes, and convert between JSON and CSV.

    Conversion changes no numbers.
    """
    from napari_colorkde.io.kernels.kernel_files import (
        KERNEL_SUFFIXES,
        save_kernels,
        summarize_kernels,
    )
    from napari_colorkde.io.writers.targets import check_target

    if output is not None:
        check_target(output, (*KERNEL_SUFFIXES, ".ply"), name="output")
        refuse_overwriting_inputs(output, file)
    kernel_sets = kernel_inputs.chosen_sets(file, set_name)
    if output is None:
        for line in summarize_kernels(kernel_sets):
            typer.echo(line)
        return
    with timed_step(f"Writing {output}") as work:
        if output.suffix.lower() == ".ply":
            _write_ellipsoids(output, kernel_sets, context.obj or "")
        else:
            save_kernels(output, kernel_sets, about=context.obj or "")
        work.outcome = "; ".join(summarize_kernels(kernel_sets))


def _write_ellipsoids(output: Path, kernel_sets: "dict[str, KernelSet]", command: str) -> None:
    from napari_colorkde.io.formats.color_space.ply import write_ellipsoids
    from napari_colorkde.io.provenance import provenance
    from napari_colorkde.io.writers.atomic import atomic_path

    kernels = [kernel for kernel_set in kernel_sets.values() for kernel in kernel_set]
    with atomic_path(output) as scratch:
        write_ellipsoids(scratch, kernels, provenance(command))


COMMAND = Command(
    kernels,
    name="kernels",
    summary="Check and convert kernel files.",
    examples=("kernels jones_rehg_1999.csv", "kernels kernels.csv -o kernels.json"),
)
