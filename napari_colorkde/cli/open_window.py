"""What commands that open a window need, and the message if it is missing."""

import ctypes
import ctypes.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from napari_colorkde.io.provenance import PROGRAM
from napari_colorkde.napari_version import check_napari


def check_display() -> None:
    """Refuse to open a window where there is no display: Qt would end the process.

    Raises
    ------
    OSError
        If no display is named, or the one that is does not answer.
    """
    platform = os.environ.get("QT_QPA_PLATFORM", "xcb").split(":")[0].split(";")[0]
    if sys.platform != "linux" or platform not in ("xcb", "wayland"):
        return
    if os.environ.get("WAYLAND_DISPLAY"):
        return
    display = os.environ.get("DISPLAY", "")
    if not display:
        raise OSError("no window can be opened: there is no display; set DISPLAY or use xvfb-run.")
    if not _answers(display):
        raise OSError(
            f"no window can be opened: the display {display!r} does not respond; set DISPLAY to "
            "one that does, or use xvfb-run."
        )


def _answers(display: str) -> bool:
    """Return whether an X server answers; True where that cannot be found out."""
    name = ctypes.util.find_library("xcb")
    if name is None:
        return True
    xcb = ctypes.CDLL(name)
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    for function in (xcb.xcb_connection_has_error, xcb.xcb_disconnect):
        function.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(display.encode(), None)
    has_error = bool(xcb.xcb_connection_has_error(connection))
    xcb.xcb_disconnect(connection)
    return not has_error


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
