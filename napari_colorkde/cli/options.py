"""The program itself, and the arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from napari_colorkde import __version__
from napari_colorkde.cli.console import PROGRAM

app = typer.Typer(
    help="Exact kernel density estimates of an image's colors.",
    # Plain text: the same everywhere, and examples keep their lines.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def examples(*lines: str) -> str:
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
        help="Axis of the channels, counted from 0, or from -1 backwards; none for gray.",
    ),
]
ChannelsOption = Annotated[
    str | None,
    typer.Option(
        "--channels", metavar="E,E,…", help="Which entries of the channel axis, from 0: as 0,1."
    ),
]
DeviceOption = Annotated[
    str, typer.Option("--device", help="Where to compute: auto, cpu, cuda, cuda:N or mps.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")]
SpaceOption = Annotated[
    str,
    typer.Option(
        "--space",
        help="Color space: rgb (the image's own channels), linear, lab, oklab, hsv, ycbcr or "
        "principal. All but rgb read the image as sRGB.",
    ),
]
BANDWIDTH_HELP = (
    "auto (1/64 of the range), scott, silverman, loco, loo, one sigma, or one per channel (3,3,5)."
)
BandwidthOption = Annotated[str, typer.Option("--bandwidth", help=BANDWIDTH_HELP)]


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
