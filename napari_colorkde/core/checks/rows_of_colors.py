"""Colors, one in each row, that are about to be taken for a gray image."""

import sys
import warnings

_PACKAGE = __name__.partition(".")[0]


def warn_of_rows(image: object, channel_axis: int | None, name: str) -> None:
    """Warn of what looks like colors, one in each row, and is taken for a gray image.

    Parameters
    ----------
    image
        An array, which may be lazy; its numbers are not read.
    channel_axis
        None says that it is a gray image; any number but -1 that each row is a color.
    name
        How the caller names it.

    Warns
    -----
    UserWarning
        If it has three columns and more rows; where the package was called.
    """
    shape = tuple(getattr(image, "shape", ()))
    if channel_axis == -1 and len(shape) == 2 and shape[1] == 3 and shape[0] > 3:
        warnings.warn(
            f"{name} has shape {shape} and is taken to be a gray image 3 pixels wide; give colors, "
            "one in each row, as colors[np.newaxis], or channel_axis=None for an image.",
            UserWarning,
            stacklevel=_level_outside(),
        )


def _level_outside() -> int:
    """Return the level, for the caller's warning, of what called the package."""
    # From Python 3.12 on, warnings.warn has skip_file_prefixes for this.
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and _is_ours(frame.f_globals["__name__"]):
        level, frame = level + 1, frame.f_back
    return level


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == _PACKAGE
