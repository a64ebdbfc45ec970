"""Work on long arrays block by block, each small enough for a core's cache, on a few threads.

NumPy's arithmetic passes over whole arrays of gigabytes wait for memory; it lets go of the GIL, so
that blocks run side by side.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

BLOCK_ROWS = 1 << 16

MAX_THREADS = 4
"""More threads than these wait for memory."""

Result = TypeVar("Result")


def thread_count() -> int:
    """Return on how many threads blocks run: torch's number, at most `MAX_THREADS`."""
    return min(torch.get_num_threads(), MAX_THREADS)


def map_blocks(work: Callable[[slice], Result], n: int, rows: int = BLOCK_ROWS) -> Iterable[Result]:
    """Return ``work(block)`` of each block of `n` rows, in order."""
    blocks = [slice(start, min(start + rows, n)) for start in range(0, n, rows)]
    threads = min(thread_count(), len(blocks))
    if threads <= 1:
        return [work(block) for block in blocks]
    with ThreadPoolExecutor(threads, "blocks") as pool:
        return list(pool.map(work, blocks))
