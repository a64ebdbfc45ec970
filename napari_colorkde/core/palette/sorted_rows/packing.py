"""Rows of numbers as unsigned integers in the same order.

`Packing` writes a row's channels side by side in one word where 64 bits hold them, as they do for
all integer images; `hashed_rows` is for the others, floats in three channels.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.palette.integer_levels import level_bits, nearest_levels
from napari_colorkde.core.palette.map_blocks import map_blocks
from napari_colorkde.core.palette.sorted_rows.sorting import WORD_BITS, Digit, Words

Unsigned = NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Packing:
    """How the channels of a row are written as unsigned integers, side by side.

    Attributes
    ----------
    dtype
        Of the rows.
    low
        Smallest integer of each channel, which is subtracted.
    shift
        Low bits of each channel that are the same in all rows, which are left out.
    bits
        Bits of each channel that remain.
    levels
        For floats that are multiples of 1/(2ⁿ − 1): the float of each multiple, NaN where there is
        none; the multiples are the integers then. None for other numbers.
    """

    dtype: np.dtype[Any]
    low: tuple[int, ...]
    shift: tuple[int, ...]
    bits: tuple[int, ...]
    levels: NDArray[Any] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, rows: NDArray[Any]) -> "Packing":
        """Return the tightest packing of rows ``(n, C)``, n ≥ 1."""
        levels = _table_of_levels(rows) if rows.dtype.kind == "f" else None
        plain = cls(rows.dtype, (0,), (0,), (0,), levels)
        columns = [_extent(plain, rows, c) for c in range(rows.shape[1])]
        low, shift, bits = zip(*columns, strict=True)
        return cls(rows.dtype, low, shift, bits, levels)

    @property
    def fits(self) -> bool:
        """Whether a row takes one word."""
        return sum(self.bits) <= WORD_BITS

    def integers(self, values: NDArray[Any]) -> Unsigned:
        """Return one channel's values ``(n,)`` as integers, before anything is left out."""
        if self.levels is None:
            return ordered_integers(values)
        bits = len(self.levels).bit_length() - 1
        with np.errstate(invalid="ignore"):  # NaN, which equals nothing
            integers: Unsigned = nearest_levels(values, bits).astype(np.uint32)
        return integers

    def digits(self, rows: NDArray[Any]) -> list[Digit]:
        """Return the channels of rows ``(n, C)`` without what all rows share, and their bits."""
        digits = []
        for c, bits in enumerate(self.bits):
            digit = np.empty(len(rows), self.integers(rows[:0, c]).dtype)

            def fill(block: slice, c: int = c, digit: Unsigned = digit) -> None:
                digit[block] = self._digit(rows[block, c], c)

            map_blocks(fill, len(rows))
            digits.append((digit, bits))
        return digits

    def pack(self, rows: NDArray[Any]) -> Words:
        """Return one word per row ``(n, C)``, in the rows' lexicographic order, ``(n,)``."""
        packed = np.empty(len(rows), np.uint64)

        def fill(block: slice) -> None:
            words = np.zeros(block.stop - block.start, np.uint64)
            for c, bits in enumerate(self.bits):
                if bits < WORD_BITS:
                    words <<= np.uint64(bits)
                words |= self._digit(rows[block, c], c)
            packed[block] = words

        map_blocks(fill, len(rows))
        return packed

    def unpack(self, packed: Words) -> NDArray[Any]:
        """Invert `pack`: rows ``(n, C)``."""
        rows = np.empty((len(packed), len(self.bits)), self.dtype)

        def fill(block: slice) -> None:
            words = packed[block].copy()
            for c in reversed(range(len(self.bits))):
                digit = words & np.uint64((1 << self.bits[c]) - 1)
                if self.bits[c] < WORD_BITS:
                    words >>= np.uint64(self.bits[c])
                integers = (digit << np.uint64(self.shift[c])) + np.uint64(self.low[c])
                if self.levels is None:
                    rows[block, c] = numbers_of_integers(integers, self.dtype)
                else:
                    rows[block, c] = self.levels[integers]

        map_blocks(fill, len(packed))
        return rows

    def contains(self, rows: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which rows ``(n, C)``, of the same dtype, are packed without loss, ``(n,)``."""
        inside = np.ones(len(rows), bool)
        for c, (low, shift, bits) in enumerate(zip(self.low, self.shift, self.bits, strict=True)):
            integers = self.integers(rows[:, c])
            if self.levels is not None:
                known = self.levels[np.minimum(integers, len(self.levels) - 1)]
                inside &= known == rows[:, c]
            inside &= (integers >= low) & (integers <= low + (((1 << bits) - 1) << shift))
            if shift:
                same = (1 << shift) - 1
                inside &= (integers & integers.dtype.type(same)) == (low & same)
        return inside

    def _digit(self, values: NDArray[Any], c: int) -> Unsigned:
        integers = self.integers(values)
        if self.low[c]:
            integers = integers - integers.dtype.type(self.low[c])
        return integers >> integers.dtype.type(self.shift[c]) if self.shift[c] else integers


def ordered_integers(values: NDArray[Any]) -> Unsigned:
    """Return numbers ``(n,)`` as unsigned integers of the same size and order.

    −0.0 becomes 0.0, so that equal numbers are equal integers. NaN must not be among them.
    """
    if values.dtype.kind == "u":
        return values
    word = np.dtype(f"u{values.dtype.itemsize}").type
    sign = word(8 * values.dtype.itemsize - 1)
    if values.dtype.kind == "i":
        integers: Unsigned = np.ascontiguousarray(values).view(word) ^ (word(1) << sign)
        return integers
    bits: Unsigned = (values + values.dtype.type(0)).view(word)
    # IEEE 754: positive floats ascend with their bits, negative ones descend.
    return np.asarray(bits ^ ((word(0) - (bits >> sign)) | (word(1) << sign)))


def numbers_of_integers(integers: Unsigned, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Invert `ordered_integers`."""
    if dtype.kind == "u":
        return np.asarray(integers.astype(dtype, copy=False))
    word = np.dtype(f"u{dtype.itemsize}").type
    bits: Unsigned = integers.astype(word, copy=False)
    sign = word(8 * dtype.itemsize - 1)
    if dtype.kind == "i":
        return np.asarray((bits ^ (word(1) << sign)).view(dtype))
    return np.asarray((bits ^ (((bits >> sign) - word(1)) | (word(1) << sign))).view(dtype))


_MULTIPLIERS = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
"""Of SplitMix64: Steele, Lea and Flood (2014), Fast splittable pseudorandom number generators."""


def hashed_rows(rows: NDArray[Any]) -> Words:
    """Return a 64-bit hash of each row ``(n, C)``, ``(n,)``. Different rows may share one."""
    hashes = np.empty(len(rows), np.uint64)

    def fill(block: slice) -> None:
        mixed = np.zeros(block.stop - block.start, np.uint64)
        for c in range(rows.shape[1]):
            mixed += ordered_integers(rows[block, c])
            mixed *= np.uint64(_MULTIPLIERS[0])
            mixed ^= mixed >> np.uint64(29)
            mixed *= np.uint64(_MULTIPLIERS[1])
            mixed ^= mixed >> np.uint64(32)
        mixed *= np.uint64(_MULTIPLIERS[2])
        hashes[block] = mixed

    map_blocks(fill, len(rows))
    return hashes


def _extent(packing: Packing, rows: NDArray[Any], c: int) -> tuple[int, int, int]:
    """Smallest integer of a channel, how many low bits all share, and the bits between them."""
    reference = packing.integers(rows[:1, c])[0]

    def of_block(block: slice) -> tuple[int, int, int]:
        integers = packing.integers(rows[block, c])
        varying = np.bitwise_or.reduce(integers ^ reference)
        return int(integers.min()), int(integers.max()), int(varying)

    lows, highs, varying = zip(*map_blocks(of_block, len(rows)), strict=True)
    union = int(np.bitwise_or.reduce(np.array(varying, np.uint64)))
    shared = (union & -union).bit_length() - 1 if union else 0
    low = min(lows)
    return low, shared, ((max(highs) - low) >> shared).bit_length()


def _table_of_levels(rows: NDArray[Any]) -> NDArray[Any] | None:
    """Return the float of each level; None if there are none, or two floats on one level."""
    bits = level_bits(rows)
    if bits is None:
        return None
    table = np.full(1 << bits, np.nan, rows.dtype)

    def enter(block: slice) -> None:
        values = rows[block].ravel() + rows.dtype.type(0)
        table[nearest_levels(values, bits).astype(np.intp)] = values

    def agrees(block: slice) -> bool:
        levels = nearest_levels(rows[block], bits).astype(np.intp)
        return bool((table[levels] == rows[block]).all())

    map_blocks(enter, len(rows))
    return table if all(map_blocks(agrees, len(rows))) else None
