"""The command `demo`."""

from pathlib import Path
from typing import Annotated

import typer

from napari_colorkde.cli.open_window import check_display, window_libraries
from napari_colorkde.cli.program import Command


def demo(
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="Write the density, the volume and a screenshot to this folder, then quit.",
        ),
    ] = None,
) -> None:
    """Open napari on a sample photograph, with its density overlay and color cloud."""
    check_display()
    with window_libraries():
        from napari_colorkde.ui.launcher import run_demo
    run_demo(output)


COMMAND = Command(
    demo,
    name="demo",
    summary="Show a sample photograph in napari.",
    examples=("demo", "demo -o demo-output"),
)
