"""The commands that write densities: on a grid of colors, and at each pixel."""

from pathlib import Path
from typing import Annotated

import typer

from napari_colorkde.cli import inputs, tasks
from napari_colorkde.cli.arguments import (
    parse_bandwidth,
    parse_channel_axis,
    parse_channels,
    parse_named_numbers,
    parse_numbers,
    refuse_overwriting_inputs,
)
from napari_colorkde.cli.console import step
from napari_colorkde.cli.options import (
    BANDWIDTH_HELP,
    BandwidthOption,
    ChannelAxisOption,
    ChannelsOption,
    DeviceOption,
    ImageArgument,
    MaskOption,
    SpaceOption,
    app,
    examples,
)
from napari_colorkde.cli.results import Result


@app.command(
    short_help="Write the density on a grid of colors.",
    epilog=examples(
        "volume photo.jpg -o volume.npz",
        "volume photo.jpg -o volume.tif --bins 64 --bandwidth 5",
        "volume scan.tif -o volume.npz --extent 0,4095 --bandwidth loco",
    ),
)
def volume(
    context: typer.Context,
    image: ImageArgument,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help=".npz (everything), .npy (values) or .tif (ImageJ)."),
    ],
    bins: Annotated[int, typer.Option("--bins", help="Grid points per axis.")] = 128,
    extent: Annotated[
        list[str] | None,
        typer.Option(
            "--extent",
            metavar="LOW,HIGH",
            help="First and last grid point; once, or once for each channel. "
            "Default: 0,255 for 8-bit images, otherwise the data's range and 3 sigma.",
        ),
    ] = None,
    bandwidth: BandwidthOption = "auto",
    space: SpaceOption = "rgb",
    sampling: Annotated[
        str,
        typer.Option(
            "--sampling", help="points, or cells: averages, for kernels narrower than the grid."
        ),
    ] = "points",
    mask: MaskOption = None,
    channel_axis: ChannelAxisOption = "-1",
    channels: ChannelsOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Write the density of an image's colors on a regular grid of colors."""
    from napari_colorkde.io.atomic import check_target
    from napari_colorkde.io.provenance import provenance
    from napari_colorkde.io.volumes import VOLUME_SUFFIXES, write_volume

    check_target(output, VOLUME_SUFFIXES, name="output")
    refuse_overwriting_inputs(output, image, mask)
    if sampling not in ("points", "cells"):
        raise ValueError(f"sampling={sampling!r} is not known; use points or cells.")
    width = parse_bandwidth(bandwidth)
    pairs = [parse_numbers(pair, "extent", count=2) for pair in extent or ()]
    axis, entries = parse_channel_axis(channel_axis), parse_channels(channels)
    palette = inputs.count(inputs.read(image, mask, axis, entries))
    grid = tasks.kde_volume(
        palette,
        width,
        bins=bins,
        extent=pairs,
        space=space,
        sampling=sampling,
        device=device,
    )
    record = provenance(
        context.obj or "", image=str(image), covariance=grid.covariance, space=space
    )
    with step(f"Writing {output}"):
        write_volume(output, grid, description=record)


@app.command(
    short_help="Write the density or class of each pixel.",
    epilog=examples(
        "density photo.jpg -o density.tif",
        "density photo.jpg -o density.png --bandwidth 5 --log --colormap viridis",
        "density photo.jpg -o skin.tif --kernels jones_rehg_1999.csv --set skin",
        "density photo.jpg -o skin.png --kernels kernels.json --show posterior --class skin "
        "--prior skin=0.3",
        "density photo.jpg -o classes.png --kernels kernels.json --show class --none-below 0.99",
    ),
)
def density(
    context: typer.Context,
    image: ImageArgument,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help=".tif (float32; classes: integers), .npy, .npz or .png (colored).",
        ),
    ],
    kernels: Annotated[
        Path | None,
        typer.Option("--kernels", help="Kernel file (.json, .csv): its mixture density."),
    ] = None,
    set_name: Annotated[
        str | None, typer.Option("--set", help="Which set of the kernel file.")
    ] = None,
    show: Annotated[
        str,
        typer.Option(
            "--show",
            help="density; or, of kernels: posterior (of --class), ratio (log-likelihood ratio of "
            "--class and --against, in nats) or class (the most likely one, counted from 1).",
        ),
    ] = "density",
    cls: Annotated[
        str | None,
        typer.Option(
            "--class",
            metavar="NAME",
            help="Class of kernels. Those without one have the name of their set for it.",
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option("--against", metavar="NAME", help="The other class of the ratio."),
    ] = None,
    prior: Annotated[
        list[str] | None,
        typer.Option(
            "--prior",
            metavar="NAME=P",
            help="Prior of a class, once for each; those left out share what is left of 1.",
        ),
    ] = None,
    none_below: Annotated[
        float | None,
        typer.Option(
            "--none-below",
            metavar="MASS",
            help="No class (0) for pixels outside the densest that are this fraction of the image.",
        ),
    ] = None,
    bandwidth: Annotated[
        str | None,
        typer.Option("--bandwidth", help=f"KDE of the image's own colors: {BANDWIDTH_HELP}"),
    ] = None,
    space: SpaceOption = "rgb",
    log: Annotated[bool, typer.Option("--log", help="Natural logarithm of the density.")] = False,
    colormap: Annotated[
        str,
        typer.Option("--colormap", help="For .png: gray, viridis, magma, inferno or plasma."),
    ] = "magma",
    mask: MaskOption = None,
    channel_axis: ChannelAxisOption = "-1",
    channels: ChannelsOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Write the density of the color at each pixel, or what kernels with classes say of it."""
    from napari_colorkde.io.atomic import check_target
    from napari_colorkde.io.colormaps import lookup_table
    from napari_colorkde.io.densities import DENSITY_SUFFIXES

    check_target(output, DENSITY_SUFFIXES, name="output")
    refuse_overwriting_inputs(output, image, mask, kernels)
    lookup_table(colormap)
    priors = parse_named_numbers(prior, "prior")
    width = parse_bandwidth(bandwidth or "auto")
    axis, entries = parse_channel_axis(channel_axis), parse_channels(channels)
    _require_agreement(
        show,
        {
            "--kernels": kernels is not None,
            "--set": set_name is not None,
            "--class": cls is not None,
            "--against": against is not None,
            "--prior": priors is not None,
            "--none-below": none_below is not None,
            "--bandwidth": bandwidth is not None,
            "--space": space != "rgb",
            "--log": log,
        },
    )
    kernel_sets = {} if kernels is None else inputs.load_sets(kernels, set_name)
    picture = inputs.read(image, mask, axis, entries)
    if output.suffix.lower() == ".png" and len(picture.shape) != 2:
        raise ValueError(
            f"output {str(output)!r}: a PNG holds one picture, but the pixels have the shape "
            f"{picture.shape}; write .tif or .npy."
        )
    result = Result(output, {"image": str(image)}, context.obj or "", log, colormap)
    if show != "density":
        options = {"cls": cls, "against": against, "priors": priors, "none_below": none_below}
        values = tasks.classify(picture, kernel_sets, show, **options, device=device)
        result.origin.update({name: value for name, value in options.items() if value is not None})
        result.write_classified(values, show, kernel_sets)
        return
    if kernels is None:
        values, covariance = tasks.kde_density(picture, width, space=space, log=log, device=device)
        result.origin["kernel density estimate with covariance"] = covariance
        result.origin["space"] = space
    else:
        mixture = (
            inputs.single_set(kernels, kernel_sets)
            if cls is None
            else inputs.kernels_of_class(kernel_sets, cls)
        )
        values = tasks.mixture_density(picture, mixture, log=log, device=device)
        result.origin["mixture"] = mixture.name
        result.origin["sum of weights"] = mixture.weights.sum()
    result.write(values)


SHOWS = ("density", "posterior", "ratio", "class")

OPTIONS_OF_KERNELS = ("--set", "--class", "--against", "--prior", "--none-below")


def _require_agreement(show: str, given: dict[str, bool]) -> None:
    """Refuse options that say nothing about what is shown, or contradict each other."""
    if show not in SHOWS:
        raise ValueError(f"show={show!r} is not known; use one of {', '.join(SHOWS)}.")
    if given["--kernels"] and given["--bandwidth"]:
        raise ValueError("--kernels and --bandwidth exclude each other; give one of them.")
    if given["--kernels"] and given["--space"]:
        raise ValueError("--space is for the image's own colors; kernels are those of the file.")
    if not given["--kernels"]:
        if show != "density":
            raise ValueError(f"--show {show} needs kernels with classes; give --kernels FILE.")
        for option in OPTIONS_OF_KERNELS:
            if given[option]:
                raise ValueError(
                    f"{option} names a set of a kernel file; give the file with --kernels."
                    if option == "--set"
                    else f"{option} is about classes of kernels; give the file with --kernels."
                )
    fitting = {
        "--class": ("density", "posterior", "ratio"),
        "--against": ("ratio",),
        "--prior": ("posterior", "class"),
        "--none-below": ("class",),
        "--log": ("density",),
    }
    for option, shows in fitting.items():
        if given[option] and show not in shows:
            raise ValueError(
                f"{option} goes with --show {' or '.join(shows)}, not with --show {show}; "
                "leave one of them."
            )
