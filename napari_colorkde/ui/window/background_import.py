"""Slow imports, loaded in the background of a window that is already open."""

import ctypes
import importlib
import importlib.util
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import QObject, QTimer

POLL_MS = 20
LAZY = 1
"""``RTLD_LAZY``: symbols are looked up when they are used."""

TORCH_LIBRARIES = ("libc10.so", "libtorch_cpu.so")


class BackgroundImport(QObject):
    """Imports modules in a thread and calls back, in Qt's own, once they are there.

    torch takes seconds. Most of that is spent in loading shared libraries, during which Python's
    import holds all other threads; here the large ones are loaded beforehand, which does not.

    Parameters
    ----------
    modules
        Their names, in order.
    on_ready
        Called once, with the error if a module cannot be imported.
    """

    def __init__(
        self,
        modules: tuple[str, ...],
        on_ready: Callable[[BaseException | None], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._modules, self._on_ready = modules, on_ready
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._poll = QTimer(self)
        self._poll.setInterval(POLL_MS)
        self._poll.timeout.connect(self._on_poll)
        self._thread.start()
        self._poll.start()

    def _run(self) -> None:
        try:
            preload_torch()
            for name in self._modules:
                importlib.import_module(name)
        except (ImportError, OSError) as error:
            self._error = error

    def _on_poll(self) -> None:
        if not self._thread.is_alive():
            self._poll.stop()
            self._on_ready(self._error)


def preload_torch() -> None:
    """Load torch's large libraries while other threads go on; the import finds them loaded."""
    if sys.platform != "linux" or "torch" in sys.modules:
        return
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return
    # Called as a foreign function: only so does it let other threads go on.
    load = ctypes.CDLL(None).dlopen
    load.argtypes, load.restype = [ctypes.c_char_p, ctypes.c_int], ctypes.c_void_p
    for name in TORCH_LIBRARIES:
        library = Path(spec.origin).parent / "lib" / name
        if library.exists():
            load(str(library).encode(), LAZY)
