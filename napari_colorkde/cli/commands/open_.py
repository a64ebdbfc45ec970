"""The command `open`."""

from napari_colorkde.cli.open_window import window_libraries
from napari_colorkde.cli.program import Command
from napari_colorkde.cli.shared_options import ImageArgument


def open_(image: ImageArgument) -> None:
    """Open an image in napari, with the plugin beside it."""
    from napari_colorkde.io.images import check_image_path

    check_image_path(image)
    with window_libraries():
        from napari_colorkde.ui.launcher import open_image
    open_image(image)


COMMAND = Command(
    open_,
    name="open",
    summary="Open an image in napari.",
    examples=("open photo.jpg",),
)
