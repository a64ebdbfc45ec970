"""Arguments and options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from string import Template
from typing import Annotated, Any, Literal

import typer

from napari_colorkde.cli import allowed_names, parsers

_LISTS: dict[str, Callable[[], str]] = {
    "bandwidths": lambda: listed(allowed_names.bandwidths()),
    "colormaps": lambda: listed(allowed_names.colormaps()),
    "density_files": lambda: listed(allowed_names.density_files()),
    "images": lambda: listed(allowed_names.image_files()),
    "likelihoods": lambda: listed(allowed_names.likelihoods()),
    "shapes": lambda: listed(allowed_names.shapes()),
    "spaces": lambda: listed(allowed_names.color_spaces()),
    "volume_files": lambda: listed(allowed_names.volume_files()),
}
"""What help texts name by $name: read from the tables when the help is shown."""


def filled(text: str) -> str:
    """Return a help text with the lists that it names."""
    template = Template(text)
    names = set(template.get_identifiers()) & set(_LISTS)
    return template.safe_substitute({name: _LISTS[name]() for name in names})


def listed(names: tuple[str, ...]) -> str:
    """Return names as people write them: a, b or c."""
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))


IMAGE_HELP = "$images file."
INPUT_HELP = "$images file. You can give several, as well as globs and folders."
BANDWIDTH_HELP = "$bandwidths, one sigma, or one per channel (3,3,5)."

ImageArgument = Annotated[Path, typer.Argument(help=IMAGE_HELP)]
MaskOption = Annotated[
    Path | None, typer.Option("--mask", help="Mask image: nonzero where pixels count.")
]
ChannelAxisOption = Annotated[
    Any,
    typer.Option(
        "--channel-axis",
        metavar="AXIS",
        parser=parsers.parse_channel_axis,
        help="Axis of the channels, counted from 0 or backward from -1; none for gray.",
    ),
]
ChannelsOption = Annotated[
    Any,
    typer.Option(
        "--channels",
        metavar="E,E,…",
        parser=parsers.parse_channels,
        help="Which entries of the channel axis to use, counted from 0, such as 0,1. Up to 32; "
        "four channels are not taken as RGBA.",
    ),
]
PriorOption = Annotated[
    list[parsers.NamedNumber] | None,
    typer.Option(
        "--prior",
        metavar="NAME=P",
        parser=parsers.parse_named_number,
        help="Prior of a class; repeat it for each. Classes left out share the rest.",
    ),
]
CsvOption = Annotated[
    Path | None, typer.Option("--csv", metavar="FILE", help="Write all scores as CSV.")
]
PlotOption = Annotated[
    Path | None,
    typer.Option(
        "--plot",
        metavar="FILE",
        help="Plot the scores against sigma, as .png or .svg (needs matplotlib).",
    ),
]
DeviceOption = Annotated[
    str, typer.Option("--device", help="Where to compute: auto, cpu, cuda, cuda:N or mps.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
SpaceOption = Annotated[
    str,
    typer.Option(
        "--space",
        metavar="SPACE",
        parser=parsers.one_of(allowed_names.color_spaces),
        autocompletion=lambda: list(allowed_names.color_spaces()),
        help="Color space: $spaces. rgb means the image's own channels; all others assume sRGB.",
    ),
]
BoundaryOption = Annotated[
    Literal["none", "renormalized", "reflected"],
    typer.Option(
        "--boundary",
        help="At the boundary of the color range: let kernels extend past it, truncate and "
        "renormalize them, or reflect them.",
    ),
]
VaryingOption = Annotated[
    bool,
    typer.Option("--varying", help="Wider kernels where colors are rare (Abramson's law)."),
]
BandwidthOption = Annotated[
    Any,
    typer.Option(
        "--bandwidth",
        metavar="BANDWIDTH",
        parser=parsers.parse_bandwidth,
        autocompletion=lambda: list(allowed_names.bandwidths()),
        help=BANDWIDTH_HELP,
    ),
]
