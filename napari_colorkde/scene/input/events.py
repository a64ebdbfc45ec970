"""What the scene reads of vispy's events, which come without types."""

from __future__ import annotations

from typing import Protocol

from numpy.typing import ArrayLike


class MouseEvent(Protocol):
    """A press, a move, a release or a turn of the wheel.

    Attributes
    ----------
    type : str
        "mouse_press", "mouse_move", "mouse_release" or "mouse_wheel".
    pos : (2,) array
        Pixels of the canvas, y downwards.
    button : int or None
        1 is the left one, 2 the right one.
    is_dragging : bool
        Whether a button is held.
    modifiers : tuple of Key
        The keys that are held, such as Shift.
    handled : bool
        Whether others shall not hear of it.
    """

    type: str
    pos: ArrayLike
    button: int | None
    is_dragging: bool
    modifiers: tuple[Key, ...]
    handled: bool


class Key(Protocol):
    """A key, by its name: "Escape", "Shift", "Left"."""

    name: str


class KeyEvent(Protocol):
    """A key was pressed; None stands for one that vispy does not know."""

    key: Key | None
    modifiers: tuple[Key, ...]
    handled: bool
