"""Targets that could not be written in the end are refused before anything is computed."""

import os
from collections.abc import Iterable
from pathlib import Path

from napari_colorkde.core.checks.arguments import path_of


def check_target(
    target: str | os.PathLike[str],
    suffixes: Iterable[str] = (),
    *,
    name: str = "path",
    is_folder: bool = False,
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
    is_folder
        Whether a folder shall be written, as some formats are one.

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
    path = Path(path_of(target, name))
    try:
        os.fsencode(path)
        if "\0" in str(path):
            raise ValueError
    except ValueError:
        raise ValueError(
            f"{name} {str(path)!r} has characters that file names cannot have; give another name."
        ) from None
    known = tuple(suffixes)
    if known and not any(has_suffix(path, suffix) for suffix in known):
        given = f"the suffix {path.suffix!r}" if path.suffix else "no suffix"
        raise ValueError(f"{name} {str(path)!r} has {given}; use {_alternatives(known)}.")
    if path.exists() and not (path.is_dir() if is_folder else path.is_file()):
        kind = (
            "a file" if path.is_file() else "a folder" if path.is_dir() else "not an ordinary file"
        )
        wanted = "a folder" if is_folder else "a file"
        raise OSError(f"{name} {str(path)!r} is {kind}; give the name of {wanted}.")
    try:
        folder = path.resolve().parent
    except (OSError, RuntimeError):  # RuntimeError before Python 3.13
        raise OSError(f"{name} {str(path)!r} is a link to itself; give another name.") from None
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


def has_suffix(path: Path, suffix: str) -> bool:
    """Whether a file name ends with a suffix, which may have several dots, in any case."""
    return path.name.lower().endswith(suffix) and len(path.name) > len(suffix)


def _alternatives(words: tuple[str, ...]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last
