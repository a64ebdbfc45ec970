"""The command `info`."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from napari_colorkde.cli.console import table
from napari_colorkde.cli.program import Command
from napari_colorkde.cli.shared_options import ImageArgument, JsonOption

if TYPE_CHECKING:
    from napari_colorkde.io.formats.reading import PictureInfo

_HEADER = ("series", "kind", "shape", "axes", "dtype", "color", "pages", "levels", "about")


def info(image: ImageArgument, as_json: JsonOption = False) -> None:
    """List the pictures of a file: what --series, --page and --level choose from.

    The main picture, which is read when none is named, is marked by a star.
    """
    from napari_colorkde.io.images import image_contents

    name, pictures = image_contents(image)
    if as_json:
        document = {"file": str(image), "format": name, "pictures": [asdict(p) for p in pictures]}
        typer.echo(json.dumps(document))
        return
    typer.echo(f"{image}: {name}")
    typer.echo(table(_HEADER, [_row(picture) for picture in pictures]))


def _row(picture: "PictureInfo") -> list[str]:
    about: list[Any] = [picture.compression]
    if picture.pixel_size is not None:
        height, width = picture.pixel_size
        about.append(f"pixels of {height:.4g} × {width:.4g} {picture.unit}")
    if picture.profile:
        about.append(f"profile {picture.profile}")
    if picture.orientation != 1:
        about.append(f"orientation {picture.orientation}")
    return [
        f"{picture.series}{'*' if picture.is_main else ''}",
        picture.kind,
        " × ".join(map(str, picture.shape)),
        picture.axes,
        picture.dtype,
        picture.color,
        str(picture.pages),
        str(len(picture.levels) or 1),
        ", ".join(filter(None, about)),
    ]


COMMAND = Command(
    info,
    name="info",
    summary="List the pictures of a file.",
    examples=("info slide.svs", "info photo.jpg --json"),
)
