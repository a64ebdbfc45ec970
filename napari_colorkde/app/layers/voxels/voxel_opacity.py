"""The opacity of colors for a stack in true color: a ramp over the values shown.

The values are those of the overlay, so that both tell the same.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.app.density.class_query import LOG_RATIO_RANGE, ClassQuery
from napari_colorkde.app.density.request import ColorValues
from napari_colorkde.app.settings.voxel_settings import VoxelSettings
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet

OPAQUE_SIGMAS, CLEAR_SIGMAS = 1.0, 3.0
"""By default a kernel is opaque within this many standard deviations, and clear beyond these."""

SMALL = 1e-30

Range = tuple[float, float]


def automatic_range(kernels: KernelSet, query: ClassQuery | None, log: bool) -> Range | None:
    """The values up to which voxels are clear, and from which on they are opaque.

    Parameters
    ----------
    kernels, query, log
        What is shown: the density of these kernels, its logarithm, or the answer to a question.

    Returns
    -------
    tuple of float or None
        Of a density those at 3 and at 1 standard deviation from the middle of the lowest kernel, by
        itself; of a probability 0.5 and 1; of a ratio its best threshold, and odds of 1000 to 1
        beyond it. None for a map of classes, of which one class is opaque. O(K C³).
    """
    if query is not None:
        if query.show == "class":
            return None
        if query.show == "ratio":
            return query.best_threshold, query.best_threshold + LOG_RATIO_RANGE
        return 0.5, 1.0
    lowest = min((_log_peak(kernel) for kernel in kernels if kernel.weight > 0), default=0.0)
    low, high = lowest - CLEAR_SIGMAS**2 / 2, lowest - OPAQUE_SIGMAS**2 / 2
    return (low, high) if log else (float(np.exp(low)), float(np.exp(high)))


def opacity_range(densities: ColorValues, settings: VoxelSettings) -> Range | None:
    """The range that was chosen for these values, or the automatic one.

    Raises
    ------
    ValueError
        If they are the density of the image's own colors.
    """
    request = densities.request
    if request.kernels is None:
        raise ValueError("the density of the image's own colors is shown; choose a kernel set.")
    automatic = automatic_range(request.kernels, request.query, request.log)
    return automatic if automatic is None else settings.opacity or automatic


def color_opacity(densities: ColorValues, settings: VoxelSettings) -> NDArray[np.float32]:
    """How opaque each color of a palette is.

    Returns
    -------
    ndarray
        ``(U,)`` float32 from 0 to 1; 0 where there is no value. O(U).

    Raises
    ------
    ValueError
        If these are the density of the image's own colors.
    """
    given, query = opacity_range(densities, settings), densities.request.query
    if given is None:
        number = 0 if query is None else 1 + query.names.index(query.cls)
        return np.asarray(densities.values == number, np.float32)
    low, high = given
    if not high > low:  # both are 0 where kernels are wide and the density is not a logarithm
        return np.zeros(len(densities.values), np.float32)
    # Densities that are no logarithms may be too small for float32.
    share: NDArray[Any] = densities.values.astype(np.float32 if high - low > SMALL else np.float64)
    share -= share.dtype.type(low)
    share *= share.dtype.type(1 / (high - low))
    np.clip(share, 0, 1, out=share)
    share[np.isnan(share)] = 0
    return share.astype(np.float32, copy=False)


def _log_peak(kernel: Kernel) -> float:
    """The logarithm of the density of a kernel by itself, in its middle."""
    log_determinant = float(np.linalg.slogdet(2 * np.pi * kernel.covariance_matrix)[1])
    return float(np.log(kernel.weight)) - log_determinant / 2
