"""Sorting rows of whole numbers in lexicographic order, however many bits they have.

NumPy sorts 64-bit words several times as fast as it finds the order of them, so a row's number
travels in the low bits of the word that is sorted.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Digit = tuple[NDArray[np.unsignedinteger], int]
"""A column of unsigned integers ``(n,)``, and below which power of two they lie."""

WORD_BITS = 64


def sorted_order(digits: Sequence[Digit]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the lexicographic order of rows, and which of them differ from the one before.

    As many leading bits as fit beside a row's number are sorted first; rows that are equal in them
    are sorted by the bits that follow, and so on.

    Parameters
    ----------
    digits
        The columns, most significant first, each with its number of bits, at most 64.

    Returns
    -------
    order
        ``(n,)``: row ``order[i]`` is the i-th. Rows that are equal stay in their order.
    is_first
        ``(n,)`` in the new order; True where a row differs from the one before.
    """
    n = len(digits[0][0])
    total = sum(bits for _, bits in digits)
    done = min(total, WORD_BITS - _bits_below(n))
    order, key = _sort_numbered(_leading(digits, 0, done), n)
    is_first = starts_of_runs(key)
    while done < total:
        ties = _rows_of_ties(is_first)
        if len(ties) == 0:
            break
        group = np.cumsum(is_first[ties]).astype(np.uint64) - np.uint64(1)
        group_bits = _bits_below(int(group[-1]) + 1)
        room = max(min(total - done, WORD_BITS - group_bits - _bits_below(len(ties))), 1)
        next_bits = _leading(digits, done, done + room, order[ties])
        moved, key = _sort_numbered(group << np.uint64(room) | next_bits, len(ties))
        order[ties] = order[ties][moved]
        is_first[ties] = starts_of_runs(key)
        done += room
    return order, is_first


def starts_of_runs(ordered: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Return where sorted values ``(n,)`` differ from the one before; the first one does."""
    is_first = np.ones(len(ordered), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
    return is_first


def _sort_numbered(key: Words, n: int) -> tuple[NDArray[np.int64], Words]:
    """Sort keys that leave room for a row's number: the order, and the sorted keys."""
    bits = np.uint64(_bits_below(n))
    numbered = (key << bits) | np.arange(n, dtype=np.uint64)
    numbered.sort()
    order = (numbered & np.uint64((1 << int(bits)) - 1)).view(np.int64)
    numbered >>= bits
    return order, numbered


def _rows_of_ties(is_first: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the positions of rows that are equal to a neighbor so far."""
    is_last = np.append(is_first[1:], True)
    return np.flatnonzero(~(is_first & is_last))


def _leading(
    digits: Sequence[Digit], start: int, stop: int, rows: NDArray[np.int64] | None = None
) -> Words:
    """Return bits ``start`` to ``stop`` of the digits written side by side, first digit first."""
    n = len(digits[0][0] if rows is None else rows)
    key = np.zeros(n, np.uint64)
    before = 0
    for values, bits in digits:
        first, last = max(start, before), min(stop, before + bits)
        before += bits
        if first >= last:
            continue
        part = (values if rows is None else values[rows]).astype(np.uint64)
        part >>= np.uint64(before - last)
        if last - first < WORD_BITS:
            part &= np.uint64((1 << (last - first)) - 1)
            key <<= np.uint64(last - first)
        key |= part
    return key


def _bits_below(n: int) -> int:
    """Return how many bits the numbers below n take; at least one."""
    return max((n - 1).bit_length(), 1)
