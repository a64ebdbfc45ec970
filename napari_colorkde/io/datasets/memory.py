"""Memory limits of data sets: too large ones are refused early, with the sizes."""

import os
import sys
from pathlib import Path

from napari_colorkde.core.number_text import bytes_text

_CGROUP = Path("/sys/fs/cgroup")


class Budget:
    """Bytes that may be read into memory.

    Parameters
    ----------
    limit
        How many; None means what is free on this machine now.
    scaled
        Whether all numbers are needed once more, in float64.
    """

    def __init__(self, limit: int | None = None, *, scaled: bool = False) -> None:
        self.limit = available_bytes() if limit is None else limit
        self._scaled = scaled
        self._claimed = 0

    def claim(self, n_bytes: int, where: str, n_numbers: int = 0) -> None:
        """Set bytes aside, before they are read, which hold that many numbers.

        Raises
        ------
        ValueError
            If there are not as many left.
        """
        if self._scaled and n_numbers:
            n_bytes += 8 * n_numbers
            where = f"{where}, scaled to float64,"
        check_fits(self._claimed + n_bytes, self.limit, where)
        self._claimed += n_bytes


def check_fits(n_bytes: int, limit: int, where: str) -> None:
    """Refuse what does not fit into memory, naming both sizes."""
    if n_bytes > limit:
        raise ValueError(
            f"{where} needs {bytes_text(n_bytes)} of memory, but only {bytes_text(limit)} are "
            "free; give a smaller data set."
        )


def available_bytes() -> int:
    """Return the bytes of memory that are free; where the system does not say, no limit."""
    if sys.platform == "win32":
        return _free_on_windows()
    limits = [_free_on_linux(), _free_in_container()]
    known = [limit for limit in limits if limit is not None]
    if known:
        return max(0, min(known))
    try:
        # macOS does not say what is free; half of what there is leaves room for the rest.
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (ValueError, OSError):
        return sys.maxsize


def _free_on_linux() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    free = fields.get("MemAvailable")
    return None if free is None else int(free.split()[0]) * 1024


def _free_in_container() -> int | None:
    """What is left of a control group's limit; its file cache can be dropped, so it counts free."""
    try:
        limit = (_CGROUP / "memory.max").read_text(encoding="ascii").strip()
        used = int((_CGROUP / "memory.current").read_text(encoding="ascii"))
        stat = (_CGROUP / "memory.stat").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return None
    if limit == "max":
        return None
    cached = dict(zip(stat[::2], stat[1::2], strict=False)).get("inactive_file", "0")
    return int(limit) - used + int(cached)


def _free_on_windows() -> int:
    import ctypes

    class Status(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in ("total", "free", "a", "b", "c", "d", "e")),
        )

    status = Status(length=ctypes.sizeof(Status))
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009  # there on Windows only
    kernel.GlobalMemoryStatusEx(ctypes.byref(status))
    return int(status.free)
