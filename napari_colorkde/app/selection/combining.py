"""Selections of colors as sets: added, subtracted, grown and shrunk."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

MODES = ("new", "add", "subtract")
Chosen = NDArray[np.bool_]


def combined(before: Chosen | None, region: Chosen, mode: str) -> Chosen:
    """Return what is chosen once a region was drawn.

    Parameters
    ----------
    before
        The palette entries that were chosen, ``(U,)``; None: none.
    region
        Those in the region, ``(U,)``.
    mode
        "new", "add" or "subtract".

    Raises
    ------
    ValueError
        If there is no such mode.
    """
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}, not {mode!r}.")
    if mode == "new":
        return region
    if before is None:
        before = np.zeros_like(region)
    return before | region if mode == "add" else before & ~region


def grown(chosen: Chosen, colors: ArrayLike, radii: Sequence[float]) -> Chosen:
    """Return the entries within an ellipsoid about any chosen one, those included.

    Parameters
    ----------
    chosen
        ``(U,)``.
    colors
        Of the entries, ``(U, C)``.
    radii
        Half-axes of the ellipsoid along the channels, ``(C,)``, in the colors' units.

    Notes
    -----
    O(U log U): 0.6 s for 440 000 colors.
    """
    scaled = np.asarray(colors, dtype=float) / np.asarray(radii, dtype=float)
    result = chosen.copy()
    if chosen.any() and not chosen.all():
        others = np.flatnonzero(~chosen)
        tree = cKDTree(scaled[chosen])
        # Just above 1: what lies on the border belongs to it.
        distances, _ = tree.query(scaled[others], distance_upper_bound=1 + 1e-9)
        result[others] = np.isfinite(distances)
    return result


def shrunk(chosen: Chosen, colors: ArrayLike, radii: Sequence[float]) -> Chosen:
    """Return the chosen entries about which an ellipsoid has no other one; see `grown`."""
    return ~grown(~chosen, colors, radii)
