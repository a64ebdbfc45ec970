"""The command `grid-search`."""

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_colorkde.cli.console import print_status, timed_step
from napari_colorkde.cli.curve_plots import PLOT_SUFFIXES, require_matplotlib
from napari_colorkde.cli.parsers import (
    Numbers,
    parse_numbers,
    parse_sigmas,
    refuse_overwriting_inputs,
)
from napari_colorkde.cli.program import Command
from napari_colorkde.cli.search_results import (
    SearchResult,
    comparison_table,
    result_table,
    write_csv,
    write_plot,
)
from napari_colorkde.cli.shared_options import CsvOption, DeviceOption, JsonOption, PlotOption
from napari_colorkde.core.checks.arguments import Keywords
from napari_colorkde.core.number_text import counted

if TYPE_CHECKING:
    from napari_colorkde.io.datasets import DataSet, Split

OTHER_UNITS = 16
"""Numbers that are so many times larger are of other units, such as levels beside fractions."""

_MONTAGE_SUFFIXES = (".png", ".tif", ".tiff")


def grid_search(
    file: Annotated[
        list[Path],
        typer.Argument(
            metavar="DATA...",
            help="Data sets: IDX, mnist.pkl.gz, CIFAR for Python, .npy, .npz, a multipage TIFF, or "
            "a folder of images of the same size.",
        ),
    ],
    sigmas: Annotated[
        Numbers,
        typer.Option(
            "--sigmas", metavar="S,S,…", parser=parse_sigmas, help="Standard deviations to try."
        ),
    ],
    train: Annotated[
        int | None, typer.Option("--train", help="Number of training vectors; default: all.")
    ] = None,
    valid: Annotated[
        int | None,
        typer.Option(
            "--valid",
            help="Number of validation vectors. They come from the file's own validation set or, "
            "if there is none or with --shuffle, follow the training vectors.",
        ),
    ] = None,
    test: Annotated[
        int | None, typer.Option("--test", help="Number of test vectors; default: all.")
    ] = None,
    shuffle: Annotated[
        bool, typer.Option("--shuffle", help="Shuffle the training vectors first.")
    ] = False,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed", "--random-state", help="Seed for the shuffling (NumPy's RandomState)."
        ),
    ] = None,
    scale: Annotated[
        Numbers | None,
        typer.Option(
            "--scale",
            metavar="X[,X…]",
            parser=parse_numbers,
            help="Divide all numbers by this, such as 256 for 8-bit images; with several data "
            "sets, give one number for all, or one for each, such as 1,255.",
        ),
    ] = None,
    repeat: Annotated[
        int, typer.Option("--repeat", help="How many times to time the test pass.")
    ] = 1,
    csv: CsvOption = None,
    plot: PlotOption = None,
    montage: Annotated[
        Path | None,
        typer.Option(
            "--montage", metavar="FILE", help="Draw the first 20 × 20 training images to a .png."
        ),
    ] = None,
    both_directions: Annotated[
        bool,
        typer.Option(
            "--both-directions",
            help="At the best sigma, also score the training vectors under the held-out ones.",
        ),
    ] = False,
    as_json: JsonOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Fit a KDE to vectors of any length: the held-out mean log-likelihood for each sigma.

    Several data sets are scored side by side. Such likelihoods are a poor measure of the quality of
    generative models (Theis, van den Oord and Bethge, arXiv 1511.01844).
    """
    _check_outputs(file, csv, plot, montage)
    if repeat < 1:
        raise ValueError(f"repeat={repeat}; give 1 or more.")
    protocol = {"train": train, "valid": valid, "test": test, "shuffle": shuffle, "seed": seed}
    divisors = _scales(scale, file)
    _check_protocols(protocol, divisors)
    results, largest = [], dict[str, float]()
    for path, name, divisor in zip(file, _names(file), divisors, strict=True):
        dataset, parts = _read(path, {**protocol, "scale": divisor})
        largest[name] = max(float(parts.train.max()), -float(parts.train.min()))
        _warn_of_units(largest)
        if montage is not None:
            _draw_montage(montage, dataset, parts)
        result = _search(name, parts, sigmas, repeat, device)
        results.append(_reversed(result, parts, device) if both_directions else result)
    if csv is not None:
        with timed_step(f"Writing {csv}"):
            write_csv(csv, results)
    if plot is not None:
        with timed_step(f"Writing {plot}"):
            write_plot(plot, results)
    if both_directions:
        from napari_colorkde.core.vectors.comparison import WHY_DIRECTIONS_DIFFER

        print_status(WHY_DIRECTIONS_DIFFER)
    if as_json:
        documents = [result.as_dict() for result in results]
        typer.echo(json.dumps(documents if len(documents) > 1 else documents[0]))
    elif len(results) > 1:
        typer.echo(comparison_table(results))
    else:
        typer.echo(result_table(results[0]))


def _check_protocols(protocol: Keywords, divisors: list[float | None]) -> None:
    """Refuse, before anything is read, what no data set can be split by."""
    from napari_colorkde.io.datasets import check_protocol

    for divisor in divisors:
        check_protocol(**protocol, scale=divisor)


def _check_outputs(
    files: list[Path], csv: Path | None, plot: Path | None, montage: Path | None
) -> None:
    """Refuse, before anything is read, what could not be written in the end."""
    from napari_colorkde.io.writers.targets import check_target

    kinds = (("csv", csv, (".csv",)), ("plot", plot, PLOT_SUFFIXES))
    for name, target, suffixes in (*kinds, ("montage", montage, _MONTAGE_SUFFIXES)):
        if target is not None:
            check_target(target, suffixes, name=name)
            refuse_overwriting_inputs(target, *files)
    if plot is not None:
        require_matplotlib()
    if montage is not None and len(files) > 1:
        raise ValueError(f"--montage draws one data set, but {len(files)} are given; give one.")


def _names(files: list[Path]) -> list[str]:
    """Name the data sets: by file where these names differ, otherwise by path."""
    names = [file.resolve().name for file in files]
    return names if len(set(names)) == len(names) else [str(file) for file in files]


def _scales(scale: list[float] | None, files: list[Path]) -> list[float | None]:
    """Return what the numbers of each data set are divided by.

    Raises
    ------
    ValueError
        If there are as many neither as one nor as the data sets.
    """
    if scale is None or len(scale) == 1:
        return [None if scale is None else scale[0]] * len(files)
    if len(scale) != len(files):
        given = ",".join(f"{each:g}" for each in scale)
        raise ValueError(
            f"--scale {given} has {len(scale)} numbers for {counted(len(files), 'data set')}; give "
            "one number for all, or one for each."
        )
    return [*scale]


def _warn_of_units(largest: dict[str, float]) -> None:
    """Warn where the numbers of the last data set are of another size than those before."""
    *before, (last, its_most) = largest.items()
    for name, most in before:
        if max(most, its_most) > OTHER_UNITS * min(most, its_most):
            warnings.warn(
                f"the numbers of {name} go up to {most:.4g}, those of {last} to {its_most:.4g}, so "
                "a sigma does not mean the same in both; divide them with --scale, such as --scale "
                "1,255.",
                UserWarning,
                stacklevel=2,
            )
            return


def _read(path: Path, protocol: Keywords) -> "tuple[DataSet, Split]":
    from napari_colorkde.io.datasets import read_dataset, split

    with timed_step(f"Reading {path}") as work:
        takes_all = all(protocol[part] is None for part in ("train", "valid", "test"))
        dataset = read_dataset(path, scaled=takes_all and protocol["scale"] is not None)
        parts = split(dataset, **protocol)
        n_test = "no" if parts.test is None else str(len(parts.test))
        work.outcome = (
            f"{len(parts.train)} training, {len(parts.valid)} validation and {n_test} test "
            f"vectors of {parts.train.shape[1]} numbers"
        )
    return dataset, parts


def _draw_montage(target: Path, dataset: "DataSet", parts: "Split") -> None:
    from napari_colorkde.io.datasets.montage import shape_of_images, write_montage

    shape = shape_of_images(dataset, "leave out --montage, or ")
    with timed_step(f"Writing {target}"):
        write_montage(target, parts.train, shape)


def _search(
    name: str, parts: "Split", sigmas: list[float], repeat: int, device: str
) -> SearchResult:
    """Score all sigmas, in one pass over the distances, and then the best on the test vectors."""
    from napari_colorkde.core.vectors import grid_search as vector_search

    with timed_step("Log-likelihoods") as work:
        found = vector_search.grid_search(
            parts.train, parts.valid, sigmas, device=device, progress=work.progress
        )
    # All are done at once: they share one pass over the distances.
    for sigma, score in zip(found.sigmas, found.scores, strict=True):
        print_status(f"sigma {sigma:g}: {score:.6f} nats")
    n_numbers = parts.train.shape[1]
    if parts.test is None:
        return SearchResult(name, found, None, (), n_numbers)
    with timed_step(f"Test vectors at sigma {found.best_sigma:g}") as work:
        passes = [
            vector_search.grid_search(
                parts.train, parts.test, [found.best_sigma], device=device, progress=work.progress
            )
            for _ in range(repeat)
        ]
    seconds = tuple(tested.seconds for tested in passes)
    return SearchResult(name, found, float(passes[0].scores[0]), seconds, n_numbers)


def _reversed(result: SearchResult, parts: "Split", device: str) -> SearchResult:
    """Score the training vectors under the validation and the test vectors, too."""
    from napari_colorkde.core.vectors import grid_search as vector_search

    sigma = [result.found.best_sigma]
    scores: list[float | None] = []
    for held_out in (parts.valid, parts.test):
        if held_out is None:
            scores.append(None)
            continue
        with timed_step(f"Training vectors under held-out ones at sigma {sigma[0]:g}") as work:
            found = vector_search.grid_search(
                held_out, parts.train, sigma, device=device, progress=work.progress
            )
        scores.append(float(found.scores[0]))
    return replace(result, train_under_valid=scores[0], train_under_test=scores[1])


COMMAND = Command(
    grid_search,
    name="grid-search",
    former_name="dataset",
    summary="Fit a KDE to vectors of any length (formerly dataset).",
    examples=(
        "grid-search digits.npz --sigmas 0.05,0.08,0.1,0.2,0.5,1,1.5,2 --scale 256",
        "grid-search mnist.pkl.gz --sigmas 0.1,0.2,0.5 --train 10000 --valid 10000 --shuffle "
        "--seed 1573368177 --csv scores.csv --both-directions",
        "grid-search mnist.pkl.gz cifar-100-python.tar.gz --sigmas 0.1,0.2,0.5 --scale 1,255",
    ),
)
