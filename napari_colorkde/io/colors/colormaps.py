"""Colors: colormaps of densities, which `cmap` brings, and one color for each class.

Magma, viridis, inferno and plasma are perceptually uniform. The window and the command line offer
the same names.
"""

from typing import Any

import cmap
import numpy as np
from numpy.typing import NDArray

COLORMAPS = ("magma", "viridis", "inferno", "plasma", "gray", "turbo", "hsv")
"""Names that `lookup_table` knows, in the order in which they are offered."""

CLASS_COLORS = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
"""Told apart by color-blind people, too; after them they begin again. Okabe and Ito, Color
Universal Design (2008)."""


def lookup_table(colormap: str | NDArray[Any]) -> NDArray[np.uint8]:
    """Turn a colormap into a table of colors.

    Parameters
    ----------
    colormap
        One of `COLORMAPS`, or ``(N, 3)`` or ``(N, 4)`` colors: uint8, or floats from 0 to 1. An
        alpha column is left aside.

    Returns
    -------
    ndarray
        ``(N, 3)`` uint8, from the lowest value to the highest.

    Raises
    ------
    ValueError
        If the name is not known or the array is no table of colors.
    """
    if isinstance(colormap, str):
        if colormap not in COLORMAPS:
            raise ValueError(f"colormap={colormap!r} is not known; use {', '.join(COLORMAPS)}.")
        colormap = np.asarray(cmap.Colormap(colormap).lut(256))
    table = np.asarray(colormap)
    if table.ndim != 2 or table.shape[1] not in (3, 4) or len(table) < 2:
        raise ValueError(
            f"colormap has shape {table.shape}; give a name or an (N, 3) table of colors, N > 1."
        )
    if table.dtype == np.uint8:
        return table[:, :3]
    table = table[:, :3].astype(np.float64)
    if not ((table >= 0) & (table <= 1)).all():
        raise ValueError(
            "colormap holds numbers outside the range 0 to 1; give uint8 colors, or floats from 0 "
            "to 1."
        )
    return np.asarray(np.rint(table * 255), dtype=np.uint8)
