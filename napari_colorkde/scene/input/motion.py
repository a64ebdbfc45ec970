"""Views that rotate automatically, and detecting when a moved view comes to rest."""

from __future__ import annotations

from collections.abc import Callable

from vispy import app

# Degrees a second, and pictures a second that are asked for.
_ROTATION, _ROTATION_RATE = 20.0, 30.0
# A view is at rest this many seconds after the last movement.
_REST = 0.2


class AutoRotation:
    """Turns a view by itself.

    Parameters
    ----------
    rotate : callable
        Degrees → None: turns it by so much.
    """

    def __init__(self, rotate: Callable[[float], None]) -> None:
        self._rotate = rotate
        self._timer = app.Timer(interval=1 / _ROTATION_RATE, connect=self._on_time)

    @property
    def is_on(self) -> bool:
        """Whether the view turns."""
        return bool(self._timer.running)

    @is_on.setter
    def is_on(self, on: bool) -> None:
        if on:
            self._timer.start()
        else:
            self._timer.stop()

    def close(self) -> None:
        """Turn the view no more."""
        self._timer.stop()
        self._timer.disconnect()

    def _on_time(self, event: object) -> None:
        self._rotate(_ROTATION / _ROTATION_RATE)


class RestTimer:
    """Calls back once nothing has moved for a while.

    Parameters
    ----------
    on_rest : callable
        () → whether it has been heeded; if not it is called again after another while.
    """

    def __init__(self, on_rest: Callable[[], bool]) -> None:
        self._on_rest = on_rest
        self._timer = app.Timer(interval=_REST, connect=self._on_time)

    def restart(self) -> None:
        """Wait from now on."""
        self._timer.stop()
        self._timer.start()

    def stop(self) -> None:
        """Wait no more."""
        self._timer.stop()

    def close(self) -> None:
        """Never call back again."""
        self._timer.stop()
        self._timer.disconnect()

    def _on_time(self, event: object) -> None:
        if self._on_rest():
            # By itself, a vispy timer ends one interval after its last event.
            self._timer.stop()
