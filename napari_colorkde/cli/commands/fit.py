"""The command `fit`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from napari_colorkde.cli import tasks
from napari_colorkde.cli.batch.files import for_each_image
from napari_colorkde.cli.console import timed_step
from napari_colorkde.cli.inputs import image_inputs
from napari_colorkde.cli.inputs.reading_options import Reading, reads_images
from napari_colorkde.cli.parsers import (
    LabelName,
    NKernels,
    parse_label_name,
    parse_n_kernels,
    refuse_overwriting_inputs,
    unique_labels,
)
from napari_colorkde.cli.program import Command
from napari_colorkde.cli.shared_options import (
    ChannelAxisOption,
    ChannelsOption,
    DeviceOption,
    ImageArgument,
    MaskOption,
    SpaceOption,
)

Covariance = Literal["full", "diagonal", "diag", "spherical", "tied"]


@reads_images
@for_each_image("kernels")
def fit(
    context: typer.Context,
    image: ImageArgument,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Kernel file: .json (everything) or .csv.")
    ],
    n_kernels: Annotated[
        NKernels,
        typer.Option(
            "--n-kernels",
            "-k",
            metavar="N",
            parser=parse_n_kernels,
            help="Number of kernels (for each label), or auto: chosen by BIC, up to --max-k.",
        ),
    ],
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels",
            help="Label image: fits one mixture, and makes one class, for each label except 0.",
        ),
    ] = None,
    name: Annotated[
        list[LabelName] | None,
        typer.Option(
            "--name",
            metavar="LABEL=CLASS",
            parser=parse_label_name,
            help="Class name of a label; default: its number.",
        ),
    ] = None,
    covariance: Annotated[
        Covariance, typer.Option("--covariance", help="Shape of the covariances; diag is diagonal.")
    ] = "full",
    max_k: Annotated[
        int | None,
        typer.Option("--max-k", help="Largest number of kernels that auto tries; default 10."),
    ] = None,
    reg_covar: Annotated[
        float | None,
        typer.Option(
            "--reg-covar",
            help="Variance added to every kernel. Default: the variance of rounding, 1/12 of a "
            "level squared.",
        ),
    ] = None,
    max_iter: Annotated[
        int, typer.Option("--max-iter", help="Maximum number of EM iterations per mixture.")
    ] = 200,
    tol: Annotated[
        float,
        typer.Option(
            "--tol", help="EM stops when the log-likelihood per pixel rises by less, in nats."
        ),
    ] = 1e-3,
    n_init: Annotated[
        int, typer.Option("--n-init", help="Number of random starts; the most likely fit is kept.")
    ] = 1,
    seed: Annotated[
        int, typer.Option("--seed", "--random-state", help="Seed for the starting kernels.")
    ] = 0,
    space: SpaceOption = "rgb",
    mask: MaskOption = None,
    channel_axis: ChannelAxisOption = "-1",
    channels: ChannelsOption = None,
    device: DeviceOption = "auto",
    *,
    reading: Reading,
) -> None:
    """Fit a mixture of Gaussian kernels by EM to an image's colors, or to those of each label."""
    from napari_colorkde.core.mixture.em.iterate import FitOptions
    from napari_colorkde.io.kernels.kernel_files import KERNEL_SUFFIXES, save_kernels
    from napari_colorkde.io.writers.targets import check_target

    check_target(output, KERNEL_SUFFIXES, name="output")
    refuse_overwriting_inputs(output, image, mask, labels)
    if max_k is not None and (n_kernels != "bic" or max_k < 1):
        raise ValueError(f"--max-k {max_k}: give a number of 1 or more, together with -k auto.")
    if labels is None and name:
        raise ValueError("--name names a label; give the labels with --labels.")
    if seed < 0:
        raise ValueError(f"--seed {seed}: give a number of 0 or more.")
    names = unique_labels(name)
    read = image_inputs.read(image, mask, channel_axis, channels, reading)
    options = FitOptions(
        covariance_type="diag" if covariance == "diagonal" else covariance,
        reg_covar=reg_covar,
        random_state=seed,
        max_iter=max_iter,
        tol=tol,
        n_init=n_init,
        candidates=range(1, (max_k or 10) + 1),
        device=device,
    )
    kernel_sets = tasks.fit(read, labels, n_kernels, names, options, space)
    with timed_step(f"Writing {output}"):
        save_kernels(output, kernel_sets, about=context.obj or "")


COMMAND = Command(
    fit,
    name="fit",
    summary="Fit Gaussian kernels to an image.",
    examples=(
        "fit photo.jpg -k 8 -o kernels.json",
        "fit photo.jpg -k auto --max-k 6 --covariance diagonal -o kernels.csv",
        "fit photo.jpg --labels labels.tif --name 1=skin --name 2=background -k 4 -o kernels.json",
    ),
)
