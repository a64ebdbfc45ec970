"""Make the film of the documentation: a photograph's cloud of colors, turning once.

Run by ``make docs``, on a display of its own. Writes docs/images/rotation.webp: in the 256 colors
of a GIF a soft cloud has steps, and an animated PNG is seven times as large.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from qtpy.QtWidgets import QApplication

from napari_colorkde import ColorKDE, read_image
from napari_colorkde.io.sample_data import sample_path
from napari_colorkde.scene.canvas import ColorSpaceCanvas

TARGET = Path(__file__).resolve().parents[1] / "docs" / "images" / "rotation.webp"
SAMPLE = "astronaut.png"
SIZE = (440, 380)
PICTURES, MILLISECONDS = 60, 100
ELEVATION = -8.0
"""Degrees by which the first view is lowered: the far corner of the cube comes into sight."""

QUALITY = 75
"""Of 100. Lines of one pixel are still sharp."""

MOST_BYTES = 500_000


def main() -> None:
    """Draw the pictures and write the film."""
    app = QApplication.instance() or QApplication([])
    kde = ColorKDE(read_image(sample_path(SAMPLE)))
    pictures = list(turning(kde, SIZE, PICTURES))
    app.processEvents()
    write_film(TARGET, pictures, MILLISECONDS)
    n_bytes = TARGET.stat().st_size
    name = TARGET.relative_to(TARGET.parents[2])
    print(f"{name}: {len(pictures)} pictures, {n_bytes / 1e6:.2f} MB")
    if n_bytes > MOST_BYTES:
        sys.exit(f"{TARGET.name} has {n_bytes} bytes; take fewer or smaller pictures.")


def turning(kde: ColorKDE, size: tuple[int, int], pictures: int) -> Iterator[NDArray[np.uint8]]:
    """Yield pictures ``(H, W, 3)`` of a full turn, the last one step before the first."""
    volume = kde.volume()
    canvas = ColorSpaceCanvas()
    try:
        canvas.set_volume(volume.values, volume.axes, ["red", "green", "blue"])
        canvas.set_scale("log")
        canvas.set_legend(False)
        canvas.rotate(0, ELEVATION)
        for _ in range(pictures):
            yield canvas.render(size)[..., :3]
            canvas.rotate(360 / pictures)
    finally:
        canvas.close()


def write_film(path: Path, pictures: Sequence[NDArray[np.uint8]], milliseconds: int) -> None:
    """Write an animated WebP that repeats forever."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = [Image.fromarray(picture) for picture in pictures]
    frames[0].save(
        path,
        save_all=True,
        append_images=frames[1:],
        duration=milliseconds,
        loop=0,
        quality=QUALITY,
        method=6,
    )


if __name__ == "__main__":
    main()
