"""Runs the session's work in a thread, and shows it in napari's activity dock."""

from collections.abc import Callable, Iterator
from weakref import WeakSet

from napari.qt.threading import GeneratorWorker
from napari.utils.progress import cancelable_progress
from qtpy.QtCore import QEventLoop, QObject, QThreadPool, QTimer

from napari_colorkde.app.background.executor import Progress, Work
from napari_colorkde.app.session import Session
from napari_colorkde.ui.window.delayed_indicator import BUSY_DELAY_MS, DelayedIndicator

POLL_MS = 3
"""How often `QtExecutor.wait` looks whether all is done."""


class _Worker(GeneratorWorker):
    """A worker that leaves the filters of warnings as they are.

    They are the process's, not the thread's: superqt's own `run` sets them aside while it works,
    and puts them back under the feet of whoever has changed them meanwhile.
    """

    def run(self) -> None:
        """Work to the end. Errors come as values, see `Jobs`; what is returned is nobody's."""
        self.started.emit()
        self._running = True
        if isinstance(self.work(), RuntimeError):
            return  # deleted while it worked: nobody listens any more
        self._running = False
        self.finished.emit()
        self._finished.emit(self)


class QtExecutor:
    """Runs one generator at a time in a thread of Qt's pool.

    What it yields is handed over by a queued signal, so on the thread that made the executor.
    """

    def __init__(self) -> None:
        self._worker: _Worker | None = None
        self._deliver: Callable[..., None] | None = None
        self._ended: Callable[[], None] | None = None

    def start(self, steps: Work, deliver: Callable[..., None], ended: Callable[[], None]) -> None:
        """Run in the background."""

        def run() -> Iterator[object]:
            yield from steps()

        self._deliver, self._ended = deliver, ended
        # Not napari's `create_worker`: the window would keep a record of each for ever, and with it
        # the session. Errors come as values, see `Jobs`.
        self._worker = _Worker(run)
        self._worker.yielded.connect(self._on_yielded)
        self._worker.finished.connect(self._on_finished)
        self._worker.start()

    def wait(self, done: Callable[[], bool], timeout: float | None) -> bool:
        """Let Qt's events pass until `done()`, and then those that draw."""
        loop = QEventLoop()
        poll = QTimer()
        poll.timeout.connect(lambda: loop.quit() if done() else None)
        poll.start(POLL_MS)
        late = QTimer()
        late.setSingleShot(True)
        if timeout is not None:
            late.timeout.connect(loop.quit)
            late.start(round(timeout * 1000))
        # Events of the loop's last round may ask for more work.
        while not done() and (timeout is None or late.isActive()):
            loop.exec()
        poll.stop()
        late.stop()
        is_done = done()
        # What is drawn may ask for more work.
        loop.processEvents()
        return is_done

    def close(self) -> None:
        """Hand over nothing any more; a worker that still runs ends at its next yield."""
        self._deliver = self._ended = None
        if self._worker is not None:
            self._worker.quit()
            _closed_workers.add(self._worker)
            self._worker = None

    def _on_yielded(self, item: object) -> None:
        if self._deliver is not None:
            self._deliver(item)

    def _on_finished(self) -> None:
        self._worker = None
        if self._ended is not None:
            self._ended()


def wait_for_closed() -> None:
    """Wait until no executor that was closed computes any more.

    Before Python ends: PyQt then deletes the signals of workers, whose next yield complains of it.
    """
    if _closed_workers:
        QThreadPool.globalInstance().waitForDone()


# Their thread keeps them alive.
_closed_workers: WeakSet[_Worker] = WeakSet()


class _Bar(cancelable_progress):
    """A progress bar whose Cancel button acts at once, not at a next iteration."""

    def cancel(self) -> None:
        super().cancel()
        if self.cancel_callback is not None:
            self.cancel_callback()


class Activity(QObject):
    """Shows a session's long work in napari's activity dock, where it can be stopped.

    Parameters
    ----------
    session
        Whose work is shown.
    delay_ms
        Shorter work is not shown.
    """

    def __init__(
        self, session: Session, parent: QObject | None = None, *, delay_ms: int = BUSY_DELAY_MS
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._bar: _Bar | None = None
        self._is_opening = False
        self._indicator = DelayedIndicator(session, self, delay_ms=delay_ms)
        self._indicator.progressed.connect(self._on_progress)
        self._indicator.finished.connect(self._finish)

    def close(self) -> None:
        """Take the bar away and let go of the session."""
        self._indicator.close()
        self._finish()

    def _on_progress(self, progress: Progress) -> None:
        if self._bar is not None:
            self._show(self._bar, progress)
        elif not self._is_opening:
            self._open(progress)

    def _open(self, progress: Progress) -> None:
        # Making a bar and moving it lets events pass, those of further progress among them.
        self._is_opening = True
        # gui=True: a bar in napari, none on the terminal.
        bar = _Bar(desc=progress.what, total=100, cancel_callback=self._session.stop, gui=True)
        self._is_opening = False
        # The work may be over by now.
        if self._session.busy:
            self._bar = bar
            self._show(bar, progress)
        else:
            bar.close()

    def _show(self, bar: _Bar, progress: Progress) -> None:
        what, part = progress.what, progress.fraction
        if bar.desc.removesuffix(": ") != what:
            bar.set_description(what)
        if bar is self._bar and part is not None and (step := round(100 * part) - bar.n):
            bar.update(step)

    def _finish(self) -> None:
        if self._bar is not None:
            bar, self._bar = self._bar, None
            bar.close()
