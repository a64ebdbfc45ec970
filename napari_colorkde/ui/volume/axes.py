"""Axes of the volume viewer: a line for each channel in its own color, with ticks and numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.theme import get_theme
from numpy.typing import NDArray

from napari_colorkde.core.kde.volumes.density_volume import DensityVolume
from napari_colorkde.scene.axes import SceneAxes
from napari_colorkde.scene.geometry.ticks import nice_ticks, tick_texts
from napari_colorkde.ui.volume.layers import Options, pint_unit

if TYPE_CHECKING:
    from napari_colorkde.scene.geometry.box_colors import ColorOf

TICK, NUMBER, NAME = 0.02, 0.07, 0.1
"""Lengths of ticks, from the axis to numbers, and from its end to names, in parts of an edge."""

WIDTH = 0.01
"""Of lines, in parts of the longest edge."""

MOST_TICKS = 6
PLAIN = 0.6, 0.6, 0.6
"""Of axes along which there is no color that can be displayed."""


@dataclass(frozen=True, eq=False, slots=True)
class AxisLines:
    """Lines and texts of three axes.

    Attributes
    ----------
    lines
        Starts and steps of axes and their ticks, ``(N, 2, 3)``.
    colors
        Of the lines, ``(N, 3)``.
    places, texts
        Where numbers and names stand, ``(M, 3)``.
    place_options
        What both layers have of napari's options.
    width
        Of lines.
    """

    lines: NDArray[np.float64]
    colors: NDArray[np.float64]
    places: NDArray[np.float64]
    texts: list[str]
    place_options: Options
    width: float

    @property
    def line_options(self) -> Options:
        """Options of a Vectors layer."""
        return {
            "name": "axes",
            "edge_color": self.colors,
            "edge_width": self.width,
            "vector_style": "line",
            **self.place_options,
        }

    def text_options(self, theme: str, font_size: int) -> Options:
        """Return options of a Points layer, which shows its texts alone."""
        text = {
            "string": self.texts,
            "size": font_size,
            "color": get_theme(theme).text.as_hex(),
            "anchor": "center",
        }
        return {
            "name": "numbers",
            "size": self.width,
            "face_color": "transparent",
            "border_color": "transparent",
            "text": text,
            **self.place_options,
        }


def axis_lines(
    volume: DensityVolume,
    names: Sequence[str],
    color_of: "ColorOf | None" = None,
    unit: str = "levels",
) -> AxisLines:
    """Return the axes of a three-dimensional volume, which meet in its darkest corner."""
    space = SceneAxes.from_axes(volume.axes, names, color_of)
    low = np.array([axis[0] for axis in volume.axes], float)
    span = np.array([axis[-1] for axis in volume.axes]) - low
    lines: list[NDArray[Any]] = []
    colors: list[NDArray[Any]] = []
    places: list[NDArray[Any]] = []
    texts: list[str] = []
    for channel in range(3):
        along, aside = np.zeros(3), np.zeros(3)
        along[channel] = span[channel]
        beside = (channel + 1) % 3
        aside[beside] = -span[beside]
        ticks = nice_ticks(low[channel], low[channel] + span[channel], MOST_TICKS)
        feet = low + ((ticks - low[channel]) / span[channel])[:, np.newaxis] * along
        lines += [np.array([low, along]), *(np.array([foot, TICK * aside]) for foot in feet)]
        colors += [_color(space, low + along)] * (1 + len(ticks))
        places += [*(feet + NUMBER * aside), low + (1 + NAME) * along]
        texts += [*tick_texts(ticks), names[channel]]
    options: Options = {"axis_labels": tuple(names), "units": (pint_unit(unit),) * 3}
    return AxisLines(
        np.array(lines),
        np.array(colors),
        np.array(places),
        texts,
        options,
        WIDTH * float(span.max()),
    )


def _color(space: SceneAxes, end: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the color in which an axis ends, sRGB in 0..1."""
    if space.given_colors is not None:
        shown = np.asarray(space.given_colors(end[np.newaxis]))
        if shown.min() < -0.01 or shown.max() > 1.01:
            return np.array(PLAIN)
    color: NDArray[np.float64] = space.color_of(end[np.newaxis])[0]
    return color
