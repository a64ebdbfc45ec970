"""Undo and redo: stacks of earlier states and of undone ones.

What they restore is the whole `State`, every field of it, and nothing else: not the image, not how
the color space is looked at.
"""

import time
from collections.abc import Callable, Hashable

from napari_colorkde.app.state import State

MERGED_FIELDS = frozenset({"bandwidth", "colormap"})
"""Fields that sliders and menus pass through: changes in quick succession are one step of undo."""

MAX_STEPS = 500
PAUSE_SECONDS = 1.0
"""Changes of one gesture, such as the dragging of a slider, follow each other sooner than this."""


class UndoStack:
    """A list of earlier states, and one of later ones.

    Parameters
    ----------
    clock
        Monotonic clock, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._earlier: list[State] = []
        self._later: list[State] = []
        self._gesture: Hashable = None
        self._last = 0.0

    @property
    def can_undo(self) -> bool:
        """Whether there is an earlier state."""
        return bool(self._earlier)

    @property
    def can_redo(self) -> bool:
        """Whether a state was taken back."""
        return bool(self._later)

    def record(self, before: State, merge_key: Hashable = None) -> None:
        """Keep the state that is about to be changed.

        Changes of the same `merge_key` in quick succession are one step; None is always a step of
        its own.
        """
        now = self._clock()
        goes_on = merge_key is not None and merge_key == self._gesture
        if not (goes_on and now - self._last < PAUSE_SECONDS):
            self._earlier.append(before)
            del self._earlier[:-MAX_STEPS]
        self._later.clear()
        self._gesture, self._last = merge_key, now

    def undo(self, current: State) -> State | None:
        """The state before, None if there is none."""
        return self._move(current, self._earlier, self._later)

    def redo(self, current: State) -> State | None:
        """The state that was taken back last, None if there is none."""
        return self._move(current, self._later, self._earlier)

    def retreat(self, current: State, target: State) -> None:
        """Go back to a state: the last one, or one that a gesture has passed through."""
        if self._earlier and self._earlier[-1] == target:
            self._earlier.pop()
        self._later.append(current)
        self._gesture = None

    def _move(self, current: State, source: list[State], target: list[State]) -> State | None:
        if not source:
            return None
        target.append(current)
        self._gesture = None
        return source.pop()
