"""Files as streams of bytes: plain or gzip, told apart by content, and never read without bound."""

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Protocol

from napari_colorkde.core.number_text import bytes_text

Kind = Literal["npy", "zip", "idx", "tar", "pickle", "other"]

_GZIP = b"\x1f\x8b"
_HEAD = 512
_CHUNK = 1 << 20
_IDX_TYPES = b"\x08\x09\x0b\x0c\x0d\x0e"
_TEXT_PICKLES = b"(c]}l"
"""First bytes of a pickle of protocol 0 or 1 that holds an object, a list, a dict or a tuple."""


class UnreadableError(ValueError):
    """What is wrong with a file, as a whole sentence that begins with its name."""


class Source(Protocol):
    """What can be read from."""

    def read(self, size: int = -1, /) -> bytes:
        """Read bytes, fewer than `size` only at the end or when no more are at hand."""
        ...

    def readline(self, size: int = -1, /) -> bytes:
        """Read up to and with the next line feed."""
        ...


class Reader:
    """A stream that asks for no more memory than there are bytes, and stops at a limit.

    Parameters
    ----------
    source
        A plain or a decompressing stream.
    where
        Begins the error messages.
    limit
        Most bytes to hand out, all calls together.
    """

    def __init__(self, source: Source, where: str, limit: int) -> None:
        self._source = source
        self._where = where
        self._limit = limit
        self._n_read = 0

    def read(self, size: int = -1) -> bytes:
        """Read `size` bytes, fewer only at the end; all with -1."""
        chunks = []
        # By chunks: a size that a file declares is no reason to set so much memory aside.
        while size:
            with self._damage_named():
                chunk = self._source.read(min(size, _CHUNK) if size > 0 else _CHUNK)
            if not chunk:
                break
            self._count(chunk)
            chunks.append(chunk)
            size -= len(chunk) if size > 0 else 0
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def readline(self) -> bytes:
        """Read up to and with the next line feed."""
        with self._damage_named():
            line = self._source.readline(self._limit - self._n_read + 1)
        self._count(line)
        return line

    def _count(self, chunk: bytes) -> None:
        self._n_read += len(chunk)
        if self._n_read > self._limit:
            raise UnreadableError(
                f"{self._where} holds more than the {bytes_text(self._limit)} that are free in "
                "memory; give a smaller data set."
            )

    @contextmanager
    def _damage_named(self) -> Iterator[None]:
        try:
            yield
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise UnreadableError(
                f"{self._where} is a damaged gzip file ({_first_line(error)}); copy it again."
            ) from None


@contextmanager
def open_content(path: Path, where: str, limit: int) -> Iterator[Reader]:
    """Open a file for reading what is in it, decompressed if it is gzip.

    Raises
    ------
    OSError
        If it cannot be opened.
    UnreadableError
        When read, if it is gzip and damaged, or holds more than `limit` bytes.
    """
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
        file.seek(0)
        if not packed:
            yield Reader(file, where, limit)
            return
        with gzip.open(file) as unpacked:
            yield Reader(unpacked, where, limit)


def content_kind(path: Path, where: str) -> Kind:
    """Tell a file's format by the first bytes of its content, which gzip may have packed."""
    with open_content(path, where, _HEAD) as stream:
        head = stream.read(_HEAD)
    return head_kind(head)


def head_kind(head: bytes) -> Kind:
    """Tell a format by its first 512 bytes."""
    if head.startswith(b"\x93NUMPY"):
        return "npy"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if len(head) >= 4 and head[:2] == b"\0\0" and head[2] in _IDX_TYPES and 1 <= head[3] <= 8:
        return "idx"
    if head[257:262] == b"ustar" or _is_old_tar(head):
        return "tar"
    if head[:1] == b"\x80" and head[1:2] <= b"\x0f" and len(head) > 2:
        return "pickle"
    if head[:1] and head[:1] in _TEXT_PICKLES:
        return "pickle"
    return "other"


def is_gzip(path: Path) -> bool:
    """Return whether a file is packed by gzip."""
    with path.open("rb") as file:
        return file.read(2) == _GZIP


def _is_old_tar(head: bytes) -> bool:
    """Tell a tar archive of before 1988, which has nothing but a checksum to know it by."""
    if len(head) < _HEAD or not head[0]:
        return False
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
