"""The command `crosscheck`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_colorkde.cli import allowed_names
from napari_colorkde.cli.console import table, timed_step
from napari_colorkde.cli.inputs import image_inputs
from napari_colorkde.cli.inputs.vector_inputs import (
    ScaleOption,
    VectorsOption,
    are_vectors,
    read_both_parts,
)
from napari_colorkde.cli.parsers import BandwidthValue, parse_bandwidth
from napari_colorkde.cli.program import Command
from napari_colorkde.cli.shared_options import (
    BANDWIDTH_HELP,
    ChannelAxisOption,
    ChannelsOption,
    DeviceOption,
    JsonOption,
    MaskOption,
)
from napari_colorkde.cli.verbosity import LOGGER

if TYPE_CHECKING:
    from napari_colorkde.core.crosscheck.task import Task


def crosscheck(
    file: Annotated[Path, typer.Argument(help="$images file, or a data set.")],
    bandwidth: Annotated[
        BandwidthValue,
        typer.Option(
            "--bandwidth",
            metavar="BANDWIDTH",
            parser=parse_bandwidth,
            autocompletion=lambda: list(allowed_names.bandwidths()),
            help=f"{BANDWIDTH_HELP} Default: 1/64 of the range for images; data sets need a sigma.",
        ),
    ] = None,
    samples: Annotated[
        int,
        typer.Option("--samples", help="Number of pixels (or vectors) to make the density from."),
    ] = 5000,
    points: Annotated[
        int, typer.Option("--points", help="Number of points to evaluate it at.")
    ] = 200,
    scale: ScaleOption = None,
    vectors: VectorsOption = False,
    seed: Annotated[
        int, typer.Option("--seed", "--random-state", help="Seed for the random samples.")
    ] = 0,
    as_json: JsonOption = False,
    mask: MaskOption = None,
    channel_axis: ChannelAxisOption = "-1",
    channels: ChannelsOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Evaluate a density here and with other libraries, and report which of them is off.

    The reference is the sum itself, term by term in float64. Each library is given the bandwidth in
    its own convention, which is shown. Libraries that are not installed or do not apply are listed
    with the reason. log_likelihood is the mean over held-out pixels or vectors, in nats.
    """
    if samples < 2 or points < 1:
        raise ValueError(
            f"--samples {samples} --points {points}: give at least 2 samples and 1 point."
        )
    if are_vectors(file, vectors):
        if mask is not None:
            raise ValueError(f"--mask {mask} is for images; leave it out for data sets.")
        task = _about_vectors(file, scale, bandwidth, samples, points)
    else:
        read = image_inputs.read(file, mask, channel_axis, channels)
        task = _about_colors(read, bandwidth, samples, points, seed, device)

    from napari_colorkde.core.crosscheck.answers import HEADER
    from napari_colorkde.core.crosscheck.check import OURS, cross_check

    answers = []
    with timed_step(f"Log-densities of {len(task.points)} points under {len(task.data)} samples"):
        for answer in cross_check(task, device):
            answers.append(answer)
            LOGGER.debug("%s: %s", answer.library, answer.remark)
    if as_json:
        typer.echo(json.dumps([answer.as_dict() for answer in answers]))
    else:
        typer.echo(table(HEADER, [answer.cells() for answer in answers]))
    ours = next(answer for answer in answers if answer.library == OURS)
    if not ours.is_right:
        error = max(ours.near or 0.0, ours.far or 0.0)
        raise ValueError(f"napari-colorkde itself is off by {error:.3g} nats; please report it.")


def _about_colors(
    image: image_inputs.ImageInput,
    bandwidth: str | float | list[float] | None,
    samples: int,
    points: int,
    seed: int,
    device: str,
) -> "Task":
    palette = image_inputs.count_colors(image)

    from napari_colorkde.core.crosscheck.task import colors_to_check
    from napari_colorkde.core.device import resolve_device
    from napari_colorkde.core.kde.bandwidth import bandwidth_covariance

    covariance = bandwidth_covariance(bandwidth, palette, resolve_device(device))
    return colors_to_check(palette, covariance, samples, points, seed)


def _about_vectors(
    file: Path,
    scale: float | None,
    bandwidth: str | float | list[float] | None,
    samples: int,
    points: int,
) -> "Task":
    if bandwidth is None:
        raise ValueError("--bandwidth is missing; vectors need one, such as --bandwidth 0.2.")
    if isinstance(bandwidth, str):
        raise ValueError(
            f"--bandwidth is {bandwidth!r}; vectors need a sigma, or one for each axis."
        )
    train, valid = read_both_parts(file, scale, samples, points)

    from napari_colorkde.core.crosscheck.task import vectors_to_check

    return vectors_to_check(
        train, valid, [bandwidth] if isinstance(bandwidth, float) else bandwidth
    )


COMMAND = Command(
    crosscheck,
    name="crosscheck",
    summary="Check the numbers against other libraries.",
    examples=(
        "crosscheck photo.jpg",
        "crosscheck photo.jpg --bandwidth 2,3,5 --json",
        "crosscheck photo.jpg --bandwidth scott",
        "crosscheck digits.npz --bandwidth 0.2 --scale 256",
    ),
)
