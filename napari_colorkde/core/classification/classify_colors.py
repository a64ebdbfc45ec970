"""The class, the likelihood and the certainty of each color of a palette."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.classification.bayes import (
    log_mixture_of_classes,
    most_likely_class,
    posterior,
    reject_outliers,
)
from napari_colorkde.core.classification.classes import (
    ClassKernels,
    class_names,
    prior_of_classes,
)
from napari_colorkde.core.classification.classify_image import class_log_densities
from napari_colorkde.core.device import DeviceLike
from napari_colorkde.core.palette.palette import Palette

NONE = "none"
"""Name of what is of no class."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassifiedColors:
    """What is known of each color of a palette, (U,) each.

    Attributes
    ----------
    palette
        The colors.
    names
        Classes, then `NONE`; "" alone without kernels.
    classes
        Positions in `names`.
    log_likelihood, entropy
        In nats; NaN without kernels.
    """

    palette: Palette
    names: tuple[str, ...]
    classes: NDArray[np.intp]
    log_likelihood: NDArray[np.float64]
    entropy: NDArray[np.float64]


def classify_colors(
    palette: Palette,
    kernels: ClassKernels | None,
    *,
    priors: Mapping[str, float] | None = None,
    keep_mass: float | None = None,
    device: DeviceLike = "auto",
) -> ClassifiedColors:
    """Find the class of each color, for `measure_palette` and `measure_entries`.

    Parameters
    ----------
    palette
        The colors.
    kernels, priors, keep_mass, device
        As in `measure_regions`.

    Raises
    ------
    ValueError
        As from `classify_image`.

    Notes
    -----
    O(U · K).
    """
    if kernels is None:
        nothing = np.full(len(palette), np.nan)
        return ClassifiedColors(palette, ("",), np.zeros(len(palette), np.intp), nothing, nothing)
    return _classify(palette, kernels, priors, keep_mass, device)


def _classify(
    palette: Palette,
    kernels: ClassKernels,
    priors: Mapping[str, float] | None,
    keep_mass: float | None,
    device: DeviceLike,
) -> ClassifiedColors:
    names = class_names(kernels)
    prior = prior_of_classes(names, priors)
    parts = []
    for block in class_log_densities(palette, kernels, device):
        entropy = np.zeros(block.shape[1])
        for cls in range(len(names)):
            p = posterior(block, cls, prior)
            entropy -= p * np.log(np.where(p > 0, p, 1.0))
        best = most_likely_class(block, prior)
        parts.append((best, log_mixture_of_classes(block, prior), entropy))
    best, total, entropy = (np.concatenate(part) for part in zip(*parts, strict=True))
    if keep_mass is not None:
        best = reject_outliers(best, total, palette.counts, keep_mass)
    # The last name is that of no class.
    classes = np.where(best < 0, len(names), best)
    return ClassifiedColors(palette, (*names, NONE), classes, total, np.maximum(entropy, 0.0))
