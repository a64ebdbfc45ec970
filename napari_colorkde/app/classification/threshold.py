"""The threshold of what is shown, and the mask of the pixels that reach it."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.app.density.class_query import LOG_RATIO_RANGE
from napari_colorkde.app.density.density_steps import ColorValues
from napari_colorkde.app.state import State
from napari_colorkde.core.classification.bayes import log_density_level

DEFAULT_FRACTION = 0.95
"""The first threshold of a density leaves this part of the pixels above it."""


def active_threshold(densities: ColorValues | None, state: State) -> float | None:
    """The threshold of these values as the state has it; None where they have none.

    A map of classes has none, nor have values that the state does not ask for any more.
    """
    if densities is None:
        return None
    query = densities.request.query
    asked = None if query is None else query.classification.without_display
    if asked != state.shown_classification or (query is not None and query.show == "class"):
        return None
    if query is not None:
        return replace(query, classification=state.classification).threshold
    if state.classification.threshold is not None:
        return state.classification.threshold
    return log_density_level(densities.values, densities.request.palette.counts, DEFAULT_FRACTION)


def threshold_range(densities: ColorValues) -> tuple[float, float]:
    """Ends of a slider that suit values: where the pixels have them."""
    query = densities.request.query
    if query is None or query.show != "ratio":
        return densities.limits
    finite = densities.values[np.isfinite(densities.values)]
    middle = query.best_threshold
    low = max(float(finite.min(initial=middle)), middle - 4 * LOG_RATIO_RANGE)
    high = min(float(finite.max(initial=middle)), middle + 4 * LOG_RATIO_RANGE)
    return (low, high) if high > low else (middle - 1, middle + 1)


def above_threshold(densities: ColorValues, threshold: float) -> NDArray[np.bool_]:
    """Which palette entries reach a threshold, ``(U,)``; those without a value do not."""
    return np.asarray(densities.values >= densities.values.dtype.type(threshold))
