"""How much of an image a set of colors covers: pixels, percent, area in the layer's units."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.image.source import ImageSource
from napari_colorkde.core.number_text import NARROW_NBSP, grouped

PIXEL = "pixel"
"""The unit of layers that have none."""


@dataclass(frozen=True)
class PixelArea:
    """The area of a pixel.

    Attributes
    ----------
    area
        In squares of `unit`.
    unit
        Such as "µm"; "" where the layer has a scale and no unit.
    """

    area: float
    unit: str

    @property
    def squared_unit(self) -> str:
        """The unit of areas, such as "µm²"."""
        return f"{self.unit or 'unit'}²"


@dataclass(frozen=True)
class RegionSize:
    """How much of an image some pixels are.

    Attributes
    ----------
    name
        Of the region: a class, or what is marked.
    n_pixels
        Number of its pixels.
    n_counted
        Number of the image's pixels that count: those that are masked, transparent or not finite
        do not.
    pixel_area
        The area of one of them; None where a layer has neither scale nor unit.
    """

    name: str
    n_pixels: int
    n_counted: int
    pixel_area: PixelArea | None = None

    @property
    def percent(self) -> float:
        """In percent of the pixels that count."""
        return 100 * self.n_pixels / self.n_counted

    @property
    def area(self) -> float | None:
        """In squares of the layer's units."""
        return None if self.pixel_area is None else self.n_pixels * self.pixel_area.area

    @property
    def pixels_text(self) -> str:
        """The number of pixels, as people read it."""
        return grouped(self.n_pixels)

    @property
    def percent_text(self) -> str:
        """The part of the image, as people read it."""
        return f"{self.percent:.1f}{NARROW_NBSP}%"

    @property
    def area_text(self) -> str:
        """The area with its unit; "" where there is none."""
        if self.pixel_area is None or self.area is None:
            return ""
        number = f"{self.area:.4g}" if self.area < 1e4 else grouped(round(self.area))
        return f"{number} {self.pixel_area.squared_unit}"


def pixel_area(source: ImageSource | None, channels: Channels | None) -> PixelArea | None:
    """Return the area of a pixel of the last two axes; None where a layer gives none.

    Axes of different units are converted to that of the last one.
    """
    placement = None if source is None else source.placement
    if source is None or channels is None or placement is None:
        return None
    axes = [a for a in range(source.ndim) if source.rgb or a != channels.axis][-2:]
    if len(axes) < 2 or len(placement.scale) < source.ndim:
        return None
    first, second = (abs(placement.scale[axis]) for axis in axes)
    units = [placement.units[axis] for axis in axes]
    if any(str(unit) == PIXEL for unit in units):
        return None if first == second == 1 else PixelArea(first * second, "")
    if not units[0].is_compatible_with(units[1]):
        return None  # time beside length
    factor = (1 * units[0]).to(units[1]).magnitude
    return PixelArea(first * factor * second, f"{units[1]:~P}")


def region_size(
    name: str,
    chosen: NDArray[np.bool_],
    counts: NDArray[np.int64],
    area: PixelArea | None = None,
) -> RegionSize:
    """Return the size of the pixels whose colors are chosen.

    Parameters
    ----------
    chosen, counts
        ``(U,)``: which colors of a palette, and how many pixels have each.
    """
    # Where few in a row are chosen, six times as fast as a sum `where` they are.
    n_chosen = np.einsum("i,i->", counts, chosen.view(np.int8))
    return RegionSize(name, int(n_chosen), int(counts.sum()), area)


def sizes_text(sizes: Sequence[RegionSize]) -> str:
    """Return a table for a spreadsheet, separated by tabs, with plain numbers."""
    area = next((size.pixel_area for size in sizes if size.pixel_area is not None), None)
    head = ["region", "pixels", "percent", *([f"area [{area.squared_unit}]"] if area else [])]
    rows = [
        [
            size.name,
            str(size.n_pixels),
            f"{size.percent:.4f}",
            *([f"{size.area:.8g}"] if size.area is not None else []),
        ]
        for size in sizes
    ]
    return "".join("\t".join(row) + "\n" for row in [head, *rows])
