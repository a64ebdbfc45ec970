"""The loop over 8-bit colors that NumPy cannot write, as machine code.

Importing this module imports numba and compiles, or reads what an earlier process compiled: ask
`core.compiled_loops` for it.
"""

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.compiled_loops import compiled


@compiled("void(uint8[:, ::1], uint32[::1])", writes=1)
def count_rgb(rows: NDArray[np.uint8], table: NDArray[np.uint32]) -> None:
    """Add one to the table at the code of each row ``(n, 3)``, see `ordered_byte_codes`."""
    for i in range(rows.shape[0]):
        code = (
            np.uint32(rows[i, 0]) << np.uint32(16)
            | np.uint32(rows[i, 1]) << np.uint32(8)
            | np.uint32(rows[i, 2])
        )
        table[code] += np.uint32(1)
