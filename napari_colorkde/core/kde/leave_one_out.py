"""How well a KDE predicts pixels, or whole colors, that are left out of it."""

import math

import numpy as np

from napari_colorkde.core.kernel_sums.kernel_sums import KernelSums
from napari_colorkde.core.palette.palette import Palette


def leave_one_out(palette: Palette, sums: KernelSums, log_norm: float) -> float:
    """Mean over the pixels of ``log f`` with that pixel left out, in nats.

    ``f(x) = (counts(x) − 1 + others(x)) / ((N − 1) norm)``: only positive terms.
    """
    n = palette.n_pixels
    if n < 2:
        raise ValueError("image has one pixel; leaving it out leaves nothing. Give two or more.")
    with np.errstate(divide="ignore"):
        same = np.log(palette.counts - 1.0)
    logs = np.logaddexp(same, sums.log_others()) if len(palette) > 1 else same
    return float(palette.counts @ (logs - math.log(n - 1) - log_norm) / n)


def leave_one_color_out(palette: Palette, sums: KernelSums, log_norm: float) -> float:
    """Mean over the pixels of ``log f`` with all pixels of that color left out, in nats."""
    n = palette.n_pixels
    if len(palette) < 2:
        raise ValueError("image has a single color; leaving it out leaves nothing. Give two.")
    logs = sums.log_others() - np.log(n - palette.counts.astype(np.float64))
    return float(palette.counts @ (logs - log_norm) / n)
