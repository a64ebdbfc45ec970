"""The options with which all commands that read images say how: added by a decorator."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from napari_colorkde.cli.batch.jobs import CommandLine


@dataclass(frozen=True, slots=True)
class Reading:
    """How images are read: see `napari_colorkde.io.images.read_image`.

    Attributes
    ----------
    series, page, level
        Which of several pictures.
    icc, white, orientation
        What is done with color profiles, the level of white, and turned pictures.
    look
        A look that grades the colors; None leaves them.
    lazy
        Whether pixels are read block by block however few they are.
    scheduler
        Address of the scheduler of a dask cluster whose workers read them, block by block, or
        "local"; None: this process does.
    names_axis
        Whether --channel-axis was typed, be it with its default.
    """

    series: int | None = None
    page: int | None = None
    level: int = 0
    icc: Literal["keep", "convert"] = "keep"
    white: float | None = None
    orientation: Literal["apply", "keep"] = "apply"
    look: Path | None = None
    lazy: bool = False
    scheduler: str | None = None
    names_axis: bool = False


_OPTIONS: dict[str, object] = {
    "series": Annotated[
        int | None,
        typer.Option(
            "--series", min=0, help="Which of a file's images to read, from 0; `info` lists them."
        ),
    ],
    "page": Annotated[
        int | None, typer.Option("--page", min=0, help="One page of a file, from 0.")
    ],
    "level": Annotated[
        int, typer.Option("--level", min=0, help="Level of a pyramid; 0 is the finest.")
    ],
    "icc": Annotated[
        Literal["keep", "convert"],
        typer.Option(
            "--icc",
            help="Keep the numbers of an image with a color profile, or convert them to sRGB.",
        ),
    ],
    "white": Annotated[
        float | None,
        typer.Option(
            "--white",
            help="White level, such as 4095 for 12 bits: colors become fractions of it.",
        ),
    ],
    "orientation": Annotated[
        Literal["apply", "keep"],
        typer.Option(
            "--orientation",
            help="Rotate images as their orientation tag says, or keep them as stored.",
        ),
    ],
    "lazy": Annotated[
        bool,
        typer.Option(
            "--lazy",
            help="Read block by block (TIFF, OME-Zarr). Slides of more than 268 megapixels always "
            "are.",
        ),
    ],
    "scheduler": Annotated[
        str | None,
        typer.Option(
            "--scheduler",
            metavar="ADDRESS",
            help="Read block by block with the workers of a dask cluster: the address of its "
            'scheduler, such as tcp://192.168.0.1:8786, or "local" to start workers on this '
            "machine for this command.",
        ),
    ],
    "look": Annotated[
        Path | None,
        typer.Option("--look", metavar="FILE", help="Grade colors with a lookup table (.cube)."),
    ],
}


def reads_images(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of `Reading` to a command, which gets them as its argument `reading`."""
    signature = inspect.signature(command)
    own = [p for p in signature.parameters.values() if p.name != "reading"]
    defaults = Reading()
    added = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=getattr(defaults, name),
            annotation=annotation,
        )
        for name, annotation in _OPTIONS.items()
    ]
    wants_context = "context" in signature.parameters
    if not wants_context:
        own.insert(
            0,
            inspect.Parameter(
                "context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
            ),
        )

    @functools.wraps(command)
    def run(**given: Any) -> None:
        context = given["context"] if wants_context else given.pop("context")
        reading = Reading(
            **{name: given.pop(name) for name in _OPTIONS},
            names_axis=is_typed(context, "channel_axis"),
        )
        if reading.scheduler is None:
            command(**given, reading=reading)
            return
        from napari_colorkde.cli.batch.cluster import cluster_at

        if given.get("jobs", 1) > 1:
            raise ValueError(
                "--jobs starts processes on this machine, and --scheduler uses a cluster; give one "
                "of them."
            )
        with cluster_at(reading.scheduler):
            command(**given, reading=reading)

    run.__signature__ = signature.replace(parameters=[*own, *added])  # type: ignore[attr-defined]  # what typer reads
    return run


def is_typed(context: typer.Context | CommandLine, option: str) -> bool:
    """Whether an option was given, be it with its default."""
    if isinstance(context, CommandLine):
        return option in context.typed
    source = context.get_parameter_source(option)
    return source is not None and source.name == "COMMANDLINE"
