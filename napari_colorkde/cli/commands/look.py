"""The command `look`."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from napari_colorkde.cli.console import table, timed_step
from napari_colorkde.cli.inputs import image_inputs
from napari_colorkde.cli.inputs.reading_options import Reading, reads_images
from napari_colorkde.cli.parsers import refuse_overwriting_inputs
from napari_colorkde.cli.program import Command
from napari_colorkde.cli.shared_options import (
    BandwidthOption,
    DeviceOption,
    ImageArgument,
    JsonOption,
    MaskOption,
)

SUFFIXES = (".tif", ".tiff", ".png", ".npy")


@reads_images
def look(
    image: ImageArgument,
    grade: Annotated[Path, typer.Argument(metavar="LOOK", help="A lookup table (.cube).")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the graded image: .tif, .png, .npy."),
    ] = None,
    bandwidth: BandwidthOption = "auto",
    as_json: JsonOption = False,
    mask: MaskOption = None,
    device: DeviceOption = "auto",
    *,
    reading: Reading,
) -> None:
    """Print what a look does to the colors of an image, and write the graded image.

    js is the Jensen-Shannon divergence of the densities before and after, in nats: 0 where nothing
    changes, at most ln 2 = 0.693. All other commands also take --look FILE.
    """
    from napari_colorkde.core.kde.divergence import compare
    from napari_colorkde.io.formats.color_space.cube_reader import read_look
    from napari_colorkde.io.writers.targets import check_target

    if reading.look is not None:
        raise ValueError("this command takes no --look option; give the file as the argument LOOK.")
    if output is not None:
        check_target(output, SUFFIXES, name="output")
        refuse_overwriting_inputs(output, image, mask, grade)
    read = image_inputs.read(image, mask, -1, None, reading)
    chosen = read_look(grade)
    with timed_step("Grading"):
        graded = replace(read, array=chosen.apply(read.pixels))
    before, after = image_inputs.count_colors(read), image_inputs.count_colors(graded)
    with timed_step("Divergence"):
        found = compare(before, after, bandwidth, device=device)
    rows = []
    for name, palette in (("before", before), ("after", after)):
        means = (palette.counts @ palette.colors / palette.total_weight).tolist()
        rows.append({"": name, "colors": len(palette), **dict(zip("rgb", means, strict=True))})
    if as_json:
        typer.echo(json.dumps({"before": rows[0], "after": rows[1], "js": found.js}))
    else:
        cells = [[f"{v:.6g}" if isinstance(v, float) else str(v) for v in r.values()] for r in rows]
        header = ["", "colors", "mean r", "mean g", "mean b", "js"]
        typer.echo(table(header, [[*cells[0], ""], [*cells[1], f"{found.js:.6g}"]]))
    if output is not None:
        from napari_colorkde.io.formats.pillow import write_picture

        with timed_step(f"Writing {output}"):
            write_picture(output, graded.pixels)


COMMAND = Command(
    look,
    name="look",
    summary="Show what a look (.cube) does to colors.",
    examples=("look photo.jpg grade.cube", "look photo.jpg grade.cube -o graded.tif"),
)
