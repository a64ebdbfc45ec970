"""How an overlay is colored, by what it shows.

Densities and probabilities have the colormap that the user chose. Ratios have two hues that
color-blind people tell apart, with the threshold in the middle; classes have a color each.
"""

from typing import TYPE_CHECKING

from napari_colorkde.app.density.compute import Densities
from napari_colorkde.io.class_maps import CLASS_COLORS

if TYPE_CHECKING:
    from napari.utils.colormaps import Colormap

EVIDENCE = (
    (0.00, 0.13, 0.42),
    (0.00, 0.45, 0.70),
    (0.96, 0.96, 0.96),
    (0.90, 0.53, 0.00),
    (0.45, 0.16, 0.00),
)
"""From certainly not to certainly: blue, white, orange."""


def is_sequential(densities: Densities | None) -> bool:
    """Whether these values are shown with the colormap that the user chose."""
    question = None if densities is None else densities.request.question
    return question is None or question.show == "posterior"


def colormap_of(densities: Densities, chosen: str) -> "str | Colormap":
    """The colormap of an overlay.

    Parameters
    ----------
    densities
        What it shows.
    chosen
        Name of the user's colormap.
    """
    question = densities.request.question
    if question is None or is_sequential(densities):
        return chosen
    from napari.utils.colormaps import Colormap

    if question.show == "ratio":
        return Colormap(EVIDENCE, name="evidence")
    colors = [(*class_color(number), 1.0) for number in range(len(question.names))]
    return Colormap([(0.0, 0.0, 0.0, 0.0), *colors], name="classes", interpolation="zero")


def class_color(number: int) -> tuple[float, float, float]:
    """Red, green and blue from 0 to 1 of a class, counted from 0."""
    red, green, blue = CLASS_COLORS[number % len(CLASS_COLORS)]
    return red / 255, green / 255, blue / 255
