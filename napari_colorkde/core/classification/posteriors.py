"""The probability of every class at every pixel of an image."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.classification.bayes import posterior
from napari_colorkde.core.classification.classes import (
    ClassKernels,
    class_names,
    kernels_and_classes,
    prior_of_classes,
    refuse_single_class,
)
from napari_colorkde.core.classification.classify_image import (
    class_log_densities,
    goes_by_pixels,
    palette_and_kernels,
)
from napari_colorkde.core.classification.pixel_by_pixel import pixel_by_pixel
from napari_colorkde.core.colorspaces import KernelSpace
from napari_colorkde.core.device import DeviceLike
from napari_colorkde.core.palette.palette import Palette


def posteriors(
    image: Palette | ArrayLike,
    kernels: ClassKernels,
    *,
    priors: Mapping[str, float] | None = None,
    mask: ArrayLike | None = None,
    channel_axis: int | None = -1,
    space: KernelSpace | str | None = None,
    device: DeviceLike = "auto",
) -> NDArray[Any]:
    """Return P(class | color) of every class at every pixel of an image.

    Parameters
    ----------
    image, kernels, priors, mask, channel_axis, space, device
        As in `classify_image`, with two or more classes.

    Returns
    -------
    ndarray
        The image's shape without channels, then the classes in the order of `class_names`, K;
        ``(U, K)`` for a palette. float32, NaN where a pixel does not count. Each equals
        ``classify_image(show="posterior", cls=name)`` to the last bit; they sum to 1, or are 0
        where no class is possible. For a dask image, a dask array.

    Raises
    ------
    ValueError, TypeError
        As `classify_image`.

    Notes
    -----
    O(pixels · K + colors · kernels).
    """
    names = class_names(kernels)
    refuse_single_class(names, "posterior")
    prior = prior_of_classes(names, priors)

    def evaluate(palette: Palette, kernels: ClassKernels = kernels) -> NDArray[Any]:
        values = np.empty((len(palette), len(names)), np.float32)
        start = 0
        for block in class_log_densities(palette, kernels, device):
            part = slice(start, start + block.shape[1])
            for cls in range(len(names)):
                values[part, cls] = posterior(block, cls, prior)
            start = part.stop
        return values

    everything, _ = kernels_and_classes(kernels)
    if not isinstance(image, Palette) and goes_by_pixels(everything, space):
        return pixel_by_pixel(evaluate, image, everything, mask, channel_axis, np.nan)
    palette, members = palette_and_kernels(image, kernels, mask, channel_axis, space)
    values = evaluate(palette, members)
    if isinstance(image, Palette):
        return values
    return palette.paint_lazily(values, np.nan, image, mask, channel_axis)
