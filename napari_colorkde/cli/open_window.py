"""What the commands that open a window need, and what is said where it is missing."""

from collections.abc import Iterator
from contextlib import contextmanager

from napari_colorkde.cli.console import PROGRAM
from napari_colorkde.napari_version import check_napari


@contextmanager
def window_libraries() -> Iterator[None]:
    """Say what to install where there is no napari, or an old one, or no Qt.

    Raises
    ------
    OSError
        In place of an ImportError within the block.
    """
    try:
        check_napari()
    except ImportError as error:
        raise OSError(f"no window can be opened: {error}") from error
    try:
        yield
    except ImportError as error:
        raise OSError(
            f"no window can be opened ({' '.join(str(error).split())}); "
            f'install napari with a Qt binding: pip install "{PROGRAM}[all]".'
        ) from error
