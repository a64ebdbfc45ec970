"""Kernels edited on an image of millions of colors: first at the colors on screen.

All other colors keep the values that they had until those of the whole image are there.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.device import Device
from napari_colorkde.core.mixture.cached_terms import Contributions
from napari_colorkde.core.palette.palette import Palette

MANY_COLORS = 1 << 21
"""Palettes of more colors are evaluated at those on the screen first."""


ReadCodes = Callable[[], NDArray[np.int32]]
"""Reads the codes of the pixels on a screen, see `ColorsOnScreen.look_at`; on any thread."""


class ColorsOnScreen:
    """The colors that a screen shows of a palette, with what kernels add there.

    Parameters
    ----------
    palette, device
        Whose colors, and where to compute.
    """

    def __init__(self, palette: Palette, device: Device) -> None:
        self._palette, self._device = palette, device
        self._codes: NDArray[np.int32] | None = None
        self.entries: NDArray[np.intp] = np.empty(0, np.intp)
        self.contributions: Contributions | None = None

    def look_at(self, codes: NDArray[np.int32]) -> None:
        """Have pixels with these codes on the screen: 0 is none, others palette entries plus 1."""
        before = self._codes
        if before is not None and before.shape == codes.shape and np.array_equal(before, codes):
            return
        self._codes = codes
        is_seen = np.zeros(len(self._palette) + 1, bool)
        is_seen[codes.ravel()] = True
        self.entries = np.flatnonzero(is_seen[1:])
        colors = self._palette.colors[self.entries]
        self.contributions = Contributions(colors, self._device) if len(colors) else None

    def spread(
        self, values: NDArray[np.float32], others: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return values ``(U,)`` of all colors: these at the entries, `others` elsewhere.

        An array of its own each time: the one before may be on the screen. 10 ms for 12 million.
        """
        spread = others.copy()
        spread[self.entries] = values
        return spread
