"""Whatever one does in the window, nothing breaks, nothing freezes, and memory stays."""

from __future__ import annotations

import ctypes
import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import pytest
from pytestqt.exceptions import format_captured_exceptions
from qtpy.QtWidgets import QFileDialog, QInputDialog

from napari_colorkde.io.images import read_image
from napari_colorkde.io.sample_data import sample_path
from napari_colorkde.ui import exports
from napari_colorkde.ui.volume.viewer import open_viewer
from napari_colorkde.ui.window.gl_context import main_windows
from tests.ui.conftest import Dock
from tests.ui.random_user import GapWatch, RandomUser

if TYPE_CHECKING:
    from napari import Viewer

pytestmark = pytest.mark.window

RNG = np.random.default_rng(0)
MOST_LAYERS = 12
FROZEN = 1.0
"""Seconds of work of the window's own thread: others may have the processor meanwhile."""

SETTLED = 400
"""Events after which all has been seen once."""


def images() -> dict[str, dict[str, Any]]:
    """Three images of different kinds, as arguments of `add_image`."""
    stack = RNG.normal(size=(3, 4, 90, 120)).astype(np.float32).cumsum(axis=-1)
    gray = read_image(sample_path("astronaut.png"))[:200, :300].mean(axis=-1) * 200
    return {
        "stack": {"data": stack, "channel_axis": 0, "name": ["DAPI", "GFP", "RFP"]},
        "gray": {"data": gray.astype(np.uint16), "name": "gray"},
        "coffee": {"data": read_image(sample_path("coffee.png"))[:200, 100:400], "name": "coffee"},
    }


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Viewer]:
    """Answer dialogs of files and texts; keep the viewers of volumes, to be closed."""
    monkeypatch.chdir(tmp_path)  # where everything is exported to, of images without a file
    rng = np.random.default_rng(1)
    files = [str(sample_path("coffee.png")), str(sample_path("jones_rehg_1999.csv")), ""]

    def target(parent: object, title: str, name: str = "", *args: object) -> tuple[str, str]:
        path = tmp_path / f"{rng.integers(1000)} {Path(name).name}"
        return (str(path) if rng.random() < 0.5 else ""), ""

    viewers: list[Viewer] = []
    for name, function in {
        "getOpenFileName": lambda *args: (files[rng.integers(3)], ""),
        "getSaveFileName": target,
        "getExistingDirectory": lambda *args: str(tmp_path) if rng.random() < 0.5 else "",
    }.items():
        monkeypatch.setattr(QFileDialog, name, function)
    texts = ["50, 90", "none", "10"]
    monkeypatch.setattr(QInputDialog, "getText", lambda *a, **o: (texts[rng.integers(3)], True))
    monkeypatch.setattr(exports, "open_viewer", lambda *args: viewers.append(open_viewer(*args)))
    return viewers


@pytest.mark.parametrize(
    ("seed", "n_events"),
    [
        (1, 100),
        *(
            pytest.param(seed, 1500, marks=[pytest.mark.slow, pytest.mark.timeout(3000)])
            for seed in (2, 3)
        ),
    ],
)
def test_random_events_break_nothing(
    viewer: Viewer, dock: Dock, qtbot: Any, answered: list[Viewer], seed: int, n_events: int
) -> None:
    for options in images().values():
        viewer.add_image(**options)
    widget = dock()
    (window,) = (each for each in main_windows() if each.windowTitle() == viewer.title)
    window.resize(1200, 800)
    user, rng = RandomUser(window, seed), np.random.default_rng(seed)
    memory, slow = 0.0, list[tuple[float, list[str]]]()
    with qtbot.captureExceptions() as caught, GapWatch() as watch, user.answering():
        for event in range(n_events):
            if event == SETTLED:
                memory = _megabytes()
            watch.longest = 0.0
            user.act()
            qtbot.wait(int(rng.choice([1, 5, 20])))
            # To take a layer away takes napari a quarter of a second.
            if watch.longest > FROZEN and "QtLayerList" not in str(user.done[-2:]):
                slow.append((watch.longest, user.done[-2:]))
            ours = [error for error in caught if _is_ours(error)]
            assert not ours, f"{user.done[-5:]}\n{format_captured_exceptions(ours)}"
            _tidy(viewer, answered)
        widget.session.stop()
        qtbot.waitUntil(lambda: not widget.session.busy, timeout=60_000)
    if memory:
        assert _megabytes() - memory < 150
        assert not slow
    # What napari raised holds the window.
    caught.clear()


def _is_ours(error: Any) -> bool:
    """Whether an exception was raised by this project, or within what it called."""
    frame = error[2]
    while frame is not None:
        if "napari_colorkde" in frame.tb_frame.f_code.co_filename:
            return True
        frame = frame.tb_next
    return False


def _tidy(viewer: Viewer, others: list[Viewer]) -> None:
    """Close other viewers; leave few layers, with the images among them."""
    while others:
        others.pop().close()
    for options in images().values() if len(viewer.layers) < 3 else ():
        viewer.add_image(**options)
    for layer in list(viewer.layers)[: max(0, len(viewer.layers) - MOST_LAYERS)]:
        viewer.layers.remove(layer)


def _megabytes() -> float:
    """What this process holds once all that is given back has been."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    return float(psutil.Process().memory_info().rss / 1e6)
