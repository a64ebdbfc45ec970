"""How an overlay is colored, and how a stack of it is drawn in three dimensions, by what it shows.

Densities and probabilities have the colormap that the user chose. Ratios have two hues that
color-blind people tell apart, with the threshold in the middle; classes have a color each.
"""

from typing import TYPE_CHECKING

from napari_colorkde.app.density.request import ColorValues
from napari_colorkde.io.colors.colormaps import CLASS_COLORS

if TYPE_CHECKING:
    from napari.utils.colormaps import Colormap

DIVERGING_COLORS = (
    (0.00, 0.13, 0.42),
    (0.00, 0.45, 0.70),
    (0.96, 0.96, 0.96),
    (0.90, 0.53, 0.00),
    (0.45, 0.16, 0.00),
)
"""From certainly not to certainly: blue, white, orange."""


def uses_user_colormap(densities: ColorValues | None) -> bool:
    """Whether these values are shown with the colormap that the user chose."""
    query = None if densities is None else densities.request.query
    return query is None or query.show == "posterior"


def overlay_colormap(densities: ColorValues, chosen: str) -> "str | Colormap":
    """The colormap of an overlay.

    Parameters
    ----------
    densities
        What it shows.
    chosen
        Name of the user's colormap.
    """
    query = densities.request.query
    if query is None or uses_user_colormap(densities):
        return chosen
    from napari.utils.colormaps import Colormap

    if query.show == "ratio":
        return Colormap(DIVERGING_COLORS, name="evidence")
    colors = [(*class_color(number), 1.0) for number in range(len(query.names))]
    return Colormap([(0.0, 0.0, 0.0, 0.0), *colors], name="classes", interpolation="zero")


def is_class_map(densities: ColorValues | None) -> bool:
    """Whether these values are numbers of classes."""
    query = None if densities is None else densities.request.query
    return query is not None and query.show == "class"


def volume_options(densities: ColorValues) -> dict[str, str]:
    """How napari draws a stack of these values in three dimensions: options of an Image layer.

    The largest value along each line of sight, but of classes the nearest one: their numbers have
    no order, and between two of them there is no third.
    """
    if is_class_map(densities):
        return {"rendering": "translucent", "interpolation3d": "nearest"}
    return {"rendering": "mip", "interpolation3d": "linear"}


def class_color(number: int) -> tuple[float, float, float]:
    """Red, green and blue from 0 to 1 of a class, counted from 0."""
    red, green, blue = CLASS_COLORS[number % len(CLASS_COLORS)]
    return red / 255, green / 255, blue / 255
