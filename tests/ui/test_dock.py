from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import imageio.v3 as iio
import numpy as np
import pytest
from napari.settings import get_settings
from qtpy.QtCore import Qt, QThreadPool
from qtpy.QtGui import QOpenGLContext
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractScrollArea,
    QApplication,
    QDockWidget,
    QFileDialog,
    QLabel,
    QMainWindow,
    QScrollArea,
    QSlider,
    QTabBar,
)
from vispy.gloo import glir

from napari_colorkde._npe2 import write_density_layer
from napari_colorkde.core.kde.color_kde import ColorKDE
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.ui.window import dock_column
from tests.ui.conftest import RGB, RNG, Dock, close_dock

if TYPE_CHECKING:
    from napari import Viewer

pytestmark = pytest.mark.window


def answer(monkeypatch: pytest.MonkeyPatch, path: Path | str, kind: str = "") -> None:
    """Let file dialogs answer at once."""
    for name in ("getOpenFileName", "getSaveFileName"):
        monkeypatch.setattr(QFileDialog, name, lambda *args: (str(path), kind))


def callbacks(viewer: Viewer) -> int:
    emitters = [*viewer.layers.events.emitters.values(), *viewer.events.emitters.values()]
    for layer in viewer.layers:
        emitters += layer.events.emitters.values()
    return sum(len(emitter.callbacks) for emitter in emitters)


# --- opening


def test_docking_shows_the_density_and_the_color_space_of_the_image(
    viewer: Viewer, dock: Dock
) -> None:
    widget = dock(RGB)
    assert [layer.name for layer in viewer.layers] == ["photo", "photo density"]
    np.testing.assert_allclose(
        viewer.layers[1].data, ColorKDE(RGB).density(RGB, log=True), rtol=1e-6
    )
    assert widget.chooser.image.value is viewer.layers[0]
    assert widget.chooser.channels.value.names == ("red", "green", "blue")
    assert "4\u202f800\u00a0pixels" in widget.status.facts.text()
    assert "none left out" in widget.status.facts.text()
    # Nothing was saved, nothing failed.
    assert not widget.status.news.isVisible()
    assert not widget.status.problem.isVisible()


def test_the_color_space_stands_above_in_one_column(viewer: Viewer, dock: Dock, qtbot: Any) -> None:
    viewer.window.resize(1400, 880)
    widget = dock(RGB)
    window = widget.window()
    assert isinstance(window, QMainWindow)
    colorspace_dock, own = widget.colorspace.parent(), widget.parent()  # type: ignore[union-attr]
    assert isinstance(colorspace_dock, QDockWidget)
    assert colorspace_dock.geometry().bottom() < own.geometry().top()
    assert colorspace_dock.geometry().left() == own.geometry().left()
    assert own.width() == pytest.approx(max(0.32 * window.width(), 420), abs=4)

    def fraction() -> float:
        return colorspace_dock.height() / (colorspace_dock.height() + own.height())

    qtbot.waitUntil(lambda: 0.5 <= fraction() <= 0.75)
    assert own.titleBarWidget().findChild(QLabel).text() == "Color KDE"


def test_in_a_low_window_the_color_space_is_a_tab_beside_the_settings(
    viewer: Viewer, dock: Dock, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dock_column, "MIN_STACKED_HEIGHT", 800)
    viewer.window.resize(1280, 720)
    widget = dock(RGB)
    window, colorspace, own = widget.window(), widget.colorspace.parent(), widget.parent()  # type: ignore[union-attr]
    assert colorspace in window.tabifiedDockWidgets(own)
    qtbot.waitUntil(lambda: not widget.colorspace.visibleRegion().isEmpty())
    bar = next(b for b in window.findChildren(QTabBar) if b.tabText(0) == "Color KDE")
    assert bar.tabText(1) == "Color space"
    # A window that is made high has room for both.
    window.resize(1280, 900)
    qtbot.waitUntil(lambda: colorspace.geometry().bottom() < own.geometry().top())
    assert colorspace.geometry().left() == own.geometry().left()
    window.resize(1280, 720)
    qtbot.waitUntil(lambda: colorspace in window.tabifiedDockWidgets(own))
    # What was moved by hand stays there.
    window.splitDockWidget(colorspace, own, Qt.Orientation.Vertical)
    window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, colorspace)
    window.resize(1280, 900)
    qtbot.wait(2 * dock_column.SETTLE_MS)
    assert window.dockWidgetArea(colorspace) == Qt.DockWidgetArea.LeftDockWidgetArea


def test_large_floats_the_color_space_and_escape_brings_it_back(
    viewer: Viewer, dock: Dock, qtbot: Any
) -> None:
    widget = dock(RGB)
    colorspace: Any = widget.colorspace
    floated = colorspace.parent()
    colorspace.controls.large_button.click()
    qtbot.waitUntil(lambda: floated.isFloating() and floated.isActiveWindow())
    free = floated.screen().availableGeometry()
    assert floated.width() == pytest.approx(free.width() * 2 / 3, abs=2)
    assert floated.height() == pytest.approx(free.height() * 2 / 3, abs=2)
    # Esc puts a tool away first.
    colorspace.controls.tools["lasso"].click()
    QTest.keyClick(colorspace.canvas.native, Qt.Key.Key_Escape)
    assert colorspace.controls.tool == "rotate"
    assert floated.isFloating()
    QTest.keyClick(colorspace.canvas.native, Qt.Key.Key_Escape)
    assert not floated.isFloating()
    assert not colorspace.controls.large_button.isChecked()
    qtbot.waitUntil(lambda: floated.geometry().bottom() < widget.parent().geometry().top())


def test_everything_fits_into_a_small_window(
    viewer: Viewer, dock: Dock, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dock_column, "MIN_STACKED_HEIGHT", 800)
    viewer.window.resize(1280, 720)
    widget = dock(RGB)
    own = widget.parent()
    own.raise_()
    qtbot.waitUntil(lambda: not widget.visibleRegion().isEmpty())
    assert widget.window().height() <= 720
    for control in (widget.panel.export_button, widget.status.work):
        native = getattr(control, "native", control)
        bottom = native.mapTo(widget, native.rect().bottomRight())
        assert widget.rect().contains(bottom)
    # One above the other, too; pages scroll, and nothing around them or in them.
    window = widget.window()
    window.resize(1280, 800)
    qtbot.waitUntil(lambda: widget.colorspace.parent() not in window.tabifiedDockWidgets(own))
    qtbot.waitUntil(widget._stage._column.is_settled)
    page = widget.tabs.widget(0)
    qtbot.waitUntil(lambda: page.verticalScrollBar().maximum() == 0)
    panel = widget.likelihood
    panel.search_button.native.click()
    assert panel.likelihood.wait()
    widget.tabs.setCurrentIndex(3)
    QApplication.processEvents()
    areas = [each for each in widget.findChildren(QAbstractScrollArea) if each.isVisible()]
    assert panel.table in areas
    scrolling = [each for each in areas if each.verticalScrollBar().maximum() > 0]
    assert scrolling == [widget.tabs.widget(3)]


def test_the_keyboard_s_focus_is_seen(viewer: Viewer, dock: Dock, qtbot: Any) -> None:
    widget = dock(RGB)
    colorspace: Any = widget.colorspace
    widget.window().activateWindow()
    controls = colorspace.controls
    for control in (
        widget.panel.export_button.native,
        widget.panel.log.native,
        controls.large_button,
        controls.exposure.native.findChild(QSlider),
    ):
        # As the style has it: which window the display gives the keyboard to is another matter.
        before = control.grab().toImage()
        control.setFocus(Qt.FocusReason.TabFocusReason)
        qtbot.waitUntil(control.hasFocus)
        assert control.grab().toImage() != before
    for slider in (controls.exposure, controls.density_floor):
        assert slider.native.findChild(QSlider).accessibleName()


def test_docking_without_an_image_asks_for_one(dock: Dock) -> None:
    widget = dock()
    assert "Choose an image layer" in widget.status.facts.text()
    assert widget.session.source is None


def test_an_empty_dock_says_what_one_can_do(
    viewer: Viewer, dock: Dock, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    widget = dock()
    steps = widget.first_steps
    assert steps.isVisible()
    said = " ".join(label.text() for label in steps.findChildren(QLabel))
    assert "drop" in said
    np.save(tmp_path / "opened.npy", RGB)
    answer(monkeypatch, tmp_path / "opened.npy")
    qtbot.mouseClick(steps.open_button, Qt.MouseButton.LeftButton)
    widget.session.wait()
    assert "opened density" in viewer.layers
    assert not steps.isVisible()
    viewer.layers.remove("opened")
    assert steps.isVisible()
    coffee = next(a for a in steps.sample_button.menu().actions() if "coffee" in a.text())
    coffee.trigger()
    widget.session.wait()
    assert widget.chooser.image.value is viewer.layers["coffee"]
    viewer.layers.remove("coffee")


def test_the_first_image_that_comes_is_looked_at(viewer: Viewer, dock: Dock) -> None:
    widget = dock()
    viewer.add_image(RGB, rgb=True, name="late")
    widget.session.wait()
    assert widget.chooser.image.value is viewer.layers["late"]
    assert "late density" in viewer.layers


def test_the_active_image_is_looked_at_first(viewer: Viewer, dock: Dock) -> None:
    first = viewer.add_image(RGB, rgb=True, name="first")
    viewer.add_image(RGB[::-1], rgb=True, name="second")
    viewer.layers.selection.active = first
    widget = dock()
    assert widget.chooser.image.value is first


def test_every_page_is_seen_whole_where_the_dock_is_narrow(
    viewer: Viewer, dock: Dock, qtbot: Any
) -> None:
    widget = dock(RGB)
    window, own, colorspace = widget.window(), widget.parent(), widget.colorspace
    assert isinstance(window, QMainWindow)
    assert isinstance(own, QDockWidget)
    assert colorspace is not None
    window.resizeDocks([own, colorspace.parent()], [200] * 2, Qt.Orientation.Horizontal)
    qtbot.waitUntil(lambda: widget.width() < 350)
    for number in range(widget.tabs.count()):
        widget.tabs.setCurrentIndex(number)
        QApplication.processEvents()
        for area in widget.findChildren(QScrollArea):
            if area.isVisible():
                assert area.widget().width() <= area.viewport().width()


def test_large_fonts_cut_nothing(
    viewer: Viewer, dock: Dock, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer.window.resize(1366, 768)
    widget = dock(RGB)
    widget.classification.controls.skin_button.native.click()
    widget.session.wait()
    monkeypatch.setattr(get_settings().appearance, "font_size", 16)
    QApplication.processEvents()
    for number in range(widget.tabs.count()):
        widget.tabs.setCurrentIndex(number)
        QApplication.processEvents()
        for area in widget.findChildren(QScrollArea):
            if area.isVisible():
                assert area.widget().minimumSizeHint().width() <= area.viewport().width()


# --- choosing


def test_choosing_and_renaming_and_removing_images(viewer: Viewer, dock: Dock) -> None:
    widget = dock(RGB)
    other = viewer.add_image(RGB[:, ::-1], rgb=True, name="other")
    assert widget.overlay.image is viewer.layers["photo"]
    widget.chooser.image.value = other
    widget.session.wait()
    assert "other density" in viewer.layers
    assert set(widget.chooser.image.choices) == {other, viewer.layers["photo"]}
    other.name = "painting"
    assert widget.chooser.image.native.currentText() == "painting"
    viewer.layers.remove("painting")
    widget.session.wait()
    assert widget.chooser.image.value is viewer.layers["photo"]
    viewer.layers.remove("photo")
    widget.session.wait()
    assert widget.session.source is None
    assert widget.chooser.image.native.currentText() == "choose an image layer"


def test_color_channels_are_chosen_and_kept_with_the_image(viewer: Viewer, dock: Dock) -> None:
    widget = dock(RGB)
    choices = widget.chooser.channels.choices
    widget.chooser.channels.value = next(c for c in choices if c.names == ("red", "blue"))
    widget.session.wait()
    assert widget.session.palette is not None
    assert widget.session.palette.n_channels == 2
    widget.session.channels = None
    assert widget.chooser.channels.native.currentText() == "red, green, blue"


def test_problems_are_told_in_the_dock(viewer: Viewer, dock: Dock, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_text("no image")
    widget = dock(RGB[..., 0], rgb=False)
    widget.panel.show_what.value = "kernels"
    with pytest.raises(RuntimeError):
        widget.session.wait()
    assert "kernels are for 3 channels" in widget.status.problem.text()
    widget.panel.show_what.value = "kde"
    widget.session.wait()
    assert not widget.status.problem.isVisible()
    widget.chooser.open_image(tmp_path / "bad.png")
    widget.session.wait()
    assert "bad.png" in widget.status.problem.text()
    assert widget.session.source is not None


def test_a_chosen_image_comes_up_and_a_deleted_one_is_followed_by_another(
    viewer: Viewer, dock: Dock
) -> None:
    widget = dock(RGB)
    other = viewer.add_image(RGB[:, ::-1], rgb=True, name="other", visible=False)
    viewer.layers.move(viewer.layers.index(other), 0)
    widget.chooser.image.value = other
    widget.session.wait()
    names = [layer.name for layer in viewer.layers]
    assert names.index("other") > names.index("photo")
    assert names.index("other density") > names.index("other")
    assert other.visible
    viewer.layers.remove(other)
    widget.session.wait()
    assert widget.chooser.image.value is viewer.layers["photo"]
    assert [layer.name for layer in viewer.layers] == ["photo", "photo density"]


# --- files


def test_no_way_out_writes_over_a_file_that_is_open(
    viewer: Viewer, dock: Dock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "photo.png"
    iio.imwrite(path, RGB)
    before = path.read_bytes()
    widget = dock()
    answer(monkeypatch, path)
    widget.chooser.open_button.native.click()
    widget.session.wait()
    widget.panel.export_button.native.click()
    widget.session.wait()
    assert "is open as the layer 'photo'" in widget.status.problem.text()
    (tmp_path / "link.png").symlink_to(path)
    colorspace: Any = widget.colorspace
    for target in (path, tmp_path / "link.png"):
        colorspace.save_picture(target, (32, 32))
        assert "is open as the layer 'photo'" in widget.status.problem.text()
    density = viewer.layers["photo density"]
    with pytest.raises(ValueError, match="is open as the layer 'photo'"):
        write_density_layer(str(path), density.data, density._get_state())
    assert path.read_bytes() == before


def test_names_with_a_dot_get_their_suffix(
    viewer: Viewer, dock: Dock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    widget = dock(RGB)
    answer(monkeypatch, tmp_path / "sky.v2", "NumPy (*.npy)")
    widget.panel.export_button.native.click()
    widget.session.wait()
    assert [path.name for path in tmp_path.iterdir()] == ["sky.v2.npy"]


def test_an_image_is_opened(viewer: Viewer, dock: Dock, tmp_path: Path, monkeypatch: Any) -> None:
    np.save(tmp_path / "opened.npy", RGB)
    widget = dock()
    answer(monkeypatch, tmp_path / "opened.npy")
    widget.chooser.open_button.native.click()
    widget.session.wait()
    assert [layer.name for layer in viewer.layers] == ["opened", "opened density"]


def test_the_density_is_exported_as_it_is_shown(
    viewer: Viewer, dock: Dock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    widget = dock()
    widget.export(tmp_path / "density.tif")
    assert "no finished density" in widget.status.problem.text()
    viewer.add_image(RGB, rgb=True, name="photo")
    widget.session.wait()
    viewer.layers["photo density"].colormap = "gray"
    for name, kind in (("d", "NumPy (*.npy)"), ("d.png", ""), ("d.tif", "")):
        answer(monkeypatch, tmp_path / name, kind)
        widget.panel.export_button.native.click()
        widget.session.wait()
    assert {path.name for path in tmp_path.iterdir()} == {"d.npy", "d.png", "d.tif"}
    wanted = ColorKDE(RGB).density(RGB, log=True)
    np.testing.assert_allclose(np.load(tmp_path / "d.npy"), wanted)
    picture = iio.imread(tmp_path / "d.png")
    np.testing.assert_array_equal(picture[..., 0], picture[..., 2])
    assert widget.status.news.text() == f"Saved {tmp_path / 'd.tif'}."


def test_a_saved_picture_is_told_in_place_of_an_earlier_problem(dock: Dock, tmp_path: Path) -> None:
    widget = dock(RGB)
    assert widget.colorspace is not None
    widget.colorspace.save_picture(tmp_path / "x.jpg", (32, 32))
    assert "'.jpg'" in widget.status.problem.text()
    widget.colorspace.save_picture(tmp_path / "x.png", (32, 32))
    assert widget.status.news.text() == f"Saved {tmp_path / 'x.png'}."
    assert not widget.status.problem.isVisible()
    widget.session.kernels = KernelSet([Kernel([60, 60, 60], [90, 90, 90], 0.25)])
    widget.kernels.chooser.save_file(tmp_path / "mine.json")
    assert widget.status.news.text() == f"Saved {tmp_path / 'mine.json'}."


# --- life


def test_the_cross_stops_everything_and_layers_stay(viewer: Viewer, dock: Dock, qtbot: Any) -> None:
    widget = dock(RGB)
    session = widget.session
    close_dock(widget, qtbot)
    assert [layer.name for layer in viewer.layers] == ["photo", "photo density"]
    assert dict(viewer.window.dock_widgets) == {}
    session.bandwidth = 9  # no worker, no layer to paint on, no error


def test_opening_three_times_leaves_no_callback_behind(
    viewer: Viewer, dock: Dock, qtbot: Any, live_objects: Callable[[], Counter[str]]
) -> None:
    close_dock(dock(RGB), qtbot)
    before, objects = callbacks(viewer), live_objects()
    for _ in range(3):
        close_dock(dock(), qtbot)
    assert callbacks(viewer) == before
    assert live_objects() == objects


def test_the_color_space_can_be_closed_alone(dock: Dock, qtbot: Any) -> None:
    widget = dock(RGB)
    close_dock(widget.colorspace, qtbot)  # type: ignore[arg-type]
    assert widget.colorspace is None
    widget.session.bandwidth = 9
    widget.session.wait()


def test_a_closed_color_space_is_opened_again_above_as_it_was(
    viewer: Viewer, dock: Dock, qtbot: Any
) -> None:
    widget = dock(RGB)
    assert widget.colorspace is not None
    assert widget.colorspace_button.isHidden()
    widget.colorspace.controls.mode.value = "maximum"
    widget.colorspace.controls.density_floor.value = 100
    close_dock(widget.colorspace, qtbot)
    assert widget.colorspace_button.isVisible()
    widget.session.bandwidth = 9
    widget.session.wait()
    widget.colorspace_button.click()
    colorspace: Any = widget.colorspace
    assert colorspace is not None
    assert widget.colorspace_button.isHidden()
    assert colorspace.canvas.mode == "maximum"
    assert colorspace.canvas.density_floor == pytest.approx(1 / 8)
    estimate: Any = widget.session.estimate
    np.testing.assert_array_equal(colorspace.canvas.values, estimate.volume.values)
    qtbot.waitUntil(
        lambda: colorspace.parent().geometry().bottom() < widget.parent().geometry().top()
    )
    assert colorspace.parent().geometry().left() == widget.parent().geometry().left()
    assert widget.links is not None


def test_a_hidden_color_space_is_shown_again(viewer: Viewer, dock: Dock) -> None:
    widget = dock(RGB)
    before: Any = widget.colorspace
    before.parent().close()
    assert widget.colorspace_button.isVisible()
    widget.colorspace_button.click()
    assert before.isVisible()
    assert widget.colorspace is before
    assert widget.colorspace_button.isHidden()


def test_a_color_space_behind_another_tab_comes_to_the_front(
    viewer: Viewer, dock: Dock, qtbot: Any
) -> None:
    widget = dock(RGB)
    window, own, colorspace = widget.window(), widget.parent(), widget.colorspace
    assert isinstance(window, QMainWindow)
    assert isinstance(own, QDockWidget)
    assert colorspace is not None
    window.tabifyDockWidget(colorspace.parent(), own)
    colorspace.parent().close()
    own.raise_()
    widget.colorspace_button.click()
    qtbot.waitUntil(lambda: not colorspace.visibleRegion().isEmpty())
    assert colorspace.parent().isVisible()


def test_opening_the_color_space_again_leaves_nothing_behind(
    viewer: Viewer, dock: Dock, qtbot: Any, live_objects: Callable[[], Counter[str]]
) -> None:
    widget = dock(RGB)
    found = []
    for _ in range(3):
        close_dock(widget.colorspace, qtbot)  # type: ignore[arg-type]
        widget.colorspace_button.click()
        widget.session.wait()
        found.append((callbacks(viewer), live_objects()))
    assert found[0] == found[1] == found[2]


@pytest.mark.timeout(120)
def test_closing_the_window_in_the_middle_of_work_neither_hangs_nor_raises(
    viewer: Viewer, dock: Dock
) -> None:
    widget = dock(RNG.integers(0, 256, (200, 300, 3)).astype(np.uint8))
    widget.session.bandwidth = "loco"
    QApplication.processEvents()
    viewer.close()
    QThreadPool.globalInstance().waitForDone()  # as napari does before it ends


def test_removing_the_image_in_the_middle_of_work_stops_it(viewer: Viewer, dock: Dock) -> None:
    widget = dock(RGB)
    widget.session.bandwidth = "loco"
    viewer.layers.remove("photo")
    widget.session.wait()
    assert widget.session.source is None
    assert len(viewer.layers) == 0


@pytest.fixture
def strayed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Kinds of OpenGL objects that were deleted in another context than they were made in.

    There, their number may be that of something of napari's.
    """
    homes: dict[int, Any] = {}
    found: list[str] = []

    def watch(kind: type[Any]) -> None:
        create, delete = kind.create, kind.delete

        def created(item: Any) -> None:
            create(item)
            homes[id(item)] = QOpenGLContext.currentContext()

        def deleted(item: Any) -> None:
            here = QOpenGLContext.currentContext()
            if homes.pop(id(item), here) != here:
                found.append(kind.__name__)
            delete(item)

        monkeypatch.setattr(kind, "create", created)
        monkeypatch.setattr(kind, "delete", deleted)

    for kind in (glir.GlirTexture2D, glir.GlirTexture3D, glir.GlirVertexBuffer, glir.GlirProgram):
        watch(kind)
    return found


def test_no_object_of_the_color_space_is_deleted_in_a_later_context(
    strayed: list[str], dock: Dock, qtbot: Any
) -> None:
    widget = dock(RGB)
    assert widget.colorspace is not None
    canvas, colorspace_dock = widget.colorspace.canvas, widget.colorspace.parent()
    for floating in (True, False):
        canvas.render((120, 120))
        before = canvas.native.context()
        colorspace_dock.setFloating(floating)
        qtbot.waitUntil(lambda before=before: canvas.native.context() is not before)
        qtbot.wait(200)
    canvas.render((120, 120))
    assert strayed == []


def test_floating_and_docking_again_keeps_the_color_space(dock: Dock, qtbot: Any) -> None:
    widget = dock(RGB)
    assert widget.colorspace is not None
    colorspace_dock = widget.colorspace.parent()
    for floating in (True, False):
        colorspace_dock.setFloating(floating)
        qtbot.wait(200)
        picture = widget.colorspace.canvas.render((120, 120))
        assert np.ptp(picture[..., :3]) > 100
    own = widget.parent()
    own.setFloating(True)
    qtbot.waitUntil(lambda: own.titleBarWidget().findChild(QLabel).text() == "Color KDE")
    own.setFloating(False)
    widget.session.bandwidth = 9
    widget.session.wait()


def test_the_background_is_chosen_and_shows_dark_and_light_colors(
    viewer: Viewer, dock: Dock
) -> None:
    widget = dock(RGB)
    colorspace: Any = widget.colorspace

    def background() -> int:
        return int(colorspace.canvas.render((60, 60))[0, 0, :3].astype(int).mean())

    # Away from black and from white, whatever napari's own theme is.
    assert 80 < background() < 175
    viewer.theme = "light"
    assert 80 < background() < 175
    found = []
    for action in colorspace.menu.backgrounds.actions():
        action.trigger()
        found.append(background())
    gray, dark, light = found
    assert dark < gray - 50 < gray + 50 < light
    widget.session.undo()
    assert widget.session.view.background == "light"
