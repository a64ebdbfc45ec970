"""Pickles: those of every protocol open, and nothing of what is in them runs."""

from __future__ import annotations

import contextlib
import copyreg
import functools
import io
import os
import pickle
import pickletools
import re
import struct
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_colorkde.io.datasets.pickles import read_pickle
from napari_colorkde.io.datasets.streams import Reader, UnreadableError
from tests.io.datasets.layouts import python2_array


def load(content: bytes) -> Any:
    return read_pickle(Reader(io.BytesIO(content), "data set 'p'", 1 << 24), "data set 'p'")


NUMBERS = st.sampled_from(["b1", "u1", "i2", "<i4", ">i4", "u8", "f2", "<f4", ">f8"])


@given(
    hnp.arrays(NUMBERS, hnp.array_shapes(min_dims=0, max_dims=3, max_side=4)),
    st.integers(0, 5),
    st.booleans(),
)
def test_every_protocol_of_python_3_opens(array: Any, protocol: int, fortran: bool) -> None:
    array = np.asarray(array, order="F" if fortran else "C")
    found = load(pickle.dumps({"a": [array, array], b"b": (array[..., None][::2],)}, protocol))
    for copy in found["a"]:
        np.testing.assert_array_equal(copy.array, array)
        assert copy.array.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(found[b"b"][0].array, array[..., None][::2])


@pytest.mark.parametrize("protocol", [0, 2])
@pytest.mark.parametrize("dtype", ["u1", "<f4", ">i2"])
def test_arrays_of_python_2_open_byte_for_byte(protocol: int, dtype: str) -> None:
    array = np.arange(256).reshape(16, 16).astype(dtype)
    start = b"\x80\x02" if protocol else b""
    found = load(start + python2_array(array, protocol) + b".")
    np.testing.assert_array_equal(found.array, array)
    # Python's own unpickler understands these bytes in the same way.
    content = (start + python2_array(array, protocol) + b".").replace(
        b"numpy.core.multiarray", array.__reduce__()[0].__module__.encode()
    )
    np.testing.assert_array_equal(pickle.loads(content, encoding="latin1"), array)


@pytest.mark.parametrize("protocol", range(6))
def test_plain_containers_and_numbers_open(protocol: int) -> None:
    content = {
        "text": "σ\n'",
        "bytes": b"\x00\xff",
        "numbers": [1, -(2**70), 1.5, True, None, np.float32(2.5).item()],
        "sets": ({1, 2}, frozenset({3})),
        3: [[], {}, ()],
    }
    assert load(pickle.dumps(content, protocol)) == content
    assert load(pickle.dumps([np.float32(2.5), np.int64(-3)], protocol)) == [2.5, -3]


@pytest.mark.parametrize("protocol", range(6))
def test_names_of_numpy_1_open_like_those_of_numpy_2(protocol: int) -> None:
    content = pickle.dumps([np.arange(3.0), np.float64(2)], protocol)
    for old, new in ((b"numpy._core", b"numpy.core"), (b"\x16numpy", b"\x15numpy")):
        content = content.replace(old, new)
    content = content.replace(b"\x14numpy.core.numeric", b"\x12numpy.core.numeric")
    content = content.replace(b"\x13numpy.core.numeric", b"\x12numpy.core.numeric")
    if protocol >= 4:  # the frame is shorter now
        content = content[:3] + struct.pack("<Q", len(content) - 11) + content[11:]
    assert b"numpy.core" in content
    found = load(content)
    np.testing.assert_array_equal(found[0].array, np.arange(3.0))
    assert found[1] == 2


# Attacks: each would leave a file behind if anything of it ran.


class Calls:
    """Pickles as a call of a function, as any object may."""

    def __init__(self, function: Any, *arguments: Any, state: Any = None) -> None:
        self.what = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self) -> Any:
        return self.what


def attacks(trace: str) -> dict[str, Any]:
    touch = f"touch {trace}"
    code = f"open({trace!r}, 'w')"
    return {
        f"{os.system.__module__}.system": Calls(os.system, touch),
        "builtins.eval": Calls(eval, code),
        "builtins.exec": Calls(exec, code),
        "builtins.getattr": Calls(getattr, np.ndarray, "tofile"),
        "functools.partial": functools.partial(os.system, touch),
        f"{os.open.__module__}.open": [Calls(os.open, trace, os.O_CREAT)],
        "io.open": [np.zeros(2), {"labels": Calls(open, trace, "w")}],
        "copyreg._reconstructor": Calls(copyreg._reconstructor, dict, object, None),
        "numpy.copy": Calls(np.copy, Calls(print, trace)),
        "types.SimpleNamespace": types.SimpleNamespace(a=1),
        "numpy.memmap": Calls(np.memmap, trace, "u1", "w+", 0, (8,)),
        "numpy.fromfile": Calls(np.fromfile, trace),
        "builtins.bytearray": Calls(bytearray, 1 << 40),
        "collections.OrderedDict": Calls(__import__("collections").OrderedDict),
    }


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", list(attacks("")))
def test_any_other_name_is_refused_before_it_runs(tmp_path: Path, name: str, protocol: int) -> None:
    trace = tmp_path / "ran"
    content = pickle.dumps(attacks(str(trace))[name], protocol)
    # As the file spells it: the very first name of the first call.
    admitted = ("numpy.core.", "numpy._core.", "numpy ndarray", "numpy dtype", "_codecs encode")
    first = next(
        argument.replace(" ", ".") if code.name == "GLOBAL" else name
        for code, argument, _ in pickletools.genops(content)
        if code.name == "STACK_GLOBAL"
        or (code.name == "GLOBAL" and not str(argument).startswith(admitted))
    )
    sentence = (
        f"data set 'p' is a pickle that holds {first}; "
        "only arrays of numbers, texts, lists, tuples and dicts are read."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        load(content)
    assert not trace.exists()


HOSTILE = {
    "an old instance": (b"(ios\nsystem\n.", r"the instruction INST"),
    "an object": (b"(cnumpy\nndarray\no.", r"the instruction OBJ"),
    "a new object": (b"\x80\x02cnumpy\nndarray\n)\x81.", r"the instruction NEWOBJ"),
    "an extension": (b"\x80\x02\x82\x01.", r"the instruction EXT1"),
    "a persistent name": (b"Pname\n.", r"the instruction PERSID"),
    "a buffer elsewhere": (b"\x80\x05\x97.", r"the instruction NEXT_BUFFER"),
    "a dotted name": (
        b"\x80\x04\x8c\x05numpy\x8c\x10ndarray.__init__\x93.",
        r"numpy\.ndarray\.__init__",
    ),
    "a way round": (
        b"\x80\x04\x8c\x15numpy.core.multiarray\x8c\x18_reconstruct.__globals__\x93.",
        r"numpy\.core\.multiarray\._reconstruct\.__globals__",
    ),
    "a call of ndarray": (
        b"cnumpy\nndarray\n((I1000000\nI1000000\nI8\nttR.",
        r"a call of ndarray that makes no array",
    ),
    "a large beginning": (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I99999999999\ntS'b'\ntR.",
        r"a call of _reconstruct",
    ),
    "a subclass": (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\ndtype\n(I0\ntS'b'\ntR.",
        r"a call of _reconstruct",
    ),
    "a call of a text": (b"S'os'\n(tR.", r"a call of a str"),
    "a state for a name": (b"cnumpy\nndarray\n}b.", r"a state for ndarray"),
    "a state for a list": (b"]}b.", r"a state for a list"),
    "an encoding": (b"c_codecs\nencode\n(Va\nVrot13\ntR.", r"a call of encode"),
    "an array of objects": (pickle.dumps(np.array([{}, 1], object), 2), "an array of objects"),
    "a compound array": (pickle.dumps(np.zeros(2, "u1,f4"), 2), "an array of the dtype 'V5'"),
    "an array of texts": (pickle.dumps(np.array(["a", "b"]), 2), "an array of the dtype 'U1'"),
    "a shape that does not fit": (
        pickle.dumps(np.zeros(8, "u1"), 2).replace(b"K\x08\x85", b"K\x09\x85"),
        r"an array whose content is not that of shape \(9,\)",
    ),
    "a byte order": (
        pickle.dumps(np.zeros(8, "f4"), 2).replace(b"X\x01\x00\x00\x00<", b"X\x01\x00\x00\x00?"),
        "an array of a compound dtype",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_instructions_are_refused_by_name(name: str) -> None:
    content, sentence = HOSTILE[name]
    with pytest.raises(ValueError, match=f"^data set 'p' is a pickle that holds {sentence}"):
        load(content)


BOMBS = {
    "bytes": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 40) + b"ab.",
    "bytearray": b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b"ab.",
    "text": b"\x80\x04\x8d" + struct.pack("<Q", 1 << 40) + b"ab.",
    "frame": b"\x80\x04\x95" + struct.pack("<Q", 1 << 40) + b"ab.",
    "number": b"\x80\x02\x8b" + struct.pack("<i", (1 << 31) - 1) + b"ab.",
}


@pytest.mark.parametrize("name", BOMBS)
def test_declared_lengths_take_no_memory(name: str) -> None:
    import tracemalloc

    tracemalloc.start()
    with pytest.raises(ValueError, match="is not a readable pickle"):
        load(BOMBS[name])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 22


def test_large_memo_index_takes_no_memory() -> None:
    """Python's unpickler in C would set 32 GB aside for this index."""
    assert load(b"\x80\x02K\x05r\xff\xff\xff\xff.") == 5


def load_or_complain(content: bytes) -> None:
    """Read plain data, or fail with one sentence; any other exception is let through."""
    with contextlib.suppress(UnreadableError):
        load(content)


@given(st.binary(max_size=60))
def test_damaged_pickles_end_in_one_sentence(content: bytes) -> None:
    for start in (b"", b"\x80\x02", b"\x80\x04", b"("):
        load_or_complain(start + content)


@given(st.integers(0, 5), st.data())
def test_flipped_bytes_end_in_one_sentence_or_plain_data(protocol: int, data: Any) -> None:
    content = bytearray(pickle.dumps((np.arange(6, dtype="f4"), [1, "a", {"b": 2}]), protocol))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    load_or_complain(bytes(content))


@pytest.mark.parametrize("protocol", range(6))
def test_pickle_cut_off_anywhere_is_refused(protocol: int) -> None:
    content = pickle.dumps([np.arange(6, dtype="f4"), "text"], protocol)
    for end in range(len(content)):
        with pytest.raises(ValueError, match="is not a readable pickle"):
            load(content[:end])


def test_array_without_content_is_refused() -> None:
    begun = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR."
    with pytest.raises(ValueError, match="is a pickle that holds an array without content"):
        load(begun)
