"""PNG: a color image of 8 bits per channel, for viewing; classes as a color table."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from napari_colorkde.io.colors.coloring import color_density
from napari_colorkde.io.colors.colormaps import CLASS_COLORS, lookup_table
from napari_colorkde.io.provenance import SOFTWARE, as_lines

if TYPE_CHECKING:
    from napari_colorkde.io.export_formats import DensityMap

MAX_COLORS = 255
"""Classes that the color table of a PNG has room for."""


def write_density(path: Path, density: "DensityMap", record: Mapping[str, object]) -> None:
    """Write the colored density; NaN is transparent."""
    picture, limits = color_density(
        density.values, density.log, density.colormap, density.contrast_limits
    )
    image = Image.fromarray(picture)
    if density.color_bar:
        image = with_color_bar(image, lookup_table(density.colormap), limits)
    _save(path, image, {**record, "contrast limits": limits})


def with_color_bar(
    image: Image.Image, table: NDArray[np.uint8], limits: tuple[float, float]
) -> Image.Image:
    """Return a picture with a white margin at its right that holds a bar with numbers.

    Parameters
    ----------
    image
        RGBA.
    table
        ``(N, 3)`` colors, from the lower limit to the upper one.
    limits
        Values at the ends of the bar.
    """
    size = int(np.clip(image.height / 25, 8, 40))
    font = ImageFont.load_default(size)
    low, high = limits
    ticks = _round_numbers(low, high)
    texts = [f"{tick:.6g}" for tick in ticks]
    widest = max((font.getlength(text) for text in texts), default=0)
    left, width = image.width + size, size
    whole = Image.new("RGBA", (int(left + 2 * width + widest + size), image.height), "white")
    whole.paste(image, (0, 0))
    top, height = size, max(image.height - 2 * size, 1)
    rows = ((np.arange(height)[::-1] + 0.5) / height * len(table)).astype(int)
    colors = np.repeat(np.asarray(table, np.uint8)[rows][:, np.newaxis, :3], width, axis=1)
    whole.paste(Image.fromarray(colors), (left, top))
    draw = ImageDraw.Draw(whole)
    for tick, text in zip(ticks, texts, strict=True):
        y = top + (high - tick) / (high - low) * (height - 1)
        right = left + width
        draw.line([(right, y), (right + size // 3, y)], fill="black", width=max(size // 12, 1))
        draw.text((right + size // 2, y), text, fill="black", font=font, anchor="lm")
    return whole


def _round_numbers(low: float, high: float) -> list[float]:
    """Return about six round numbers between two limits."""
    step = (high - low) / 7
    power = 10.0 ** np.floor(np.log10(step))
    step = float(power * next(m for m in (1, 2, 5, 10) if m * power >= step * 0.999))
    first, last = int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9))
    return [i * step for i in range(first, last + 1)]


def write_classes(
    path: Path, labels: NDArray[Any], names: Sequence[str], record: Mapping[str, object]
) -> None:
    """Write numbers of classes as entries of a color table; entry 0 is transparent."""
    if labels.ndim != 2:
        raise ValueError(
            f"labels has shape {labels.shape}, but a PNG holds a single image, (H, W); write a "
            "TIFF."
        )
    if len(names) > MAX_COLORS:
        raise ValueError(
            f"the color table of a PNG has room for {MAX_COLORS} classes, but there are "
            f"{len(names)}; write .tif or .npy."
        )
    picture = Image.fromarray(labels.astype(np.uint8), mode="L")
    colors = [CLASS_COLORS[i % len(CLASS_COLORS)] for i in range(len(names))]
    picture.putpalette([level for color in [(0, 0, 0), *colors] for level in color])
    _save(path, picture, record, transparency=0)


def _save(path: Path, picture: Image.Image, record: Mapping[str, object], **options: int) -> None:
    text = PngInfo()
    text.add_text("Software", str(record.get("software", SOFTWARE)))
    text.add_text("Description", as_lines(record))
    picture.save(path, format="PNG", pnginfo=text, compress_level=4, **options)
