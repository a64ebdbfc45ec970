"""Run a command on a display of its own.

    python scripts/with_display.py [--displays N] COMMAND ...

On Linux this starts Xvfb (Mesa's software OpenGL, 1600 x 1000, whatever number is free), runs the
command on it and ends with the command's exit code. On macOS and Windows, where there is always a
display, the command runs as it is. (xvfb-run also wants xauth, and now and then two of them take
the same number.) With `--displays` there are several, named in DISPLAYS: processes that share one
take the focus and the clipboard away from each other.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def xvfb(screen: str = "1600x1000x24") -> Iterator[str]:
    """Start Xvfb, yield its display (":1"), and stop it.

    Raises
    ------
    RuntimeError
        If Xvfb ends before it has a display; its reason is on stderr.
    """
    read, write = os.pipe()
    # fmt: off
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", screen, "-nolisten", "tcp",
               "-noreset", "+extension", "GLX"]
    # fmt: on
    # A process group of its own: Ctrl+C goes to the command, which still needs its display.
    server = subprocess.Popen(command, pass_fds=[write], process_group=0)
    os.close(write)
    try:
        with os.fdopen(read) as pipe:
            number = pipe.readline().strip()
        if not number:
            raise RuntimeError("Xvfb did not start; what it said is above.")
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()


def main(command: list[str]) -> int:
    """Run `command`; return its exit code."""
    n_displays = 1
    if command[:1] == ["--displays"] and len(command) > 1 and command[1].isdigit():
        n_displays, command = int(command[1]), command[2:]
    if not command or n_displays < 1:
        print(__doc__, file=sys.stderr)
        return 2
    if not sys.platform.startswith("linux"):
        return subprocess.call(command)
    if shutil.which("Xvfb") is None:
        print("Xvfb is missing: python scripts/system_libraries.py installs it.", file=sys.stderr)
        return 1
    # So that Xvfb is stopped too when `make` or CI stops us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with ExitStack() as servers:
        displays = [servers.enter_context(xvfb()) for _ in range(n_displays)]
        environment = {
            **os.environ,
            "DISPLAY": displays[0],
            "DISPLAYS": " ".join(displays),
            "LIBGL_ALWAYS_SOFTWARE": "1",  # a graphics card's driver does not know Xvfb
            "QT_QPA_PLATFORM": "xcb",  # not Wayland, nor "offscreen", which has no OpenGL
        }
        environment.pop("WAYLAND_DISPLAY", None)
        try:
            return subprocess.call(command, env=environment)
        except KeyboardInterrupt:
            return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
