"""The command `bandwidth`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_colorkde.cli import allowed_names, tasks
from napari_colorkde.cli.console import print_warning, table, timed_step
from napari_colorkde.cli.curve_plots import PLOT_SUFFIXES, Curve, require_matplotlib, write_curves
from napari_colorkde.cli.inputs import image_inputs
from napari_colorkde.cli.inputs.reading_options import Reading, reads_images
from napari_colorkde.cli.parsers import Numbers, one_of, parse_numbers, refuse_overwriting_inputs
from napari_colorkde.cli.program import Command
from napari_colorkde.cli.shared_options import (
    ChannelAxisOption,
    ChannelsOption,
    CsvOption,
    DeviceOption,
    ImageArgument,
    JsonOption,
    MaskOption,
    PlotOption,
    SpaceOption,
    listed,
)

if TYPE_CHECKING:
    from napari_colorkde.core.kde.bandwidth_result import BandwidthSelection


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
            help="$bandwidths. loco leaves out one color, loo one pixel; auto does not depend on "
            "the pixels.",
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
    shape: Annotated[
        str,
        typer.Option(
            "--shape",
            metavar="SHAPE",
            parser=one_of(allowed_names.shapes),
            autocompletion=lambda: list(allowed_names.shapes()),
            help="Shape of the candidates: $shapes (a multiple of the pixels' own covariance).",
        ),
    ] = "isotropic",
    space: SpaceOption = "rgb",
    csv: CsvOption = None,
    plot: PlotOption = None,
    exact: Annotated[
        bool,
        typer.Option(
            "--exact",
            help="Score at every color. By default, images of more than a million colors are "
            "scored at random pixels, and the scores have standard errors.",
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
    """Choose a bandwidth and print it with the candidates' log-likelihoods, in nats per pixel.

    The rules pixels and blocks hold out half of the image. Neighboring pixels are alike, so random
    pixels are mostly predicted by their neighbors; blocks are not. Where repeated colors predict
    themselves (loo, pixels, blocks), no bandwidth is chosen; CSV, JSON and plot mark those sigmas.
    """
    _check_outputs(image, csv, plot, method)
    if candidates is not None and method not in allowed_names.likelihoods():
        raise ValueError(
            f"method={method!r} tries no candidates; use {listed(allowed_names.likelihoods())}."
        )
    read = image_inputs.read(image, mask, channel_axis, channels, reading)
    found = tasks.select_bandwidth(
        read, method, candidates, device, shape=shape, space=space, exact=exact
    )
    if csv is not None:
        from napari_colorkde.io.csv_files import write_csv

        with timed_step(f"Writing {csv}"):
            write_csv(csv, found.to_csv())
    if plot is not None:
        with timed_step(f"Writing {plot}"):
            _write_plot(plot, f"{image.name}, {method}", found)
    if as_json:
        result = {
            "method": method,
            "bandwidth": found.bandwidth.tolist(),
            "candidates": found.candidates.tolist(),
            "scores": found.scores.tolist(),
            "standard_errors": found.standard_errors.tolist(),
            "n_scored": found.n_scored,
            "own_color_shares": found.own_shares.tolist(),
            "degenerate": found.degenerate.tolist(),
            "covariance": found.covariance.tolist(),
        }
        typer.echo(json.dumps(result))
        return
    if len(found.scores):
        header = [*(f"sigma_{i + 1}" for i in range(len(found.bandwidth))), "log_likelihood"]
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
    if found.full_covariance is not None:
        for row in found.full_covariance.tolist():
            typer.echo(f"covariance  {' '.join(f'{value:.6g}' for value in row)}")


def _check_outputs(image: Path, csv: Path | None, plot: Path | None, method: str) -> None:
    """Refuse, before anything is read, what could not be written in the end."""
    from napari_colorkde.io.writers.targets import check_target

    for name, target, suffixes in (("csv", csv, (".csv",)), ("plot", plot, PLOT_SUFFIXES)):
        if target is not None:
            if method not in allowed_names.likelihoods():
                raise ValueError(
                    f"--{name}: method={method!r} has no scores; use "
                    f"{listed(allowed_names.likelihoods())}."
                )
            check_target(target, suffixes, name=name)
            refuse_overwriting_inputs(target, image)
    if plot is not None:
        require_matplotlib()


def _write_plot(path: Path, name: str, found: "BandwidthSelection") -> None:
    """Draw the scores over the geometric mean of each candidate's sigmas."""
    import numpy as np

    means = np.exp(np.log(found.candidates).mean(axis=1))
    best = float(np.exp(np.log(found.bandwidth).mean()))
    curve = Curve(name, means, found.scores, best, found.degenerate)
    write_curves(path, [curve], "mean log-likelihood, nats per pixel")


COMMAND = Command(
    bandwidth,
    name="bandwidth",
    summary="Choose a bandwidth.",
    examples=(
        "bandwidth photo.jpg",
        "bandwidth photo.jpg --method loo --candidates 0.5,1,2,4 --json",
        "bandwidth photo.jpg --method blocks --shape channels --csv scores.csv --plot scores.png",
    ),
)
