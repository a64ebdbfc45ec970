"""Flags, texts and callbacks as given: refused with a message, before any work."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from napari_colorkde.core.checks.arguments import kind_of


def flag(value: object, name: str) -> bool:
    """Return a truth value; 0 and 1 are taken for one.

    Raises
    ------
    TypeError
        If it is something else: a text such as "no" would be true.
    """
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer) and value in (0, 1):
        return bool(value)
    given = repr(value) if isinstance(value, str | int | float) else kind_of(value)
    raise TypeError(f"{name} is {given}; give True or False.")


def text_of(value: object, name: str) -> str:
    """Return a text; a whole number, such as that of a label, becomes one.

    Raises
    ------
    TypeError
        If it is something else.
    """
    if isinstance(value, str | int | np.integer) and not isinstance(value, bool):
        return str(value)
    raise TypeError(f"{name} is {kind_of(value)}; give a text.")


def refuse_no_callback(value: Callable[..., Any] | None, name: str) -> None:
    """Refuse what is neither None nor can be called.

    Raises
    ------
    TypeError
        If it is so.
    """
    if value is not None and not callable(value):
        raise TypeError(f"{name} is {kind_of(value)}; give a function, or None.")


def refuse_no_list(value: object, name: str, *, of: str) -> None:
    """Refuse what is no list of several things: a number, a text.

    Parameters
    ----------
    of
        What is wanted: "a mask, or None, for each image".

    Raises
    ------
    TypeError
        If it is so.
    """
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise TypeError(f"{name} is {kind_of(value)}; give a list: {of}.")
