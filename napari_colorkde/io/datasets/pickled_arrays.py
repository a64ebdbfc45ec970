"""What the few names that a pickle may use stand for: arrays, dtypes and numbers.

Names are no functions here. What calling them would make is made of checked sizes and plain bytes.
"""

import math
import re
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray


class PickledName(Enum):
    """The names that a pickle may use; they are not functions and cannot be called."""

    NDARRAY = "ndarray"
    DTYPE = "dtype"
    RECONSTRUCT = "_reconstruct"
    SCALAR = "scalar"
    FROMBUFFER = "_frombuffer"
    ENCODE = "encode"
    SET = "set"
    FROZENSET = "frozenset"


NAMES = {
    **{
        (module, name.value): name
        for package in ("numpy.core", "numpy._core")
        for module, name in (
            (f"{package}.multiarray", PickledName.RECONSTRUCT),
            (f"{package}.multiarray", PickledName.SCALAR),
            (f"{package}.multiarray", PickledName.NDARRAY),
            (f"{package}.multiarray", PickledName.DTYPE),
            # How protocol 5 stores an array.
            (f"{package}.numeric", PickledName.FROMBUFFER),
        )
    },
    ("numpy", "ndarray"): PickledName.NDARRAY,
    ("numpy", "dtype"): PickledName.DTYPE,
    # How protocols 0 to 2 store bytes, and protocols 0 to 3 sets.
    ("_codecs", "encode"): PickledName.ENCODE,
    **{
        (module, name.value): name
        for module in ("builtins", "__builtin__")
        for name in (PickledName.SET, PickledName.FROZENSET)
    },
}

_DTYPE = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248])")


class PickledDtype:
    """A dtype; its byte order comes after it."""

    __slots__ = ("dtype",)

    def __init__(self, arguments: tuple[object, ...]) -> None:
        name = arguments[0]
        if not isinstance(name, str) or not _DTYPE.fullmatch(name):
            what = "objects" if str(name).startswith("O") else f"the dtype {name!r}"
            raise refusal(f"an array of {what}")
        self.dtype: np.dtype[Any] = np.dtype(name)

    def build(self, state: tuple[object, ...]) -> None:
        """Take the byte order; a dtype of plain numbers has no more to say."""
        _version, order, subarray, names, fields = state[:5]
        if order not in ("<", ">", "|", "=") or (subarray, names, fields) != (None, None, None):
            raise refusal("an array of a compound dtype")
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
            raise refusal("an array without content")
        return self._array

    def build(self, state: tuple[object, ...]) -> None:
        """Take shape, dtype and bytes: ``([version,] shape, dtype, is_fortran, content)``."""
        shape, dtype, is_fortran, content = state[-4:]
        self.fill(content, dtype, shape, "F" if is_fortran else "C")

    def fill(self, content: object, dtype: object, shape: object, order: object) -> None:
        """Make the array of its bytes, whose number must be what shape and dtype say."""
        if not isinstance(dtype, PickledDtype) or isinstance(content, list):
            raise refusal("an array of objects")
        if not isinstance(shape, tuple):
            raise refusal("an array without a shape")
        if isinstance(content, str):
            content = content.encode("latin1")
        sizes = tuple(int(size) for size in shape)
        if (
            not isinstance(content, bytes | bytearray)
            or any(size < 0 for size in sizes)
            or math.prod(sizes) * dtype.dtype.itemsize != len(content)
        ):
            raise refusal(f"an array whose content is not that of shape {sizes}")
        array = np.frombuffer(content, dtype.dtype).reshape(
            sizes, order="F" if order == "F" else "C"
        )
        self._array = array.astype(dtype.dtype.newbyteorder("="), copy=False)


class RefusedError(Exception):
    """What a pickle holds that is not allowed; the rest of the sentence is `read_pickle`'s."""


def refusal(what: str) -> RefusedError:
    """Return the error of a pickle that holds this."""
    return RefusedError(what)


def made_of(name: object, arguments: object) -> object:
    """Return what a name makes of its arguments."""
    if not isinstance(name, PickledName):
        raise refusal(f"a call of {kind_of(name)}")
    match name, arguments:
        case PickledName.RECONSTRUCT, (PickledName.NDARRAY, (0,), _):
            return PickledArray()
        case PickledName.DTYPE, (name_of_dtype, *_):
            return PickledDtype((name_of_dtype,))
        case PickledName.FROMBUFFER, (content, dtype, shape, order):
            made = PickledArray()
            made.fill(content, dtype, shape, order)
            return made
        case PickledName.SCALAR, (PickledDtype() as dtype, content):
            number = PickledArray()
            number.fill(content, dtype, (), "C")
            return number.array.item()
        case PickledName.ENCODE, (str() as text, "latin1" | "latin-1"):
            return text.encode("latin1")
        case PickledName.SET, (list() as items,):
            return set(items)
        case PickledName.FROZENSET, (list() as items,):
            return frozenset(items)
    raise refusal(f"a call of {name.value} that makes no array")


def kind_of(value: object) -> str:
    """Say what a value in a pickle is."""
    return value.value if isinstance(value, PickledName) else f"a {type(value).__name__}"
