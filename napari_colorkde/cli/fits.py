"""The commands about kernel files: fit one to an image, look at one and convert it."""

from pathlib import Path
from typing import Annotated

import typer

from napari_colorkde.cli import inputs, tasks
from napari_colorkde.cli.arguments import (
    parse_channel_axis,
    parse_channels,
    parse_label_names,
    parse_n_kernels,
    refuse_overwriting_inputs,
)
from napari_colorkde.cli.console import step
from napari_colorkde.cli.options import (
    ChannelAxisOption,
    ChannelsOption,
    DeviceOption,
    ImageArgument,
    MaskOption,
    app,
    examples,
)

COVARIANCES = {
    "full": "full",
    "diagonal": "diag",
    "diag": "diag",
    "spherical": "spherical",
    "tied": "tied",
}
"""What may be typed, and what the engine calls it."""


@app.command(
    short_help="Fit Gaussian kernels to an image.",
    epilog=examples(
        "fit photo.jpg -k 8 -o kernels.json",
        "fit photo.jpg -k auto --max-k 6 --covariance diagonal -o kernels.csv",
        "fit photo.jpg --labels labels.tif --name 1=skin --name 2=background -k 4 -o kernels.json",
    ),
)
def fit(
    context: typer.Context,
    image: ImageArgument,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Kernel file: .json (everything) or .csv.")
    ],
    n_kernels: Annotated[
        str,
        typer.Option(
            "--n-kernels",
            "-k",
            metavar="N",
            help="Number of kernels (for each label), or auto: chosen by BIC, up to --max-k.",
        ),
    ],
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels", help="Image of whole numbers: one mixture for each label but 0, as a class."
        ),
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(
            "--name", metavar="LABEL=CLASS", help="Class of a label; default: its number."
        ),
    ] = None,
    covariance: Annotated[
        str, typer.Option("--covariance", help="full, diagonal, spherical or tied.")
    ] = "full",
    max_k: Annotated[
        int | None, typer.Option("--max-k", help="Most kernels that auto tries; default 10.")
    ] = None,
    reg_covar: Annotated[
        float | None,
        typer.Option(
            "--reg-covar",
            help="Added to all variances. Default: the variance of rounding, 1/12 of a level².",
        ),
    ] = None,
    max_iter: Annotated[
        int, typer.Option("--max-iter", help="Most iterations of EM for a mixture.")
    ] = 200,
    seed: Annotated[int, typer.Option("--seed", help="Of the starting kernels.")] = 0,
    mask: MaskOption = None,
    channel_axis: ChannelAxisOption = "-1",
    channels: ChannelsOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Fit a mixture of Gaussian kernels to an image's colors, or one to each label's, by EM."""
    from napari_colorkde.io.atomic import check_target
    from napari_colorkde.io.kernel_files import KERNEL_SUFFIXES, save_kernels

    check_target(output, KERNEL_SUFFIXES, name="output")
    refuse_overwriting_inputs(output, image, mask, labels)
    number = parse_n_kernels(n_kernels)
    if covariance not in COVARIANCES:
        raise ValueError(
            f"covariance={covariance!r} is not known; use full, diagonal, spherical or tied."
        )
    if max_k is not None and (number != "bic" or max_k < 1):
        raise ValueError(f"--max-k {max_k}: give a number from 1, and -k auto with it.")
    if labels is None and name:
        raise ValueError("--name names a label; give the labels with --labels.")
    if seed < 0:
        raise ValueError(f"--seed {seed}: give a number of 0 or more.")
    names = parse_label_names(name)
    picture = inputs.read(image, mask, parse_channel_axis(channel_axis), parse_channels(channels))
    options = {
        "covariance_type": COVARIANCES[covariance],
        "reg_covar": reg_covar,
        "random_state": seed,
        "max_iter": max_iter,
        "candidates": range(1, (max_k or 10) + 1),
        "device": device,
    }
    kernel_sets = tasks.fit(picture, labels, number, names, options)
    with step(f"Writing {output}"):
        save_kernels(output, kernel_sets, about=context.obj or "")


@app.command(
    short_help="Check and convert kernel files.",
    epilog=examples(
        "kernels jones_rehg_1999.csv",
        "kernels kernels.csv -o kernels.json",
    ),
)
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
    with step(f"Writing {output}") as work:
        save_kernels(output, kernel_sets, about=context.obj or "")
        work.outcome = "; ".join(summarize_kernels(kernel_sets))
