"""Shows progress only once work has taken a while; shorter work would only flicker."""

from psygnal import Signal
from qtpy.QtCore import QObject, QTimer

from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.session import Session
from napari_colorkde.connections import Connections

BUSY_DELAY_MS = 1000


class DelayedIndicator(QObject):
    """Passes on the progress of a session once its work has taken longer than a moment.

    Parameters
    ----------
    session
        Whose work it is.
    delay_ms
        How long work may take without being shown.
    """

    progressed = Signal(Progress, description="What long work is doing.")
    finished = Signal(description="All work has ended, whether it was shown or not.")

    def __init__(
        self, session: Session, parent: QObject | None = None, *, delay_ms: int = BUSY_DELAY_MS
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._progress: Progress | None = None
        self._is_due = False
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(delay_ms)
        self._delay.timeout.connect(self._on_due)
        self._connections = Connections()
        self._connections.add(session.progressed, self._on_progress)
        self._connections.add(session.idle, self._on_settled)

    def close(self) -> None:
        """Let go of the session."""
        self._delay.stop()
        self._connections.close()

    def _on_progress(self, progress: Progress) -> None:
        self._progress = progress
        if self._is_due:
            self.progressed.emit(progress)
        elif not self._delay.isActive():
            self._delay.start()

    def _on_due(self) -> None:
        if self._session.busy and self._progress is not None:
            self._is_due = True
            self.progressed.emit(self._progress)

    def _on_settled(self) -> None:
        self._delay.stop()
        self._is_due = False
        self.finished.emit()
