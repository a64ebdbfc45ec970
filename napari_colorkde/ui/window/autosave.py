"""Saves a session to disk as it changes, and offers to restore the last one.

A lock beside each file says that its session is alive; the lock of a program that crashed does not
count. A session that was closed leaves its file, too: closing the dock by mistake loses nothing.
"""

import uuid
from pathlib import Path

from psygnal import Signal
from qtpy.QtCore import QLockFile, QObject, Qt
from qtpy.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget
from superqt.utils import QSignalThrottler

from napari_colorkde.app.background.reports import user_message
from napari_colorkde.app.density.color_coordinates import with_rgb_space
from napari_colorkde.app.image.channels import Channels
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
    load_view,
    save_state,
    session_files,
    session_folder,
    session_summary,
    set_aside,
)
from napari_colorkde.app.settings.saved_look import SavedLook
from napari_colorkde.app.settings.view_settings import ViewSettings
from napari_colorkde.app.state import State
from napari_colorkde.connections import Connections
from napari_colorkde.core.csv_and_frames import Row
from napari_colorkde.core.number_text import counted

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


class RestoreOffer(QWidget):
    """One line that offers kernels and results of an earlier session, or says why it cannot.

    Parameters
    ----------
    session
        To which they are given.
    autosave
        Knows what was left.
    """

    def __init__(self, session: Session, autosave: Autosave, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._results, self._looks = session, autosave.results, autosave.looks
        self._abandoned = autosave.find_abandoned()
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.restore_button = QToolButton()
        self.restore_button.setText("Restore")
        self.restore_button.setToolTip(
            "Continue with these kernels, settings and results. Undo reverts kernels and settings."
        )
        self.restore_button.clicked.connect(self.restore)
        self.dismiss_button = QToolButton()
        self.dismiss_button.setText("Dismiss")
        self.dismiss_button.setToolTip("Stop offering to restore this session.")
        self.dismiss_button.clicked.connect(self.dismiss)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.text, 1)
        line.addWidget(self.restore_button, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(self.dismiss_button, 0, Qt.AlignmentFlag.AlignTop)
        self.restore_button.setVisible(self._abandoned is not None)
        sentences = [_damage(reason) for reason, _ in autosave.damaged]
        if self._abandoned is not None:
            n_results = len(results_in(self._abandoned[1]))
            look = look_in(self._abandoned[1])
            summary = session_summary(*self._abandoned, n_results, look)
            sentences.insert(0, f"Last session: {summary}.")
        self.text.setText(" ".join(sentences))
        self.text.setToolTip("\n".join(f"Kept as {path}" for _, path in autosave.damaged))
        self.setVisible(bool(sentences))

    def restore(self) -> None:
        """Take the kernels, settings and results of that session; the image stays.

        Without the color space where the image has none but its own channels, and with as many
        channels as the kernels need. Where that cannot be, the offer stays for another image.
        """
        if self._abandoned is not None and self._take(*self._abandoned):
            self.dismiss()

    def open_file(self, path: str | Path) -> None:
        """Take kernels, settings and results of a session file, which stays, or say why not."""
        try:
            state = load_state(Path(path))
        except (ValueError, OSError) as error:
            self._session.say(f"The settings cannot be opened: {user_message(error)}")
            return
        self._take(state, Path(path))

    def _take(self, state: State, path: Path) -> bool:
        reason = ""
        if self._session.source is not None and state.space != "rgb":
            reason = self._session.space_obstacle()
        if reason:
            state = with_rgb_space(state)
        if self._session.source is not None and state.shown_voxels is not None:
            # An image without a z axis has none.
            state = state.replace(voxels=state.voxels.replace(show=self._session.is_stack))
        fields = {name: getattr(state, name) for name in RESTORED_FIELDS}
        try:
            fields |= self._channels_for(state)
            self._session.set(**fields)
        except (ValueError, TypeError) as error:
            self._session.say(f"The session cannot be restored: {user_message(error)}")
            return False
        try:
            self._session.view = load_view(path)
        except (ValueError, OSError) as error:
            self._session.say(f"The view of the color space was reset: {user_message(error)}")
        self._results.put(results_in(path))
        look = look_in(path)
        if look is not None and self._looks is not None:
            self._looks.apply_again(look)
        if reason:
            self._session.say(f"Restored in the image's own channels. {reason}")
        return True

    def _channels_for(self, state: State) -> dict[str, Channels]:
        """Return the channels to choose for the kernels of a state; none where those are right.

        Raises
        ------
        ValueError
            If the image has too few.
        """
        kernels, source, channels = state.kernels, self._session.source, self._session.channels
        if kernels is None or source is None or channels is None:
            return {}
        n = kernels.n_channels
        if len(channels) == n:
            return {}
        fitting = [choice for choice in source.choices if len(choice) == n]
        if not fitting:
            raise ValueError(
                f"its kernels are for {counted(n, 'channel')}, and {source.name!r} has "
                f"{max(map(len, source.choices))}; choose another image first."
            )
        return {"channels": fitting[0]}

    def dismiss(self) -> None:
        """Forget that session."""
        if self._abandoned is not None:
            self._abandoned[1].unlink(missing_ok=True)
            self._abandoned = None
        self.setVisible(False)


def results_in(path: Path) -> list[Row]:
    """Return the results of a session; none where they cannot be read."""
    try:
        return load_results(path)
    except (ValueError, OSError):
        return []


def look_in(path: Path) -> SavedLook | None:
    """Return the look of a session; None where there is none, or it cannot be read."""
    try:
        return load_look(path)
    except (ValueError, OSError):
        return None


def _damage(reason: str) -> str:
    return f"A session file is damaged and was set aside: {reason}"


def _lock_of(path: Path) -> QLockFile:
    lock = QLockFile(f"{path}.lock")
    lock.setStaleLockTime(0)  # only the death of its program makes it stale
    return lock
