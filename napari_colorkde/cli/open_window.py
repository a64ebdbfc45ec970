"""What commands that open a window need, and the message if it is missing."""

import ctypes
import ctypes.util
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from napari_colorkde.io.provenance import PROGRAM
from napari_colorkde.napari_version import check_napari

X11, WAYLAND, OFFSCREEN = "xcb", "wayland", "offscreen"
"""Qt's names of what draws windows on Linux; the last needs no display."""

STARTS = "from qtpy.QtGui import QGuiApplication; QGuiApplication([])"
"""Ends the process where Qt finds no display."""

PATIENCE = 60.0
"""Seconds after which a display that is there does not answer."""


def check_display() -> None:
    """Refuse to open a window where there is no display: Qt would end the process.

    Raises
    ------
    OSError
        If no display is named, the one that is does not answer, or Qt has no such platform.
    """
    if sys.platform != "linux":
        return
    named = os.environ.get("QT_QPA_PLATFORM", "")
    # Each may have options of its own; Qt takes the first that works.
    platforms = [each.split(":")[0] for each in named.split(";") if each] or [WAYLAND, X11]
    if OFFSCREEN in platforms:
        return
    x11 = os.environ.get("DISPLAY", "") if X11 in platforms else ""
    wayland = os.environ.get("WAYLAND_DISPLAY", "") if WAYLAND in platforms else ""
    answers = bool(x11) and _answers(x11)
    if (answers and _has_cursors()) or (wayland and _is_there(wayland)):
        return
    if set(platforms) <= {X11, WAYLAND} and not answers:
        if not x11 and not wayland:
            raise OSError(
                "no window can be opened: there is no display; set DISPLAY or use xvfb-run."
            )
        raise OSError(
            f"no window can be opened: the display {x11 or wayland!r} does not respond; set "
            "DISPLAY to one that does, or use xvfb-run."
        )
    _start_qt(named)


def _is_there(name: str) -> bool:
    """Return whether a Wayland compositor answers at this name, or path of a socket."""
    path = os.path.join(os.environ.get("XDG_RUNTIME_DIR", ""), name)  # an absolute name stays
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as end:
        try:
            end.connect(path)
        except OSError:
            return False
    return True


def _has_cursors() -> bool:
    """Return whether the library is there without which Qt 6 opens nothing under X11."""
    try:
        ctypes.CDLL("libxcb-cursor.so.0")
    except OSError:
        return False
    return True


def _start_qt(platform: str) -> None:
    """Start Qt in a process of its own, and raise an OSError where that process is ended by it."""
    command = [sys.executable, "-c", STARTS]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(f"no window can be opened: Qt has not started in {PATIENCE:g} s.") from error
    if done.returncode >= 0:  # what is missing in Python is said when it is imported
        return
    on = f" with QT_QPA_PLATFORM={platform}" if platform else ""
    said = (line.partition("qt.qpa.plugin: ")[2] for line in done.stderr.splitlines())
    needed = next((f" {line}" for line in said if "needed" in line), "")
    raise OSError(f"no window can be opened: Qt cannot start here{on}.{needed}")


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
