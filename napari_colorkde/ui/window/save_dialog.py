"""File names as save dialogs return them."""

import re
from collections.abc import Iterable
from pathlib import Path


def with_suffix(path: str, chosen: str, known: Iterable[str]) -> str:
    """Return a file name that ends in a known suffix.

    Parameters
    ----------
    path
        As it was typed: "sky.v2" has no suffix, but a dot.
    chosen
        The kind of file that was chosen, such as "NumPy (*.npy)"; empty: the first known one.
    known
        Suffixes with their dots.
    """
    suffixes = tuple(known)
    if Path(path).suffix.lower() in suffixes:
        return path
    offered = re.search(r"\*(\.\w+)", chosen)
    return path + (suffixes[0] if offered is None else offered[1])
