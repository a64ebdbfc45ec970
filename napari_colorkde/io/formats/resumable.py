"""Folders filled piece by piece, which resume where a run was stopped, killed or failed.

What is written lies beside the target under a hidden name until it is complete, with a journal of
the pieces that are done and the key of what is being made: only a run that makes the same goes on.
The content is named after the key: a cluster's worker that is late with a piece for one run writes
nothing into the content of another.
"""

import contextlib
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from napari_colorkde.io.writers.atomic import atomic_folder, naming
from napari_colorkde.io.writers.targets import check_target

_KEY, _JOURNAL, _WRITER = "key.json", "done", "writer"


class Unfinished:
    """A folder that is being filled.

    Attributes
    ----------
    content
        Where to write.
    done
        Names of the pieces that are written already.
    """

    def __init__(self, place: Path, content: Path) -> None:
        self.content = content
        self._journal = place / _JOURNAL
        self.done = _finished(self._journal)

    def note(self, piece: str) -> None:
        """Say that a piece is written."""
        with self._journal.open("a", encoding="ascii") as file:
            file.write(f"{piece}\n")
        self.done.add(piece)


@contextmanager
def resumable_folder(target: Path, key: Mapping[str, object]) -> Iterator[Unfinished]:
    """Give a folder to fill; when the block ends well, it becomes `target`.

    Parameters
    ----------
    target
        Where the folder shall appear, as for `atomic_folder`.
    key
        What is made of what, as JSON has it. An unfinished folder of the same key is gone on with,
        one of another is removed.

    Yields
    ------
    Unfinished
        If the block raises anything, it stays for the next run.

    Raises
    ------
    OSError
        As from `atomic_folder`; also where another process is writing the same.
    """
    path = check_target(target, is_folder=True).resolve()
    place = _place(path)
    text = json.dumps(dict(key), sort_keys=True, default=str)
    with naming(path):
        # Who may not look into what is replaced may not look into what takes its place either.
        place.mkdir(mode=0o700 if path.exists() else 0o777, exist_ok=True)
        _claim(path, place)
        try:
            content = place / f"content-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
            if _read(place / _KEY) != text or not content.is_dir():
                _begin_anew(place, content, text)
            yield Unfinished(place, content)
            with atomic_folder(path) as scratch:
                scratch.rmdir()
                content.rename(scratch)
            shutil.rmtree(place)
        finally:
            with contextlib.suppress(OSError):
                (place / _WRITER).unlink()


def unfinished_of(target: Path) -> Path | None:
    """Return what a run that was stopped has left of a target; None where there is nothing."""
    place = _place(target.resolve())
    return place if place.is_dir() else None


def discard_unfinished(target: Path) -> None:
    """Remove what a run that was stopped has left of a target.

    Raises
    ------
    OSError
        If another process is writing it, or it may not be removed.
    """
    path = target.resolve()
    place = _place(path)
    if place.is_dir():
        with naming(path):
            _claim(path, place)
            shutil.rmtree(place)


def _place(path: Path) -> Path:
    stem = path.stem.encode("utf-8", "ignore")[:100].decode("utf-8", "ignore")
    return path.with_name(f".{stem}.unfinished{path.suffix}")


def _finished(journal: Path) -> set[str]:
    """Return the pieces of a journal; a line that was cut off by a kill is none."""
    text = _read(journal)
    return set(text[: text.rfind("\n") + 1].split())


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _begin_anew(place: Path, content: Path, key: str) -> None:
    """Remove what a run of another key has left. The key is written last: a kill leaves none."""
    for name in (_KEY, _JOURNAL):
        (place / name).unlink(missing_ok=True)
    for entry in place.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
    content.mkdir()
    (place / _KEY).write_text(key, encoding="utf-8")


def _claim(path: Path, place: Path) -> None:
    """Say that this process writes here; of two that begin at once, one is refused."""
    writer = place / _WRITER
    _refuse_other_writer(path, writer)
    writer.unlink(missing_ok=True)  # of a process that runs no longer
    try:
        with writer.open("x", encoding="ascii") as file:
            file.write(str(os.getpid()))
    except FileExistsError:
        raise OSError(
            f"path {str(path)!r} is being written by another process; wait for it, or give "
            "another name."
        ) from None


def _refuse_other_writer(path: Path, writer: Path) -> None:
    try:
        process = int(_read(writer))
    except ValueError:
        return
    if process != os.getpid() and sys.platform != "win32":
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return
        except OSError:
            pass
        raise OSError(
            f"path {str(path)!r} is being written by another process, {process}; wait for it, or "
            "give another name."
        )
