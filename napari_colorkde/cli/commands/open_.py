"""The command `open`."""

from pathlib import Path
from typing import Annotated

import typer

from napari_colorkde.cli.open_window import check_display, window_libraries
from napari_colorkde.cli.program import Command


def open_(
    image: Annotated[
        list[Path],
        typer.Argument(metavar="IMAGE...", help="Image files; the first one is analyzed."),
    ],
) -> None:
    """Open images in napari, with the plugin docked."""
    from napari_colorkde.io.readers.decoding import check_image_path

    for path in image:
        check_image_path(path)
    check_display()
    with window_libraries():
        from napari_colorkde.ui.launcher import open_images
    open_images(image)


COMMAND = Command(
    open_,
    name="open",
    summary="Open images in napari.",
    examples=("open photo.jpg", "open before.png after.png"),
)
