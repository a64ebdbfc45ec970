"""The command `merge`."""

from pathlib import Path
from typing import Annotated

import typer

from napari_colorkde.cli.batch.palettes import MergedPalettes, MinCountOption, write_palette
from napari_colorkde.cli.console import timed_step
from napari_colorkde.cli.inputs import image_inputs
from napari_colorkde.cli.parsers import refuse_overwriting_inputs
from napari_colorkde.cli.program import Command


def merge(
    context: typer.Context,
    palettes: Annotated[
        list[Path],
        typer.Argument(metavar="PALETTE", help=".npz files written by the count command."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The merged palette, .npz.")],
    min_count: MinCountOption = 1,
) -> None:
    """Merge palettes into one palette of all their images; counts add up exactly, in any order.

    All must have the same number of channels and the same data type.
    """
    from napari_colorkde.io.palettes import PALETTE_SUFFIX, load_palette
    from napari_colorkde.io.writers.targets import check_target

    check_target(output, (PALETTE_SUFFIX,), name="output")
    refuse_overwriting_inputs(output, *palettes)
    seen: set[Path] = set()
    for path in palettes:
        if path.resolve() in seen:
            raise ValueError(f"palette {str(path)!r} is given twice; give it once.")
        seen.add(path.resolve())
    merged = MergedPalettes()
    with timed_step("Merging") as work:
        for done, path in enumerate(palettes):
            work.progress(done / len(palettes))
            merged.add(path, load_palette(path))
        palette = merged.palette()
        work.outcome = f"{len(palettes)} palettes, {image_inputs.palette_facts(palette)}"
    palette = image_inputs.without_rare(palette, min_count)
    write_palette(output, palette, context.obj or "", palettes)


COMMAND = Command(
    merge,
    name="merge",
    summary="Merge palettes.",
    examples=(
        "merge monday.npz tuesday.npz -o week.npz",
        "merge monday.npz tuesday.npz -o week.npz --min-count 20",
    ),
)
