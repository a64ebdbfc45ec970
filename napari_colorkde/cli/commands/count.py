"""The command `count`."""

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_colorkde.app.results.files import filled_in, find_images, has_fields
from napari_colorkde.app.results.tasks import Task
from napari_colorkde.cli.batch.csv_rows import makes_rows
from napari_colorkde.cli.batch.files import OPTIONS, TEMPLATES, for_each_image
from napari_colorkde.cli.batch.jobs import run_tasks
from napari_colorkde.cli.batch.palettes import (
    MergedPalettes,
    MinCountOption,
    is_palette_name,
    write_palette,
)
from napari_colorkde.cli.batch.skip_existing import is_done
from napari_colorkde.cli.inputs import image_inputs
from napari_colorkde.cli.inputs.reading_options import Reading, reads_images
from napari_colorkde.cli.parsers import refuse_overwriting_inputs
from napari_colorkde.cli.program import Command
from napari_colorkde.cli.shared_options import ChannelAxisOption, ChannelsOption, MaskOption
from napari_colorkde.core.csv_and_frames import Row

if TYPE_CHECKING:
    from napari_colorkde.core.palette.palette import Palette

OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="A table (.csv; printed by default), or the counted colors (.npz): one file for all "
        "inputs together, or one for each if the name has fields.",
    ),
]


def count_row(
    image: Path,
    mask: MaskOption = None,
    channel_axis: ChannelAxisOption = "-1",
    channels: ChannelsOption = None,
    min_count: MinCountOption = 1,
    *,
    output: OutputOption = None,
    reading: Reading,
) -> list[Row]:
    """Return the row of one image."""
    if output is not None:
        refuse_overwriting_inputs(output, image, mask)
    palette = count_palette(image, mask, channel_axis, channels, min_count, reading=reading)
    return [
        {
            "image": str(image),
            "pixels": palette.n_pixels,
            "colors": len(palette),
            "masked": palette.n_masked,
            "transparent": palette.n_transparent,
            "not_finite": palette.n_not_finite,
            "rare": palette.n_rare,
        }
    ]


def count_palette(
    image: Path,
    mask: Path | None,
    channel_axis: int | None,
    channels: list[int] | None,
    min_count: int = 1,
    *,
    reading: Reading,
) -> "Palette":
    """Count the colors of one image, without rare ones."""
    read = image_inputs.read(image, mask, channel_axis, channels, reading)
    return image_inputs.without_rare(image_inputs.count_colors(read), min_count)


def count_file(
    context: typer.Context,
    image: Path,
    mask: Path | None,
    channel_axis: int | None,
    channels: list[int] | None,
    min_count: int,
    *,
    output: Path,
    reading: Reading,
) -> None:
    """Write the palette of one image."""
    refuse_overwriting_inputs(output, image, mask)
    palette = count_palette(image, mask, channel_axis, channels, min_count, reading=reading)
    write_palette(output, palette, context.obj or "", [image])


_rows = makes_rows(count_row)
_files = for_each_image("palette")(count_file)


def _together(context: typer.Context, **given: Any) -> None:
    """Write one palette of all images, which are counted one after another or side by side."""
    options = {name: given.pop(name) for name in OPTIONS}
    words, output, min_count = (given.pop(name) for name in ("image", "output", "min_count"))
    files = find_images(words, recursive=options["recursive"])
    refuse_overwriting_inputs(output, *(file.path for file in files))
    if is_done(output, options["skip_existing"]):
        return
    tasks = []
    for file in files:
        own = {
            name: filled_in(Path(value), file, "palette") if name in TEMPLATES and value else value
            for name, value in given.items()
        }
        tasks.append(Task(file.path, count_palette, {**own, "image": file.path}))
    merged = MergedPalettes()
    failed: typer.Exit | None = None
    if len(tasks) == 1:
        merged.add(files[0].path, count_palette(**tasks[0].arguments))
    else:
        try:
            run_tasks(tasks, options["jobs"], keep_going=options["keep_going"], take=merged.add)
        except typer.Exit as ended:
            if not merged.files:
                raise
            failed = ended
    palette = image_inputs.without_rare(merged.palette(), min_count)
    write_palette(output, palette, context.obj or "", merged.files)
    if failed is not None:
        raise failed


def count(context: typer.Context, **given: Any) -> None:
    """Count the pixels and distinct colors of images, and the pixels left out.

    A palette (.npz) has all that statistics need: volume, fit, bandwidth, compare, measure and
    crosscheck accept it instead of an image. --min-count leaves out rare colors.
    """
    from napari_colorkde.io.palettes import PALETTE_SUFFIX
    from napari_colorkde.io.writers.targets import check_target

    output = given["output"]
    if output is not None:
        check_target(output, (".csv", PALETTE_SUFFIX), name="output")
    if not is_palette_name(output):
        _rows(**given)
        return
    if has_fields(output):
        _files(context=context, **given)
        return
    _together(context, **given)


def _signature() -> inspect.Signature:
    """Return that of the table, whose name may be that of a palette."""
    signature = inspect.signature(_rows)
    context = inspect.Parameter(
        "context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
    )
    parameters = [
        p.replace(annotation=OutputOption) if p.name == "output" else p
        for p in signature.parameters.values()
    ]
    return signature.replace(parameters=[context, *parameters])


count.__signature__ = _signature()  # type: ignore[attr-defined]  # what typer reads

COMMAND = Command(
    reads_images(count),
    name="count",
    summary="Count pixels and colors: a table, or a palette.",
    examples=(
        "count photo.jpg",
        "count photo.jpg scan.tif -o counts.csv",
        "count slides/photo.jpg slides/scan.tif -o palette.npz --min-count 20",
        'count photo.jpg scan.tif -o "{dir}/{stem}.npz"',
    ),
)
