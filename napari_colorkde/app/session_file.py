"""The session on disk: a state as JSON, written as it changes, for restoring later.

A file holds what a user has chosen, never code and never pixels. It lies in the user's folder for
program states; `napari_colorkde.ui.window.autosave` decides when it is written and whose it is.
"""

import json
import math
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import platformdirs

from napari_colorkde.app.settings.saved_look import SavedLook
from napari_colorkde.app.settings.view_settings import ViewSettings
from napari_colorkde.app.state import State
from napari_colorkde.core.csv_and_frames import Cell, Row
from napari_colorkde.core.number_text import counted
from napari_colorkde.io.colors.colormaps import COLORMAPS
from napari_colorkde.io.kernels.kernel_json import parse_json
from napari_colorkde.io.writers.atomic import atomic_path

FORMAT = "napari-colorkde session"
VERSION = 1

SUFFIX = ".session.json"

DAMAGED = ".damaged"
"""Added to the name of a file that cannot be read, which is not offered again then."""

GRADED_BY = "graded_by"
"""Key of the look; "look" is what 0.1.0 called the view."""

MAX_FILES = 10
"""Sessions that are kept; older ones are deleted."""


class OtherVersionError(ValueError):
    """The session is of another version of the file's form; its program can read it."""


def state_to_json(
    state: State,
    view: ViewSettings | None = None,
    results: Sequence[Row] = (),
    look: SavedLook | None = None,
) -> str:
    """Write a state as JSON; numbers read back as the same float64.

    Parameters
    ----------
    view
        How the color space is looked at, None if that is not known.
    results
        Rows of the table of results; JSON has no numbers that are not finite.
    look
        By which the image is graded.
    """
    document = {"format": FORMAT, "version": VERSION, **state.to_json()}
    if view is not None:
        document["view"] = view.to_json()
    if results:
        document["results"] = [{n: _finite(c) for n, c in row.items()} for row in results]
    if look is not None:
        document[GRADED_BY] = look.to_json()
    return json.dumps(document, indent=1) + "\n"


def state_from_json(text: str) -> State:
    """Read a state.

    Raises
    ------
    ValueError
        If it is not a session, or a value in it is not allowed.
    """
    state = State.from_json(_document(text))
    if not _is_colormap(state.colormap):
        raise ValueError(
            f"the session: colormap={state.colormap!r} is not known; "
            f"use {', '.join(COLORMAPS)}, or another one that napari has."
        )
    return state


def view_from_json(text: str) -> ViewSettings:
    """Read how the color space was looked at; the first view from files of earlier versions.

    Raises
    ------
    ValueError
        If it is not a session, or a value in that part is not allowed.
    """
    document = _document(text)
    # 0.1.0 called it a look.
    return ViewSettings.from_json(document.get("view", document.get("look", {})))


def results_from_json(text: str) -> list[Row]:
    """Read the rows of the table of results; none from files that have no table.

    Raises
    ------
    ValueError
        If it is not a session, or the table is not one.
    """
    rows = _document(text).get("results", [])
    if not isinstance(rows, list) or not all(map(_is_row, rows)):
        raise ValueError("the session: its results are not rows of a table.")
    return rows


def look_from_json(text: str) -> SavedLook | None:
    """Read by which look the image was graded; None without one, and from earlier files.

    Raises
    ------
    ValueError
        If it is not a session, or the look is not one.
    """
    look = _document(text).get(GRADED_BY)
    return None if look is None else SavedLook.from_json(look)


def _finite(cell: Cell) -> Cell:
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell


def _is_row(row: object) -> bool:
    return (
        isinstance(row, dict)
        and isinstance(row.get("image"), str)
        and all(cell is None or isinstance(cell, str | int | float) for cell in row.values())
    )


def _document(text: str) -> dict[str, object]:
    document = parse_json(text, "the session")
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f'the session does not have the "format" {FORMAT!r}.')
    version = document.get("version")
    if isinstance(version, bool) or not isinstance(version, int) or not 0 < version < 1000:
        raise ValueError(f'the session does not have the "version" {VERSION}.')
    if version != VERSION:
        raise OtherVersionError(
            f"the session has the version {version}; this program reads version {VERSION}."
        )
    return document


def _is_colormap(name: str) -> bool:
    if not name or name in COLORMAPS:
        return bool(name)
    try:
        from napari.utils.colormaps import ensure_colormap
    except ImportError:  # without a window there is no layer that could have any other
        return False
    try:
        ensure_colormap(name)
    except KeyError:
        return False
    return True


def session_folder() -> Path:
    """Where sessions are kept; made if it is not there."""
    return platformdirs.user_state_path("napari-colorkde", appauthor=False, ensure_exists=True)


def save_state(
    path: Path,
    state: State,
    view: ViewSettings | None = None,
    results: Sequence[Row] = (),
    look: SavedLook | None = None,
) -> None:
    """Write a state and the rest, see `state_to_json`, to a file: whole or not at all.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    with atomic_path(path) as scratch:
        text = state_to_json(state, view, results, look)
        scratch.write_text(text, encoding="utf-8", newline="\n")


def load_state(path: Path) -> State:
    """Read a state from a file.

    Raises
    ------
    ValueError, OSError
        If the file is no session, or cannot be read.
    """
    return state_from_json(_text(path))


def load_view(path: Path) -> ViewSettings:
    """Read from a file how the color space was looked at.

    Raises
    ------
    ValueError, OSError
        If the file is no session, cannot be read, or its view settings are not valid.
    """
    return view_from_json(_text(path))


def load_results(path: Path) -> list[Row]:
    """Read the rows of the table of results from a file.

    Raises
    ------
    ValueError, OSError
        If the file is no session, cannot be read, or its results are not a table.
    """
    return results_from_json(_text(path))


def load_look(path: Path) -> SavedLook | None:
    """Read from a file by which look the image was graded; None without one.

    Raises
    ------
    ValueError, OSError
        If the file is no session, cannot be read, or its look is not one.
    """
    return look_from_json(_text(path))


def set_aside(path: Path) -> Path:
    """Keep a file that cannot be read under another name, and return that.

    Raises
    ------
    OSError
        If it cannot be renamed.
    """
    return path.replace(path.with_name(path.name + DAMAGED))


def session_files(folder: Path) -> list[Path]:
    """The sessions in a folder, the newest first."""
    return sorted(folder.glob(f"*{SUFFIX}"), key=_changed, reverse=True)


def session_summary(
    state: State, path: Path, n_results: int = 0, look: SavedLook | None = None
) -> str:
    """What a session holds, in words; `n_results` is the number of its rows of results."""
    when = datetime.fromtimestamp(_changed(path)).strftime("%Y-%m-%d %H:%M")
    n = sum(len(kernels) for _, kernels in state.kernel_sets)
    sets = ", ".join(name for name, _ in state.kernel_sets)
    what = f"{n} kernel{'' if n == 1 else 's'} ({sets})" if n else "settings"
    if n_results:
        rows = counted(n_results, "result")
        what = f"{what}, {rows}" if n else rows
    if look is not None:
        what += f", look {look.name}"
    return f"{what}, {when}"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ValueError("the session is not UTF-8 text.") from None


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # taken by another session meanwhile
        return 0.0
