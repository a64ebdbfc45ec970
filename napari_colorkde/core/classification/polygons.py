"""Which points of a grid lie in a polygon."""

import numpy as np
from numpy.typing import NDArray


def polygon_mask(polygon: NDArray[np.floating], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Which points of a grid lie in a closed polygon, by the even-odd rule.

    Parameters
    ----------
    polygon
        ``(N, 2)`` corners, row and column; the last joins the first.
    shape
        Of the grid, whose points lie at whole rows and columns.

    Returns
    -------
    (H, W) bool array
        Of points on an edge those count for which the inside lies below or to the right.

    Notes
    -----
    Each edge flips all points to its right, row by row. O(points + N rows).
    """
    flips = np.zeros((shape[0], shape[1] + 1), np.uint8)
    for start, end in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        (top, x_top), (bottom, x_bottom) = sorted((start.tolist(), end.tolist()))
        # Half-open, so that a corner on a row belongs to one of its edges.
        rows = np.arange(max(int(np.ceil(top)), 0), min(int(np.ceil(bottom)), shape[0]))
        if len(rows):
            crossing = x_top + (rows - top) * ((x_bottom - x_top) / (bottom - top))
            flips[rows, np.clip(np.ceil(crossing), 0, shape[1]).astype(np.int64)] ^= 1
    return np.bitwise_xor.accumulate(flips[:, :-1], axis=1).astype(bool)
