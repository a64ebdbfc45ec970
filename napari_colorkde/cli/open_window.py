"""What the commands that open a window need, and what is said where it is missing."""

from collections.abc import Iterator
from contextlib import contextmanager

from napari_colorkde.cli.console import PROGRAM


@contextmanager
def window_libraries() -> Iterator[None]:
    """Say what to install where there is no napari, or it finds no Qt."""
    try:
        yield
    except ImportError as error:
        raise OSError(
            f"no window can be opened ({' '.join(str(error).split())}); "
            f'install napari and Qt: pip install "{PROGRAM}[all]".'
        ) from error
