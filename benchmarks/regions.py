"""How soon the pixels of a region drawn in the color space show in the image.

``python -m benchmarks.regions FILE.npy STEPS`` opens a window on the photograph, draws a lasso, a
rectangle and a ball of so many mouse events each, and prints the timings as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.editing import figure, median_and_95
from benchmarks.harness import Setup, child, say
from benchmarks.report import Question, Row, Target
from benchmarks.window import open_window, settle, show_image

if TYPE_CHECKING:
    from napari_colorkde.ui.dock import ColorKDEWidget

TOOLS = ("lasso", "rectangle", "ball")


def measure(setup: Setup) -> Question:
    steps = 5 if setup.quick else 20 * setup.repeats
    seconds = child("regions", str(setup.photograph.path), str(steps))
    rows = []
    for tool in TOOLS:
        timed = seconds[tool]
        median, worst = median_and_95(timed["latency"])
        say(f"  {tool}: {median}, 95 % within {worst}, drawing {figure(timed['drawing'])}")
        rows += [
            Row(
                f"{tool}: mouse event → `refresh()` returned", median, target=Target("at most", 60)
            ),
            Row("95 % of them within", worst, target=Target("at most", 60)),
            Row("the first of them", figure(timed["first"]), target=Target("at most", 60)),
            Row("drawing, apart", figure(timed["drawing"])),
        ]
    text = (
        f"A region is drawn over the colors with the mouse, {steps} events long; its pixels light "
        "up in the image. From each event that changes it to the layer's `refresh()` returned."
    )
    notes = ["Drawing is what Qt does from then until it is idle: both views in software OpenGL."]
    return Question("Regions", text, rows, notes)


def time_regions(widget: ColorKDEWidget, steps: int) -> dict[str, dict[str, list[float]]]:
    """Draw with each tool in turn, and return seconds by tool and event."""
    if widget.colorspace is None:
        raise RuntimeError("the color space is not open.")
    return {tool: draw_region(widget, widget.colorspace, tool, steps) for tool in TOOLS}


def draw_region(widget: Any, colorspace: Any, tool: str, steps: int) -> dict[str, list[float]]:
    """Draw one region, larger and larger about the middle of the view."""
    from qtpy.QtCore import QEvent

    colorspace.controls.tools[tool].click()
    settle(widget)
    native = colorspace.canvas.native
    middle = np.array([native.width(), native.height()]) / 2
    most = 0.7 * middle.min()
    regions = widget.links.regions
    latency, drawing = [], []
    send(native, QEvent.Type.MouseButtonPress, middle)
    for step in range(steps):
        part = (step + 1) / steps
        turn = 2 * np.pi * part
        toward = np.array([np.cos(turn), np.sin(turn)]) if tool == "lasso" else np.ones(2)
        before = regions.chosen
        started = time.perf_counter()
        send(native, QEvent.Type.MouseMove, middle + most * max(part, 0.1) * toward)
        returned = time.perf_counter()
        settle(widget)
        if regions.chosen is not before:  # steps of a few pixels change nothing
            latency.append(returned - started)
            drawing.append(time.perf_counter() - returned)
    send(native, QEvent.Type.MouseButtonRelease, middle + most * toward)
    settle(widget)
    if regions.chosen is None or not regions.chosen.any():
        raise RuntimeError(f"the {tool} selected nothing.")
    colorspace.bar.clear_button.click()
    settle(widget)
    return {"latency": latency, "first": latency[:1], "drawing": drawing}


def send(native: Any, kind: Any, position: Any) -> None:
    """Send a view what the left mouse button does there."""
    from qtpy.QtCore import QEvent, QPointF, Qt
    from qtpy.QtGui import QMouseEvent
    from qtpy.QtWidgets import QApplication

    at = QPointF(*map(float, position))
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    button = none if kind == QEvent.Type.MouseMove else left
    held = none if kind == QEvent.Type.MouseButtonRelease else left
    there = QPointF(native.mapToGlobal(at.toPoint()))
    modifiers = Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(native, QMouseEvent(kind, at, there, button, held, modifiers))


def main(path: str, steps: str) -> Any:
    with open_window() as (viewer, widget):
        show_image(viewer, widget, np.load(path))
        return time_regions(widget, int(steps))


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
