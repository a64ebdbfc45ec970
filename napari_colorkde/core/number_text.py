"""Numbers formatted for the status bar, messages and tables."""

from collections.abc import Iterable

NARROW_NBSP = "\u202f"
"""Groups digits, and stands before a percent sign: read alike in every language."""


def grouped(n: int) -> str:
    """Return a whole number with its digits in groups of three."""
    return f"{n:,}".replace(",", NARROW_NBSP)


def counted(n: int, thing: str) -> str:
    """Return how many things there are: "1 color", "4 800 colors"."""
    return f"{grouped(n)} {thing}{'' if n == 1 else 's'}"


def shape_text(shape: Iterable[int]) -> str:
    """Return a shape as people write it: "512 × 512"."""
    return " × ".join(str(int(n)) for n in shape)


def bytes_text(n_bytes: float) -> str:
    """Return a number of bytes: "12 bytes", "47.0 MB"."""
    if n_bytes < 1000:
        return f"{n_bytes:.0f} bytes"
    units = ["kB", "MB", "GB", "TB", "PB"]
    while n_bytes >= 1000 and units:
        n_bytes /= 1000
        unit = units.pop(0)
    return f"{n_bytes:,.1f} {unit}"


def percentage(fraction: float) -> str:
    """Return a fraction, 0 to 1, in percent with three digits."""
    return f"{100 * fraction:.3g}{NARROW_NBSP}%"
