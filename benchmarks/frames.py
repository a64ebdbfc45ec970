"""How many pictures a second the color-space view draws, beside napari's own volume.

``python -m benchmarks.frames FILE.npy FRAMES`` opens a window and prints its timings as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.harness import Setup, child, say
from benchmarks.report import Figure, Question, Row, Target

if TYPE_CHECKING:
    from napari import Viewer

    from napari_colorkde.core.kde.volumes.density_volume import DensityVolume
    from napari_colorkde.scene.canvas import ColorSpaceCanvas

SIZE = 600, 450
"""Pixels of either view."""

TURN = 4.0
"""Degrees from one picture to the next."""

PATIENCE = 30.0

OURS = "ours"
MIP, ATTENUATED, TRUE_COLORS = "mip", "attenuated mip", "true colors"
PEERS = {
    MIP: "napari `Image`, `mip` (its default)",
    ATTENUATED: "napari `Image`, `attenuated_mip`",
    TRUE_COLORS: "napari RGBA `Image`, `translucent`",
}
REST, MOVING = "at rest", "moving"


def measure(setup: Setup) -> Question:
    frames = 2 if setup.quick else 4 * setup.repeats
    bins = 32 if setup.quick else 128
    seconds = child("frames", str(setup.photograph.path), str(frames), str(bins))
    figures = {
        name: {state: frames_per_second(times) for state, times in states.items()}
        for name, states in seconds.items()
    }
    rows = []
    for peer, words in PEERS.items():
        for state, factor in ((REST, 1), (MOVING, 3)):
            ours, theirs = figures[OURS][state], figures[peer][state]
            say(f"  {words}, {state}: ours {ours}, its {theirs}")
            target = Target("rate", factor) if peer == MIP else None
            rows.append(Row(f"{bins}³ volume, {state}", ours, words, theirs, target))
    text = (
        f"The density of the photograph's colors in our view (a cloud in true color, with axes "
        f"and legend) and as a layer of napari, both {SIZE[0]} × {SIZE[1]} pixels in one window; "
        f"{frames} pictures each in turns, drawn and read back."
    )
    notes = [
        "Ours is drawn finely at rest, and with longer steps at a lower resolution while it moves; "
        "napari draws the same either way.",
        "napari's `mip` and `attenuated_mip` show the density in one colormap. What shows the same "
        "as ours is the layer of true colors that *Open volume* makes: its opacity "
        "is baked into it, so that changing the exposure means making 8 MB anew.",
    ]
    return Question("Frames", text, rows, notes)


def frames_per_second(seconds: list[float]) -> Figure:
    """The rate at which pictures come."""
    return replace(Figure.of([1 / s for s in seconds]), unit="/s")


def time_frames(
    viewer: Viewer, canvas: ColorSpaceCanvas, volume: DensityVolume, frames: int
) -> dict[str, dict[str, list[float]]]:
    """Draw so many pictures of each kind in turns, and return the seconds of each."""
    from qtpy.QtOpenGLWidgets import QOpenGLWidget

    from napari_colorkde.ui.volume.layers import volume_layers
    from napari_colorkde.ui.window.gl_context import main_windows

    names = ["red", "green", "blue"]
    canvas.set_volume(volume.values, volume.axes, names)
    window = next(window for window in main_windows() if window.isVisible())
    central = window.centralWidget()
    theirs = None if central is None else central.findChild(QOpenGLWidget)
    if theirs is None:
        raise RuntimeError("napari's canvas was not found.")
    theirs.makeCurrent()
    layers = [viewer.add_image(data, **options) for data, options in volume_layers(volume, names)]
    viewer.dims.ndisplay = 3
    for native in (theirs, canvas.native):
        native.setFixedSize(*SIZE)
    pump(0.1)
    viewer.reset_view()

    density, colored = layers

    def show(layer: Any, rendering: str) -> None:
        for each in layers:
            each.visible = each is layer
        layer.rendering = rendering
        pump(0.05)

    shows = {
        MIP: lambda: show(density, "mip"),
        ATTENUATED: lambda: show(density, "attenuated_mip"),
        TRUE_COLORS: lambda: show(colored, "translucent"),
    }
    seconds: dict[str, dict[str, list[float]]] = {}
    for name, choose in shows.items():
        choose()
        own = seconds.setdefault(OURS, {REST: [], MOVING: []})
        peer = seconds[name] = {REST: [], MOVING: []}
        wait_for_fine_drawing(canvas)
        draw(canvas.native)
        draw(theirs)
        for _ in range(frames):
            own[REST].append(draw(canvas.native))
            peer[REST].append(draw(theirs))
        for _ in range(frames):
            canvas.rotate(TURN)
            own[MOVING].append(draw(canvas.native))
            around, *others = viewer.scene.camera.angles
            viewer.scene.camera.angles = (around + TURN, *others)
            peer[MOVING].append(draw(theirs))
    return seconds


def draw(native: Any) -> float:
    """Draw a view and read its pixels, which waits for the last of them; return the seconds."""
    started = time.perf_counter()
    native.grabFramebuffer()
    return time.perf_counter() - started


def wait_for_fine_drawing(canvas: ColorSpaceCanvas) -> None:
    """Let events pass until nothing has moved for as long as the view wants."""
    deadline = time.monotonic() + PATIENCE
    while not canvas.is_high_quality:
        pump(0.02)
        if time.monotonic() > deadline:
            raise TimeoutError(f"the view was not drawn finely within {PATIENCE:g} s.")


def pump(seconds: float) -> None:
    """Let Qt's events pass for so long."""
    from qtpy.QtCore import QEventLoop, QTimer

    loop = QEventLoop()
    QTimer.singleShot(round(1000 * seconds), loop.quit)
    loop.exec()


def main(path: str, frames: str, bins: str) -> Any:
    from benchmarks.window import empty_window
    from napari_colorkde import color_kde
    from napari_colorkde.scene.canvas import ColorSpaceCanvas

    volume = color_kde(np.load(path), bins=int(bins), bandwidth=255 / (int(bins) - 1) * 2)
    with empty_window() as viewer:
        canvas = ColorSpaceCanvas()
        viewer.window.add_dock_widget(canvas.native, name="Color space")
        try:
            return time_frames(viewer, canvas, volume, int(frames))
        finally:
            canvas.close()


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
