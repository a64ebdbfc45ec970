from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import napari
import numpy as np
import pytest
from napari.components.camera import Camera
from napari.layers import Image, Surface
from qtpy.QtWidgets import QListView

from napari_colorkde.core.kde.color_kde import ColorKDE
from napari_colorkde.ui.volume import viewer as volume_viewer
from napari_colorkde.ui.volume.axes import axis_lines
from napari_colorkde.ui.volume.layers import shell_layers, true_colors, volume_layers
from napari_colorkde.ui.volume.viewer import open_viewer, view_directions
from napari_colorkde.ui.window.gl_context import main_windows
from tests.ui.conftest import RGB, Dock

RED = np.zeros((9, 9, 3), np.uint8)
RED[..., 0] = 230


def test_positions_are_colors() -> None:
    volume = ColorKDE(RGB, 9.0).volume(32, (0, 248))
    (values, options), _ = volume_layers(volume, ("red", "green", "blue"))
    layer = Image(values, **options)
    peak = np.unravel_index(np.argmax(values), values.shape)
    np.testing.assert_allclose(
        layer.data_to_world(peak), [volume.axes[c][peak[c]] for c in range(3)]
    )
    assert layer.axis_labels == ("red", "green", "blue")
    assert {str(unit) for unit in layer.units} == {"level"}


@pytest.mark.parametrize(
    ("unit", "wanted"), [("ΔE*ab", "ΔE"), ("ΔE OK", "ΔE"), ("levels", "level"), ("", "")]
)
def test_distances_have_the_unit_of_the_color_space(unit: str, wanted: str) -> None:
    volume = ColorKDE(RGB, 9.0).volume(32)
    (values, options), _ = volume_layers(volume, ("L*", "a*", "b*"), None, unit)
    assert {f"{u:~}" for u in Image(values, **options).units} == {wanted}


@pytest.mark.parametrize("up", [0, 1, 2])
def test_the_channel_that_is_to_point_up_does(up: int) -> None:
    camera = Camera()
    camera.set_view_direction(*view_directions(up))
    assert np.argmax(np.abs(camera.up_direction)) == up
    assert camera.up_direction[up] > 0.8
    # From above, and along no axis.
    assert camera.view_direction[up] < 0
    assert np.abs(camera.view_direction).min() > 0.3


def test_a_red_image_gives_a_red_cloud() -> None:
    volume = ColorKDE(RED, 9.0).volume(32)
    rgba = true_colors(volume).astype(float)
    weight = rgba[..., 3:]
    mean = (rgba[..., :3] * weight).sum((0, 1, 2)) / weight.sum()
    assert mean[0] > 200
    assert mean[1:].max() < 25


def test_opacity_ascends_with_density_and_empty_space_is_clear() -> None:
    volume = ColorKDE(RGB, 9.0).volume(32)
    alpha = true_colors(volume)[..., 3].ravel()
    ordered = alpha[np.argsort(volume.values.ravel())]
    assert (np.diff(ordered.astype(int)) >= 0).all()
    assert ordered[0] == 0
    assert ordered[-1] > 30


def test_the_colors_of_other_numbers_are_given() -> None:
    volume = ColorKDE((RED / 230).astype(np.float32), 0.1).volume(16, (0, 1))
    swapped = true_colors(volume, lambda colors: colors[:, ::-1])
    np.testing.assert_array_equal(swapped[..., 0], true_colors(volume)[..., 2])


def test_axes_have_the_color_of_their_channel_and_ticks() -> None:
    axes = axis_lines(ColorKDE(RGB, 9.0).volume(32, (0, 255)), ("red", "green", "blue"))
    long = np.linalg.norm(axes.lines[:, 1], axis=1) > 200
    np.testing.assert_array_equal(axes.lines[long, 1] / 255, np.eye(3))
    np.testing.assert_allclose(axes.colors[long], np.eye(3))
    assert [text for text in axes.texts if not text.isdigit()] == ["red", "green", "blue"]
    at = axes.texts.index("200")
    np.testing.assert_allclose(axes.places[at], [200, -0.07 * 255, 0])
    # No axis of these is a color that can be displayed at its end.
    lab = ColorKDE(RGB, 9.0).volume(32, [(0, 100), (-128, 127), (-128, 127)])
    plain = axis_lines(lab, ("L*", "a*", "b*"), lambda colors: colors / 50)
    assert np.ptp(plain.colors) == 0


@pytest.mark.parametrize("channels", [1, 2])
def test_fewer_channels_are_pictures(channels: int) -> None:
    image = RGB[..., :channels] if channels > 1 else RGB[..., 0]
    volume = ColorKDE(image, 9.0).volume(32)
    ((values, options),) = volume_layers(volume, ("red", "green")[:channels])
    assert Image(values, **options).ndim == 2
    assert options["visible"]


@pytest.fixture
def other_viewers() -> Iterator[list[Any]]:
    opened: list[Any] = []
    yield opened
    for viewer in opened:
        viewer.close()


def _is_in_list(viewer: napari.Viewer, layer: Any) -> bool:
    """Whether a layer is seen in the layer list without scrolling."""
    window = next(w for w in main_windows() if w.windowTitle() == viewer.title)
    (view,) = (v for v in window.findChildren(QListView) if type(v).__name__ == "QtLayerList")
    row = len(viewer.layers) - 1 - viewer.layers.index(layer)
    place = view.visualRect(view.model().index(row, 0))
    return bool(view.viewport().rect().contains(place))


@pytest.mark.window
def test_the_volume_opens_in_a_second_viewer(
    viewer: napari.Viewer, dock: Dock, other_viewers: list[Any], monkeypatch: Any, qtbot: Any
) -> None:
    widget = dock(RGB)
    names = [layer.name for layer in viewer.layers]
    monkeypatch.setattr(
        "napari_colorkde.ui.exports.open_viewer",
        lambda *args: other_viewers.append(open_viewer(*args)),
    )
    threads: list[int] = []

    def made(*args: Any) -> Any:
        threads.append(threading.get_ident())
        return shell_layers(*args)

    monkeypatch.setattr(volume_viewer, "shell_layers", made)
    widget.session.bandwidth = 9.0
    widget.panel.volume_button.native.click()
    assert other_viewers == []  # it waits for the volume that was asked for
    qtbot.waitUntil(lambda: bool(other_viewers))
    (second,) = other_viewers
    # Layers come one after the other, so that the windows live meanwhile.
    assert len(second.layers) < 7
    qtbot.waitUntil(lambda: "numbers" in second.layers)
    assert len(threads) == 3  # surfaces, which take longest
    assert threading.get_ident() not in threads
    assert widget.session.estimate is not None
    assert [layer.name for layer in second.layers] == [
        "shell 99 %",
        "shell 90 %",
        "shell 50 %",
        "density",
        "true color",
        "axes",
        "numbers",
    ]
    assert second.layers.selection == {second.layers["true color"]}
    shown = [layer for layer in second.layers if layer.visible]
    assert all(_is_in_list(second, layer) for layer in shown)
    assert [layer.name for layer in second.layers if layer.visible] == [
        "true color",
        "axes",
        "numbers",
    ]
    assert second.dims.ndisplay == 3
    assert second.dims.axis_labels == ("red", "green", "blue")
    assert [layer.name for layer in viewer.layers] == names
    # Both draw: layers come and go in one while the other is there.
    picture = second.screenshot(canvas_only=True, flash=False)
    shown = picture.reshape(-1, picture.shape[-1])[:, :3].astype(int)
    # Each axis is seen in the color of its channel.
    for channel in range(3):
        others = np.delete(shown, channel, axis=1).max(axis=1)
        assert ((shown[:, channel] > 150) & (others < 90)).sum() > 50
    assert np.ptp(picture[..., :3]) > 50
    second.layers.remove("density")
    viewer.layers.remove("photo density")
    assert np.ptp(viewer.screenshot(canvas_only=True, flash=False)[..., :3]) > 20


@pytest.mark.window
def test_a_viewer_may_be_closed_while_layers_come(
    viewer: napari.Viewer, dock: Dock, other_viewers: list[Any], monkeypatch: Any, qtbot: Any
) -> None:
    widget = dock(RGB)
    monkeypatch.setattr(
        "napari_colorkde.ui.exports.open_viewer",
        lambda *args: other_viewers.append(open_viewer(*args)),
    )
    widget.panel.volume_button.native.click()
    qtbot.waitUntil(lambda: bool(other_viewers) and len(other_viewers[0].layers) > 0)
    other_viewers.pop().close()
    qtbot.wait(100)
    assert widget.session.source is not None


@pytest.mark.window
def test_without_a_volume_the_dock_says_so(dock: Dock) -> None:
    widget = dock()
    widget.panel.volume_button.native.click()
    assert "There is no volume without an image" in widget.status.problem.text()


def test_shells_hold_their_share_of_the_pixels() -> None:
    volume = ColorKDE(RGB, 9.0).volume(64)
    layers = shell_layers(volume, ("red", "green", "blue"), (0.5, 0.9))
    assert [options["name"] for _, options in layers] == ["shell 90 %", "shell 50 %"]
    means = []
    for (vertices, _), options in layers:
        layer = Surface((vertices, _), **options)
        places = np.array([layer.data_to_world(vertex) for vertex in vertices[::50]])
        middle = RGB.reshape(-1, 3).mean(axis=0)
        means.append(np.linalg.norm(places - middle, axis=1).mean())
        # Vertices are drawn in the color they lie at.
        np.testing.assert_allclose(options["vertex_colors"][::50, :3], places / 255, atol=1e-5)
    assert means[0] > means[1]


def test_fewer_channels_have_no_shells() -> None:
    assert shell_layers(ColorKDE(RGB[..., :2], 9.0).volume(32), ("red", "green")) == []


SCRIPT = """
import napari, numpy as np
from napari_colorkde.app.density import density_steps
from napari_colorkde.ui.launcher import dock_plugin
from qtpy.QtWidgets import QApplication

density_steps.BINS = {1: 64, 2: 48, 3: 32}
viewer = napari.Viewer()
viewer.add_image(np.random.default_rng(0).integers(40, 90, (60, 80, 3)).astype(np.uint8), rgb=True)
widget = dock_plugin(viewer)
while widget.colorspace is None:
    QApplication.processEvents()
widget.session.wait()
widget.panel.volume_button.native.click()
widget.session.wait()
print(len(napari.Viewer._instances), "windows")
"""


@pytest.mark.window
@pytest.mark.parametrize(
    "last",
    [
        "",
        pytest.param("viewer.close()\n", marks=pytest.mark.slow),
        pytest.param("napari.Viewer.close_all()\n", marks=pytest.mark.slow),
    ],
)
def test_a_script_ends_in_peace_with_windows_open(tmp_path: Path, last: str) -> None:
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "NAPARI_CONFIG": ""}
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT + last],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (result.returncode, result.stdout) == (0, "2 windows\n"), result.stderr
    assert "Traceback" not in result.stderr
