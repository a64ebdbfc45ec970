"""Numbers as people read them, in the status bar, messages and tables."""

NARROW_NBSP = "\u202f"
"""Groups digits, and stands before a percent sign: read alike in every language."""


def grouped(n: int) -> str:
    """Return a whole number with its digits in groups of three."""
    return f"{n:,}".replace(",", NARROW_NBSP)


def counted(n: int, thing: str) -> str:
    """Return how many things there are: "1 color", "4 800 colors"."""
    return f"{grouped(n)} {thing}{'' if n == 1 else 's'}"


def percentage(fraction: float) -> str:
    """Return a fraction, 0 to 1, in percent with three digits."""
    return f"{100 * fraction:.3g}{NARROW_NBSP}%"
