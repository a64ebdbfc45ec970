"""Errors in words for people: one place for the window, the command line and batches."""


class ComputeError(RuntimeError):
    """Work in the background failed; the message is a sentence for people."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether there was not enough memory; torch has no class of its own for that of the host."""
    if isinstance(error, RuntimeError) and not isinstance(error, ComputeError):
        return "memory" in str(error)
    return isinstance(error, MemoryError)


def user_message(error: BaseException) -> str:
    """Return what an error says, in words for people."""
    if is_out_of_memory(error):
        return "There is not enough memory for this; close other images, or use a smaller image."
    text = " ".join(str(error).split())
    if isinstance(error, ValueError | TypeError | OSError | ComputeError) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


FORESEEN = (MemoryError, ValueError, TypeError, OSError, ImportError, RuntimeError)
"""Errors that a user may be able to do something about; `refusal` looks closer."""


def refusal(error: BaseException) -> str | None:
    """Return the sentence for an error that a user can do something about, else None."""
    if isinstance(error, MemoryError):
        return f"out of memory ({error}); use a smaller image or fewer bins."
    if isinstance(error, ValueError | TypeError | OSError):
        return str(error) or type(error).__name__
    if isinstance(error, ImportError):
        return f"a library cannot be loaded ({error}); reinstall napari-colorkde."
    if is_out_of_memory(error):
        return f"out of memory ({str(error).splitlines()[0]}); use --device cpu or less."
    return None
