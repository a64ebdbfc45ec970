"""Recorded files, a folder to work in, and the widget as napari makes it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import platformdirs
import pytest

from napari_colorkde import Kernel, KernelSet
from napari_colorkde.cli import main
from tests.compat import doors

RECORDED = Path(__file__).parent / "data" / "0.1.0"

RGB = np.load(RECORDED / "photo.npy")
WARM = KernelSet([Kernel([180, 120, 80], [900, 500, 300], 1)], "warm")
COOL = KernelSet([Kernel([100, 120, 140], [700, 600, 500], 1, cls="blue")], "cool")
SETS = {"warm": WARM, "cool": COOL}

Widget = Callable[..., Any]
Run = Callable[..., str]


def assert_same(actual: Any, expected: Any) -> None:
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=2e-5 * np.abs(expected).max())


class Window:
    """A session, and the layer on which a user sees what it does."""

    def __init__(self, widget: Any, viewer: Any) -> None:
        self.session, self.viewer = widget.session, viewer

    def shown(self) -> Any:
        """The values of the overlay, when they are what the session asks for."""
        self.session.wait()
        return np.array(self.layer.data)

    @property
    def layer(self) -> Any:
        return self.viewer.layers["photo density"]


@pytest.fixture
def recorded() -> Path:
    """The folder with the files that 0.1.0 wrote; not to be written to."""
    return RECORDED


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with copies of those files."""
    for path in RECORDED.iterdir():
        if path.is_file():
            shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def photo() -> Any:
    """A copy of the image that the files are about."""
    return RGB.copy()


@pytest.fixture
def npe2(npe2pm: Any) -> Any:
    """A plugin manager that knows this plugin only."""
    from npe2 import PluginManifest

    npe2pm.register(PluginManifest.from_distribution("napari-colorkde"))
    return npe2pm


@pytest.fixture
def sessions(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in the place of the user's own, where sessions are kept."""
    states = tmp_path_factory.mktemp("states")
    place = states / "napari-colorkde"
    place.mkdir()
    monkeypatch.setenv("XDG_STATE_HOME", str(states))
    # Systems other than Linux have no such variable.
    monkeypatch.setattr(platformdirs, "user_state_path", lambda *args, **options: place)
    return place


@pytest.fixture
def make_widget(npe2: Any, sessions: Path, qtbot: Any) -> Iterator[Widget]:
    """Return a function that makes the widget, not docked, for a viewer without a window.

    Images given, as arrays or as layers, are in that viewer before.
    """
    from napari.components import ViewerModel
    from napari.layers import Layer

    made = []

    def make(*images: Any, **options: Any) -> Any:
        viewer = ViewerModel()
        for image in images:
            if isinstance(image, Layer):
                viewer.add_layer(image)
            else:
                viewer.add_image(image, **{"name": "photo", "rgb": True, **options})
        widget = npe2.commands.get("napari-colorkde.make_dock_widget")(viewer)
        qtbot.addWidget(widget)
        made.append(widget)
        widget.session.wait()
        return widget, viewer

    yield make
    for widget in made:
        doors.close_widget(widget)


@pytest.fixture
def window(make_widget: Widget, photo: Any) -> Window:
    """The widget and a viewer that looks at the photograph."""
    return Window(*make_widget(photo))


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs a command line which succeeds, and returns its stdout."""
    pixels = np.load("photo.npy")
    iio.imwrite("photo.png", pixels)
    np.save("mask.npy", (np.arange(20) < 12) * np.ones((16, 1), np.uint8))
    np.save("labels.npy", np.where(np.arange(20) < 10, 1, 2) * np.ones((16, 1), np.uint8))
    vectors = np.random.default_rng(0).normal(size=(90, 6))
    np.savez("vectors.npz", train=vectors[:50], valid=vectors[50:70], test=vectors[70:])

    def actual(line: str, *more: str) -> str:
        capsys.readouterr()
        assert main([*line.split(), *more]) == 0
        return capsys.readouterr().out

    return actual
