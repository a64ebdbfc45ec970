"""Reading pickles of arrays without running any of their code.

A pickle is a program: it names functions and calls them. Here no name leads to a function. The few
that stand for an array, a dtype or a number are kept as names, and what would be made by calling
them is made by this module, from checked sizes and plain bytes. Any other name or instruction ends
the reading with an error that says which. Python's unpickler in Python is taken, not the one in C,
whose memory grows to whatever index or length a damaged file declares.

Strings of Python 2 are read as latin-1, which keeps their bytes.
"""

import math
import pickle
import pickletools
import re
import struct
from collections.abc import Callable
from enum import Enum
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.io.datasets.streams import Reader, UnreadableError

ALLOWED = "arrays of numbers, texts, lists, tuples and dicts"


class _Name(Enum):
    """The names that a pickle may use; they are not functions and cannot be called."""

    NDARRAY = "ndarray"
    DTYPE = "dtype"
    RECONSTRUCT = "_reconstruct"
    SCALAR = "scalar"
    FROMBUFFER = "_frombuffer"
    ENCODE = "encode"
    SET = "set"
    FROZENSET = "frozenset"


_NAMES = {
    **{
        (module, name.value): name
        for package in ("numpy.core", "numpy._core")
        for module, name in (
            (f"{package}.multiarray", _Name.RECONSTRUCT),
            (f"{package}.multiarray", _Name.SCALAR),
            (f"{package}.multiarray", _Name.NDARRAY),
            (f"{package}.multiarray", _Name.DTYPE),
            # How protocol 5 stores an array.
            (f"{package}.numeric", _Name.FROMBUFFER),
        )
    },
    ("numpy", "ndarray"): _Name.NDARRAY,
    ("numpy", "dtype"): _Name.DTYPE,
    # How protocols 0 to 2 store bytes, and protocols 0 to 3 sets.
    ("_codecs", "encode"): _Name.ENCODE,
    **{
        (module, name.value): name
        for module in ("builtins", "__builtin__")
        for name in (_Name.SET, _Name.FROZENSET)
    },
}

_DTYPE = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248])")

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


class _Dtype:
    """A dtype; its byte order comes after it."""

    __slots__ = ("dtype",)

    def __init__(self, arguments: tuple[object, ...]) -> None:
        name = arguments[0]
        if not isinstance(name, str) or not _DTYPE.fullmatch(name):
            what = "objects" if str(name).startswith("O") else f"the dtype {name!r}"
            raise _holds(f"an array of {what}")
        self.dtype: np.dtype[Any] = np.dtype(name)

    def build(self, state: tuple[object, ...]) -> None:
        """Take the byte order; a dtype of plain numbers has no more to say."""
        _version, order, subarray, names, fields = state[:5]
        if order not in ("<", ">", "|", "=") or (subarray, names, fields) != (None, None, None):
            raise _holds("an array of a compound dtype")
        self.dtype = self.dtype.newbyteorder(order)


class PickledArray:
    """An array in a pickle.

    Attributes
    ----------
    array
        What it holds; read-only.
    """

    __slots__ = ("_array",)

    def __init__(self) -> None:
        self._array: NDArray[Any] | None = None

    @property
    def array(self) -> NDArray[Any]:
        """The array, in the machine's byte order."""
        if self._array is None:
            raise _holds("an array without content")
        return self._array

    def build(self, state: tuple[object, ...]) -> None:
        """Take shape, dtype and bytes: ``([version,] shape, dtype, is_fortran, content)``."""
        shape, dtype, is_fortran, content = state[-4:]
        self.fill(content, dtype, shape, "F" if is_fortran else "C")

    def fill(self, content: object, dtype: object, shape: object, order: object) -> None:
        """Make the array of its bytes, whose number must be what shape and dtype say."""
        if not isinstance(dtype, _Dtype) or isinstance(content, list):
            raise _holds("an array of objects")
        if not isinstance(shape, tuple):
            raise _holds("an array without a shape")
        if isinstance(content, str):
            content = content.encode("latin1")
        sizes = tuple(int(size) for size in shape)
        if (
            not isinstance(content, bytes | bytearray)
            or any(size < 0 for size in sizes)
            or math.prod(sizes) * dtype.dtype.itemsize != len(content)
        ):
            raise _holds(f"an array whose content is not that of shape {sizes}")
        array = np.frombuffer(content, dtype.dtype).reshape(
            sizes, order="F" if order == "F" else "C"
        )
        self._array = array.astype(dtype.dtype.newbyteorder("="), copy=False)


class _RefusedError(Exception):
    """What a pickle holds that is not allowed; the rest of the sentence is `read_pickle`'s."""


def _holds(what: str) -> _RefusedError:
    return _RefusedError(what)


def read_pickle(stream: Reader, where: str) -> object:
    """Read a pickle of any protocol.

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
        return _Unpickler(stream, encoding="latin1").load()
    except UnreadableError:
        raise
    except _RefusedError as error:
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


class _Unpickler(pickle._Unpickler):
    stack: list[object]
    append: Callable[[object], None]
    read: Callable[[int], bytes]

    def __init__(self, stream: Reader, *, encoding: str) -> None:
        super().__init__(_Whole(stream), encoding=encoding)
        self._made: list[PickledArray] = []

    def load(self) -> object:
        content = super().load()
        for made in self._made:
            _ = made.array  # refuses one that was begun and never filled
        return content

    def find_class(self, module: str, name: str) -> object:
        found = _NAMES.get((module, name))
        if found is None:
            raise _holds(f"{module}.{name}")
        return found

    def load_reduce(self) -> None:
        """Make what calling the name would make."""
        arguments = self.stack.pop()
        made = self.stack[-1] = _make(self.stack[-1], arguments)
        if isinstance(made, PickledArray):
            self._made.append(made)

    def load_build(self) -> None:
        """Fill in an array or a dtype; nothing else has a state."""
        state = self.stack.pop()
        made = self.stack[-1]
        if not isinstance(made, PickledArray | _Dtype):
            raise _holds(f"a state for {_kind(made)}")
        if not isinstance(state, tuple):
            raise _holds(f"{_kind(state)} for a state")
        made.build(state)

    def load_bytearray(self) -> None:
        """Read a bytearray; the inherited one sets the declared size aside first."""
        (size,) = struct.unpack("<Q", self.read(8))
        self.append(bytearray(self.read(size)))


def _refuse(instruction: str) -> "Handler":
    def handler(_unpickler: pickle.Unpickler) -> None:
        raise _holds(f"the instruction {instruction}")

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


class _Whole:
    """A stream whose reads give as many bytes as they are asked for, or end in EOFError."""

    def __init__(self, stream: Reader) -> None:
        self._stream = stream

    def read(self, size: int, /) -> bytes:
        content = self._stream.read(size)
        if len(content) != size:
            raise EOFError
        return content

    def readline(self) -> bytes:
        line = self._stream.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        return line


def _make(name: object, arguments: object) -> object:
    """Return what a name makes of its arguments."""
    if not isinstance(name, _Name):
        raise _holds(f"a call of {_kind(name)}")
    match name, arguments:
        case _Name.RECONSTRUCT, (_Name.NDARRAY, (0,), _):
            return PickledArray()
        case _Name.DTYPE, (name_of_dtype, *_):
            return _Dtype((name_of_dtype,))
        case _Name.FROMBUFFER, (content, dtype, shape, order):
            made = PickledArray()
            made.fill(content, dtype, shape, order)
            return made
        case _Name.SCALAR, (_Dtype() as dtype, content):
            number = PickledArray()
            number.fill(content, dtype, (), "C")
            return number.array.item()
        case _Name.ENCODE, (str() as text, "latin1" | "latin-1"):
            return text.encode("latin1")
        case _Name.SET, (list() as items,):
            return set(items)
        case _Name.FROZENSET, (list() as items,):
            return frozenset(items)
    raise _holds(f"a call of {name.value} that makes no array")


def _kind(value: object) -> str:
    return value.value if isinstance(value, _Name) else f"a {type(value).__name__}"
