"""How soon the window is there, beside napari's own."""

from __future__ import annotations

import os
import subprocess
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.harness import Setup, say
from benchmarks.report import Figure, Question, Row, Target
from napari_colorkde.io.sample_data import sample_path

OURS = "`napari-colorkde open FILE`"
PEER = "`napari FILE`"

PATIENCE = 120.0
"""Seconds after which something is broken, not slow."""

LOOK_EVERY = 0.02
"""Seconds between two looks at the display."""

SMALLEST = 500
"""Pixels: a splash screen or a menu is no window yet."""


def measure(setup: Setup) -> Question:
    picture = str(sample_path("astronaut.png"))
    scripts = Path(sysconfig.get_path("scripts"))
    commands = {
        OURS: [str(scripts / "napari-colorkde"), "open", picture],
        PEER: [str(scripts / "napari"), picture],
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(1 + setup.repeats):
        for name, command in commands.items():
            elapsed = seconds_until_window(command)
            say(f"  {name}: {elapsed:.3g} s")
            if turn:  # the first of each reads its modules from the disk
                seconds[name].append(elapsed)
    ours, peer = Figure.of(seconds[OURS]), Figure.of(seconds[PEER])
    text = (
        "From the command to a window of that process that X says is viewable; settings and "
        "sessions are those of a new user."
    )
    row = Row("the window is there", ours, PEER, peer, Target("as long", 1.3))
    return Question("Opening", text, [row])


def seconds_until_window(command: list[str]) -> float:
    """Run a program on the display, wait until its window can be seen, and end it.

    Raises
    ------
    RuntimeError, TimeoutError
        If the program ends before, or goes on without a window.
    """
    from Xlib.display import Display

    display = Display()
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "NAPARI_CONFIG": str(Path(folder, "settings.yaml")),
            "XDG_STATE_HOME": folder,
        }
        before = visible_windows(display)
        started = time.perf_counter()
        program = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            while not visible_windows(display) - before:
                if program.poll() is not None:
                    raise RuntimeError(f"{command[0]} ended with exit code {program.returncode}.")
                if time.perf_counter() - started > PATIENCE:
                    raise TimeoutError(f"{command[0]} opened no window in {PATIENCE:g} s.")
                time.sleep(LOOK_EVERY)
            return time.perf_counter() - started
        finally:
            program.kill()
            program.wait()
            display.close()


def visible_windows(display: Any) -> set[int]:
    """The numbers of the large windows on an X display without a window manager."""
    from Xlib import X, error

    found = set()
    for window in display.screen().root.query_tree().children:
        try:
            shown = window.get_attributes().map_state == X.IsViewable
            size = window.get_geometry()
        except (error.BadWindow, error.BadDrawable):  # gone meanwhile
            continue
        if shown and min(size.width, size.height) >= SMALLEST:
            found.add(window.id)
    return found
