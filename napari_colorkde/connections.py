"""Signal connections of an object, disconnected together."""

from collections.abc import Callable
from typing import Literal, Protocol

from napari_colorkde.unexpected import guarded


class SignalLike(Protocol):
    """A signal of psygnal or Qt, or an event of napari or vispy."""

    def connect(self, callback: Callable[..., object], /) -> object:
        """Call back when it is emitted."""

    def disconnect(self, callback: Callable[..., object], /) -> object:
        """Call back no more."""


class EmitterLike(SignalLike, Protocol):
    """An event of napari or vispy, whose callbacks have an order."""

    def connect(self, callback: Callable[..., object], /, *, position: str = "last") -> object:
        """Call back when it is emitted."""


class Connections:
    """Connects callbacks to signals, and disconnects all of them.

    Examples
    --------
    >>> from psygnal import Signal
    >>> class Source:
    ...     changed = Signal(int)
    >>> source, connections = Source(), Connections()
    >>> connections.add(source.changed, print)
    >>> source.changed.emit(1)
    1
    >>> connections.close()
    >>> source.changed.emit(2)
    """

    def __init__(self) -> None:
        self._pairs: list[tuple[SignalLike, Callable[..., object]]] = []

    def add(self, signal: SignalLike, callback: Callable[..., object]) -> None:
        """Connect a callback to a signal, `guarded` unless it is one of Qt's.

        Those disconnect by themselves from objects that are deleted, and let no listener fall out.
        """
        if type(signal).__module__.startswith(("psygnal", "napari")):
            callback = guarded(callback)
        signal.connect(callback)
        self._pairs.append((signal, callback))

    def add_at(
        self,
        event: EmitterLike,
        callback: Callable[..., object],
        position: Literal["first", "last"],
    ) -> None:
        """Connect a callback to an event of napari or vispy, before or behind all others."""
        event.connect(callback, position=position)
        self._pairs.append((event, callback))

    def close(self) -> None:
        """Disconnect all callbacks; more can be added afterwards."""
        while self._pairs:
            signal, callback = self._pairs.pop()
            signal.disconnect(callback)
