"""A 12-bit photograph of 12 megapixels in a napari window, nearly every pixel a color of its own.

``python -m benchmarks.deep_window FILE.npy EDITS`` opens it, drags the bandwidth, edits kernels and
draws regions, and prints seconds and memory as JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.harness import Setup, child, in_milliseconds, say
from benchmarks.interactive import EXACT, PREVIEW, Watch
from benchmarks.memory import peak, resident
from benchmarks.photograph import Photograph, deep_photograph
from benchmarks.regions import draw_region
from benchmarks.report import Figure, Question, Row, Target
from benchmarks.window import open_window, settle, show_image, show_something

if TYPE_CHECKING:
    from napari import Viewer

    from napari_colorkde.ui.dock import ColorKDEWidget

N_KERNELS, STEP = 8, 24.0
"""Kernels shown, and levels that one is moved by."""

WIDEST, NARROWEST = 128.0, 48.0
"""Sigmas that are tried, in levels of 4096."""

FIRST_PREVIEW, FIRST_EXACT = "first preview", "first exact"
ON_SCREEN, WHOLE, REGION, MEMORY = "on the screen", "whole", "region", "MB"


def measure(setup: Setup) -> Question:
    edits = 2 if setup.quick else 6
    quick = ["--quick"] if setup.quick else []
    found = child("deep_window", str(setup.photograph.path), str(edits), *quick)
    memory = Figure.of(found.pop(MEMORY), "MB")
    figures = {name: Figure.of(seconds) for name, seconds in found.items()}
    in_ms = {name: in_milliseconds(figures[name]) for name in (ON_SCREEN, REGION)}
    for name, figure in figures.items():
        say(f"  {name}: {figure}")
    rows = [
        ("opened → preview of the overlay", figures[FIRST_PREVIEW], 1.2),
        ("opened → exact overlay", figures[FIRST_EXACT], 6),
        ("bandwidth dragged → preview", figures[PREVIEW], 0.3),
        ("bandwidth dragged → exact overlay", figures[EXACT], 3),
        (f"one of {N_KERNELS} kernels edited → what is on the screen", in_ms[ON_SCREEN], 60),
        ("the same → the whole image", figures[WHOLE], 1),
        ("rectangle drawn over the colors → its pixels light up", in_ms[REGION], 100),
        ("memory above the bare window", memory, 2000),
    ]
    text = (
        "The photograph as a sensor of 12 bits sees it, 12 megapixels with nearly as many colors. "
        "From the layer added, the value set or the mouse moved to the layer's `refresh()` "
        "returned. The first preview is that of a sample, every fourth pixel both ways, others are "
        "of all colors; what is on the screen is exact there."
    )
    table = [Row(what, figure, target=Target("at most", limit)) for what, figure, limit in rows]
    return Question("A deep photograph in the window", text, table)


def time_all(
    viewer: Viewer, widget: ColorKDEWidget, image: Any, edits: int
) -> dict[str, list[float]]:
    """Do what a user does, and return seconds by event."""
    watch = Watch(widget)
    watch.start()
    show_image(viewer, widget, image)
    first = watch.seen()
    seconds = {FIRST_PREVIEW: [first.get(PREVIEW, first[EXACT])], FIRST_EXACT: [first[EXACT]]}
    for sigma in np.geomspace(WIDEST, NARROWEST, edits):
        watch.change_bandwidth(float(sigma))
    watch.stop()
    seconds |= {name: watch.seconds[name] for name in (PREVIEW, EXACT)}
    seconds |= time_edits(widget, edits)
    if widget.colorspace is None:
        raise RuntimeError("the color space is not open.")
    region = draw_region(widget, widget.colorspace, "rectangle", max(edits, 5))
    return seconds | {REGION: region["latency"]}


def time_edits(widget: ColorKDEWidget, edits: int) -> dict[str, list[float]]:
    """Move kernels, and wait each time until all has come of it."""
    from napari_colorkde.core.mixture.em.start import seed_kernels

    session = widget.session
    palette = session.palette
    if palette is None:
        raise RuntimeError(f"the photograph was not counted: {session.error}")
    kernels = seed_kernels(palette, N_KERNELS, random_state=0)
    session.kernels = kernels
    settle(widget)
    seconds: dict[str, list[float]] = {ON_SCREEN: [], WHOLE: []}
    watch = Watch(widget)
    for edit in range(edits):
        members = list(kernels)
        kernel = members[edit % N_KERNELS]
        members[edit % N_KERNELS] = replace(kernel, mean=kernel.mean + STEP)
        kernels = replace(kernels, kernels=tuple(members))
        watch.start()
        session.edit(kernels)
        settle(widget)
        seen = watch.seen()
        seconds[ON_SCREEN].append(seen.get(PREVIEW, seen[EXACT]))
        seconds[WHOLE].append(seen[EXACT])
    watch.stop()
    return seconds


def main(path: str, edits: str, *options: str) -> dict[str, list[float]]:
    photograph = Photograph(np.load(path), Path(path), "")
    image = deep_photograph(photograph, quick="--quick" in options)
    with open_window() as (viewer, widget):
        show_something(viewer, widget, np.uint16)
        before = resident()
        found = time_all(viewer, widget, image, int(edits))
        return found | {MEMORY: [peak() - before]}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
