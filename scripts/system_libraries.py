"""See that the libraries pip cannot install are there, and install them with apt where possible.

Qt, OpenGL and Xvfb come from the operating system. On Linux this looks for each of them, and where
apt-get and the right to use it exist, installs what is missing; otherwise it prints the line to
type and ends with exit code 1. On macOS and Windows there is nothing to do.

Run by the Makefile before anything is installed, so it needs nothing but Python.
"""

from __future__ import annotations

import ctypes
import glob
import importlib.util
import os
import shutil
import subprocess
import sys

# Shared library -> Debian and Ubuntu package. What Qt's xcb platform plugin is linked to, and the
# two OpenGL entry points (Qt asks for EGL and GL, vispy for GL).
LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libX11.so.6": "libx11-6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libstdc++.so.6": "libstdc++6",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-glx.so.0": "libxcb-glx0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxcb.so.1": "libxcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxkbcommon.so.0": "libxkbcommon0",
}

# Mesa's drivers are opened by path, not by name: the classic ones, or one library since Mesa 24.2.
MESA_DRIVERS = (
    "/usr/lib/*/dri/swrast_dri.so",
    "/usr/lib*/dri/swrast_dri.so",
    "/usr/lib/*/libgallium-*.so",
    "/usr/lib*/libgallium-*.so",
)


def main() -> int:
    """Install what is missing; return the exit code."""
    if not sys.platform.startswith("linux"):
        return 0
    missing = find_missing()
    if not missing:
        return 0
    packages = sorted(set(missing.values()))
    print("Missing from the system: " + ", ".join(sorted(missing)), file=sys.stderr)
    command = apt_command()
    if command is not None:
        print("Installing with apt-get: " + " ".join(packages), file=sys.stderr)
        install(command, packages)
        importlib.invalidate_caches()
        missing = find_missing()
        if not missing:
            return 0
        print("Still missing: " + ", ".join(sorted(missing)), file=sys.stderr)
        packages = sorted(set(missing.values()))
    if shutil.which("apt-get"):
        print("Please type:\n\n    sudo apt-get install " + " ".join(packages), file=sys.stderr)
    else:
        print(
            "Please install them with the system's package manager. Debian's names are:\n\n    "
            + " ".join(packages),
            file=sys.stderr,
        )
    return 1


def find_missing() -> dict[str, str]:
    """Return what is missing as a dict: its own name -> the package that has it."""
    missing = {name: package for name, package in LIBRARIES.items() if not can_load(name)}
    if not any(glob.glob(pattern) for pattern in MESA_DRIVERS):
        missing["Mesa's software renderer"] = "libgl1-mesa-dri"
    if shutil.which("Xvfb") is None:
        missing["Xvfb"] = "xvfb"
    if importlib.util.find_spec("ensurepip") is None:
        # Debian and Ubuntu split it off Python; without it `python -m venv` fails.
        missing["ensurepip"] = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    return missing


def can_load(name: str) -> bool:
    """Tell whether the dynamic linker finds a shared library."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def apt_command() -> list[str] | None:
    """Return the start of an apt-get command that may install packages; None if there is none."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return ["apt-get"]
    if (
        shutil.which("sudo")
        and subprocess.call(["sudo", "-n", "true"], stderr=subprocess.DEVNULL) == 0
    ):
        return ["sudo", "-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    return None


def install(command: list[str], packages: list[str]) -> None:
    """Install packages; refresh the package lists only if they are too old to do it."""
    run = [*command, "install", "--yes", "--no-install-recommends", *packages]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}

    def call(arguments: list[str]) -> int:
        # apt's progress is no result of `make`.
        return subprocess.call(
            arguments, env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr
        )

    if call(run) != 0:
        call([*command, "update"])
        call(run)


if __name__ == "__main__":
    sys.exit(main())
