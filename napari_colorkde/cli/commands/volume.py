"""The command `volume`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from napari_colorkde.cli import tasks
from napari_colorkde.cli.batch.files import for_each_image
from napari_colorkde.cli.console import timed_step
from napari_colorkde.cli.inputs import image_inputs
from napari_colorkde.cli.inputs.reading_options import Reading, reads_images
from napari_colorkde.cli.parsers import Numbers, parse_pair, refuse_overwriting_inputs
from napari_colorkde.cli.program import Command
from napari_colorkde.cli.shared_options import (
    BandwidthOption,
    BoundaryOption,
    ChannelAxisOption,
    ChannelsOption,
    DeviceOption,
    ImageArgument,
    MaskOption,
    SpaceOption,
    VaryingOption,
)


@reads_images
@for_each_image("volume")
def volume(
    context: typer.Context,
    image: ImageArgument,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="$volume_files: .npz holds everything, .npy the values, .tif is for ImageJ.",
        ),
    ],
    bins: Annotated[int, typer.Option("--bins", help="Grid points per axis.")] = 128,
    extent: Annotated[
        list[Numbers] | None,
        typer.Option(
            "--extent",
            metavar="LOW,HIGH",
            parser=parse_pair,
            help="First and last grid point, given once or once per channel. Default: 0,255 for "
            "8-bit images, otherwise the data's range plus 3 sigma on each side.",
        ),
    ] = None,
    bandwidth: BandwidthOption = "auto",
    space: SpaceOption = "rgb",
    boundary: BoundaryOption = "none",
    varying: VaryingOption = False,
    sampling: Annotated[
        Literal["points", "cells"],
        typer.Option(
            "--sampling",
            help="cells are averages over grid cells, for kernels narrower than the grid spacing.",
        ),
    ] = "points",
    cube: Annotated[
        Literal["matte", "graded"],
        typer.Option(
            "--cube",
            help="What a .cube shows: matte, bright where colors are dense; graded, colors that "
            "fade to gray where they are rare.",
        ),
    ] = "matte",
    mask: MaskOption = None,
    channel_axis: ChannelAxisOption = "-1",
    channels: ChannelsOption = None,
    device: DeviceOption = "auto",
    *,
    reading: Reading,
) -> None:
    """Write the density of an image's colors on a regular grid of colors."""
    from napari_colorkde.core.kde.estimators.choose import estimator_facts
    from napari_colorkde.io.export_formats import check_export
    from napari_colorkde.io.provenance import LOOK, provenance
    from napari_colorkde.io.volumes import save_volume

    check_export(output, volume=True, name="output")
    refuse_overwriting_inputs(output, image, mask)
    read = image_inputs.read(image, mask, channel_axis, channels, reading)
    grid = tasks.kde_volume(
        image_inputs.count_colors(read),
        tasks.chosen_by_image(read, bandwidth, space, device),
        bins=bins,
        extent=extent or [],
        sampling=sampling,
        estimator={"space": space, "boundary": boundary, "varying": varying, "device": device},
    )
    origin = {"image": str(image), "covariance": grid.covariance, "space": space}
    if cube != "matte":
        if output.suffix.lower() != ".cube":
            raise ValueError(
                f"--cube {cube} is for .cube files; give an --output that ends in .cube."
            )
        origin[LOOK] = cube
    record = provenance(context.obj or "", **origin, **estimator_facts(boundary, varying))
    with timed_step(f"Writing {output}"):
        save_volume(output, grid, description=record)


COMMAND = Command(
    volume,
    name="volume",
    summary="Write the density on a grid of colors.",
    examples=(
        "volume photo.jpg -o volume.npz",
        "volume photo.jpg -o volume.tif --bins 64 --bandwidth 5",
        "volume scan.tif -o volume.npz --extent 0,4095 --bandwidth loco",
    ),
)
