"""Compiled loops, where numba is installed, without anybody waiting for them.

numba takes a quarter of a second to import and the loops a second to compile, once for each
installation. So they are made ready on a thread of their own, and only once a process has counted
so many pixels that they pay; until then, and without numba, NumPy does the same work.
"""

import importlib
import importlib.util
import threading
from dataclasses import dataclass, field
from types import ModuleType

WORTHWHILE_PIXELS = 1 << 25
"""Pixels counted by a process before the loops are made ready for those that follow."""

LOOPS = "napari_colorkde.core.palette.numba_counting"


@dataclass(slots=True)
class CompiledLoops:
    """The module of compiled loops, or None until it is ready.

    Parameters
    ----------
    module
        Its name.
    worthwhile
        Pixels after which it is made ready.
    """

    module: str = LOOPS
    worthwhile: int = WORTHWHILE_PIXELS
    _pixels: int = 0
    _ready: ModuleType | None = None
    _thread: threading.Thread | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def after(self, n_pixels: int) -> ModuleType | None:
        """Return the loops if they are ready; `n_pixels` more are about to be counted."""
        self._pixels += n_pixels
        if self._ready is None and self._pixels >= self.worthwhile:
            self.prepare()
        return self._ready

    def prepare(self, *, wait: bool = False) -> ModuleType | None:
        """Make the loops ready on a thread of their own; with `wait`, return when they are."""
        with self._lock:
            if self._thread is None:
                # Not a daemon: a process that ends while machine code is written may crash.
                self._thread = threading.Thread(target=self._load, name="compile")
                self._thread.start()
        if wait:
            self._thread.join()
        return self._ready

    def _load(self) -> None:
        if importlib.util.find_spec("numba") is None:
            return
        try:
            self._ready = importlib.import_module(self.module)
        except Exception:  # whatever ails this numba, the other way counts the same
            self._ready = None


LOOPS_OF_COUNTING = CompiledLoops()
