"""How soon the screen follows when the bandwidth is changed.

``python -m benchmarks.interactive FILE.npy EDITS`` opens a window and prints its timings as JSON;
without edits the photograph is the process's first picture, and that is all that is timed.
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Setup, child, say
from benchmarks.report import Figure, Question, Row, Target
from benchmarks.window import open_window, settle, show_image, show_something

if TYPE_CHECKING:
    from napari import Viewer

    from napari_colorkde.app.density.request import ColorValues, Estimate
    from napari_colorkde.ui.dock import ColorKDEWidget

WIDEST, NARROWEST = 12.0, 2.5
"""Sigmas that are tried: from a blur to the grid's spacing."""

TICK_MS = 1

FIRST, VOLUME, PREVIEW, EXACT, BLOCKED = "first", "volume", "preview", "exact", "blocked"

FRESH = "in a fresh process"


def measure(setup: Setup) -> Question:
    edits = 2 if setup.quick else 3 * setup.repeats
    path = str(setup.photograph.path)
    seconds = child("interactive", path, str(edits)) | child("interactive", path)
    figures = {name: Figure.of(values) for name, values in seconds.items()}
    for name, figure in figures.items():
        say(f"  {name}: {figure}")
    rows = [
        Row("new 128³ volume, given to the view", figures[VOLUME], target=Target("at most", 0.2)),
        Row("preview of the overlay", figures[PREVIEW], target=Target("at most", 0.35)),
        Row("exact overlay, `refresh()` returned", figures[EXACT], target=Target("at most", 0.6)),
        Row("longest time the window did not answer", figures[BLOCKED]),
        Row("image added → first exact overlay", figures[FIRST], target=Target("at most", 0.9)),
        Row("the same, as the first picture of a process", figures[FRESH]),
    ]
    text = (
        f"From `session.bandwidth = sigma` on, in a napari window with the overlay and the color "
        f"cloud shown ({edits} sigmas from {WIDEST:g} down to {NARROWEST:g} levels)."
    )
    notes = [
        "The first picture of a process brings in what napari itself loads with its first layer "
        "(xarray, pandas and the table of units) and the driver's compiler of shaders."
    ]
    return Question("Interaction", text, rows, notes)


def time_edits(
    viewer: Viewer, widget: ColorKDEWidget, image: NDArray[np.uint8], edits: int
) -> dict[str, list[float]]:
    """Show an image, change the bandwidth so many times, and return the seconds by event."""
    watch = Watch(widget)
    watch.seconds[FIRST] = [watch.show(viewer, image)]
    for sigma in np.geomspace(WIDEST, NARROWEST, edits):
        watch.change_bandwidth(float(sigma))
    watch.stop()
    return watch.seconds


class Watch:
    """Notes when results have reached the screen.

    Its callbacks are connected after the widget's own, which run in the order of connection: when
    one is called, the overlay's `refresh()` or the view's upload has returned.
    """

    def __init__(self, widget: ColorKDEWidget) -> None:
        from qtpy.QtCore import Qt, QTimer

        self.seconds: dict[str, list[float]] = {VOLUME: [], PREVIEW: [], EXACT: [], BLOCKED: []}
        self._widget, self._session = widget, widget.session
        self._started = self._last_tick = 0.0
        self._longest = 0.0
        self._seen: dict[str, float] = {}
        self._session.estimate_changed.connect(self._on_estimate)
        self._session.densities_changed.connect(self._on_densities)
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_tick)

    def start(self) -> None:
        """Note what comes from now on."""
        self._seen, self._longest = {}, 0.0
        self._started = self._last_tick = time.perf_counter()

    def seen(self) -> dict[str, float]:
        """Return the seconds from the start to each event."""
        return dict(self._seen)

    def show(self, viewer: Viewer, image: NDArray[np.uint8]) -> float:
        """Add the image, wait until all has come of it, and return the seconds to the overlay."""
        self.start()
        show_image(viewer, self._widget, image)
        return self._seen[EXACT]

    def change_bandwidth(self, sigma: float) -> None:
        """Set it, and wait until all has come of it."""
        self.start()
        self._timer.start(TICK_MS)
        self._session.bandwidth = sigma
        settle(self._widget)
        self._timer.stop()
        self._seen.setdefault(PREVIEW, self._seen[EXACT])  # a small palette needs none
        for name, moment in self._seen.items():
            self.seconds[name].append(moment)
        self.seconds[BLOCKED].append(self._longest)

    def stop(self) -> None:
        """Let go of the session."""
        self._session.estimate_changed.disconnect(self._on_estimate)
        self._session.densities_changed.disconnect(self._on_densities)

    def _on_estimate(self, estimate: Estimate) -> None:
        self._seen[VOLUME] = time.perf_counter() - self._started

    def _on_densities(self, densities: ColorValues) -> None:
        name = EXACT if densities.is_exact else PREVIEW
        seconds = time.perf_counter() - self._started
        if name == PREVIEW:
            self._seen.setdefault(name, seconds)  # the first of several
        else:
            self._seen[name] = seconds

    def _on_tick(self) -> None:
        now = time.perf_counter()
        self._longest = max(self._longest, now - self._last_tick)
        self._last_tick = now


def main(path: str, edits: str = "") -> dict[str, Any]:
    image = np.load(path)
    with open_window() as (viewer, widget):
        if not edits:
            return {FRESH: [Watch(widget).show(viewer, image)]}
        show_something(viewer, widget, image.dtype)
        return time_edits(viewer, widget, image, int(edits))


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
