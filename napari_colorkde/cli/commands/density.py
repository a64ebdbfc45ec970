"""The command `density`."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from napari_colorkde.cli import allowed_names, tasks
from napari_colorkde.cli.batch.files import for_each_image
from napari_colorkde.cli.density_output import Result
from napari_colorkde.cli.inputs import image_inputs, kernel_inputs
from napari_colorkde.cli.inputs.reading_options import Reading, is_typed, reads_images
from napari_colorkde.cli.parsers import (
    BandwidthValue,
    parse_bandwidth,
    parse_class_numbers,
    parse_colormap,
    refuse_overwriting_inputs,
    unique_names,
)
from napari_colorkde.cli.program import Command
from napari_colorkde.cli.shared_options import (
    BANDWIDTH_HELP,
    BoundaryOption,
    ChannelAxisOption,
    ChannelsOption,
    DeviceOption,
    ImageArgument,
    MaskOption,
    PriorOption,
    SpaceOption,
    VaryingOption,
)

Show = Literal["density", "posterior", "ratio", "class"]


@reads_images
@for_each_image(lambda given: given["show"])
def density(
    context: typer.Context,
    image: ImageArgument,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="$density_files.",
        ),
    ],
    kernels: Annotated[
        Path | None,
        typer.Option("--kernels", help="Kernel file (.json, .csv), for its mixture density."),
    ] = None,
    set_name: Annotated[
        str | None, typer.Option("--set", help="Which set of the kernel file to use.")
    ] = None,
    show: Annotated[
        Show,
        typer.Option(
            "--show",
            help="density; or, with --kernels: posterior (of --class), ratio (log-likelihood ratio "
            "of --class and --against, in nats) or class (the most likely one, counted from 1).",
        ),
    ] = "density",
    cls: Annotated[
        str | None,
        typer.Option(
            "--class",
            metavar="NAME",
            help="Class to show. Kernels without a class take the name of their set.",
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            "--against", metavar="NAME", help="The class to compare against in the ratio."
        ),
    ] = None,
    prior: PriorOption = None,
    keep_mass: Annotated[
        float | None,
        typer.Option(
            "--keep-mass",
            "--none-below",
            metavar="MASS",
            help="Leave pixels unclassified (0) outside the densest region that holds this "
            "fraction of the image.",
        ),
    ] = None,
    numbers: Annotated[
        Any,
        typer.Option(
            "--numbers",
            metavar="NAME=N,…",
            parser=parse_class_numbers,
            help="Number of each class in the result, such as skin=1,wall=2; names: the numbers "
            "that are the classes' names, as fit takes them from labels. Default: their order.",
        ),
    ] = None,
    bandwidth: Annotated[
        BandwidthValue,
        typer.Option(
            "--bandwidth",
            metavar="BANDWIDTH",
            parser=parse_bandwidth,
            autocompletion=lambda: list(allowed_names.bandwidths()),
            help=f"KDE of the image's own colors: {BANDWIDTH_HELP}",
        ),
    ] = None,
    space: SpaceOption = "rgb",
    boundary: BoundaryOption = "none",
    varying: VaryingOption = False,
    log: Annotated[bool, typer.Option("--log", help="Natural logarithm of the density.")] = False,
    colormap: Annotated[
        str,
        typer.Option(
            "--colormap",
            metavar="NAME",
            parser=parse_colormap,
            autocompletion=lambda: list(allowed_names.colormaps()),
            help="For .png: $colormaps.",
        ),
    ] = "magma",
    color_bar: Annotated[
        bool, typer.Option("--color-bar", help="For .png: draw a color bar on the right.")
    ] = False,
    per_frame: Annotated[
        bool,
        typer.Option(
            "--per-frame",
            help="Process the frames of a stack one by one, each with the density "
            "of its own colors.",
        ),
    ] = False,
    mask: MaskOption = None,
    channel_axis: ChannelAxisOption = "-1",
    channels: ChannelsOption = None,
    device: DeviceOption = "auto",
    *,
    slide_jobs: int = 1,
    reading: Reading,
) -> None:
    """Write the density of each pixel's color, or its class, posterior or likelihood ratio."""
    from napari_colorkde.core.classification.classify_image import ClassOptions
    from napari_colorkde.core.kde.estimators.choose import estimator_facts
    from napari_colorkde.io.export_formats import check_export
    from napari_colorkde.io.provenance import GEO_TAGS, PIXEL_SIZE

    check_export(output, name="output")
    refuse_overwriting_inputs(output, image, mask, kernels)
    priors = unique_names(prior)
    _require_agreement(
        show,
        {
            "--kernels": kernels is not None,
            "--set": set_name is not None,
            "--class": cls is not None,
            "--against": against is not None,
            "--prior": priors is not None,
            "--keep-mass": keep_mass is not None,
            "--numbers": numbers is not None,
            "--bandwidth": is_typed(context, "bandwidth"),
            "--space": space != "rgb" or varying or boundary != "none",
            "--log": log,
            "--per-frame": per_frame,
        },
    )
    kernel_sets = {} if kernels is None else kernel_inputs.load_sets(kernels, set_name)
    read = image_inputs.read(image, mask, channel_axis, channels, reading)
    shape = read.shape  # that of a palette is none, which is refused here
    if output.suffix.lower() == ".png" and len(shape) != 2:
        raise ValueError(
            f"output {str(output)!r}: a PNG holds a single image, but the pixels have shape "
            f"{shape}; write .tif or .npy."
        )
    result = Result(output, {"image": str(image)}, context.obj or "", log, colormap, color_bar)
    result.jobs = slide_jobs
    result.sources = tuple(filter(None, (image, mask, kernels)))
    if read.pixel_size is not None:
        result.origin[PIXEL_SIZE] = list(read.pixel_size)
    if read.geo_tags:
        result.origin[GEO_TAGS] = [list(tag) for tag in read.geo_tags]
    if show != "density":
        options = ClassOptions(cls=cls, against=against, priors=priors, keep_mass=keep_mass)
        values = tasks.classify(read, kernel_sets, show, {**options, "device": device}, numbers)
        result.origin.update({name: value for name, value in options.items() if value is not None})
        result.write_classified(values, show, kernel_sets, numbers)
        return
    if kernels is None:
        values, covariance = tasks.kde_density(
            read,
            bandwidth,
            log=log,
            estimator={"space": space, "boundary": boundary, "varying": varying, "device": device},
            per_frame=per_frame,
        )
        result.origin["kernel density estimate with covariance"] = covariance
        result.origin["space"] = space
        result.origin.update(estimator_facts(boundary, varying))
    else:
        mixture = (
            kernel_inputs.single_set(kernels, kernel_sets)
            if cls is None
            else kernel_inputs.kernels_of_class(kernel_sets, cls)
        )
        values = tasks.mixture_density(read, mixture, log=log, device=device)
        result.origin["mixture"] = mixture.name
        result.origin["sum of weights"] = mixture.weights.sum()
    result.write(values)


OPTIONS_OF_KERNELS = ("--set", "--class", "--against", "--prior", "--keep-mass", "--numbers")


def _require_agreement(show: str, given: dict[str, bool]) -> None:
    """Refuse options that say nothing about what is shown, or contradict each other."""
    if given["--kernels"] and given["--bandwidth"]:
        raise ValueError("--kernels and --bandwidth cannot be combined; give one of them.")
    if given["--kernels"] and given["--per-frame"]:
        raise ValueError(
            "--per-frame is for the image's own colors; kernels give the same result frame by "
            "frame."
        )
    if given["--kernels"] and given["--space"]:
        raise ValueError(
            "--space, --boundary and --varying are for the image's own colors; kernels are used as "
            "the file has them."
        )
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
        "--keep-mass": ("class",),
        "--numbers": ("class",),
        "--log": ("density",),
    }
    for option, shows in fitting.items():
        if given[option] and show not in shows:
            raise ValueError(
                f"{option} goes with --show {' or '.join(shows)}, not with --show {show}; "
                "leave one of them out."
            )


COMMAND = Command(
    density,
    name="density",
    summary="Write the density or class of each pixel.",
    examples=(
        "density photo.jpg -o density.tif",
        "density photo.jpg -o density.png --bandwidth 5 --log --colormap viridis",
        "density photo.jpg -o skin.tif --kernels jones_rehg_1999.csv --set skin",
        "density photo.jpg -o skin.png --kernels kernels.json --show posterior --class skin "
        "--prior skin=0.3",
        "density photo.jpg -o classes.png --kernels kernels.json --show class --keep-mass 0.99",
    ),
)
