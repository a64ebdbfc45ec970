"""Contrast limits of an overlay: as the user moved them, while densities change beneath them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari.layers import Image

Limits = tuple[float, float]


def moved_contrast(chosen: Iterable[float], before: Limits, after: Limits) -> Limits:
    """Return contrast limits for new values that lie to them as the chosen ones lay to the old.

    Parameters
    ----------
    chosen
        The limits that the layer has.
    before, after
        Default limits of the values that it shows, and of those that it will show.
    """
    width = before[1] - before[0]
    low, high = (
        after[0] + (float(limit) - before[0]) / width * (after[1] - after[0]) for limit in chosen
    )
    return (low, high) if high > low else after


def set_contrast(layer: "Image", limits: Limits, default: Limits) -> None:
    """Set a layer's contrast limits, and their range so that the default ones are within, too."""
    # First the limits, which widen the range, then the range they lie in: never clipped.
    layer.contrast_limits = limits
    low, high = min(limits[0], default[0]), max(limits[1], default[1])
    layer.contrast_limits_range = (low, high)
