"""Where a volume is empty, and how far a ray may leap there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_cdt

# Grid cells along an edge of a block. Smaller blocks hug the content, larger ones are fewer.
BLOCK = 4


def empty_reach(values: NDArray[np.floating], threshold: float) -> NDArray[np.uint8]:
    """Return for every block of cells how many blocks around it are empty.

    Parameters
    ----------
    values : (B0, B1, B2) array
        Densities, or differences of densities.
    threshold : float
        Cells of at most this magnitude are empty.

    Returns
    -------
    (ceil(B0 / BLOCK), …) uint8 array
        0: something may be seen in the block. r ≥ 1: nothing can be seen in it, nor in any block
        less than r blocks away along every axis (chessboard distance). "Seen in" includes what
        interpolation draws in from the cells next to the block.
    """
    full = np.abs(values) > threshold
    for axis in range(full.ndim):
        # Interpolation reaches one cell further.
        grown = full.copy()
        ahead = [slice(None)] * full.ndim
        behind = [slice(None)] * full.ndim
        ahead[axis], behind[axis] = slice(1, None), slice(None, -1)
        grown[tuple(ahead)] |= full[tuple(behind)]
        grown[tuple(behind)] |= full[tuple(ahead)]
        starts = np.arange(0, full.shape[axis], BLOCK)
        full = np.logical_or.reduceat(grown, starts, axis=axis)
    if not full.any():
        return np.full(full.shape, 255, dtype=np.uint8)
    reach = distance_transform_cdt(~full, metric="chessboard")
    return np.asarray(np.minimum(reach, 255), dtype=np.uint8)
