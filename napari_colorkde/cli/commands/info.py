"""The command `info`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from napari_colorkde.cli.console import table
from napari_colorkde.cli.program import Command
from napari_colorkde.cli.shared_options import ImageArgument, JsonOption
from napari_colorkde.core.number_text import shape_text

if TYPE_CHECKING:
    from napari_colorkde.io.formats.reading import PictureInfo

_HEADER = ("series", "kind", "shape", "axes", "dtype", "color", "pages", "levels", "about")


def info(image: ImageArgument, as_json: JsonOption = False) -> None:
    """List the images in a file, from which --series, --page and --level choose.

    An asterisk marks the main image, which is read by default. For a palette: its numbers of colors
    and pixels, what was left out, and how it was made.
    """
    from napari_colorkde.io.formats.addresses import path_or_address
    from napari_colorkde.io.images import image_contents
    from napari_colorkde.io.palettes import is_palette_file

    image = path_or_address(image)
    if is_palette_file(image):
        facts = _palette_facts(image)
        if as_json:
            typer.echo(json.dumps(facts))
        else:
            typer.echo(f"{image}: palette")
            for name, value in facts.items():
                if name != "file":
                    typer.echo(f"  {name.replace('_', ' ')}: {_words(value)}")
        return
    name, pictures = image_contents(image)
    if as_json:
        document = {"file": str(image), "format": name, "pictures": [asdict(p) for p in pictures]}
        typer.echo(json.dumps(document))
        return
    typer.echo(f"{image}: {name}")
    typer.echo(table(_HEADER, [_row(picture) for picture in pictures]))


def _palette_facts(path: Path) -> dict[str, object]:
    """Return what is in a palette, as JSON has it."""
    import numpy as np

    from napari_colorkde.io.palettes import load_palette, palette_origin

    palette = load_palette(path)
    low, high = palette.extremes
    weights = palette.counts / palette.total_weight
    return {
        "file": str(path),
        "colors": len(palette),
        "pixels": palette.n_pixels,
        "channels": palette.n_channels,
        "dtype": str(palette.image_dtype or palette.dtype),
        "weighted": palette.is_weighted,
        "bin_width": palette.bin_width.tolist() if palette.bin_width.any() else None,
        "lowest": low.tolist(),
        "mean": np.tensordot(weights, palette.colors.astype(np.float64), 1).tolist(),
        "highest": high.tolist(),
        "rarest": palette.counts.min().item(),
        "left_out": palette.left_out,
        "origin": palette_origin(path),
    }


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_words(item)}" for name, item in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    if value is None or isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


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
        shape_text(picture.shape),
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
    summary="List the images in a file, or the contents of a palette.",
    examples=("info slide.svs", "info photo.jpg --json", "info palette.npz"),
)
