"""Where a volume is empty, and how far a ray may skip there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_cdt

# Grid cells along an edge of a block. Smaller blocks hug the content, larger ones are fewer.
BLOCK = 4


def distance_to_content(values: NDArray[np.floating], threshold: float) -> NDArray[np.uint8]:
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
        full = _any_in_blocks(full, axis)
    if not full.any():
        return np.full(full.shape, 255, dtype=np.uint8)
    reach = distance_transform_cdt(~full, metric="chessboard")
    return np.asarray(np.minimum(reach, 255), dtype=np.uint8)


def _any_in_blocks(full: NDArray[np.bool_], axis: int) -> NDArray[np.bool_]:
    """Say along one axis which blocks hold anything, or have it right beside them.

    Interpolation reaches one cell further than the block.
    """
    full = np.moveaxis(full, axis, 0)
    n_blocks = -(-len(full) // BLOCK)
    padded = np.zeros((n_blocks * BLOCK + 2, *full.shape[1:]), dtype=bool)
    padded[1 : len(full) + 1] = full
    last = (n_blocks - 1) * BLOCK + 1
    held = padded[:last:BLOCK].copy()
    for offset in range(1, BLOCK + 2):
        held |= padded[offset : offset + last : BLOCK]
    return np.moveaxis(held, 0, axis)
