"""Color codes of pixels looked up for the screen, tile by tile; the most recent are cached.

What is on the screen is painted again at each edit; without these its pixels would be decoded
again for each.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import partial
from threading import Lock

import numpy as np
from numpy.typing import NDArray

SIDE = 512
"""Rows and columns of a tile, in pixels of its level."""

KEPT_BYTES = 1 << 26
"""About four screens of the largest kind."""

ReadTile = Callable[[range, range], NDArray[np.int32]]
"""Reads the codes ``(..., rows, columns)`` at these rows and columns."""


class CodeTiles:
    """Keeps the tiles that were asked for last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, NDArray[np.int32]] = OrderedDict()
        self._n_bytes = 0
        self._lock = Lock()

    def read(
        self,
        key: Hashable,
        shape: tuple[int, int],
        rows: range,
        columns: range,
        read: ReadTile,
    ) -> NDArray[np.int32]:
        """Return the codes of a box of a plane.

        Parameters
        ----------
        key
            Tells planes apart.
        shape
            Of the plane.
        rows, columns
            Neighbors, in ascending order.
        read
            Is asked for the tiles that are not kept.
        """
        parts: list[list[NDArray[np.int32]]] = []
        for top in _starts(rows):
            down = range(top, min(top + SIDE, shape[0]))
            line = []
            for left in _starts(columns):
                across = range(left, min(left + SIDE, shape[1]))
                tile = self._tile((key, top, left), partial(read, down, across))
                line.append(tile[..., _inside(rows, down), _inside(columns, across)])
            parts.append(line)
        return np.concatenate([np.concatenate(line, axis=-1) for line in parts], axis=-2)

    def _tile(self, key: Hashable, read: Callable[[], NDArray[np.int32]]) -> NDArray[np.int32]:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        tile = read()
        with self._lock:
            if key not in self._kept:
                self._kept[key] = tile
                self._n_bytes += tile.nbytes
            while self._n_bytes > KEPT_BYTES and len(self._kept) > 1:
                self._n_bytes -= self._kept.popitem(last=False)[1].nbytes
        return tile


def _starts(positions: range) -> range:
    return range(positions.start // SIDE * SIDE, positions.stop, SIDE)


def _inside(wanted: range, tile: range) -> slice:
    start, stop = max(wanted.start, tile.start), min(wanted.stop, tile.stop)
    return slice(start - tile.start, stop - tile.start)
