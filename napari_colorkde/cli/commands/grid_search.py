"""The command `grid-search`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from napari_colorkde.cli.arguments import parse_numbers
from napari_colorkde.cli.command import Command
from napari_colorkde.cli.console import table, timed_step
from napari_colorkde.cli.options import DeviceOption, JsonOption


def grid_search(
    file: Annotated[
        Path,
        typer.Argument(help=".npz with arrays train, valid and perhaps test."),
    ],
    sigmas: Annotated[
        Any,
        typer.Option(
            "--sigmas", metavar="S,S,…", parser=parse_numbers, help="Standard deviations to try."
        ),
    ],
    scale: Annotated[
        float | None,
        typer.Option("--scale", help="Divide all numbers by this, such as 256 for 8-bit images."),
    ] = None,
    as_json: JsonOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Fit a KDE to vectors of any length: mean log-likelihood of held-out ones for each sigma."""
    from napari_colorkde.io.datasets import read_dataset, split

    with timed_step(f"Reading {file}") as work:
        vectors = split(read_dataset(file), scale=scale)
        test = "no" if vectors.test is None else str(len(vectors.test))
        work.outcome = (
            f"{len(vectors.train)} training, {len(vectors.valid)} validation and {test} test "
            f"vectors of {vectors.train.shape[1]} numbers"
        )

    from napari_colorkde.core.kde import gaussian_kde

    with timed_step("Log-likelihoods") as work:
        found = gaussian_kde.grid_search(
            vectors.train,
            vectors.valid,
            sigmas,
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


COMMAND = Command(
    grid_search,
    name="grid-search",
    former_name="dataset",
    summary="Fit a KDE to vectors of any length (formerly dataset).",
    examples=("grid-search digits.npz --sigmas 0.05,0.08,0.1,0.2,0.5,1,1.5,2 --scale 256",),
)
