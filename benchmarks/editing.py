"""How soon the overlay follows when one of 32 kernels is edited.

``python -m benchmarks.editing FILE.npy EDITS TIMES`` opens a window on the photograph, repeated so
many times, and prints its timings as JSON.
"""

from __future__ import annotations

import json
import math
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Setup, child, in_milliseconds, say
from benchmarks.report import Figure, Question, Row, Target
from benchmarks.window import open_window, settle

if TYPE_CHECKING:
    from napari import Viewer

    from napari_colorkde.ui.dock import ColorKDEWidget

N_KERNELS = 32

STEP = 1.5
"""Levels that a mean is moved by each edit: a slow drag."""

WARM_UP = 3
"""Edits that are not counted: the first computes all kernels, and fills caches."""

REPEATED = 50

WHOLE, CLOSE = "whole", "close"

JUDGED = ("posterior", "ratio")
"""What is shown of two classes of the kernels, beside their density."""

Array = NDArray[Any]


def measure(setup: Setup) -> Question:
    edits = 5 if setup.quick else 40 * setup.repeats
    repeated = 4 if setup.quick else REPEATED
    one, many = (
        child("editing", str(setup.photograph.path), str(edits), str(times))
        for times in (1, repeated)
    )
    rows = []
    for view, words in ((WHOLE, "the whole image in view"), (CLOSE, "at one pixel a pixel")):
        single, large = one[view], many[view]
        median, worst = median_and_95(single["latency"])
        say(f"  {view}: {median}, 95 % within {worst}, drawing {figure(single['drawing'])}")
        say(f"  {view}, {repeated} times the pixels: {figure(large['latency'])}")
        rows += [
            Row(f"edit → `refresh()` returned, {words}", median, target=Target("at most", 30)),
            Row("95 % of them within", worst, target=Target("at most", 60)),
            Row("drawing, apart", figure(single["drawing"])),
            Row(
                f"the same on {repeated} times the pixels",
                figure(large["latency"]),
                "the photograph",
                median,
                Target("floor", 1.5),
            ),
        ]
    for shown in JUDGED:
        median, worst = median_and_95(one[shown]["latency"])
        say(f"  {shown}: {median}, 95 % within {worst}")
        rows += [
            Row(f"the {shown} of two classes shown", median, target=Target("at most", 30)),
            Row("95 % of them within", worst, target=Target("at most", 60)),
        ]
    text = (
        f"One of {N_KERNELS} kernels with full covariances is moved by {STEP:g} levels, "
        f"{edits} times; from `session.edit` to the overlay's `refresh()` returned, in a napari "
        "window with table, color cloud and ellipsoids shown."
    )
    notes = [
        f"The large image is the photograph {repeated} times side by side, as a multiscale dask "
        "array: as many colors. Its index is over the budget of 256 MB and therefore kept at a "
        "stride of 4; finer pixels are looked up in the palette when they are looked at.",
        f"Drawing is what Qt does from then until it is idle, software OpenGL: "
        f"{figure(many[WHOLE]['drawing'])} on the large image.",
    ]
    return Question("Editing", text, rows, notes)


def figure(seconds: list[float]) -> Figure:
    """Many durations, in ms."""
    return in_milliseconds(Figure.of(seconds))


def median_and_95(seconds: list[float]) -> tuple[Figure, Figure]:
    """The median with the range, and what 95 % stay within, in ms."""
    within = sorted(seconds)[math.ceil(0.95 * len(seconds)) - 1]
    return figure(seconds), figure([within])


def time_edits(
    viewer: Viewer, widget: ColorKDEWidget, image: Array, edits: int, times: int
) -> dict[str, dict[str, list[float]]]:
    """Show an image so many times side by side, edit, and return seconds by view and event."""
    from napari_colorkde.core.mixture.em.start import seed_kernels

    if times == 1:
        viewer.add_image(image, name="photograph", rgb=True)
    else:
        viewer.add_image(levels_of(image, times), name="photograph", rgb=True, multiscale=True)
    settle(widget)
    session = widget.session
    palette = session.palette
    if palette is None:
        raise RuntimeError(f"the photograph was not counted: {session.error}")
    seeds = seed_kernels(palette, N_KERNELS, random_state=0)
    classes = [replace(kernel, cls=f"class {k % 2}") for k, kernel in enumerate(seeds)]
    session.kernels = replace(seeds, kernels=tuple(classes))
    settle(widget)
    seconds = {WHOLE: edit_repeatedly(widget, edits)}
    for shown in JUDGED if times == 1 else ():
        session.set_classification(show=shown)
        settle(widget)
        seconds[shown] = edit_repeatedly(widget, edits)
    session.set_classification(show="density")
    settle(widget)
    rows, columns = image.shape[:2]
    viewer.scene.camera.center = (0, rows / 3, columns / 3)
    viewer.scene.camera.zoom = 1
    settle(widget)
    seconds[CLOSE] = edit_repeatedly(widget, edits)
    return seconds


def edit_repeatedly(widget: ColorKDEWidget, edits: int) -> dict[str, list[float]]:
    """Move one kernel after another, and wait each time until all has come of it."""
    session = widget.session
    latency, drawing = [], []
    arrived = 0.0

    def note(densities: Any) -> None:
        # Connected after the overlay's own callback, so called when its refresh() has returned.
        nonlocal arrived
        if densities.is_exact:
            arrived = time.perf_counter()

    session.densities_changed.connect(note)
    for edit in range(WARM_UP + edits):
        kernels = session.kernels
        members = list(kernels)
        # Ten steps of one kernel, as in a drag, then another one.
        moved = edit // 10 % len(members)
        kernel = members[moved]
        toward = np.sign(128 - kernel.mean)
        members[moved] = replace(kernel, mean=kernel.mean + STEP * toward)
        after = replace(kernels, kernels=tuple(members))
        arrived = 0.0
        started = time.perf_counter()
        session.edit(after)
        settle(widget)
        if edit >= WARM_UP:
            latency.append(arrived - started)
            drawing.append(time.perf_counter() - arrived)
    session.densities_changed.disconnect(note)
    return {"latency": latency, "drawing": drawing}


def levels_of(image: Array, times: int) -> list[Any]:
    """The image repeated side by side, and coarser levels of it, none of them in memory."""
    import dask.array as da

    down = math.isqrt(times)
    while times % down:
        down -= 1
    tile = da.from_array(image, chunks=(1024, 1024, 3), name="photograph")
    whole = da.tile(tile, (down, times // down, 1))
    levels = [whole]
    while max(levels[-1].shape[:2]) > 2048:
        levels.append(levels[-1][::2, ::2])
    # The coarsest is always drawn whole.
    return [*levels[:-1], levels[-1].compute()]


def main(path: str, edits: str, times: str) -> Any:
    with open_window() as (viewer, widget):
        return time_edits(viewer, widget, np.load(path), int(edits), int(times))


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
