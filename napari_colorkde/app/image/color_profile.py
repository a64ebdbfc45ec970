"""The color profile of an image's file if it is not sRGB; its levels are kept as they are."""

from collections.abc import Iterator
from pathlib import Path


def profile_of(path: str) -> Iterator[str]:
    """Yield the name of a file's ICC profile; "" of sRGB, without one, and without a file.

    Work of a session. The pixels are not read where the format allows that.
    """
    from napari_colorkde.io.formats.profiles import is_srgb
    from napari_colorkde.io.images import image_contents

    name = ""
    if path and Path(path).is_file():
        try:
            _, pictures = image_contents(path)
        except (ValueError, OSError):
            pictures = []  # another program's reader has read it
        main = next((picture for picture in pictures if picture.is_main), None)
        name = "" if main is None else main.profile
    yield "" if is_srgb(name) else name
