"""Errors in words for people."""

from napari_colorkde.app.jobs import ComputeError


def sentence(error: BaseException) -> str:
    """An error in words for people."""
    if isinstance(error, MemoryError):
        return "There is not enough memory for this; close other images, or use a smaller one."
    text = " ".join(str(error).split())
    if isinstance(error, ValueError | TypeError | OSError | ComputeError) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
