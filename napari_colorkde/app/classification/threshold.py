"""The threshold of what is shown, and the mask of the pixels that reach it."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.app.density.class_query import LOG_RATIO_RANGE
from napari_colorkde.app.density.request import ColorValues
from napari_colorkde.app.state import State


def has_threshold(densities: ColorValues | None, state: State) -> bool:
    """Whether these values have a threshold.

    A map of classes has none, nor have values that the state does not ask for any more.
    """
    if densities is None:
        return False
    query = densities.request.query
    asked = None if query is None else query.classification.without_display
    return asked == state.shown_classification and (query is None or query.show != "class")


def active_threshold(densities: ColorValues | None, state: State) -> float | None:
    """The threshold of these values as the state has it; None where they have none."""
    if densities is None or not has_threshold(densities, state):
        return None
    query = densities.request.query
    if query is not None:
        return replace(query, classification=state.classification).threshold
    chosen = state.classification.threshold
    return densities.first_threshold if chosen is None else chosen


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
