"""The command `measure`."""

from pathlib import Path
from typing import Annotated

import typer

from napari_colorkde.app.results.files import has_fields
from napari_colorkde.app.results.row_layout import measured_row, read_regions, regions_of_frame
from napari_colorkde.cli.batch.csv_rows import makes_rows
from napari_colorkde.cli.inputs import image_inputs, kernel_inputs
from napari_colorkde.cli.inputs.reading_options import Reading, reads_images
from napari_colorkde.cli.parsers import refuse_overwriting_inputs, unique_names
from napari_colorkde.cli.program import Command
from napari_colorkde.cli.shared_options import (
    ChannelAxisOption,
    ChannelsOption,
    DeviceOption,
    MaskOption,
    PriorOption,
)
from napari_colorkde.core.csv_and_frames import Row


@reads_images
@makes_rows
def measure(
    image: Path,
    kernels: Annotated[
        Path | None,
        typer.Option(
            "--kernels",
            help="Kernel file (.json, .csv); the table has a row for each of its classes.",
        ),
    ] = None,
    regions: Annotated[
        Path | None,
        typer.Option(
            "--regions",
            help="Make a row for each region: a label image, or polygons as GeoJSON. The name may "
            "have fields, as in --output.",
        ),
    ] = None,
    prior: PriorOption = None,
    keep_mass: Annotated[
        float | None,
        typer.Option(
            "--keep-mass",
            metavar="MASS",
            help="Leave pixels unclassified outside the densest region that holds this fraction of "
            "the image.",
        ),
    ] = None,
    pixel_size: Annotated[
        float | None,
        typer.Option(
            "--pixel-size", help="Side of a pixel in µm, for files that do not record it."
        ),
    ] = None,
    per_frame: Annotated[
        bool, typer.Option("--per-frame", help="Measure the frames of a stack one by one.")
    ] = False,
    mask: MaskOption = None,
    channel_axis: ChannelAxisOption = "-1",
    channels: ChannelsOption = None,
    device: DeviceOption = "auto",
    *,
    output: Path | None,
    reading: Reading,
) -> list[Row]:
    """Write a table with a row for each image, region and class: pixels, areas, mean colors.

    Fractions are relative to the region's pixels that count. The log-likelihood (under the mixture
    of all classes, weighted by their priors) and the entropy of the posteriors are means over the
    row's pixels, in nats.
    """
    from napari_colorkde.core.classification.classify_colors import classify_colors
    from napari_colorkde.core.classification.measure import measure_palette, measure_regions

    if output is not None:
        refuse_overwriting_inputs(output, image, mask, kernels, regions)
    if kernels is None and (prior or keep_mass is not None):
        raise ValueError("--prior and --keep-mass are about classes; give --kernels FILE.")
    if pixel_size is not None and not 0 < pixel_size < float("inf"):
        raise ValueError(f"--pixel-size {pixel_size}: give a number above 0, in µm.")
    kernel_sets = None if kernels is None else kernel_inputs.load_sets(kernels, None)
    read = image_inputs.read(image, mask, channel_axis, channels, reading)
    if kernel_sets is not None:
        read.check_kernels(kernel_sets.values())
    area = None if read.pixel_size is None else read.pixel_size[0] * read.pixel_size[1]
    if pixel_size is not None:
        area = pixel_size**2
    if regions is not None and has_fields(regions):
        raise ValueError(
            f"--regions {str(regions)!r}: fields are only filled in for several images."
        )
    parts = None if regions is None else read_regions(regions, read.shape, "--regions")
    rows: list[Row] = []
    priors = unique_names(prior)
    for frame, part in image_inputs.frames(read, per_frame=per_frame):
        if parts is None:
            palette = image_inputs.count_colors(part)
            found = measure_palette(
                classify_colors(
                    palette, kernel_sets, priors=priors, keep_mass=keep_mass, device=device
                )
            )
        else:
            found = measure_regions(
                part.pixels,
                regions_of_frame(parts, frame),
                kernel_sets,
                priors=priors,
                keep_mass=keep_mass,
                mask=part.mask,
                channel_axis=part.channel_axis,
                n_channels=part.n_channels,
                device=device,
            )
        place = frame if per_frame else None
        rows += [measured_row(str(image), m, frame=place, pixel_area=area) for m in found]
    return rows


COMMAND = Command(
    measure,
    name="measure",
    summary="Measure regions and classes into a table.",
    examples=(
        "measure photo.jpg",
        "measure slides/photo.jpg --kernels kernels.json -o table.csv",
        'measure scan.tif --kernels kernels.json --regions "{dir}/{stem}.geojson" -o table.csv',
    ),
)
