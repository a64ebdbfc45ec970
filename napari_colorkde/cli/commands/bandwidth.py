"""The command `bandwidth`."""

import json
from typing import Annotated

import typer

from napari_colorkde.cli import allowed_names, inputs, tasks
from napari_colorkde.cli.console import print_warning, table
from napari_colorkde.cli.parsers import Numbers, one_of, parse_numbers
from napari_colorkde.cli.program import Command
from napari_colorkde.cli.reading_options import Reading, reads_images
from napari_colorkde.cli.shared_options import (
    ChannelAxisOption,
    ChannelsOption,
    DeviceOption,
    ImageArgument,
    JsonOption,
    MaskOption,
    listed,
)


@reads_images
def bandwidth(
    image: ImageArgument,
    method: Annotated[
        str,
        typer.Option(
            "--method",
            metavar="RULE",
            parser=one_of(allowed_names.bandwidths),
            autocompletion=lambda: list(allowed_names.bandwidths()),
            help="$bandwidths. loco leaves out one color, loo one pixel; auto looks at none.",
        ),
    ] = "loco",
    candidates: Annotated[
        Numbers | None,
        typer.Option(
            "--candidates",
            metavar="S,S,…",
            parser=parse_numbers,
            help="Sigmas to try, for $likelihoods.",
        ),
    ] = None,
    exact: Annotated[
        bool,
        typer.Option(
            "--exact",
            help="Score at every color, not at random pixels, of which each score then has a "
            "standard error; for images of more than a million colors.",
        ),
    ] = False,
    as_json: JsonOption = False,
    mask: MaskOption = None,
    channel_axis: ChannelAxisOption = "-1",
    channels: ChannelsOption = None,
    device: DeviceOption = "auto",
    *,
    reading: Reading,
) -> None:
    """Choose a bandwidth, and print it with the candidates' log-likelihoods in nats per pixel."""
    if candidates is not None and method not in allowed_names.likelihoods():
        raise ValueError(
            f"method={method!r} tries no candidates; use {listed(allowed_names.likelihoods())}."
        )
    palette = inputs.count_colors(inputs.read(image, mask, channel_axis, channels, reading))
    found = tasks.select_bandwidth(palette, method, candidates, device, exact=exact)
    if as_json:
        result = {
            "method": method,
            "bandwidth": found.bandwidth.tolist(),
            "candidates": found.candidates.tolist(),
            "scores": found.scores.tolist(),
            "standard_errors": found.standard_errors.tolist(),
            "n_scored": found.n_scored,
        }
        typer.echo(json.dumps(result))
        return
    if len(found.scores):
        header = [*(f"sigma_{i + 1}" for i in range(palette.n_channels)), "log_likelihood"]
        rows = [
            [*(f"{sigma:.6g}" for sigma in candidate), f"{score:.6f}"]
            for candidate, score in zip(found.candidates, found.scores, strict=True)
        ]
        if found.n_scored:
            header.append("standard_error")
            for row, error in zip(rows, found.standard_errors.tolist(), strict=True):
                row.append(f"{error:.6f}")
            print_warning(
                f"scores are means over {found.n_scored} random pixels, not over all; --exact "
                "takes all."
            )
        typer.echo(table(header, rows))
    typer.echo(f"bandwidth  {','.join(f'{sigma:.6g}' for sigma in found.bandwidth)}")


COMMAND = Command(
    bandwidth,
    name="bandwidth",
    summary="Choose a bandwidth.",
    examples=(
        "bandwidth photo.jpg",
        "bandwidth photo.jpg --method loo --candidates 0.5,1,2,4 --json",
    ),
)
