"""8-bit colors as one integer each: their bytes side by side."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def byte_codes(values: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Code each 8-bit color ``(n, C)``, C ≤ 3: channel 0 in the lowest byte.

    Three channels are read as overlapping little-endian words, one load a pixel.
    """
    n, channels = values.shape
    if channels == 1:
        return values[:, 0].astype(np.uint32)
    if channels == 2:
        return np.ascontiguousarray(values).view("<u2")[:, 0].astype(np.uint32)
    values = np.ascontiguousarray(values)
    codes = np.empty(n, np.uint32)
    if n > 1:
        words = np.ndarray((n - 1,), dtype="<u4", buffer=values.data, strides=(3,))
        np.bitwise_and(words, 0xFFFFFF, out=codes[:-1])
    if n:  # the last word would end one byte behind the array
        red, green, blue = (int(v) for v in values[-1])
        codes[-1] = red | green << 8 | blue << 16
    return codes


def colors_of_byte_codes(codes: NDArray[Any], channels: int) -> NDArray[np.uint8]:
    """Invert `byte_codes`: ``(n,)`` codes to ``(n, C)`` colors."""
    colors = np.empty((len(codes), channels), np.uint8)
    for c in range(channels):
        colors[:, c] = codes >> (8 * c) & 0xFF
    return colors


def ordered_byte_codes(values: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Code each 8-bit color ``(n, C)``, C ≤ 3, in lexicographic order: channel 0 highest."""
    codes = byte_codes(values)
    codes.byteswap(inplace=True)
    codes >>= np.uint32(8 * (4 - values.shape[1]))
    return codes


def append_digit(codes: NDArray[np.int64], ranks: NDArray[Any], radix: int) -> NDArray[np.int64]:
    """Append a digit to mixed-radix codes, first renumbering them if they would overflow."""
    if len(codes) and int(codes.max()) >= (1 << 62) // max(radix, 1):
        codes = np.unique(codes, return_inverse=True)[1].astype(np.int64)
    packed: NDArray[np.int64] = codes * radix + ranks
    return packed
