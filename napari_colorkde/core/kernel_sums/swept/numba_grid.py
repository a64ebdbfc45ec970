"""A regular grid read off at scattered points, as machine code. Imported by `numba_sums`."""

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.compiled_loops import compiled

Floats = NDArray[np.float32]


@compiled(
    "void(float32[:, ::1], float32[::1], float32[::1], float32[:, :, ::1], float32[::1])",
    writes=4,
    fastmath=True,
)
def read_grid(
    points: Floats, low: Floats, per_step: Floats, values: Floats, result: Floats
) -> None:
    """Write what a grid has at points (n, 3), linearly along each axis; its edge beyond it.

    `low` and `per_step` are the first grid point and steps per unit, (3,).
    """
    size = values.shape
    zero, one = np.float32(0), np.float32(1)
    for i in range(len(points)):
        x = (points[i, 0] - low[0]) * per_step[0]
        y = (points[i, 1] - low[1]) * per_step[1]
        z = (points[i, 2] - low[2]) * per_step[2]
        a = min(max(int(x), 0), size[0] - 2)
        b = min(max(int(y), 0), size[1] - 2)
        c = min(max(int(z), 0), size[2] - 2)
        fx = min(max(x - np.float32(a), zero), one)
        fy = min(max(y - np.float32(b), zero), one)
        fz = min(max(z - np.float32(c), zero), one)
        total = zero
        for u in range(2):
            weight_x = fx if u else one - fx
            for v in range(2):
                weight = weight_x * (fy if v else one - fy)
                line = (one - fz) * values[a + u, b + v, c] + fz * values[a + u, b + v, c + 1]
                total += weight * line
        result[i] = total
