"""Reading pickles of arrays without running any of their code.

A pickle is a program: it names functions and calls them. Here no name leads to a function. The few
that stand for an array, a dtype or a number are kept as names, and what would be made by calling
them is made by this module, from checked sizes and plain bytes. Any other name or instruction ends
the reading with an error that says which. Python's unpickler in Python is taken, not the one in C,
whose memory grows to whatever index or length a damaged file declares.

Strings of Python 2 are read as latin-1, which keeps their bytes.
"""

import pickle
import pickletools
import struct
from collections.abc import Callable
from typing import cast

from napari_colorkde.io.datasets.memory import Budget
from napari_colorkde.io.datasets.pickled_arrays import (
    NAMES,
    PickledArray,
    PickledDtype,
    PickledName,
    RefusedError,
    kind_of,
    made_of,
    refusal,
)
from napari_colorkde.io.datasets.streams import Reader, UnreadableError

ALLOWED = "arrays of numbers, texts, lists, tuples and dicts"


_INSTRUCTIONS = frozenset(
    """
    PROTO FRAME MARK STOP POP POP_MARK DUP NONE NEWTRUE NEWFALSE
    INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT
    STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8
    BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8
    TUPLE EMPTY_TUPLE TUPLE1 TUPLE2 TUPLE3 LIST EMPTY_LIST APPEND APPENDS
    DICT EMPTY_DICT SETITEM SETITEMS EMPTY_SET ADDITEMS FROZENSET
    GET BINGET LONG_BINGET PUT BINPUT LONG_BINPUT MEMOIZE
    GLOBAL STACK_GLOBAL REDUCE BUILD
""".split()  # noqa: SIM905  # sixty words that nobody should have to quote
)


def read_pickle(stream: Reader, where: str, budget: Budget | None = None) -> object:
    """Read a pickle of any protocol.

    Parameters
    ----------
    stream, where
        The file, and how it is called.
    budget
        Of which the bytes of arrays are set aside: before they are read, where they stand as they
        are after their dtype, as in files of Python 2 and in protocols 3 and 4; otherwise after.

    Returns
    -------
    object
        Lists, tuples, dicts, texts, bytes and numbers, with `PickledArray` for arrays.

    Raises
    ------
    UnreadableError
        If it names or does anything else, before that is done; or if it is damaged.
    """
    try:
        return _Unpickler(stream, where, budget).load()
    except (UnreadableError, _TooLargeError):
        raise
    except RefusedError as error:
        raise UnreadableError(
            f"{where} is a pickle that holds {error}; only {ALLOWED} are read."
        ) from None
    except (
        pickle.UnpicklingError,
        ArithmeticError,
        AssertionError,
        AttributeError,
        EOFError,
        LookupError,
        MemoryError,
        RecursionError,
        TypeError,
        ValueError,
        struct.error,
    ) as error:
        # What the unpickler meets in a damaged file can be any of these.
        reason = "it ends too early" if isinstance(error, EOFError) else type(error).__name__
        raise UnreadableError(
            f"{where} is not a readable pickle ({reason}); give an undamaged file."
        ) from None


_BEFORE_CONTENT = 3
"""What stands before an array's bytes: its shape, its dtype, the order of its axes."""


class _TooLargeError(ValueError):
    """There is no room for an array."""


class _Unpickler(pickle._Unpickler):
    stack: list[object]
    append: Callable[[object], None]
    read: Callable[[int], bytes]

    def __init__(self, stream: Reader, where: str, budget: Budget | None) -> None:
        super().__init__(_Whole(stream, self._set_aside), encoding="latin1")
        self._made: list[PickledArray] = []
        self._where, self._budget = where, budget
        self._is_set_aside = False

    def _set_aside(self, n_bytes: int) -> None:
        """Set the bytes of an array aside, if they are what is read next: after its dtype."""
        dtype = self.stack[-2] if len(self.stack) >= _BEFORE_CONTENT else None
        if isinstance(dtype, PickledDtype):
            self._claim(n_bytes, dtype.dtype.itemsize)
            self._is_set_aside = True

    def _claim(self, n_bytes: int, itemsize: int) -> None:
        if self._budget is not None:
            try:
                self._budget.claim(n_bytes, self._where, n_bytes // itemsize)
            except ValueError as error:
                raise _TooLargeError(str(error)) from None

    def load(self) -> object:
        content = super().load()
        for made in self._made:
            _ = made.array  # refuses one that was begun and never filled
        return content

    def find_class(self, module: str, name: str) -> object:
        found = NAMES.get((module, name))
        if found is None:
            raise refusal(f"{module}.{name}")
        return found

    def load_reduce(self) -> None:
        """Make what calling the name would make."""
        arguments = self.stack.pop()
        is_filled = self.stack[-1] is PickledName.FROMBUFFER
        made = self.stack[-1] = made_of(self.stack[-1], arguments)
        if isinstance(made, PickledArray):
            self._made.append(made)
            if is_filled:  # whose bytes come before its dtype
                self._claim(made.array.nbytes, made.array.itemsize)

    def load_build(self) -> None:
        """Fill in an array or a dtype; nothing else has a state."""
        state = self.stack.pop()
        made = self.stack[-1]
        if not isinstance(made, PickledArray | PickledDtype):
            raise refusal(f"a state for {kind_of(made)}")
        if not isinstance(state, tuple):
            raise refusal(f"{kind_of(state)} for a state")
        made.build(state)
        if isinstance(made, PickledArray):
            if not self._is_set_aside:  # as Python 3 writes bytes in protocols 0 to 2
                self._claim(made.array.nbytes, made.array.itemsize)
            self._is_set_aside = False

    def load_bytearray(self) -> None:
        """Read a bytearray; the inherited one sets the declared size aside first."""
        (size,) = struct.unpack("<Q", self.read(8))
        self.append(bytearray(self.read(size)))


def _refuse(instruction: str) -> "Handler":
    def handler(_unpickler: pickle.Unpickler) -> None:
        raise refusal(f"the instruction {instruction}")

    return handler


Handler = Callable[[pickle.Unpickler], None]
_HANDLERS = {
    ord(code.code): pickle._Unpickler.dispatch[ord(code.code)]
    if code.name in _INSTRUCTIONS
    else _refuse(code.name)
    for code in pickletools.opcodes
}
_HANDLERS[ord(pickle.REDUCE)] = cast(Handler, _Unpickler.load_reduce)
_HANDLERS[ord(pickle.BUILD)] = cast(Handler, _Unpickler.load_build)
_HANDLERS[ord(pickle.BYTEARRAY8)] = cast(Handler, _Unpickler.load_bytearray)
_Unpickler.dispatch = _HANDLERS


_LARGE = 1 << 10
"""Bytes; fewer are read without a word."""


class _Whole:
    """A stream whose reads give as many bytes as they are asked for, or end in EOFError.

    What reads many of them is told how many before.
    """

    def __init__(self, stream: Reader, announce: Callable[[int], None]) -> None:
        self._stream, self._announce = stream, announce

    def read(self, size: int, /) -> bytes:
        if size >= _LARGE:
            self._announce(size)
        content = self._stream.read(size)
        if len(content) != size:
            raise EOFError
        return content

    def readline(self) -> bytes:
        line = self._stream.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        return line
