"""How much memory the photograph takes, above that of the imported libraries.

``python -m benchmarks.memory TASK FILE.npy`` does a task and prints its peak in MB as JSON.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.harness import Setup, child, say
from benchmarks.report import Figure, Question, Row, Target

LIMIT_MB = 700

SIGMA = 5.0

STATUS = Path("/proc/self/status")


def measure(setup: Setup) -> Question:
    peaks = {}
    for name in TASKS:
        peaks[name] = Figure.of([child("memory", name, str(setup.photograph.path))["MB"]], "MB")
        say(f"  {name}: {peaks[name]}")
    target = Target("at most", LIMIT_MB)
    peer = "`np.histogramdd`, `scipy.ndimage.gaussian_filter` (volume only)"
    rows = [
        Row("engine: palette, 128³ volume, density at every pixel", peaks["engine"], peer,
            peaks["histogram"], target),
        Row("napari window: image shown, overlay, color cloud, one change of bandwidth",
            peaks["window"], target=target),
    ]  # fmt: skip
    text = (
        "Peak memory of a process of its own, the photograph's array included, less what it had "
        "when everything was imported; for the window, after a picture of a few pixels was shown "
        "and removed, as the first one brings in the OpenGL driver with its compiler."
    )
    return Question("Memory", text, rows)


def engine(path: str) -> float:
    import torch

    from napari_colorkde.core.kde.color_kde import ColorKDE

    torch.ones(256, 256) @ torch.ones(256, 256)  # its libraries allocate on first use
    before = resident()
    image = np.load(path)
    kde = ColorKDE(image, SIGMA)
    volume = kde.volume()
    overlay = kde.palette.paint(kde.density(), image)
    return peak() - before if overlay.size and volume.values.size else 0.0


def histogram(path: str) -> float:
    from benchmarks.volume import histogram_and_filter

    before = resident()
    histogram_and_filter(np.load(path), 128)
    return peak() - before


def window(path: str) -> float:
    from benchmarks.window import open_window, settle, show_image, show_something

    with open_window() as (viewer, widget):
        show_something(viewer, widget, np.uint8)
        before = resident()
        show_image(viewer, widget, np.load(path))
        widget.session.bandwidth = SIGMA
        settle(widget)
        return peak() - before


TASKS: dict[str, Callable[[str], float]] = {
    "engine": engine,
    "histogram": histogram,
    "window": window,
}


def resident() -> float:
    """Memory in use now, in MB; where the system does not say, the peak so far."""
    return _status("VmRSS:") if STATUS.is_file() else peak()


def peak() -> float:
    """The most memory ever in use by this process, in MB."""
    if STATUS.is_file():
        return _status("VmHWM:")  # unlike ru_maxrss, not that of the parent before exec
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def _status(field: str) -> float:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024 / 1e6


if __name__ == "__main__":
    print(json.dumps({"MB": TASKS[sys.argv[1]](sys.argv[2])}))
