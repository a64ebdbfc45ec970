"""Compiled loops for many points on the CPU, where numba is installed, and threads for them."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from napari_colorkde.core.compiled_loops import CompiledLoops
from napari_colorkde.core.device import Device

LOOPS = CompiledLoops("napari_colorkde.core.kernel_sums.numba_sums", worthwhile=1 << 19)
"""What spreads, reads and sums pairs in a third of the time or less."""

WORTH_WAITING = 1 << 21
"""Points for which it is faster to wait until the loops are ready: a second or two."""

SHARES = 8
"""Of the work for each thread, so that none is left with much when the others are done."""

Share = TypeVar("Share")


def loops_for(n_points: int, channels: int, device: Device) -> ModuleType | None:
    """Return the compiled loops if they are for such points, and ready or worth waiting for."""
    if channels != 3 or device.torch_device.type != "cpu":
        return None
    return LOOPS.prepare(wait=True) if n_points >= WORTH_WAITING else LOOPS.after(n_points)


def shares(total: float) -> NDArray[np.int64]:
    """Return where work of this total is cut into equal shares."""
    cuts = np.linspace(0, total, SHARES * torch.get_num_threads() + 1)[1:-1]
    return cuts.astype(np.int64)


def in_threads(work: Callable[[Share], None], parts: Iterable[Share]) -> None:
    """Do work that leaves Python's lock alone on as many threads as torch has."""
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        for job in [pool.submit(work, part) for part in parts]:
            job.result()
