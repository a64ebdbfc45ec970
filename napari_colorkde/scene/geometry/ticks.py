"""Round numbers along an axis, and how they are written."""

from __future__ import annotations

import math

import numpy as np

from napari_colorkde.scene.geometry.box import Floats


def nice_ticks(low: float, high: float, at_most: int = 6) -> Floats:
    """Return round numbers in [low, high], not more than `at_most` (but at least two if they fit).

    Steps are 1, 2, 2.5 or 5 times a power of ten (Heckbert, *Graphics Gems*, 1990, without the
    loosening of the ends).
    """
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"low and high must be finite and ascending, not {low} and {high}.")
    span = high - low
    raw = span / max(at_most, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    slack = 1e-9 * span
    for step in (m * p for p in (power, 10 * power) for m in (1.0, 2.0, 2.5, 5.0)):
        first = math.ceil((low - slack) / step)
        last = math.floor((high + slack) / step)
        if last - first + 1 <= max(at_most, 1):
            # Multiplying keeps 0.3 nearer to 0.3 than adding 0.1 three times.
            return np.array([k * step for k in range(first, last + 1)])
    return np.array([])


def tick_texts(ticks: Floats) -> list[str]:
    """Write ticks with as many decimals as their step needs, and a true minus sign.

    Whole numbers have none: axes of the same range may have different steps, but not "1" and "1.0".
    """
    if len(ticks) == 0:
        return []
    step = float(np.min(np.diff(ticks))) if len(ticks) > 1 else abs(float(ticks[0])) or 1.0
    largest = float(np.max(np.abs(ticks)))
    if largest >= 1e6 or step < 1e-4:
        texts = [f"{tick:.3g}" for tick in ticks]
    else:
        decimals = 0
        while decimals < 6 and abs(round(step, decimals) - step) > 1e-6 * step:
            decimals += 1
        texts = [f"{tick:.{decimals}f}" for tick in ticks]
        texts = [f"{float(text):.0f}" if float(text).is_integer() else text for text in texts]
    return ["0" if float(text) == 0 else text.replace("-", "−") for text in texts]
