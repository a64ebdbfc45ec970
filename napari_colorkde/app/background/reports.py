"""What is said to a user of the work that is done: progress, sentences, failures."""

from psygnal import Signal

from napari_colorkde.app.background.executor import Progress


class ComputeError(RuntimeError):
    """Work in the background failed; the message is a sentence for people."""


def user_message(error: BaseException) -> str:
    """Return what an error says, in words for people."""
    if isinstance(error, MemoryError):
        return "There is not enough memory for this; close other images, or use a smaller one."
    text = " ".join(str(error).split())
    if isinstance(error, ValueError | TypeError | OSError | ComputeError) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


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

    def say(self, text: str) -> None:
        """Announce a sentence; nothing failed."""
        self.message.emit(text)

    def end(self, error: Exception | None) -> None:
        """Keep and announce what work failed of, if it did."""
        if error is not None:
            self.error = user_message(error)
            self.failed.emit(self.error)
