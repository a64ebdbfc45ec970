"""Make the gallery of the documentation: photographs in every mode of the color-space view.

Run by ``make docs``, on a display of its own. Writes docs/images/gallery.png: a row for each
photograph, a column for each mode, the last one being the difference from the next photograph.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from qtpy.QtWidgets import QApplication
from skimage.data import chelsea, immunohistochemistry

from napari_colorkde import ColorKDE, Palette, read_image
from napari_colorkde.io.sample_data import sample_path
from napari_colorkde.scene.canvas import ColorSpaceCanvas

TARGET = Path(__file__).resolve().parents[1] / "docs" / "images" / "gallery.png"
SIDE, GAP, HEAD = 280, 6, 24
NAMES = ("red", "green", "blue")

Picture = NDArray[np.uint8]
MODES: dict[str, Callable[[ColorSpaceCanvas], None]] = {
    "cloud": lambda canvas: canvas.set_mode("cloud"),
    "maximum": lambda canvas: canvas.set_mode("maximum"),
    "shells: 50, 90, 99 %": lambda canvas: canvas.set_mode("shells"),
    "counts": lambda canvas: canvas.set_mode("points"),
}


def main() -> None:
    """Draw all pictures and put them side by side."""
    app = QApplication.instance() or QApplication([])
    photographs = [
        *(read_image(sample_path(f"{name}")) for name in ("astronaut.png", "coffee.png")),
        read_image(sample_path("retina.jpg")),
        immunohistochemistry(),
        chelsea(),
    ]
    others = [*photographs[1:], photographs[0]]
    rows = [
        [thumbnail(image), *in_all_modes(image, other)]
        for image, other in zip(photographs, others, strict=True)
    ]
    app.processEvents()
    sheet = side_by_side(rows, ["photograph", *MODES, "difference from the next"])
    sheet.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(TARGET, optimize=True)
    name = TARGET.relative_to(TARGET.parents[2])
    print(f"{name}: {sheet.width} x {sheet.height}, {TARGET.stat().st_size / 1e6:.2f} MB")


def in_all_modes(image: Picture, other: Picture) -> list[Picture]:
    """Draw an image's colors once in each mode, square, and what sets it apart from another."""
    palette = Palette.from_image(image)
    volume = ColorKDE(palette).volume()
    canvas = ColorSpaceCanvas()
    try:
        canvas.set_counts(palette.colors, palette.counts)
        canvas.set_volume(volume.values, volume.axes, NAMES)
        canvas.set_scale("log")
        canvas.set_legend(False)
        pictures = []
        for choose in MODES.values():
            choose(canvas)
            pictures.append(canvas.render((SIDE, SIDE))[..., :3])
        difference = volume.values - ColorKDE(other).volume().values
        canvas.set_mode("cloud")
        canvas.set_volume(difference, volume.axes, NAMES, signed=True)
        pictures.append(canvas.render((SIDE, SIDE))[..., :3])
        return pictures
    finally:
        canvas.close()


def thumbnail(image: Picture) -> Picture:
    """Cut the middle square out of an image and make it small."""
    side = min(image.shape[:2])
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    square = Image.fromarray(image[top : top + side, left : left + side, :3])
    return np.asarray(square.resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def side_by_side(rows: list[list[Picture]], heads: list[str]) -> Image.Image:
    """Lay pictures out as a table with a head."""
    width = len(heads) * (SIDE + GAP) - GAP
    sheet = Image.new("RGB", (width, HEAD + len(rows) * (SIDE + GAP) - GAP), (38, 41, 48))
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(14)
    for column, head in enumerate(heads):
        left = column * (SIDE + GAP)
        draw.text((left + SIDE / 2, HEAD / 2), head, (230, 230, 230), font, anchor="mm")
        for row, pictures in enumerate(rows):
            sheet.paste(Image.fromarray(pictures[column]), (left, HEAD + row * (SIDE + GAP)))
    return sheet


if __name__ == "__main__":
    main()
