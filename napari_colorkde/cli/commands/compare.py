"""The command `compare`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from napari_colorkde.cli import inputs
from napari_colorkde.cli.console import table, timed_step
from napari_colorkde.cli.program import Command
from napari_colorkde.cli.shared_options import (
    IMAGE_HELP,
    BandwidthOption,
    ChannelAxisOption,
    ChannelsOption,
    DeviceOption,
    JsonOption,
)


def compare(
    image_a: Annotated[Path, typer.Argument(help=IMAGE_HELP)],
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
    palette_a = inputs.count_colors(inputs.read(image_a, mask_a, channel_axis, channels))
    palette_b = inputs.count_colors(inputs.read(image_b, mask_b, channel_axis, channels))

    from napari_colorkde.core.kde.divergence import compare as divergences

    with timed_step("Divergences"):
        found = divergences(palette_a, palette_b, bandwidth, device=device)
    numbers = {"kl_ab": found.kl_ab, "kl_ba": found.kl_ba, "js": found.js}
    if as_json:
        typer.echo(json.dumps(numbers))
    else:
        typer.echo(table(["kl_ab", "kl_ba", "js"], [[f"{n:.6g}" for n in numbers.values()]]))


COMMAND = Command(
    compare,
    name="compare",
    summary="Compare the colors of two images.",
    examples=(
        "compare before.jpg after.jpg",
        "compare before.jpg after.jpg --bandwidth 5 --json",
    ),
)
