"""PNG: a colored picture of 8 bits per channel, for looking at; classes as a color table."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from napari_colorkde.io.coloring import color_density
from napari_colorkde.io.colormaps import CLASS_COLORS
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
    _save(path, Image.fromarray(picture), {**record, "contrast limits": limits})


def write_classes(
    path: Path, labels: NDArray[Any], names: Sequence[str], record: Mapping[str, object]
) -> None:
    """Write numbers of classes as entries of a color table; entry 0 is transparent."""
    if labels.ndim != 2:
        raise ValueError(
            f"labels has shape {labels.shape}, but a PNG holds one picture, (H, W); write a TIFF."
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
