"""The color-space view tied to the image: what the user does on one side is seen on the other."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import imageio.v3 as iio
import numpy as np
import pytest
from napari.layers import Labels
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication, QWidget

from napari_colorkde.app.kernels.in_color_space import convert_kernels
from napari_colorkde.app.layers.overlay_colormap import class_color
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.scene.geometry.regions import BallRegion
from tests.scene.mouse import click, drag, pixel_of
from tests.ui.conftest import RGB, Dock, close_dock

if TYPE_CHECKING:
    from napari import Viewer

pytestmark = pytest.mark.window

CENTER = np.array([64.0, 64, 64])

SETTLED_SECONDS = 0.8
"""A column of docks gives itself its sizes for as long as that, see `Column`."""


BALL = BallRegion(CENTER, 15.3)
INSIDE = np.linalg.norm(RGB - CENTER, axis=-1) <= 15.3


def move_mouse(viewer: Viewer, row: float, column: float) -> None:
    viewer.mouse_over_canvas = True
    for callback in viewer.mouse_move_callbacks:
        callback(viewer, SimpleNamespace(position=(row, column)))
    viewer.cursor.position = (row, column)
    viewer.update_status_from_cursor()


def coordinates_told(viewer: Viewer) -> str:
    status = viewer.status
    return status["coordinates"] if isinstance(status, dict) else status


# --- the pixel under the mouse


def test_the_status_bar_tells_the_color_behind_what_napari_tells(
    viewer: Viewer, dock: Dock
) -> None:
    widget = dock(RGB)
    move_mouse(viewer, 10, 20)
    own = f"color ({', '.join(map(str, RGB[10, 20]))})"
    assert own in coordinates_told(viewer)
    assert coordinates_told(viewer).startswith("[10, 20]")
    assert "% of the pixels" in coordinates_told(viewer)
    move_mouse(viewer, 11, 20)
    assert own not in coordinates_told(viewer)
    # The same pixel with another bandwidth.
    before = coordinates_told(viewer)
    widget.session.bandwidth = 20
    widget.session.wait()
    assert coordinates_told(viewer) != before
    assert coordinates_told(viewer).count("color (") == 1


def test_the_readout_is_taken_back_when_the_mouse_leaves_the_image(
    viewer: Viewer, dock: Dock
) -> None:
    dock(RGB)
    move_mouse(viewer, 10, 20)
    viewer.mouse_over_canvas = False
    assert "color (" not in coordinates_told(viewer)
    assert coordinates_told(viewer).startswith("[10, 20]")
    move_mouse(viewer, 10, 20)
    viewer.status = "what another has to say"
    viewer.mouse_over_canvas = False
    assert "what another has to say" in viewer.status


def test_the_pixel_is_marked_in_the_color_space(viewer: Viewer, dock: Dock) -> None:
    widget = dock(RGB)
    marker = widget.colorspace.canvas.marker  # type: ignore[union-attr]
    move_mouse(viewer, 10, 20)
    np.testing.assert_array_equal(marker.color, RGB[10, 20])
    move_mouse(viewer, 1000, 20)
    assert marker.color is None
    move_mouse(viewer, 10, 20)
    viewer.mouse_over_canvas = False
    assert marker.color is None
    move_mouse(viewer, 10, 20)
    viewer.layers.remove("photo")
    assert marker.color is None
    move_mouse(viewer, 10, 20)


# --- a region in the color space


def test_dragging_a_ball_lights_up_its_pixels_until_they_are_cleared(
    viewer: Viewer, dock: Dock
) -> None:
    widget = dock(RGB)
    assert widget.colorspace is not None
    colorspace = widget.colorspace
    colorspace.controls.tools["ball"].click()
    assert colorspace.canvas.tool == "ball"
    start = pixel_of(colorspace.canvas, CENTER)
    drag(colorspace.canvas, start, start + QPoint(8, 0), start + QPoint(12, 0))
    assert viewer.layers["photo selected"].data.any()
    assert "% of the pixels" in colorspace.bar.summary.text()
    colorspace.bar.clear_button.click()
    assert not viewer.layers["photo selected"].data.any()
    colorspace.controls.tools["rotate"].click()
    assert "photo selected" not in viewer.layers
    assert colorspace.bar.isHidden()


def test_a_tool_makes_room_and_a_layer_before_the_first_drag(viewer: Viewer, dock: Dock) -> None:
    widget = dock(RGB)
    assert widget.colorspace is not None
    colorspace = widget.colorspace
    viewer.layers.selection.active = viewer.layers["photo"]
    colorspace.controls.tools["lasso"].click()
    layer = viewer.layers["photo selected"]
    assert not layer.data.any()
    assert viewer.layers.selection.active is viewer.layers["photo"]
    height = colorspace.canvas.native.height()
    corner = pixel_of(colorspace.canvas, CENTER) - QPoint(20, 20)
    drag(colorspace.canvas, corner, corner + QPoint(40, 0), corner + QPoint(40, 40))
    assert viewer.layers["photo selected"] is layer
    assert layer.data.any()
    assert colorspace.canvas.native.height() == height


def wait_for_layout(canvas: Any, qtbot: Any) -> None:
    """Wait until the docks keep their sizes: places are pixels of the canvas."""
    size, since = canvas.native.size(), time.monotonic()

    def is_settled() -> bool:
        nonlocal size, since
        if canvas.native.size() != size:
            size, since = canvas.native.size(), time.monotonic()
        return time.monotonic() - since > SETTLED_SECONDS

    qtbot.waitUntil(is_settled, timeout=30_000)


def test_regions_of_all_tools_are_added_and_subtracted(
    viewer: Viewer, dock: Dock, qtbot: Any
) -> None:
    viewer.window.resize(1280, 880)
    widget = dock(RGB)
    colorspace: Any = widget.colorspace
    wait_for_layout(colorspace.canvas, qtbot)
    canvas, bar, tools = colorspace.canvas, colorspace.bar, colorspace.controls.tools
    shift, alt = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier

    def selected() -> Any:
        return widget.links.regions.chosen.copy()  # type: ignore[union-attr]

    for name in ("lasso", "rectangle", "ball"):
        assert "Shift adds" in tools[name].toolTip()
        assert "Alt subtracts" in tools[name].toolTip()
    middle = pixel_of(canvas, CENTER)
    tools["ball"].click()
    drag(canvas, middle, middle + QPoint(6, 0), middle + QPoint(9, 0))
    ball = selected()
    tools["rectangle"].click()
    left = middle - QPoint(120, 120)
    drag(canvas, left, middle, middle + QPoint(0, 120), keys=shift)
    both = selected()
    assert both[ball].all()
    assert both.sum() > ball.sum()
    drag(canvas, left, middle, middle + QPoint(0, 120), keys=alt)
    assert not selected()[both & ~ball].any()
    # Window managers take Alt: there is a button, too.
    bar.clear_button.click()
    drag(canvas, left, middle, middle + QPoint(120, 120))
    every = selected()
    bar.subtract_button.click()
    tools["ball"].click()
    drag(canvas, middle, middle + QPoint(6, 0), middle + QPoint(9, 0))
    np.testing.assert_array_equal(selected(), every & ~ball)
    # A mere click takes nothing away.
    before = selected()
    click(canvas, middle)
    np.testing.assert_array_equal(selected(), before)
    bar.subtract_button.click()
    bar.invert.trigger()
    np.testing.assert_array_equal(selected(), ~before)
    bar.invert.trigger()
    # In the background: looking around each of many colors takes a while.
    bar.grow.trigger()
    np.testing.assert_array_equal(selected(), before)
    assert not bar.change_button.isEnabled()
    widget.session.wait()
    assert bar.change_button.isEnabled()
    grown = selected()
    assert grown[before].all()
    assert grown.sum() > before.sum()
    bar.shrink.trigger()
    widget.session.wait()
    assert selected().sum() < grown.sum()


def test_a_tool_and_its_rows_move_nothing(viewer: Viewer, dock: Dock) -> None:
    widget = dock(RGB)
    colorspace: Any = widget.colorspace
    canvas, controls = colorspace.canvas, colorspace.controls

    def places() -> Any:
        corner = controls.mapTo(widget.window(), QPoint(0, 0))
        return canvas.native.size(), corner, widget.mapTo(widget.window(), QPoint(0, 0))

    before = places()
    controls.tools["lasso"].click()
    assert colorspace.bar.isVisible()
    QApplication.processEvents()
    assert places() == before
    start = pixel_of(canvas, CENTER)
    drag(canvas, start - QPoint(20, 20), start + QPoint(20, -20), start + QPoint(0, 20))
    QApplication.processEvents()
    assert places() == before


def test_keys_turn_and_zoom_the_cube(dock: Dock, qtbot: Any) -> None:
    canvas: Any = dock(RGB).colorspace.canvas  # type: ignore[union-attr]
    azimuth, elevation = canvas.camera.azimuth, canvas.camera.elevation
    scale = canvas.camera.scale_factor
    key = Qt.Key
    qtbot.keyClick(canvas.native, key.Key_Right)
    assert canvas.camera.azimuth != azimuth
    qtbot.keyClick(canvas.native, key.Key_Left)
    qtbot.keyClick(canvas.native, key.Key_Up)
    assert canvas.camera.azimuth == pytest.approx(azimuth)
    assert canvas.camera.elevation > elevation
    qtbot.keyClick(canvas.native, key.Key_Plus)
    assert canvas.camera.scale_factor < scale
    qtbot.keyClick(canvas.native, key.Key_Home)
    assert canvas.viewpoint is None


def test_escape_puts_the_tool_away(viewer: Viewer, dock: Dock, qtbot: Any) -> None:
    widget = dock(RGB)
    assert widget.colorspace is not None
    widget.colorspace.controls.tools["lasso"].click()
    qtbot.keyClick(widget.colorspace.canvas.native, Qt.Key.Key_Escape)
    assert widget.colorspace.controls.tool == widget.colorspace.canvas.tool == "rotate"
    assert widget.colorspace.bar.isHidden()


def test_the_lit_pixels_are_those_of_the_colors(viewer: Viewer, dock: Dock) -> None:
    widget = dock(RGB)
    widget.colorspace.canvas.region_changed.emit(BALL)  # type: ignore[union-attr]
    np.testing.assert_array_equal(viewer.layers["photo selected"].data, INSIDE)


def test_a_selection_is_kept_as_labels(viewer: Viewer, dock: Dock) -> None:
    widget = dock(RGB)
    assert widget.links is not None
    assert widget.colorspace is not None
    widget.colorspace.canvas.region_drawn.emit(BALL)
    widget.colorspace.bar.labels_button.click()
    widget.session.wait()
    layer = viewer.layers["photo selection"]
    assert isinstance(layer, Labels)
    np.testing.assert_array_equal(layer.data, INSIDE)
    assert widget.colorspace.bar.isHidden()


def test_a_selection_becomes_a_kernel(viewer: Viewer, dock: Dock) -> None:
    widget = dock(RGB)
    assert widget.links is not None
    assert widget.colorspace is not None
    widget.colorspace.canvas.region_drawn.emit(BALL)
    widget.colorspace.bar.kernel_button.click()
    widget.session.wait()
    assert widget.session.kernels is not None
    (kernel,) = widget.session.kernels
    pixels = RGB[INSIDE].astype(float)
    np.testing.assert_allclose(kernel.mean, pixels.mean(axis=0))
    assert kernel.weight == pytest.approx(INSIDE.mean())
    assert "photo selected" not in viewer.layers
    samples = widget.picking.picker.store.of(kernel)
    assert samples is not None
    assert samples.n_pixels == INSIDE.sum()


def test_a_kernel_of_other_channels_is_refused_in_words(dock: Dock) -> None:
    widget = dock(RGB)
    assert widget.links is not None
    widget.session.set(kernel_sets={"gray": KernelSet([Kernel([9.0], [4.0], 1.0)], "gray")})
    widget.colorspace.canvas.region_drawn.emit(BALL)
    widget.links.regions.make_kernel()
    assert "for 1 channel;" in widget.status.problem.text()


def test_a_click_and_another_image_clear_the_selection(viewer: Viewer, dock: Dock) -> None:
    widget = dock(RGB)
    assert widget.links is not None
    widget.colorspace.canvas.region_drawn.emit(BALL)
    widget.colorspace.canvas.region_drawn.emit(None)
    assert widget.links.regions.chosen is None
    widget.colorspace.canvas.region_drawn.emit(BALL)
    other = viewer.add_image(RGB[:20], rgb=True, name="other")
    widget.chooser.image.value = other
    widget.session.wait()
    assert widget.links.regions.chosen is None
    assert "photo selected" not in viewer.layers


def test_closing_the_dock_takes_the_selection_along(viewer: Viewer, dock: Dock, qtbot: Any) -> None:
    widget = dock(RGB)
    widget.colorspace.canvas.region_drawn.emit(BALL)  # type: ignore[union-attr]
    close_dock(widget, qtbot)
    assert [layer.name for layer in viewer.layers] == ["photo", "photo density"]
    assert len(viewer.mouse_move_callbacks) == 0


# --- drawing on the image


def lit_colors(widget: Any) -> Any:
    return {
        tuple(color) for color in widget.colorspace.canvas.highlighted.colors.astype(int).tolist()
    }


def test_painting_labels_lights_up_their_colors(viewer: Viewer, dock: Dock, qtbot: Any) -> None:
    widget = dock(RGB)
    layer = viewer.add_labels(np.zeros(RGB.shape[:2], int), name="mine")
    layer.selected_label = 2
    layer.brush_size = 6
    layer.paint((20, 30), 2)
    wanted = {tuple(color) for color in RGB[layer.data == 2].tolist()}
    qtbot.waitUntil(lambda: lit_colors(widget) == wanted)
    layer.selected_label = 1
    qtbot.waitUntil(lambda: lit_colors(widget) == set())


def test_shapes_light_up_the_colors_they_enclose(viewer: Viewer, dock: Dock, qtbot: Any) -> None:
    widget = dock(RGB)
    corners = np.array([[9.6, 9.6], [9.6, 20.4], [15.4, 20.4], [15.4, 9.6]])
    viewer.add_shapes([corners], shape_type="rectangle")
    wanted = {tuple(color) for color in RGB[10:16, 10:21].reshape(-1, 3).tolist()}
    qtbot.waitUntil(lambda: lit_colors(widget) == wanted)
    viewer.layers.selection.active = viewer.layers["photo"]
    qtbot.waitUntil(lambda: lit_colors(widget) == set())


# --- spaces, menu, difference


def test_another_space_is_chosen_and_told_in_its_names(dock: Dock) -> None:
    widget = dock(RGB)
    assert widget.colorspace is not None
    widget.colorspace.controls.space.value = "lab"
    widget.session.wait()
    assert widget.session.space == "lab"
    assert widget.colorspace.channel_names() == ("L*", "a*", "b*")
    assert widget.colorspace.canvas.outline.is_needed
    assert widget.panel.sigma.value < 4
    widget.session.undo()
    widget.session.wait()
    assert widget.colorspace.controls.space.value == "rgb"
    assert not widget.colorspace.canvas.outline.is_needed


def test_a_gray_image_says_why_it_has_no_other_space(dock: Dock) -> None:
    widget = dock(RGB[..., 0], rgb=False)
    assert widget.colorspace is not None
    assert not widget.colorspace.controls.space.enabled
    assert "1 channel" in widget.colorspace.controls.space.tooltip


def test_kernels_are_moved_in_another_space(dock: Dock) -> None:
    widget = dock(RGB)
    assert widget.colorspace is not None
    assert widget.links is not None
    widget.session.kernels = KernelSet([Kernel([64, 60, 62], [9, 9, 9], 1.0)], "mine")
    widget.colorspace.controls.space.value = "lab"
    widget.session.wait()
    assert not widget.colorspace.note.isHidden()
    canvas = widget.colorspace.canvas
    canvas.ellipsoid_moved.emit(0, canvas.ellipsoids.shown.means[0] + np.array([10.0, 0, 0]))
    assert widget.session.kernels is not None
    (kernel,) = widget.session.kernels
    assert (kernel.mean > [80, 76, 78]).all()


@pytest.mark.parametrize("full", [False, True])
def test_an_axis_is_dragged_in_another_space_and_back(dock: Dock, full: bool) -> None:
    widget: Any = dock(RGB)
    shape: Any = [[900, 200, 0], [200, 700, -90], [0, -90, 500]] if full else [900, 700, 500]
    first = Kernel([128, 110, 100], shape, 1.0)
    widget.session.kernels = KernelSet([first], "mine")
    widget.session.space = "lab"
    widget.session.wait()
    widget.kernels.table.choose([0])
    canvas = widget.colorspace.canvas
    canvas.camera.scale_factor /= 4  # handles stand at the ends
    middle = canvas.projection.on_screen(canvas.space.box.to_scene(canvas.ellipsoids.shown.means))[
        0
    ]
    handles = canvas.projection.on_screen(canvas.ellipsoids.handle_places())
    handle = handles[np.argmax(np.linalg.norm(handles - middle, axis=1))]
    start, end = (
        QPoint(*np.round(place).astype(int)) for place in (handle, handle + (handle - middle))
    )
    drag(canvas, start, (start + end) / 2, end)
    widget.session.wait()
    kernel = widget.session.kernels[0]
    assert kernel.covariance.ndim == (2 if full else 1)
    np.testing.assert_array_equal(kernel.mean, first.mean)
    grown = np.linalg.det(kernel.covariance_matrix) / np.linalg.det(first.covariance_matrix)
    assert 2.5 < grown < 6  # 2² if the mouse hits pixels exactly
    # What is shown is the kernel that there is now.
    (center,), (covariance,) = convert_kernels(
        kernel.mean[np.newaxis],
        kernel.covariance_matrix[np.newaxis],
        widget.session.estimate.coordinates,
    )
    np.testing.assert_allclose(canvas.ellipsoids.shown.means[0], center)
    np.testing.assert_allclose(canvas.ellipsoids.shown.covariance(0), covariance, atol=1e-9)
    widget.session.undo()
    widget.session.wait()
    assert widget.session.kernels[0] == first
    # In one drag, out and back: up to the pixel in which the handle was grasped.
    drag(canvas, start, end, start)
    back = widget.session.kernels[0].covariance_matrix
    np.testing.assert_allclose(back, first.covariance_matrix, atol=40)


def test_the_menu_changes_the_view(dock: Dock) -> None:
    widget = dock(RGB)
    assert widget.colorspace is not None
    menu, canvas = widget.colorspace.menu, widget.colorspace.canvas
    menu.perspective.setChecked(False)
    assert not canvas.perspective
    menu.auto_rotate.setChecked(True)
    assert canvas.auto_rotate
    menu.auto_rotate.setChecked(False)
    menu.along.aboutToShow.emit()
    assert [action.text() for action in menu.along.actions()] == ["red", "green", "blue"]
    menu.along.actions()[0].trigger()
    assert canvas.camera.elevation == 90
    menu.cut.aboutToShow.emit()
    menu.cut.actions()[2].trigger()
    assert canvas.cut.is_needed
    np.testing.assert_allclose(canvas.cut.through, 127.5)
    menu.set_cut(None)
    assert not canvas.cut.is_needed
    menu.set_shells("25, 75 %")
    assert canvas.shells == (0.25, 0.75)
    menu.set_shells("120")
    assert "between 0 and 100" in widget.status.problem.text()
    menu.ellipsoids.actions()[2].trigger()
    assert widget.session.view.radius == 3.0


def test_ellipsoids_are_colored_by_class_or_mean(dock: Dock) -> None:
    widget = dock(RGB)
    assert widget.colorspace is not None
    menu, canvas = widget.colorspace.menu, widget.colorspace.canvas
    kernels = [Kernel([64, 60, 62], [9, 9, 9], 0.5, cls=name) for name in ("oak", "elm")]
    widget.session.kernels = KernelSet(kernels, "mine")
    widget.session.wait()
    by_mean, by_class = menu.ellipsoids.actions()[-2:]
    assert by_mean.isChecked()
    np.testing.assert_allclose(canvas.ellipsoids.shown.colors, [kernels[0].mean / 255] * 2)
    by_class.trigger()
    wanted = [class_color(0), class_color(1)]
    np.testing.assert_allclose(canvas.ellipsoids.shown.colors, wanted)
    by_mean.trigger()
    np.testing.assert_allclose(canvas.ellipsoids.shown.colors, [kernels[0].mean / 255] * 2)


def test_settings_survive_floating(dock: Dock, qtbot: Any) -> None:
    widget = dock(RGB)
    assert widget.colorspace is not None
    colorspace = widget.colorspace
    colorspace.controls.mode.value = "maximum"
    colorspace.controls.density_floor.value = 100
    colorspace.menu.marginals.setChecked(True)  # type: ignore[union-attr]
    before = colorspace.canvas.native.context()
    colorspace.parent().setFloating(True)
    qtbot.waitUntil(lambda: colorspace.canvas.native.context() is not before)
    assert colorspace.canvas.mode == "maximum"
    assert colorspace.canvas.density_floor == pytest.approx(1 / 8)
    assert colorspace.canvas.walls.is_needed


def test_the_difference_from_another_image_is_shown_and_taken_back(
    viewer: Viewer, dock: Dock, qtbot: Any
) -> None:
    widget = dock(RGB)
    assert widget.colorspace is not None
    other = viewer.add_image(RGB + np.uint8(90), rgb=True, name="other")
    menu = widget.colorspace.menu
    menu.difference.aboutToShow.emit()
    assert [action.text() for action in menu.difference.actions()] == ["nothing", "other"]
    mode = widget.colorspace.controls.mode
    mode.value = "points"
    menu.difference.actions()[1].trigger()
    widget.session.wait()
    canvas = widget.colorspace.canvas
    assert canvas.signed
    # What only one image has is not offered, with the reason.
    counts = mode.native.model().item(3)
    assert counts.text() == "counts"
    assert mode.value == canvas.mode == "cloud"
    assert not counts.isEnabled()
    assert not menu.marginals.isEnabled()
    assert "difference" in counts.toolTip()
    assert "difference" in menu.marginals.toolTip()
    assert canvas.values.min() < 0 < canvas.values.max()
    # Saved pictures tell which image is which, too.
    named = ["orange: more in photo", "blue: more in other"]
    qtbot.waitUntil(lambda: canvas.legend.nodes[1].text == named)
    widget.session.bandwidth = 9
    widget.session.wait()
    assert canvas.signed
    viewer.layers.remove(other)
    assert not canvas.signed
    assert counts.isEnabled()
    assert menu.marginals.isEnabled()
    gray = viewer.add_image(RGB[..., 0], name="gray")
    assert widget.links is not None
    widget.links.difference.choose(gray)
    widget.session.wait()
    assert "no channels like red, green, blue" in widget.status.problem.text()
    assert not canvas.signed


def test_a_picture_is_saved_in_the_size_that_was_asked_for(dock: Dock, tmp_path: Path) -> None:
    widget = dock(RGB)
    assert widget.colorspace is not None
    widget.colorspace.save_picture(tmp_path / "colorspace.png", (320, 240))
    assert iio.imread(tmp_path / "colorspace.png").shape[:2] == (240, 320)
    widget.colorspace.save_picture(tmp_path / "colorspace.jpg", (320, 240))
    assert ".png" in widget.status.problem.text()


def test_the_controls_fit_a_narrow_dock(dock: Dock) -> None:
    widget = dock(RGB)
    assert widget.colorspace is not None
    assert widget.colorspace.minimumSizeHint().width() <= 300
    widget.colorspace.bar.show_selection("99.9 % of the pixels, 123 456 colors", done=True)
    assert widget.colorspace.minimumSizeHint().width() <= 300
    assert all(
        isinstance(w, QWidget) and w.toolTip() for w in widget.colorspace.controls.tools.values()
    )
