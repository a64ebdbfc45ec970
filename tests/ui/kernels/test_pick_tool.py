"""Picking in the real window: clicks, rectangles, keys, labels and shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_colorkde.app.selection.selections import CLICK_RADIUS
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.ui.kernels.pick_mouse import other_picture
from tests.ui.conftest import RGB, Dock, close_dock

if TYPE_CHECKING:
    from napari import Viewer

    from napari_colorkde.ui.dock import ColorKDEWidget

pytestmark = [pytest.mark.window, pytest.mark.usefixtures("flat_color_space")]

NONE = Qt.KeyboardModifier.NoModifier
CTRL = Qt.KeyboardModifier.ControlModifier
ALT = Qt.KeyboardModifier.AltModifier
LEFT = Qt.MouseButton.LeftButton


class Canvas:
    """napari's canvas under the mouse; places are (row, column) pixels of an unmoved image."""

    def __init__(self, viewer: Viewer, widget: ColorKDEWidget) -> None:
        self.viewer = viewer
        self.native = widget.window().centralWidget().findChild(QOpenGLWidget)
        viewer.reset_view()

    def _at(self, place: tuple[float, float]) -> QPoint:
        camera = self.viewer.scene.camera
        center = np.array(camera.center)[-2:]
        size = np.array([self.native.height(), self.native.width()])
        row, column = (np.array(place) - center) * camera.zoom + size / 2
        return QPoint(round(column), round(row))

    def click(self, place: tuple[float, float], modifiers: Any = NONE) -> None:
        QTest.mouseClick(self.native, LEFT, modifiers, self._at(place))

    def drag(
        self, first: tuple[float, float], last: tuple[float, float], modifiers: Any = NONE
    ) -> list[bool]:
        """Drag a rectangle; return for each step whether one is shown."""
        start, end = self._at(first), self._at(last)
        QTest.mousePress(self.native, LEFT, modifiers, start)
        shown = []
        for step in range(1, 5):
            QTest.mouseMove(self.native, start + (end - start) * step / 4)
            QApplication.processEvents()
            shown.append(any(o.visible for o in picking_boxes(self.viewer)))
        QTest.mouseRelease(self.native, LEFT, modifiers, end)
        return shown


def picking_boxes(viewer: Viewer) -> list[Any]:
    return [o for name, o in viewer.canvas.overlays.items() if name.startswith("napari-colorkde")]


def kernels_of(widget: ColorKDEWidget) -> KernelSet:
    widget.session.wait()
    assert widget.session.kernels is not None
    return widget.session.kernels


@pytest.fixture
def docked(dock: Dock) -> ColorKDEWidget:
    widget = dock(RGB)
    widget.tabs.setCurrentIndex(1)
    return widget


@pytest.fixture
def canvas(docked: ColorKDEWidget, viewer: Viewer) -> Canvas:
    QApplication.processEvents()
    return Canvas(viewer, docked)


def test_a_click_makes_a_kernel_of_the_pixels_under_it(
    docked: ColorKDEWidget, canvas: Canvas
) -> None:
    docked.picking.cls.setEditText("brown")
    docked.picking.pick_button.click()
    canvas.click((20, 30))
    (kernel,) = kernels_of(docked)
    square = RGB[18:23, 28:33].astype(float)
    inside = np.ones((5, 5), bool)
    inside[::4, ::4] = False
    np.testing.assert_allclose(kernel.mean, square[inside].mean(axis=0))
    assert kernel.cls == "brown"
    assert docked.kernels.table.chosen() == [0]
    assert "New kernel (class brown): 21 pixels" in docked.picking.message.text()


def test_a_drag_picks_a_rectangle_shows_it_and_does_not_move_the_view(
    docked: ColorKDEWidget, canvas: Canvas, viewer: Viewer
) -> None:
    docked.picking.pick_button.click()
    before = viewer.scene.camera.center, viewer.scene.camera.zoom
    shown = canvas.drag((10, 20), (25, 50))
    assert shown == [True] * 4
    assert not any(o.visible for o in picking_boxes(viewer))
    (kernel,) = kernels_of(docked)
    np.testing.assert_allclose(kernel.mean, RGB[10:26, 20:51].reshape(-1, 3).mean(axis=0))
    assert (viewer.scene.camera.center, viewer.scene.camera.zoom) == before


def test_control_adds_and_alt_takes_away(
    docked: ColorKDEWidget, canvas: Canvas, viewer: Viewer
) -> None:
    docked.picking.pick_button.click()
    canvas.drag((10, 20), (25, 50))
    first = kernels_of(docked)
    zoom = viewer.scene.camera.zoom
    canvas.drag((40, 20), (50, 50), CTRL)
    (kernel,) = kernels_of(docked)
    both = np.concatenate([RGB[10:26, 20:51].reshape(-1, 3), RGB[40:51, 20:51].reshape(-1, 3)])
    np.testing.assert_allclose(kernel.mean, both.mean(axis=0))
    canvas.drag((40, 20), (50, 50), ALT)
    assert kernels_of(docked) == first
    assert viewer.scene.camera.zoom == zoom
    docked.session.undo()
    np.testing.assert_allclose(kernels_of(docked).means[0], both.mean(axis=0))


def test_new_kernels_take_the_class_of_the_selected_one(
    docked: ColorKDEWidget, canvas: Canvas, qtbot: Any
) -> None:
    docked.picking.pick_button.click()
    for cls, row in (("brown", 10), ("blue", 40)):
        docked.picking.cls.lineEdit().clear()
        qtbot.keyClicks(docked.picking.cls.lineEdit(), cls)
        canvas.click((row, 30))
        kernels_of(docked)
    docked.kernels.table.choose([0])
    assert docked.picking.cls.currentText() == "brown"
    canvas.click((20, 60))
    assert [kernel.cls for kernel in kernels_of(docked)] == ["brown", "blue", "brown"]
    known = [docked.picking.cls.itemText(i) for i in range(docked.picking.cls.count())]
    assert known == ["brown", "blue"]


def activate(widget: ColorKDEWidget, qtbot: Any) -> None:
    """Shortcuts are those of the active window."""
    widget.window().activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is not None)


def test_the_overlay_is_faint_while_pixels_are_picked(
    docked: ColorKDEWidget, canvas: Canvas, qtbot: Any
) -> None:
    activate(docked, qtbot)
    layer = docked.overlay.layer
    assert layer is not None
    before = layer.opacity
    docked.picking.pick_button.click()
    assert layer.opacity < 0.2
    canvas.click((20, 30))
    docked.session.wait()
    assert layer.opacity < 0.2
    QTest.keyClick(canvas.native, Qt.Key.Key_Escape)
    assert layer.opacity == before
    docked.picking.pick_button.click()
    layer.opacity = 0.5
    docked.picking.pick_button.click()
    assert layer.opacity == 0.5


def test_undo_works_while_the_picture_has_the_focus(
    docked: ColorKDEWidget, canvas: Canvas, viewer: Viewer, qtbot: Any
) -> None:
    activate(docked, qtbot)
    docked.picking.pick_button.click()
    canvas.click((20, 30))
    assert len(kernels_of(docked)) == 1
    canvas.native.setFocus()
    QTest.keyClick(canvas.native, Qt.Key.Key_Z, CTRL)
    docked.session.wait()
    assert docked.session.kernels is None
    QTest.keyClick(canvas.native, Qt.Key.Key_Z, CTRL | Qt.KeyboardModifier.ShiftModifier)
    assert len(kernels_of(docked)) == 1
    docked.picking.pick_button.click()
    # A stroke on labels is napari's to undo.
    labels = viewer.add_labels(np.zeros(RGB.shape[:2], int), name="marks")
    labels.paint((5, 5), 1)
    assert labels.data.any()
    QTest.keyClick(canvas.native, Qt.Key.Key_Z, CTRL)
    assert not labels.data.any()
    assert len(kernels_of(docked)) == 1
    viewer.layers.selection.active = viewer.layers["photo"]
    QTest.keyClick(canvas.native, Qt.Key.Key_Z, CTRL)
    docked.session.wait()
    assert docked.session.kernels is None


def test_a_text_field_keeps_its_own_undo(
    docked: ColorKDEWidget, canvas: Canvas, qtbot: Any
) -> None:
    activate(docked, qtbot)
    docked.picking.pick_button.click()
    canvas.click((20, 30))
    assert len(kernels_of(docked)) == 1
    line = docked.picking.cls.lineEdit()
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, "brown")
    QTest.keyClick(line, Qt.Key.Key_Z, CTRL)
    assert line.text() != "brown"
    assert len(kernels_of(docked)) == 1


def test_escape_ends_picking_and_gives_the_mouse_back(
    docked: ColorKDEWidget, canvas: Canvas, viewer: Viewer, qtbot: Any
) -> None:
    before = list(viewer.mouse_drag_callbacks), list(viewer.mouse_double_click_callbacks)
    style, overlays = viewer.cursor.style, list(viewer.canvas.overlays)
    docked.picking.pick_button.click()
    assert viewer.cursor.style == "crosshair"
    activate(docked, qtbot)
    qtbot.keyClick(canvas.native, Qt.Key.Key_Escape)
    assert not docked.picking.pick_button.isChecked()
    assert (list(viewer.mouse_drag_callbacks), list(viewer.mouse_double_click_callbacks)) == before
    assert (viewer.cursor.style, list(viewer.canvas.overlays)) == (style, overlays)
    canvas.click((20, 30))
    docked.session.wait()
    assert docked.session.kernels is None


def test_a_click_beside_the_image_says_so(docked: ColorKDEWidget, canvas: Canvas) -> None:
    docked.picking.pick_button.click()
    canvas.click((-10, 30))
    assert "No pixel of the image is there" in docked.status.problem.text()
    assert docked.session.kernels is None


def test_taking_up_a_brush_ends_picking(
    docked: ColorKDEWidget, canvas: Canvas, viewer: Viewer
) -> None:
    docked.picking.pick_button.click()
    labels = viewer.add_labels(np.zeros(RGB.shape[:2], int))
    labels.mode = "paint"
    canvas.click((20, 30))
    assert not docked.picking.pick_button.isChecked()
    assert labels.data.any()
    docked.picking.pick_button.click()
    assert labels.mode == "pan_zoom"


def choose(widget: ColorKDEWidget, text: str) -> None:
    widget.picking.menu.aboutToShow.emit()
    (action,) = [a for a in widget.picking.menu.actions() if text in a.text()]
    action.trigger()


def test_labels_become_kernels(docked: ColorKDEWidget, viewer: Viewer) -> None:
    marks = np.zeros(RGB.shape[:2], int)
    marks[5:20, 5:20], marks[30:40, 5:20] = 1, 2
    viewer.add_labels(marks)
    choose(docked, "each label")
    assert [kernel.cls for kernel in kernels_of(docked)] == ["1", "2"]
    assert docked.kernels.table.chosen() == [0, 1]
    np.testing.assert_allclose(kernels_of(docked).means[1], RGB[marks == 2].mean(axis=0))
    docked.session.undo()
    assert docked.session.kernels is None


def test_shapes_become_kernels(docked: ColorKDEWidget, viewer: Viewer) -> None:
    square = np.array([[5.5, 5.5], [5.5, 19.5], [19.5, 19.5], [19.5, 5.5]])
    viewer.add_shapes([square, square + 20])
    choose(docked, "each shape")
    assert [kernel.name for kernel in kernels_of(docked)] == ["shape 1", "shape 2"]
    np.testing.assert_allclose(
        kernels_of(docked).means[0], RGB[6:20, 6:20].reshape(-1, 3).mean(axis=0)
    )


def test_points_become_kernels_of_the_colors_about_them(
    docked: ColorKDEWidget, viewer: Viewer
) -> None:
    points = viewer.add_points([[10, 12], [30, 40], [10, 13]])
    choose(docked, "each point")
    kernels = kernels_of(docked)
    assert [kernel.name for kernel in kernels] == ["point 1", "point 2", "point 3"]
    about = np.zeros(RGB.shape[:2], bool)
    for row, column in points.data.astype(int):
        rows, columns = np.ogrid[: RGB.shape[0], : RGB.shape[1]]
        near = (rows - row) ** 2 + (columns - column) ** 2 <= CLICK_RADIUS**2
        about |= near
        if (row, column) == (30, 40):
            np.testing.assert_allclose(kernels.means[1], RGB[near].mean(axis=0))
    # Together each pixel counts once, though disks overlap.
    docked.session.undo()
    choose(docked, "all points")
    np.testing.assert_allclose(kernels_of(docked).means[0], RGB[about].mean(axis=0))
    points.data = np.array([[-50.0, -50.0]])
    choose(docked, "each point")
    assert "has no point on the image" in docked.status.problem.text()


def test_a_mask_of_another_shape_says_so_and_nothing_is_lost(
    docked: ColorKDEWidget, viewer: Viewer
) -> None:
    viewer.add_labels(np.ones((5, 6), int), name="small")
    choose(docked, "all labels")
    assert "'small' is 5 × 6 pixels" in docked.status.problem.text()
    assert docked.session.kernels is None


def test_without_layers_the_menu_says_what_to_do(docked: ColorKDEWidget) -> None:
    docked.picking.menu.aboutToShow.emit()
    (action,) = docked.picking.menu.actions()
    assert "Labels, Shapes or Points layer" in action.text()
    assert not action.isEnabled()


def test_without_an_image_there_is_nothing_to_pick(dock: Dock) -> None:
    widget = dock()
    widget.picking.pick_button.click()
    assert not widget.picking.pick_button.isChecked()
    assert "no image to pick from" in widget.status.problem.text()


def test_removing_the_image_ends_picking(docked: ColorKDEWidget, viewer: Viewer) -> None:
    docked.picking.pick_button.click()
    viewer.layers.remove("photo")
    assert not docked.picking.pick_button.isChecked()


def test_closing_the_dock_gives_the_mouse_back(
    docked: ColorKDEWidget, viewer: Viewer, qtbot: Any
) -> None:
    before = list(viewer.mouse_drag_callbacks)
    docked.picking.pick_button.click()
    assert list(viewer.mouse_drag_callbacks) != before
    close_dock(docked, qtbot)
    assert list(viewer.mouse_drag_callbacks) == before
    assert picking_boxes(viewer) == []


def test_a_click_in_the_cell_of_another_picture_picks_nothing_and_says_why(
    docked: ColorKDEWidget, canvas: Canvas, viewer: Viewer
) -> None:
    other = viewer.add_image(RGB[::-1], name="other", rgb=True)
    viewer.add_labels(np.ones(RGB.shape[:2], int), name="drawn")
    said: list[str] = []
    docked.picking.failed.connect(said.append)
    assert other_picture(viewer, docked.overlay.image, (0, 0)) is None  # no grid
    viewer.canvas.grid.enabled = True
    cells = {
        viewer.layers[i].name: cell
        for cell, inside in viewer.canvas.grid.iter_viewboxes(viewer.layers)
        for i in inside
    }
    found = {name: other_picture(viewer, docked.overlay.image, at) for name, at in cells.items()}
    assert found.pop("other") is other
    assert set(found.values()) == {None}
    docked.picking.pick_button.click()
    QApplication.processEvents()
    # The middle of each cell.
    rows, columns = viewer.canvas.grid.actual_shape(viewer.layers)
    row, column = cells["other"]
    place = QPoint(
        round((column + 0.5) * canvas.native.width() / columns),
        round((row + 0.5) * canvas.native.height() / rows),
    )
    QTest.mouseClick(canvas.native, LEFT, NONE, place)
    docked.session.wait()
    assert not docked.session.kernels
    assert said == ["This is 'other'; pick in the image 'photo', or choose 'other' as the image."]
    docked.picking.pick_button.click()
    viewer.canvas.grid.enabled = False
