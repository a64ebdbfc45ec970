"""Compiled loops, if numba is installed, without waiting for their compilation.

numba takes a quarter of a second to import and the loops a second to compile, once for each
installation. So they are made ready on a thread of their own, and only once a process has counted
so many pixels that they pay; until then, and without numba, NumPy does the same work.
"""

import hashlib
import importlib
import importlib.util
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import TypeVar, cast

Loop = TypeVar("Loop", bound=Callable[..., object])

WORTHWHILE_PIXELS = 1 << 25
"""Pixels counted by a process before the loops are made ready for those that follow."""

LOOPS = "napari_colorkde.core.palette.counters.numba_counting"


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
        # numba for another NumPy, one that cannot compile here, no room to keep what was compiled.
        failures: tuple[type[Exception], ...] = (ImportError, OSError, RuntimeError)
        try:
            from numba.core.errors import NumbaError

            failures = (*failures, NumbaError)
            self._ready = importlib.import_module(self.module)
        except failures as error:
            # The other way gives the same, more slowly.
            sentence = f"numba does not work here ({error}); counting and summing take longer."
            warnings.warn(sentence, stacklevel=1)


LOOPS_OF_COUNTING = CompiledLoops()


def compiled(
    signature: str, *, writes: int | tuple[int, ...], fastmath: bool = False
) -> Callable[[Loop], Loop]:
    """Return a decorator that makes machine code for these argument types, without Python's lock.

    The arguments numbered `writes` are the arrays that are written to; all others may be read-only,
    as images from files and other people's arrays are. What was compiled is kept in ``__pycache__``
    for the processes that follow, as long as the loop's module and what it takes from others are
    the same. Imports numba: only for modules that are named to `CompiledLoops`.
    """
    import numba
    from numba.core.sigutils import normalize_signature

    written = writes if isinstance(writes, tuple) else (writes,)
    given, returned = normalize_signature(signature)
    arguments = [
        numba.types.Array(kind.dtype, kind.ndim, kind.layout, readonly=True)
        if isinstance(kind, numba.types.Array) and number not in written
        else kind
        for number, kind in enumerate(given)
    ]
    make = numba.njit(returned(*arguments), nogil=True, cache=True, fastmath=fastmath)

    def compile_or_read(loop: Loop) -> Loop:
        # Numba looks at the file of the loop's module only, and finds machine code by this name.
        loop.__qualname__ = f"{loop.__qualname__}_{_digest(loop)}"
        return cast(Loop, make(loop))

    return compile_or_read


def _digest(loop: Callable[..., object]) -> str:
    """Return a digest of the constants in a loop's module, and of the compiled loops there."""
    known: list[tuple[object, ...]] = []
    names: dict[str, object] = getattr(loop, "__globals__", {})
    for name, value in sorted(names.items()):
        if name.isupper() and isinstance(value, int | float | str):
            known.append((name, value))
        elif (other := getattr(value, "py_func", None)) is not None:
            code = other.__code__
            numbers = [c for c in code.co_consts if isinstance(c, int | float)]
            known.append((name, other.__qualname__, code.co_code, numbers))
    return hashlib.sha256(repr(known).encode()).hexdigest()[:12]
