"""The session on disk: a state as JSON, written as it changes and offered again.

A file holds what a user has chosen, never code and never pixels. It lies in the user's folder for
program states; `napari_colorkde.ui.window.autosave` decides when it is written and whose it is.
"""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import platformdirs

from napari_colorkde.app.class_settings import OLD_FIELDS, ClassificationSettings
from napari_colorkde.app.state import Channels, State
from napari_colorkde.app.view_settings import ViewSettings
from napari_colorkde.io.atomic import atomic_path
from napari_colorkde.io.kernel_json import kernels_from_json, kernels_to_json

FORMAT = "napari-colorkde session"
VERSION = 1

SUFFIX = ".session.json"

MAX_FILES = 10
"""Sessions that are kept; older ones are deleted."""


def state_to_json(state: State, view: ViewSettings | None = None) -> str:
    """Write a state as JSON; numbers read back as the same float64.

    Parameters
    ----------
    view
        How the color space is looked at, None if that is not known.
    """
    sets = dict(state.kernel_sets)
    document = {
        "format": FORMAT,
        "version": VERSION,
        "channels": None if state.channels is None else _channels_to_json(state.channels),
        "show": state.show,
        "space": state.space,
        "bandwidth": state.bandwidth,
        "log": state.log,
        "colormap": state.colormap,
        "judgement": _settings_to_json(state.classification),
        "kernel_set": state.kernel_set,
        "kernel_sets": json.loads(kernels_to_json(sets)) if sets else None,
    }
    if view is not None:
        document["view"] = view.to_json()
    return json.dumps(document, indent=1) + "\n"


def state_from_json(text: str) -> State:
    """Read a state.

    Raises
    ------
    ValueError
        If it is no session, or a value in it cannot be.
    """
    document = _document(text)
    try:
        fields: dict[str, Any] = {
            name: document[name] for name in ("show", "bandwidth", "log", "colormap", "kernel_set")
        }
        fields["space"] = document.get("space", "rgb")  # files of earlier versions have none
        sets, channels = document["kernel_sets"], document["channels"]
    except KeyError as error:
        raise ValueError(f"the session has no {error.args[0]!r}.") from None
    # Files of earlier versions have none.
    fields["classification"] = _judgement(document.get("judgement", {}))
    if sets is not None:
        fields["kernel_sets"] = kernels_from_json(json.dumps(sets), "the session")
    if channels is not None:
        fields["channels"] = _channels(channels)
    return State().replace(**fields)


def view_from_json(text: str) -> ViewSettings:
    """Read how the color space was looked at; the first view from files of earlier versions.

    Raises
    ------
    ValueError
        If it is no session, or a value in that part cannot be.
    """
    document = _document(text)
    # 0.1.0 called it a look.
    return ViewSettings.from_json(document.get("view", document.get("look", {})))


def _document(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"the session is not JSON ({error.msg}).") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f'the session has not the "format" {FORMAT!r}.')
    if document.get("version") != VERSION:
        raise ValueError(
            f"the session has the version {document.get('version')!r}; this program reads version "
            f"{VERSION}."
        )
    return document


def _settings_to_json(settings: ClassificationSettings) -> dict[str, Any]:
    old = {new: name for name, new in OLD_FIELDS.items()}
    return {old.get(name, name): value for name, value in asdict(settings).items()}


def _judgement(document: Any) -> ClassificationSettings:
    try:
        return ClassificationSettings().replace(
            **{OLD_FIELDS.get(name, name): value for name, value in document.items()}
        )
    except (AttributeError, TypeError, ValueError):
        raise ValueError(
            f"the session's classification settings are {document!r}, which is not valid."
        ) from None


def _channels_to_json(channels: Channels) -> dict[str, Any]:
    document = asdict(channels)
    document["entries"] = document.pop("indices")
    return document


def _channels(document: Any) -> Channels:
    try:
        return Channels(
            tuple(map(str, document["names"])),
            None if document["axis"] is None else int(document["axis"]),
            tuple(map(int, document["entries"])),
            tuple(map(str, document["layers"])),
        )
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"the session's channels are {document!r}, which is not valid.") from None


def session_folder() -> Path:
    """Where sessions are kept; made if it is not there."""
    return platformdirs.user_state_path("napari-colorkde", appauthor=False, ensure_exists=True)


def save_state(path: Path, state: State, view: ViewSettings | None = None) -> None:
    """Write a state, and how the color space is looked at, to a file: whole or not at all.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    with atomic_path(path) as scratch:
        scratch.write_text(state_to_json(state, view), encoding="utf-8", newline="\n")


def load_state(path: Path) -> State:
    """Read a state from a file.

    Raises
    ------
    ValueError, OSError
        If it is no session, or cannot be read.
    """
    return state_from_json(path.read_text(encoding="utf-8"))


def load_view(path: Path) -> ViewSettings:
    """Read from a file how the color space was looked at.

    Raises
    ------
    ValueError, OSError
        If it is no session, cannot be read, or that part of it cannot be.
    """
    return view_from_json(path.read_text(encoding="utf-8"))


def session_files(folder: Path) -> list[Path]:
    """The sessions in a folder, the newest first."""
    return sorted(folder.glob(f"*{SUFFIX}"), key=_changed, reverse=True)


def session_summary(state: State, path: Path) -> str:
    """What a session holds, in words."""
    when = datetime.fromtimestamp(_changed(path)).strftime("%Y-%m-%d %H:%M")
    n = sum(len(kernels) for _, kernels in state.kernel_sets)
    sets = ", ".join(name for name, _ in state.kernel_sets)
    what = f"{n} kernel{'' if n == 1 else 's'} ({sets})" if n else "settings"
    return f"{what}, {when}"


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # taken by another session meanwhile
        return 0.0
