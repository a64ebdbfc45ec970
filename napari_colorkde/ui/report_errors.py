"""Requests that cannot be met are reported in a message, and nothing else happens."""

from collections.abc import Callable

from napari_colorkde.app.background.error_sentences import user_message


def report_errors(change: Callable[[], object], report: Callable[[str], object]) -> bool:
    """Make a change; where it is refused, report why.

    Parameters
    ----------
    change
        May raise ValueError, TypeError or OSError.
    report
        Is given the reason, a sentence that begins with a capital letter.

    Returns
    -------
    bool
        Whether the change was made.
    """
    try:
        change()
    except (ValueError, TypeError, OSError) as error:
        report(sentence(user_message(error)))
        return False
    return True


def sentence(text: str) -> str:
    """Return a text with a capital letter at its beginning."""
    return text[:1].upper() + text[1:]
