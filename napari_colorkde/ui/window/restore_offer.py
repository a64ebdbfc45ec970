"""The offer to restore what a session that ended unexpectedly had, or a session file."""

from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from napari_colorkde.app.background.error_sentences import user_message
from napari_colorkde.app.density.color_coordinates import with_rgb_space
from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.session import Session
from napari_colorkde.app.session_file import (
    load_state,
    load_view,
    session_summary,
)
from napari_colorkde.app.state import State
from napari_colorkde.core.number_text import counted
from napari_colorkde.ui.window.autosave import RESTORED_FIELDS, Autosave, look_in, results_in


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


def _damage(reason: str) -> str:
    return f"A session file is damaged and was set aside: {reason}"
