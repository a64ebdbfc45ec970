"""The commands that compare: two images, and this program with other libraries."""

import json
from pathlib import Path
from typing import Annotated

import typer

from napari_colorkde.cli import crosscheck_tasks, inputs
from napari_colorkde.cli.arguments import (
    parse_bandwidth,
    parse_channel_axis,
    parse_channels,
    parse_numbers,
)
from napari_colorkde.cli.console import step, table
from napari_colorkde.cli.options import (
    BandwidthOption,
    ChannelAxisOption,
    ChannelsOption,
    DeviceOption,
    ImageArgument,
    JsonOption,
    app,
    examples,
)


@app.command(
    short_help="Compare the colors of two images.",
    epilog=examples(
        "compare before.jpg after.jpg",
        "compare before.jpg after.jpg --bandwidth 5 --json",
    ),
)
def compare(
    image_a: Annotated[Path, typer.Argument(help="TIFF, PNG, JPEG, or an array as NPY.")],
    image_b: Annotated[Path, typer.Argument(help="Another of the same kind, of any size.")],
    bandwidth: BandwidthOption = "auto",
    as_json: JsonOption = False,
    mask_a: Annotated[
        Path | None, typer.Option("--mask-a", help="Non-zero where pixels of the first count.")
    ] = None,
    mask_b: Annotated[
        Path | None, typer.Option("--mask-b", help="Non-zero where pixels of the second count.")
    ] = None,
    channel_axis: ChannelAxisOption = "-1",
    channels: ChannelsOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Print how different the colors of two images are, in nats.

    kl_ab and kl_ba are the Kullback-Leibler divergences of their densities, js the Jensen-Shannon
    divergence: 0 for the same colors, at most ln 2 = 0.693.
    """
    width = parse_bandwidth(bandwidth)
    axis, entries = parse_channel_axis(channel_axis), parse_channels(channels)
    palette_a = inputs.count(inputs.read(image_a, mask_a, axis, entries))
    palette_b = inputs.count(inputs.read(image_b, mask_b, axis, entries))

    from napari_colorkde.core.kde.divergence import compare as divergences

    with step("Divergences"):
        found = divergences(palette_a, palette_b, width, device=device)
    numbers = {"kl_ab": found.kl_ab, "kl_ba": found.kl_ba, "js": found.js}
    if as_json:
        typer.echo(json.dumps(numbers))
    else:
        typer.echo(table(["kl_ab", "kl_ba", "js"], [[f"{n:.6g}" for n in numbers.values()]]))


@app.command(
    short_help="Check the numbers against other libraries.",
    epilog=examples(
        "crosscheck photo.jpg",
        "crosscheck photo.jpg --bandwidth 2,3,5 --json",
        "crosscheck digits.npz --bandwidth 0.2 --scale 256",
    ),
)
def crosscheck(
    file: ImageArgument,
    bandwidth: Annotated[
        str | None,
        typer.Option(
            "--bandwidth", help="One sigma, or one per channel. Default: 1/64 of the range."
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

    sigmas = None if bandwidth is None else parse_numbers(bandwidth, "bandwidth")
    if sigmas is not None and min(sigmas) <= 0:
        raise ValueError(f"bandwidth={bandwidth!r}: a sigma must be positive.")
    if samples < 2 or points < 1:
        raise ValueError(f"--samples {samples} --points {points}: give 2 and 1 or more.")
    if file.suffix.lower() == ".npz":
        task = crosscheck_tasks.vectors_to_check(file, scale, sigmas, samples, points)
    else:
        axis, entries = parse_channel_axis(channel_axis), parse_channels(channels)
        picture = inputs.read(file, None, axis, entries)
        task = crosscheck_tasks.colors_to_check(picture, sigmas, samples, points, seed)
    with step(f"Log-densities of {len(task.points)} points under {len(task.data)} samples"):
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
