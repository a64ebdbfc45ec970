"""The commands that print likelihoods: of bandwidths for an image, and of vectors."""

import json
from pathlib import Path
from typing import Annotated

import typer

from napari_colorkde.cli import inputs, tasks
from napari_colorkde.cli.arguments import (
    BANDWIDTH_NAMES,
    parse_channel_axis,
    parse_channels,
    parse_numbers,
)
from napari_colorkde.cli.console import step, table
from napari_colorkde.cli.options import (
    ChannelAxisOption,
    ChannelsOption,
    DeviceOption,
    ImageArgument,
    JsonOption,
    MaskOption,
    app,
    examples,
)


@app.command(
    short_help="Choose a bandwidth.",
    epilog=examples(
        "bandwidth photo.jpg",
        "bandwidth photo.jpg --method loo --candidates 0.5,1,2,4 --json",
    ),
)
def bandwidth(
    image: ImageArgument,
    method: Annotated[
        str,
        typer.Option("--method", help="loco (leave one color out), loo, scott, silverman or auto."),
    ] = "loco",
    candidates: Annotated[
        str | None,
        typer.Option("--candidates", metavar="S,S,…", help="Sigmas to try (loco and loo)."),
    ] = None,
    as_json: JsonOption = False,
    mask: MaskOption = None,
    channel_axis: ChannelAxisOption = "-1",
    channels: ChannelsOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Choose a bandwidth, and print it with the candidates' log-likelihoods in nats per pixel."""
    if method not in ("auto", *BANDWIDTH_NAMES):
        names = ", ".join(BANDWIDTH_NAMES)
        raise ValueError(f"method={method!r} is not known; use auto, {names}.")
    sigmas = None if candidates is None else parse_numbers(candidates, "candidates")
    if sigmas is not None and method not in ("loco", "loo"):
        raise ValueError(f"method={method!r} tries no candidates; use loco or loo.")
    axis, entries = parse_channel_axis(channel_axis), parse_channels(channels)
    palette = inputs.count(inputs.read(image, mask, axis, entries))
    found = tasks.select(palette, method, sigmas, device)
    if as_json:
        result = {
            "method": method,
            "bandwidth": found.bandwidth.tolist(),
            "candidates": found.candidates.tolist(),
            "scores": found.scores.tolist(),
        }
        typer.echo(json.dumps(result))
        return
    if len(found.scores):
        header = [*(f"sigma_{i + 1}" for i in range(palette.n_channels)), "log_likelihood"]
        rows = [
            [*(f"{sigma:.6g}" for sigma in candidate), f"{score:.6f}"]
            for candidate, score in zip(found.candidates, found.scores, strict=True)
        ]
        typer.echo(table(header, rows))
    typer.echo(f"bandwidth  {','.join(f'{sigma:.6g}' for sigma in found.bandwidth)}")


@app.command(
    short_help="Fit a KDE to vectors of any length.",
    epilog=examples(
        "dataset digits.npz --sigmas 0.05,0.08,0.1,0.2,0.5,1,1.5,2 --scale 256",
    ),
)
def dataset(
    file: Annotated[
        Path,
        typer.Argument(help=".npz with arrays train, valid and perhaps test."),
    ],
    sigmas: Annotated[
        str, typer.Option("--sigmas", metavar="S,S,…", help="Standard deviations to try.")
    ],
    scale: Annotated[
        float | None,
        typer.Option("--scale", help="Divide all numbers by this, such as 256 for 8-bit images."),
    ] = None,
    as_json: JsonOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Fit a KDE to vectors of any length: mean log-likelihood of held-out ones for each sigma."""
    from napari_colorkde.io.datasets import read_dataset

    tried = parse_numbers(sigmas, "sigmas")
    with step(f"Reading {file}") as work:
        vectors = read_dataset(file, scale=scale)
        test = "no" if vectors.test is None else str(len(vectors.test))
        work.outcome = (
            f"{len(vectors.train)} training, {len(vectors.valid)} validation and {test} test "
            f"vectors of {vectors.train.shape[1]} numbers"
        )

    from napari_colorkde.core.kde.gaussian_kde import grid_search

    with step("Log-likelihoods") as work:
        found = grid_search(
            vectors.train,
            vectors.valid,
            tried,
            vectors.test,
            device=device,
            progress=work.progress,
        )
    if as_json:
        result = {
            "sigmas": found.sigmas.tolist(),
            "scores": found.scores.tolist(),
            "best_sigma": found.best_sigma,
            "test_score": found.test_score,
            "seconds": found.seconds,
        }
        typer.echo(json.dumps(result))
        return
    rows = [
        [f"{sigma:g}", f"{score:.6f}"]
        for sigma, score in zip(found.sigmas, found.scores, strict=True)
    ]
    typer.echo(table(["sigma", "log_likelihood"], rows))
    typer.echo(f"best_sigma  {found.best_sigma:g}")
    if found.test_score is not None:
        typer.echo(f"test_log_likelihood  {found.test_score:.6f}")
