"""Writes data sets byte for byte as those who distribute them do, Python 2's pickles included."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

IDX_TYPES = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}


def idx_bytes(array: NDArray[Any]) -> bytes:
    code = IDX_TYPES[array.dtype.str[1:]]
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def digits(n: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (n, 28, 28), np.uint8)


# Pickles as Python 2 writes them: texts and bytes are one type, arrays name numpy.core.


def python2_array(array: NDArray[Any], protocol: int) -> bytes:
    """The instructions that make an array, without the memo, which Python 2 never reads here."""
    kind, order = array.dtype.str[1:].encode(), array.dtype.str[:1].encode()
    if protocol == 0:
        shape = b"".join(b"I%d\n" % size for size in array.shape)
        return (
            b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n("
            + shape
            + b"tcnumpy\ndtype\n(S'" + kind + b"'\nI0\nI1\ntR(I3\nS'" + order
            + b"'\nNNNI-1\nI-1\nI0\ntbI00\nS" + python2_repr(array.tobytes()) + b"\ntb"
        )  # fmt: skip
    shape = b"".join(b"J" + struct.pack("<i", size) for size in array.shape)
    return (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01("
        + shape
        + b"tcnumpy\ndtype\nU\x02" + kind + b"K\x00K\x01\x87R(K\x03U\x01" + order
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T"
        + struct.pack("<i", array.nbytes) + array.tobytes() + b"tb"
    )  # fmt: skip


def python2_repr(content: bytes) -> bytes:
    """``repr`` of a text of Python 2, quoted by ' ."""
    text = repr(content)[1:]
    if text[0] == '"':
        text = "'" + text[1:-1].replace("'", "\\'") + "'"
    return text.encode("ascii")


def python2_mnist(pairs: list[tuple[NDArray[Any], NDArray[Any]]], protocol: int) -> bytes:
    start = b"\x80\x02" if protocol == 2 else b""
    body = b"".join(
        b"(" + python2_array(images, protocol) + python2_array(labels, protocol) + b"t"
        for images, labels in pairs
    )
    return start + b"(" + body + b"t."


def python2_batch(batch: dict[str, Any]) -> bytes:
    """A batch of CIFAR as Krizhevsky's Python 2 has written it, protocol 2."""
    parts = [b"\x80\x02}("]
    for key, value in batch.items():
        parts.append(b"U" + bytes([len(key)]) + key.encode())
        if isinstance(value, np.ndarray):
            parts.append(python2_array(value, 2))
        elif isinstance(value, str):
            parts.append(b"U" + bytes([len(value)]) + value.encode())
        else:
            items = (
                b"K" + bytes([item])
                if isinstance(item, int)
                else b"U" + bytes([len(item)]) + item.encode()
                for item in value
            )
            parts.append(b"](" + b"".join(items) + b"e")
    return b"".join(parts) + b"u."


def cifar_batch(n: int, label: str, seed: int = 0, key: str = "labels") -> dict[str, Any]:
    random = np.random.default_rng(seed)
    return {
        "data": random.integers(0, 256, (n, 3072), np.uint8),
        key: random.integers(0, 10, n).tolist(),
        "batch_label": label,
        "filenames": [f"picture_{seed}_{i}.png" for i in range(n)],
    }


def python3_batch(batch: dict[str, Any], protocol: int) -> bytes:
    """The same loaded with ``encoding="bytes"`` and saved again by Python 3."""
    content = {
        key.encode(): value.encode() if isinstance(value, str) else value
        for key, value in batch.items()
    }
    return pickle.dumps(content, protocol)


def tar_bytes(members: dict[str, bytes], *extra: tarfile.TarInfo, packed: bool = True) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz" if packed else "w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in extra:
            archive.addfile(info)
    return stream.getvalue()
