"""The one place where unforeseen errors are caught, once there is a window to report them.

A listener that fails would keep the others from hearing of a change, and leave the window in
pieces. So listeners are called by `guarded`: the error is logged with its traceback and told by
whoever has offered to, `add_handler`, and the others go on. Scripts and tests, where nobody has,
get the error itself. A worker hands an error over as any other result, `outcome_of`.
"""

import inspect
import logging
from collections.abc import Callable
from weakref import WeakMethod

Handler = Callable[[Exception], None]

RAISES = False
"""Whether errors are raised in windows, too, as in the tests."""

_logger = logging.getLogger("napari_colorkde")
_handlers: list["WeakMethod[Handler]"] = []


def add_handler(handler: Handler) -> None:
    """Have errors told by a bound method, as long as its object lives."""
    _handlers.append(WeakMethod(handler))


def remove_handler(handler: Handler) -> None:
    """Have errors told by it no longer."""
    _handlers[:] = [each for each in _handlers if each() not in (None, handler)]


def call(callback: Callable[..., object], *args: object) -> object:
    """Call back; an error is logged and told, or raised where nobody tells it."""
    try:
        return callback(*args)
    except Exception as error:
        handlers = [handler for each in _handlers if (handler := each()) is not None]
        if RAISES or not handlers:
            raise
        _logger.error("An unexpected error.", exc_info=error)
        for handler in handlers:
            handler(error)
        return None


def outcome_of(step: Callable[[], object]) -> tuple[object, Exception | None]:
    """Return what a step of work returns, and None; or None, and the error that it raises.

    For a worker, from which an error is handed over as any other result.
    """
    try:
        return step(), None
    except Exception as error:
        return None, error


def guarded(callback: Callable[..., object]) -> Callable[..., object]:
    """Return a listener that calls back by `call`, with the same arguments.

    Methods are held weakly, as by signals. What does not tell its arguments, such as the methods of
    Qt's own objects, is returned as it is.
    """
    try:
        signature = inspect.signature(callback)
    except (TypeError, ValueError):
        return callback
    return _Guarded(callback, signature)


class _Guarded:
    def __init__(self, callback: Callable[..., object], signature: inspect.Signature) -> None:
        self._callback = WeakMethod(callback) if inspect.ismethod(callback) else lambda: callback
        # Signals ask how many arguments they may give.
        self.__signature__ = signature
        kinds = [each.kind for each in signature.parameters.values()]
        positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        takes_all = inspect.Parameter.VAR_POSITIONAL in kinds
        self._n_args = None if takes_all else sum(kind in positional for kind in kinds)

    def __call__(self, *args: object) -> object:
        callback = self._callback()
        return None if callback is None else call(callback, *args[: self._n_args])
