"""Saves a session to disk as it changes, and offers to restore the last one.

A lock beside each file says that its session is alive; the lock of a program that crashed does not
count. A session that was closed leaves its file, too: closing the dock by mistake loses nothing.
"""

import uuid
from pathlib import Path

from psygnal import Signal
from qtpy.QtCore import QLockFile, QObject
from superqt.utils import QSignalThrottler

from napari_colorkde.app.background.error_sentences import user_message
from napari_colorkde.app.layers.looks import Looks
from napari_colorkde.app.results.results_table import ResultsTable
from napari_colorkde.app.session import Session
from napari_colorkde.app.session_file import (
    MAX_FILES,
    SUFFIX,
    OtherVersionError,
    load_look,
    load_results,
    load_state,
    save_state,
    session_files,
    session_folder,
    set_aside,
)
from napari_colorkde.app.settings.saved_look import SavedLook
from napari_colorkde.app.settings.view_settings import ViewSettings
from napari_colorkde.app.state import State
from napari_colorkde.connections import Connections
from napari_colorkde.core.csv_and_frames import Row

SAVE_INTERVAL_MS = 400
"""A change is on disk after this long, however quickly others follow it."""

RESTORED_FIELDS = tuple(name for name in State.__slots__ if name != "channels")
"""What an earlier session gives back: all but what belongs to its image."""


class Autosave(QObject):
    """Writes the state of a session to a file of its own.

    Parameters
    ----------
    session
        Whose state is kept.
    folder
        Where; by default the user's folder for program states.
    results
        The table of results that is kept beside it.
    looks
        The look of the image is kept, too.

    Attributes
    ----------
    damaged
        Of each session that was set aside when one was looked for: why it cannot be read, and where
        it is now.
    """

    failed = Signal(str, description="Why the session cannot be saved; a sentence.")

    def __init__(
        self,
        session: Session,
        folder: Path | None = None,
        parent: QObject | None = None,
        results: ResultsTable | None = None,
        looks: Looks | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._folder = folder
        self.results = ResultsTable() if results is None else results
        self.looks = looks
        self.damaged: list[tuple[str, Path]] = []
        self._path: Path | None = None
        self._lock: QLockFile | None = None
        self._throttler = QSignalThrottler(QSignalThrottler.EmissionPolicy.Trailing, self)
        self._throttler.setTimeout(SAVE_INTERVAL_MS)
        self._throttler.triggered.connect(self.save)
        self._connections = Connections()
        self._connections.add(session.state_changed, self._on_state)
        self._connections.add(session.view_changed, self._on_view)
        self._connections.add(self.results.changed, self._throttler.throttle)
        if looks is not None:
            self._connections.add(looks.changed, self._on_look)
        if self.results.rows:
            self._throttler.throttle()

    def close(self) -> None:
        """Write what is not written yet, and let go of the session. The file stays."""
        self._connections.close()
        self._throttler.flush()
        if self._lock is not None:
            self._lock.unlock()
            self._lock = None

    def save(self) -> None:
        """Write the state now."""
        try:
            if self._path is None:
                self._path = self._claim(f"{uuid.uuid4().hex}{SUFFIX}")
            session = self._session
            current = None if self.looks is None else self.looks.current
            look = None if current is None else current.saved
            save_state(self._path, session.state, session.view, self.results.rows, look)
        except OSError as error:
            self.failed.emit(f"The session cannot be saved: {user_message(error)}")

    def find_abandoned(self) -> tuple[State, Path] | None:
        """Return the newest session that no living program writes; None without one.

        Only one with kernels, results or a look.

        Those that cannot be read are kept under another name, so that they are met only once.
        """
        self.damaged = []
        try:
            files = session_files(self._place())
        except OSError:
            return None  # nothing was kept where nothing can be
        for number, path in enumerate(files):
            lock = _lock_of(path)
            if path == self._path or not lock.tryLock(0):
                continue
            state = self._load(path)
            if number >= MAX_FILES:
                path.unlink(missing_ok=True)
            lock.unlock()
            if state is not None and (state.kernel_sets or results_in(path) or look_in(path)):
                return state, path
        return None

    def _load(self, path: Path) -> State | None:
        try:
            return load_state(path)
        except (OtherVersionError, OSError):
            return None  # it goes when it is old
        except ValueError as error:
            reason = user_message(error)
        try:
            self.damaged.append((reason, set_aside(path)))
        except OSError:
            self.damaged.append((reason, path))
        return None

    def _on_state(self, state: State, before: State) -> None:
        self._throttler.throttle()

    def _on_view(self, view: ViewSettings) -> None:
        # Nothing to come back to by itself: it is written beside a state.
        if self._path is not None:
            self._throttler.throttle()

    def _on_look(self, layer: object) -> None:
        self._throttler.throttle()

    def _place(self) -> Path:
        if self._folder is None:
            self._folder = session_folder()
        return self._folder

    def _claim(self, name: str) -> Path:
        path = self._place() / name
        self._lock = _lock_of(path)
        self._lock.tryLock(0)
        return path


def look_in(path: Path) -> SavedLook | None:
    """Return the look of a session; None where there is none, or it cannot be read."""
    try:
        return load_look(path)
    except (ValueError, OSError):
        return None


def results_in(path: Path) -> list[Row]:
    """Return the results of a session; none where they cannot be read."""
    try:
        return load_results(path)
    except (ValueError, OSError):
        return []


def _lock_of(path: Path) -> QLockFile:
    lock = QLockFile(f"{path}.lock")
    lock.setStaleLockTime(0)  # only the death of its program makes it stale
    return lock
