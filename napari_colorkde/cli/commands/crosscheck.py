"""The command `crosscheck`."""

import json
from typing import Annotated, Any

import typer

from napari_colorkde.cli import crosscheck_tasks, inputs
from napari_colorkde.cli.console import table, timed_step
from napari_colorkde.cli.parsers import parse_sigmas
from napari_colorkde.cli.program import Command
from napari_colorkde.cli.shared_options import (
    ChannelAxisOption,
    ChannelsOption,
    DeviceOption,
    ImageArgument,
    JsonOption,
)


def crosscheck(
    file: ImageArgument,
    bandwidth: Annotated[
        Any,
        typer.Option(
            "--bandwidth",
            metavar="S,S,…",
            parser=parse_sigmas,
            help="One sigma, or one per channel. Default: 1/64 of the range.",
        ),
    ] = None,
    samples: Annotated[
        int, typer.Option("--samples", help="Pixels (or vectors) that the density is made of.")
    ] = 5000,
    points: Annotated[int, typer.Option("--points", help="Where it is evaluated.")] = 200,
    scale: Annotated[
        float | None,
        typer.Option("--scale", help="For .npz: divide all numbers by this, such as 256."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the random samples.")] = 0,
    as_json: JsonOption = False,
    channel_axis: ChannelAxisOption = "-1",
    channels: ChannelsOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Evaluate a density here and with other libraries, and say which of them is off.

    The yardstick is the sum itself, term by term in float64; each library is given the bandwidth
    by its own convention. Those that are not installed are named and left out. FILE is an image, or
    an .npz with arrays train and valid.
    """
    from napari_colorkde.cli import crosscheck_libraries

    if samples < 2 or points < 1:
        raise ValueError(f"--samples {samples} --points {points}: give 2 and 1 or more.")
    if file.suffix.lower() == ".npz":
        task = crosscheck_tasks.vectors_to_check(file, scale, bandwidth, samples, points)
    else:
        read = inputs.read(file, None, channel_axis, channels)
        task = crosscheck_tasks.colors_to_check(read, bandwidth, samples, points, seed)
    with timed_step(f"Log-densities of {len(task.points)} points under {len(task.data)} samples"):
        answers = crosscheck_libraries.cross_check(task, device)
    if as_json:
        typer.echo(json.dumps([answer.as_dict() for answer in answers]))
    else:
        rows = [answer.cells() for answer in answers]
        typer.echo(table(["library", "error", "in_the_tails", "verdict"], rows))
    ours = answers[0]
    if not ours.is_right:
        error = max(ours.near or 0.0, ours.far or 0.0)
        raise ValueError(f"napari-colorkde itself is off by {error:.3g} nats; please report it.")


COMMAND = Command(
    crosscheck,
    name="crosscheck",
    summary="Check the numbers against other libraries.",
    examples=(
        "crosscheck photo.jpg",
        "crosscheck photo.jpg --bandwidth 2,3,5 --json",
        "crosscheck digits.npz --bandwidth 0.2 --scale 256",
    ),
)
