"""Writing files whole or not at all.

A file is written beside its target under a name of its own and renamed when it is complete, so that
neither an error, nor Ctrl+C, nor a full disk leaves half a file behind.
"""

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(target: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a path to write to; when the block ends well, it becomes `target`.

    Parameters
    ----------
    target
        Where the file shall appear. A file that stands there is replaced in one step; a symbolic
        link is followed, so that the file it points to is replaced.

    Yields
    ------
    Path
        An empty file in the same folder and with the same suffix, to be written or overwritten. It
        is removed if the block raises anything, KeyboardInterrupt included.

    Raises
    ------
    OSError
        If the folder does not exist or cannot be written to, or if something other than a file
        stands at `target`.
    """
    path = check_target(target).resolve()
    scratch = path.with_name(f".{path.stem[:100]}.{secrets.token_hex(4)}{path.suffix}")
    # Not tempfile: its files are readable by their owner only, and the rename would keep that.
    os.close(os.open(scratch, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        yield scratch
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def check_target(
    target: str | os.PathLike[str], suffixes: Iterable[str] = (), *, name: str = "path"
) -> Path:
    """Refuse, before anything is computed, a target that could not be written in the end.

    Parameters
    ----------
    target
        Where a file shall be written.
    suffixes
        The suffixes that are understood, with their dots; none means any.
    name
        How the caller names the argument, for messages.

    Returns
    -------
    Path
        `target`, as a path.

    Raises
    ------
    ValueError
        If the suffix is not one of `suffixes`.
    OSError
        If the folder does not exist or cannot be written to, or if something other than a file
        stands at `target`.
    """
    path = Path(target)
    known = tuple(suffixes)
    if known and path.suffix.lower() not in known:
        given = f"the suffix {path.suffix!r}" if path.suffix else "no suffix"
        raise ValueError(f"{name} {str(path)!r} has {given}; use {_alternatives(known)}.")
    if path.exists() and not path.is_file():
        kind = "a folder" if path.is_dir() else "not an ordinary file"
        raise OSError(f"{name} {str(path)!r} is {kind}; give the name of a file.")
    folder = path.resolve().parent
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{name} {str(path)!r}: the folder {str(folder)!r} does not exist; make it first."
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(
            f"{name} {str(path)!r}: the folder {str(folder)!r} cannot be written to; "
            "choose another one."
        )
    return path


def _alternatives(words: tuple[str, ...]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last
