"""Writing files completely or not at all.

A file is written beside its target under a name of its own and renamed when it is complete, so that
neither an error, nor Ctrl+C, nor a full disk leaves half a file behind. What a process that was
killed has left is removed by the next that writes the same file.
"""

import contextlib
import errno
import os
import re
import secrets
import shutil
import stat
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from platform import node

from napari_colorkde.io.writers.targets import check_target

STALE_SECONDS = 86400.0
"""Where it is not known whether a process still runs, what it left is removed after so long."""

FORMER = "-former"
"""Ends the names of folders of what is being replaced."""

_HOST = f"{zlib.crc32(node().encode()):08x}"


@contextmanager
def atomic_path(target: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a path to write to; when the block ends well, it becomes `target`.

    Parameters
    ----------
    target
        Where the file shall appear. A file that stands there is replaced in one step, and its
        permissions are kept; a symbolic link is followed, so that the file it points to is
        replaced.

    Yields
    ------
    Path
        An empty file in the same folder and with the same suffix, to be written or overwritten. It
        is removed if the block raises anything, KeyboardInterrupt included.

    Raises
    ------
    OSError
        If the folder does not exist or cannot be written to, if something other than a file
        stands at `target`, or if the disk is full.
    """
    path = check_target(target).resolve()
    remove_leftovers(path)
    scratch = _scratch(path)
    before = path.stat() if path.exists() else None
    # Not tempfile: its files are readable by their owner only, and the rename would keep that.
    mode = 0o666 if before is None else 0o600
    with naming(path):
        os.close(os.open(scratch, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
        try:
            if before is not None:
                _take_permissions(scratch, before)
            yield scratch
            scratch.replace(path)
        finally:
            scratch.unlink(missing_ok=True)


@contextmanager
def atomic_folder(target: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a folder to fill; when the block ends well, it becomes `target`.

    Parameters
    ----------
    target
        Where the folder shall appear. A folder that stands there is replaced as a whole, and its
        permissions are kept. It must be one that this program wrote, which the caller checks.

    Yields
    ------
    Path
        An empty folder beside it, removed if the block raises anything.

    Raises
    ------
    OSError
        If the folder cannot be written, or a file stands at `target`.
    """
    path = check_target(target, is_folder=True).resolve()
    remove_leftovers(path)
    scratch, former = _scratch(path), _former(path)
    before = path.stat() if path.exists() else None
    with naming(path):
        scratch.mkdir(mode=0o777 if before is None else 0o700)
        try:
            yield scratch
            if before is not None:
                _take_permissions(scratch, before)
            former.mkdir()
            if path.exists():
                path.rename(former / path.name)
            scratch.rename(path)
        finally:
            _put_back(former, path.parent)
            for folder in (scratch, former):
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def atomic_files(folder: str | os.PathLike[str], names: Sequence[str]) -> Iterator[Path]:
    """Give a folder to write several files in; when the block ends well, all appear in `folder`.

    Parameters
    ----------
    folder
        Where the files shall appear, each in the place of one that stands there.
    names
        Their names, which the block writes; some may be folders.

    Yields
    ------
    Path
        An empty folder beside them, removed in the end. If the block, or putting one of the files
        in its place, raises anything, `folder` is as it was before.

    Raises
    ------
    OSError
        If the folder does not exist or cannot be written to, or a file was not written.
    """
    place = check_target(Path(folder) / "files").resolve()
    remove_leftovers(place)
    scratch, former = _scratch(place), _former(place)
    moved: list[str] = []
    with naming(place.parent):
        try:
            for each in (scratch, former):
                each.mkdir()
            yield scratch
            for name in names:
                target = place.parent / name
                moved.append(name)
                if target.is_file():
                    _take_permissions(scratch / name, target.stat())
                _keep(target, former / name)
                (scratch / name).replace(target)
        except BaseException:
            for name in moved:
                target, is_new = place.parent / name, not (scratch / name).exists()
                if is_new and target.exists():
                    target.rename(scratch / name)
                if (former / name).exists():
                    (former / name).replace(target)
            raise
        finally:
            for each in (scratch, former):
                shutil.rmtree(each, ignore_errors=True)


def _keep(target: Path, former: Path) -> None:
    """Keep what stands at `target` under a second name, until something has taken its place."""
    if target.is_dir():
        # Folders have one name, and are not replaced in one step.
        target.rename(former)
    elif target.exists():
        try:
            former.hardlink_to(target)
        except OSError:  # of a file system without links
            shutil.copy2(target, former)


def _put_back(former: Path, folder: Path) -> None:
    """Put what is kept back where nothing has taken its place."""
    if former.is_dir():
        for kept in former.iterdir():
            if not (folder / kept.name).exists():
                kept.rename(folder / kept.name)


def remove_leftovers(path: Path) -> None:
    """Remove what processes that run no longer have left beside a file that they were writing.

    What they had moved away, without putting anything in its place, is put back.
    """
    pattern = re.compile(
        rf"{re.escape(_stem(path))}\.([0-9a-f]{{8}})-(\d+)-[0-9a-f]{{8}}(?:{FORMER})?"
        + re.escape(path.suffix)
    )
    with contextlib.suppress(OSError):
        for entry in list(os.scandir(path.parent)):
            found = pattern.fullmatch(entry.name)
            if found is None or _may_run(found[1], int(found[2]), entry):
                continue
            with contextlib.suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    if FORMER in entry.name:
                        _put_back(Path(entry.path), path.parent)
                    shutil.rmtree(entry.path)
                else:
                    Path(entry.path).unlink()


def _may_run(host: str, process: int, entry: "os.DirEntry[str]") -> bool:
    """Whether the process that writes this may still run."""
    if host != _HOST or sys.platform == "win32":
        return time.time() - entry.stat().st_mtime < STALE_SECONDS
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _stem(path: Path) -> str:
    """Return the beginning of scratch names: hidden, and short enough for every file system."""
    return "." + path.stem.encode("utf-8", "ignore")[:100].decode("utf-8", "ignore")


def _scratch(path: Path, kind: str = "") -> Path:
    """Return a name beside a path that no other writer has."""
    token = f"{_HOST}-{os.getpid()}-{secrets.token_hex(4)}"
    return path.with_name(f"{_stem(path)}.{token}{kind}{path.suffix}")


def _former(path: Path) -> Path:
    """Return a name for a folder of what is moved away from a path, for `remove_leftovers`."""
    return _scratch(path, FORMER)


def _take_permissions(scratch: Path, before: os.stat_result) -> None:
    if hasattr(os, "chown"):
        # Who may not give files away keeps its own; the mode is what matters.
        with contextlib.suppress(OSError):
            os.chown(scratch, before.st_uid, before.st_gid)
    scratch.chmod(stat.S_IMODE(before.st_mode))


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name the file where the system only says that the disk is full, or alike."""
    try:
        yield
    except OSError as error:
        if error.errno is None and re.search(r"\d+ requested and \d+ written", str(error)):
            # NumPy's, which writes TIFF and NPY, and does not tell what the system said.
            raise OSError(
                f"{str(path)!r} cannot be written (only a part of it could be); make room, or "
                "choose another place."
            ) from None
        if error.errno is None or isinstance(error, FileNotFoundError | InterruptedError):
            raise
        advice = "make room, or choose another place"
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            advice = "choose another place"
        reason = error.strerror or os.strerror(error.errno)
        sentence = f"{str(path)!r} cannot be written ({reason}); {advice}."
        raise type(error)(sentence) from None
