"""The commands and their options.

Libraries are imported by the command that needs them, so that help comes at once.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from napari_colorkde import __version__
from napari_colorkde.cli import tasks
from napari_colorkde.cli.arguments import (
    BANDWIDTH_NAMES,
    keep_inputs,
    parse_bandwidth,
    parse_channel_axis,
    parse_numbers,
)
from napari_colorkde.cli.console import PROGRAM, step, table

app = typer.Typer(
    help="Exact kernel density estimates of an image's colors.",
    # Plain text: the same everywhere, and examples keep their lines.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _examples(*lines: str) -> str:
    """Write command lines below a command's help; the first sign keeps click from wrapping them."""
    return "\b\nExamples:\n" + "\n".join(f"  {PROGRAM} {line}" for line in lines)


ImageArgument = Annotated[Path, typer.Argument(help="TIFF, PNG, JPEG, or an array as NPY.")]
MaskOption = Annotated[
    Path | None, typer.Option("--mask", help="Image that is non-zero where pixels count.")
]
ChannelAxisOption = Annotated[
    str,
    typer.Option(
        "--channel-axis",
        help="Axis of the channels, counted from 0, or from -1 backwards; none for grey.",
    ),
]
DeviceOption = Annotated[
    str, typer.Option("--device", help="Where to compute: auto, cpu, cuda, cuda:N or mps.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")]
SPACE_HELP = (
    "Color space: rgb (the image's own channels), linear, lab, oklab, hsv, ycbcr or principal. "
    "All but rgb read the image as sRGB."
)
BANDWIDTH_HELP = (
    "auto (1/64 of the range), scott, silverman, loco, loo, one sigma, or one per channel (3,3,5)."
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Exact kernel density estimates of an image's colors."""


@app.command(
    short_help="Show a sample photograph in napari.",
    epilog=_examples(
        "demo",
        "demo -o demo-output",
    ),
)
def demo(
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="Write density, volume and a picture of the window there, and do not stay open.",
        ),
    ] = None,
) -> None:
    """Open napari on a sample photograph, with density overlay and color cloud."""
    with _window_libraries():
        from napari_colorkde.ui.launcher import run_demo
    run_demo(output)


@app.command(
    "open",
    short_help="Open an image in napari.",
    epilog=_examples(
        "open photo.jpg",
    ),
)
def open_(image: ImageArgument) -> None:
    """Open an image in napari, with the plugin beside it."""
    from napari_colorkde.io.images import check_image_path

    check_image_path(image)
    with _window_libraries():
        from napari_colorkde.ui.launcher import open_image
    open_image(image)


@app.command(
    short_help="Write the density on a grid of colors.",
    epilog=_examples(
        "volume photo.jpg -o volume.npz",
        "volume photo.jpg -o volume.tif --bins 64 --bandwidth 5",
        "volume scan.tif -o volume.npz --extent 0,4095 --bandwidth loco",
    ),
)
def volume(
    context: typer.Context,
    image: ImageArgument,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help=".npz (everything), .npy (values) or .tif (ImageJ)."),
    ],
    bins: Annotated[int, typer.Option("--bins", help="Grid points per axis.")] = 128,
    extent: Annotated[
        list[str] | None,
        typer.Option(
            "--extent",
            metavar="LOW,HIGH",
            help="First and last grid point; once, or once for each channel. "
            "Default: 0,255 for 8-bit images, otherwise the data's range and 3 sigma.",
        ),
    ] = None,
    bandwidth: Annotated[str, typer.Option("--bandwidth", help=BANDWIDTH_HELP)] = "auto",
    space: Annotated[str, typer.Option("--space", help=SPACE_HELP)] = "rgb",
    sampling: Annotated[
        str,
        typer.Option(
            "--sampling", help="points, or cells: averages, for kernels narrower than the grid."
        ),
    ] = "points",
    mask: MaskOption = None,
    channel_axis: ChannelAxisOption = "-1",
    device: DeviceOption = "auto",
) -> None:
    """Write the density of an image's colors on a regular grid of colors."""
    from napari_colorkde.io.atomic import check_target
    from napari_colorkde.io.provenance import provenance
    from napari_colorkde.io.volumes import VOLUME_SUFFIXES, write_volume

    check_target(output, VOLUME_SUFFIXES, name="output")
    keep_inputs(output, image, mask)
    if sampling not in ("points", "cells"):
        raise ValueError(f"sampling={sampling!r} is not known; use points or cells.")
    width = parse_bandwidth(bandwidth)
    pairs = [parse_numbers(pair, "extent", count=2) for pair in extent or ()]
    palette = tasks.count(tasks.read(image, mask, parse_channel_axis(channel_axis)))
    grid = tasks.kde_volume(
        palette,
        width,
        bins=bins,
        extent=pairs,
        space=space,
        sampling=sampling,
        device=device,
    )
    record = provenance(
        context.obj or "", image=str(image), covariance=grid.covariance, space=space
    )
    with step(f"Writing {output}"):
        write_volume(output, grid, description=record)


@app.command(
    short_help="Write the density at each pixel.",
    epilog=_examples(
        "density photo.jpg -o density.tif",
        "density photo.jpg -o density.png --bandwidth 5 --log --colormap viridis",
        "density photo.jpg -o skin.tif --kernels jones_rehg_1999.csv --set skin",
    ),
)
def density(
    context: typer.Context,
    image: ImageArgument,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help=".tif (float32), .npy, .npz or .png (colored)."),
    ],
    kernels: Annotated[
        Path | None,
        typer.Option("--kernels", help="Kernel file (.json, .csv): its mixture density."),
    ] = None,
    set_name: Annotated[
        str | None, typer.Option("--set", help="Which set of the kernel file.")
    ] = None,
    bandwidth: Annotated[
        str | None,
        typer.Option("--bandwidth", help=f"KDE of the image's own colors: {BANDWIDTH_HELP}"),
    ] = None,
    space: Annotated[str, typer.Option("--space", help=SPACE_HELP)] = "rgb",
    log: Annotated[bool, typer.Option("--log", help="Natural logarithm of the density.")] = False,
    colormap: Annotated[
        str,
        typer.Option("--colormap", help="For .png: gray, viridis, magma, inferno or plasma."),
    ] = "magma",
    mask: MaskOption = None,
    channel_axis: ChannelAxisOption = "-1",
    device: DeviceOption = "auto",
) -> None:
    """Write the density of the color at each pixel."""
    from napari_colorkde.io.atomic import check_target
    from napari_colorkde.io.colormaps import lookup_table
    from napari_colorkde.io.densities import DENSITY_SUFFIXES, write_density
    from napari_colorkde.io.provenance import provenance

    check_target(output, DENSITY_SUFFIXES, name="output")
    keep_inputs(output, image, mask, kernels)
    lookup_table(colormap)
    if kernels is not None and bandwidth is not None:
        raise ValueError("--kernels and --bandwidth exclude each other; give one of them.")
    if kernels is not None and space != "rgb":
        raise ValueError("--space is for the image's own colors; kernels are those of the file.")
    if kernels is None and set_name is not None:
        raise ValueError("--set names a set of a kernel file; give the file with --kernels.")
    width = parse_bandwidth(bandwidth or "auto")
    axis = parse_channel_axis(channel_axis)
    mixture = None if kernels is None else tasks.choose_set(kernels, set_name)
    picture = tasks.read(image, mask, axis)
    if output.suffix.lower() == ".png" and len(picture.shape) != 2:
        raise ValueError(
            f"output {str(output)!r}: a PNG holds one picture, but the pixels have the shape "
            f"{picture.shape}; write .tif or .npy."
        )
    if mixture is None:
        values, covariance = tasks.kde_density(picture, width, space=space, log=log, device=device)
        origin = {"kernel density estimate with covariance": covariance, "space": space}
    else:
        values = tasks.mixture_density(picture, mixture, log=log, device=device)
        origin = {"mixture": mixture.name, "sum of weights": mixture.weights.sum()}
    record = provenance(context.obj or "", image=str(image), **origin)
    with step(f"Writing {output}"):
        write_density(output, values, log=log, description=record, colormap=colormap)


@app.command(
    short_help="Choose a bandwidth.",
    epilog=_examples(
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
    device: DeviceOption = "auto",
) -> None:
    """Choose a bandwidth, and print it with the candidates' log-likelihoods in nats per pixel."""
    if method not in ("auto", *BANDWIDTH_NAMES):
        names = ", ".join(BANDWIDTH_NAMES)
        raise ValueError(f"method={method!r} is not known; use auto, {names}.")
    sigmas = None if candidates is None else parse_numbers(candidates, "candidates")
    if sigmas is not None and method not in ("loco", "loo"):
        raise ValueError(f"method={method!r} tries no candidates; use loco or loo.")
    palette = tasks.count(tasks.read(image, mask, parse_channel_axis(channel_axis)))
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
    epilog=_examples(
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

    from napari_colorkde.core.estimator import grid_search

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


@contextmanager
def _window_libraries() -> Iterator[None]:
    """Say what to install where napari finds no Qt."""
    try:
        yield
    except ImportError as error:
        raise OSError(
            f"no window can be opened ({' '.join(str(error).split())}); "
            f'install one of the Qt bindings: pip install "{PROGRAM}[all]".'
        ) from error
