"""What users are told about work: progress, messages, failures."""

from psygnal import Signal

from napari_colorkde.app.background.error_sentences import ComputeError, user_message
from napari_colorkde.app.background.executor import Progress


class Reports:
    """Announces to whoever shows it what the parts of a session have to say.

    Attributes
    ----------
    error
        The sentence with which the last work failed, None if it did not.
    """

    progressed = Signal(Progress)
    message = Signal(str, description="A sentence; nothing failed.")
    failed = Signal(str, description="A sentence.")

    def __init__(self) -> None:
        self.error: str | None = None
        self._is_passing = False

    def say(self, text: str) -> None:
        """Announce a sentence; nothing failed."""
        self.message.emit(text)

    def end(self, error: Exception | None) -> None:
        """Keep and announce why what is asked for cannot be shown; None where it can."""
        self._end(error, is_passing=False)

    def end_task(self, error: Exception | None) -> None:
        """Keep and announce why a task failed that changes nothing of what is shown.

        It is forgotten once it was raised, and with the next task that succeeds.
        """
        if error is None:
            self.forget_task()
        self._end(error, is_passing=True)

    def forget_task(self) -> None:
        """Forget the failure of a task."""
        if self._is_passing:
            self.error = None

    def raise_error(self) -> None:
        """Raise a `ComputeError` if the last work failed; the failure of a task only once."""
        error = self.error
        self.forget_task()
        if error is not None:
            raise ComputeError(error)

    def _end(self, error: Exception | None, *, is_passing: bool) -> None:
        if error is not None:
            self.error, self._is_passing = user_message(error), is_passing
            self.failed.emit(self.error)
