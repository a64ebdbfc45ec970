"""Opening, closing, floating, losing the context: nothing raises and nothing stays behind."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import psutil
import pytest

from tests.scene.conftest import AXIS, RGB, blob

pytestmark = pytest.mark.window


@pytest.fixture
def docked(qapp: Any, canvas: Any) -> Iterator[Any]:
    """The canvas in a dock of a shown main window."""
    from qtpy.QtCore import Qt
    from qtpy.QtWidgets import QDockWidget, QMainWindow

    window = QMainWindow()
    dock = QDockWidget("Color space", window)
    dock.setWidget(canvas.native)
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
    window.resize(600, 400)
    window.show()
    qapp.processEvents()
    yield dock
    canvas.close()
    window.close()
    window.deleteLater()
    qapp.processEvents()


def test_a_picture_is_taken_after_another_canvas_went_with_its_window(canvas: Any) -> None:
    from qtpy.QtCore import QCoreApplication, QEvent
    from vispy.scene import SceneCanvas

    other = SceneCanvas(size=(32, 32), show=True)
    other.render()
    other.set_current()
    other.native.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    canvas.set_volume(blob(128, 128, 128), [AXIS] * 3, RGB)
    assert np.ptp(canvas.render((64, 64))[..., :3]) > 60


def red_pixels(picture: np.ndarray) -> int:
    rgb = picture[..., :3].astype(int)
    return int(((rgb[..., 0] > 150) & (rgb[..., 1:].max(axis=-1) < 60)).sum())


def grab(qapp: Any) -> np.ndarray:
    """Return what the screen really shows."""
    image = qapp.primaryScreen().grabWindow(0).toImage()
    image = image.convertToFormat(image.Format.Format_RGBA8888)
    pointer = image.constBits()
    pointer.setsize(image.sizeInBytes())
    return np.array(pointer).reshape(image.height(), image.width(), 4)


def test_floating_the_dock_rebuilds_the_view(
    canvas: Any, docked: Any, qtbot: Any, qapp: Any
) -> None:
    lost = []
    canvas.context_lost.connect(lambda: lost.append(True))
    canvas.set_volume(blob(230, 25, 25), (AXIS,) * 3, RGB)
    qapp.processEvents()
    for n, floating in enumerate((True, False), start=1):
        docked.setFloating(floating)
        qtbot.waitUntil(lambda n=n: len(lost) == n)
        assert red_pixels(canvas.render((300, 300))) > 40
        # On the screen too, not only in pictures of it.
        qtbot.waitUntil(lambda: red_pixels(grab(qapp)) > 40)


def test_data_set_while_the_context_is_away_shows_afterwards(canvas: Any) -> None:
    canvas.set_volume(blob(25, 25, 230), (AXIS,) * 3, RGB)
    canvas.release()
    canvas.set_volume(blob(230, 25, 25), (AXIS,) * 3, RGB)
    canvas.set_exposure(2)
    canvas.set_theme("light")
    canvas.look_along(1)
    canvas.rebuild()
    canvas.reset_camera()
    assert red_pixels(canvas.render((300, 300))) > 40


def test_another_canvas_keeps_opengl_for_itself(canvas: Any, qapp: Any) -> None:
    from vispy.gloo.context import get_current_canvas
    from vispy.scene import SceneCanvas

    canvas.set_volume(blob(230, 25, 25), (AXIS,) * 3, RGB)
    qapp.processEvents()
    other = SceneCanvas(size=(100, 100), show=True)
    try:
        qapp.processEvents()
        other.set_current()
        context = other.native.context()
        for action in (canvas.render, canvas.release, canvas.rebuild, canvas.close):
            action()
            assert get_current_canvas() is other
            assert type(context).currentContext() is context
    finally:
        other.close()


def test_release_and_rebuild_may_be_repeated(canvas: Any) -> None:
    canvas.set_volume(blob(230, 25, 25), (AXIS,) * 3, RGB)
    canvas.release()
    canvas.release()
    canvas.rebuild()
    canvas.rebuild()
    assert red_pixels(canvas.render((300, 300))) > 40


def test_closing_twice_is_harmless(canvas: Any) -> None:
    canvas.close()
    canvas.close()
    canvas.rebuild()


def test_floating_leaves_memory_where_it_was(canvas: Any, docked: Any, qtbot: Any) -> None:
    lost: list[bool] = []
    canvas.context_lost.connect(lambda: lost.append(True))
    values = np.zeros((64, 64, 64), dtype=np.float32)
    values[50:60, 5:10, 5:10] = 1
    canvas.set_volume(values, (np.linspace(0, 255, 64),) * 3, RGB)
    process = psutil.Process()
    sizes = []
    for n in range(10):
        docked.setFloating(n % 2 == 0)
        qtbot.waitUntil(lambda n=n: len(lost) == n + 1)
        gc.collect()
        sizes.append(process.memory_info().rss / 2**20)
    # Textures left behind would be 1 MB each time, shaders as much; the driver's own pools fill
    # during the first ones.
    assert sizes[-1] - sizes[4] < 8


@pytest.mark.parametrize("cycles", [12, pytest.param(50, marks=pytest.mark.slow)])
def test_opening_and_closing_leaves_nothing(cycles: int, qapp: Any) -> None:
    from napari_colorkde.scene.canvas import ColorSpaceCanvas

    process = psutil.Process()
    alive: list[weakref.ref[Any]] = []
    sizes = []
    for _ in range(cycles):
        canvas = ColorSpaceCanvas()
        canvas.native.resize(120, 120)
        canvas.native.show()
        canvas.set_volume(blob(230, 25, 25), (AXIS,) * 3, RGB)
        canvas.auto_rotate = True
        qapp.processEvents()
        alive += [weakref.ref(canvas), weakref.ref(canvas.native), weakref.ref(canvas.camera)]
        canvas.close()
        del canvas
        qapp.sendPostedEvents(None, 52)  # DeferredDelete
        qapp.processEvents()
        gc.collect()
        sizes.append(process.memory_info().rss / 2**20)
    assert sum(ref() is not None for ref in alive) == 0
    # A canvas that stays would be more than 1 MB each time; the driver's pools fill at first.
    assert sizes[-1] - sizes[6] < 10 + 0.7 * (cycles - 6)


def test_fine_steps_come_back_when_nothing_moves(canvas: Any, qtbot: Any) -> None:
    canvas.set_volume(blob(230, 25, 25), (AXIS,) * 3, RGB)
    canvas.set_volume(blob(25, 25, 230), (AXIS,) * 3, RGB)
    program = canvas.content.nodes[0].shared_program
    coarse = program["u_step"]
    qtbot.waitUntil(lambda: program["u_step"] < coarse)


def test_auto_rotation_turns_the_view(canvas: Any, qtbot: Any) -> None:
    canvas.set_volume(blob(230, 25, 25), (AXIS,) * 3, RGB)
    before = canvas.camera.azimuth
    canvas.auto_rotate = True
    assert canvas.auto_rotate
    qtbot.waitUntil(lambda: abs(canvas.camera.azimuth - before) > 1)
    canvas.auto_rotate = False
    assert not canvas.auto_rotate


def test_without_opengl_there_is_a_sentence() -> None:
    # In a process of its own: a platform without OpenGL cannot be chosen twice.
    code = (
        "from qtpy.QtWidgets import QApplication\n"
        "app = QApplication([])\n"
        "from napari_colorkde.scene.gl.context import NoOpenGLError, probe\n"
        "try:\n    probe()\nexcept NoOpenGLError as error:\n    print(error)\n"
    )
    # With a display, Qt's offscreen platform would find OpenGL there.
    environment = {k: v for k, v in os.environ.items() if k != "DISPLAY"}
    environment["QT_QPA_PLATFORM"] = "offscreen"
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert result.stdout.startswith("OpenGL is not available")


def test_with_opengl_the_probe_is_silent(qapp: Any) -> None:
    from napari_colorkde.scene.gl.context import probe

    probe()
    probe()
