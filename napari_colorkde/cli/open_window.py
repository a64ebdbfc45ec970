"""The commands that open a window."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from napari_colorkde.cli.console import PROGRAM
from napari_colorkde.cli.options import ImageArgument, app, examples


@app.command(
    short_help="Show a sample photograph in napari.",
    epilog=examples(
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
    epilog=examples(
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
