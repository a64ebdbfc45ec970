from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication, QLabel
from vispy.scene import SceneCanvas

from napari_colorkde.app.image.source import source_of_array
from napari_colorkde.app.session import Session
from napari_colorkde.ui.colorspace.marginal_planes import MarginalPlanesView
from napari_colorkde.ui.colorspace.toolbar import MODES
from napari_colorkde.ui.colorspace.view import ColorSpaceView, make_view
from tests.ui.conftest import RGB

pytestmark = pytest.mark.window

RED = np.zeros((20, 20, 3), np.uint8)
RED[..., 0] = np.random.default_rng(0).integers(180, 250, (20, 20))


@pytest.fixture
def view(qtbot: Any) -> Iterator[ColorSpaceView]:
    session = Session()
    view = ColorSpaceView(session, "dark")
    view.resize(300, 320)
    view.show()
    qtbot.waitExposed(view)
    yield view
    view.close_view()
    view.deleteLater()
    session.close()


def picture(view: ColorSpaceView) -> np.ndarray:
    assert view.canvas is not None
    return view.canvas.render((160, 160))[..., :3].astype(int)


def test_a_red_image_gives_a_red_cloud_and_a_green_one_a_green(view: ColorSpaceView) -> None:
    view.session.open(source_of_array(RED))
    red = picture(view)
    view.session.open(source_of_array(np.roll(RED, 1, axis=-1)))
    # The colored edges of the cube are in both.
    change = (red - picture(view)).sum((0, 1))
    assert change[0] > 300
    assert change[1] < -300
    assert abs(change[2]) < min(change[0], -change[1]) / 3


def test_numbers_of_another_range_have_their_own_colors(view: ColorSpaceView) -> None:
    from napari.layers import Image

    from napari_colorkde.app.image.source import source_of

    layer = Image((RED / 255).astype(np.float32), rgb=True)
    view.session.open(source_of(layer))
    palette = view.session.palette
    assert palette is not None
    color_of = view.color_of(palette)
    assert color_of is not None
    np.testing.assert_allclose(color_of(np.array([[0.5, 0.25, 2.0]])), [[0.5, 0.25, 1.0]])
    # The same function again: the view then uploads the density only.
    assert view.color_of(palette) is color_of
    cloud = picture(view)
    assert (cloud[..., 0] - cloud[..., 1:].max(-1) > 80).sum() > 100


def test_a_click_does_not_draw_the_whole_scene_again_and_turns_it(
    view: ColorSpaceView, monkeypatch: pytest.MonkeyPatch, qtbot: Any
) -> None:
    assert view.canvas is not None
    view.session.open(source_of_array(RED))
    drawn: list[object] = []
    monkeypatch.setattr(SceneCanvas, "render", lambda *args, **options: drawn.append(args))
    native, left = view.canvas.native, Qt.MouseButton.LeftButton
    before = view.canvas.viewpoint
    qtbot.mousePress(native, left, pos=QPoint(90, 90))
    for at in (100, 120):
        event = QMouseEvent(
            QEvent.Type.MouseMove, QPointF(at, 95), left, left, Qt.KeyboardModifier.NoModifier
        )
        QApplication.sendEvent(native, event)
    qtbot.mouseRelease(native, left, pos=QPoint(120, 95))
    assert drawn == []
    assert view.canvas.viewpoint != before


def test_closing_the_image_empties_the_view(view: ColorSpaceView) -> None:
    empty = picture(view)
    view.session.open(source_of_array(RED))
    assert not np.array_equal(picture(view), empty)
    view.session.open(None)
    np.testing.assert_array_equal(picture(view), empty)


def test_another_image_that_is_still_counted_is_not_shown_as_the_one_before(
    view: ColorSpaceView, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = picture(view)
    view.session.open(source_of_array(RED))
    monkeypatch.setattr(view.session.computation.counter, "count", lambda: None)
    view.session.open(source_of_array(RGB))
    np.testing.assert_array_equal(picture(view), empty)


def test_exposure_scale_and_reset_are_controls(view: ColorSpaceView) -> None:
    view.session.open(source_of_array(RGB))
    before = picture(view)
    view.controls.exposure.value = 30
    brighter = picture(view)
    assert np.abs(brighter - before).sum() > 1000
    view.controls.exposure.value = 0
    view.controls.scale.value = "log"
    assert np.abs(picture(view) - before).sum() > 1000
    view.controls.scale.value = "linear"
    view.menu.reset.trigger()
    assert np.abs(picture(view) - before).mean() < 1


@pytest.mark.parametrize("mode", list(MODES.values()))
def test_every_mode_shows_the_colors(view: ColorSpaceView, mode: str) -> None:
    view.session.open(source_of_array(RED))
    view.controls.mode.value = mode
    shown = picture(view)
    assert (shown[..., 0] - shown[..., 1:].max(-1) > 40).sum() > 20


def test_counts_follow_another_image(view: ColorSpaceView) -> None:
    view.session.open(source_of_array(RED))
    view.controls.mode.value = "points"
    view.session.open(source_of_array(np.roll(RED, 1, axis=-1)))
    shown = picture(view)
    assert (shown[..., 1] - shown[..., (0, 2)].max(-1) > 40).sum() > 20


@pytest.mark.parametrize("channels", [1, 2])
def test_fewer_channels_are_shown_flat(view: ColorSpaceView, channels: int) -> None:
    image = RGB[..., :channels] if channels > 1 else RGB[..., 0]
    view.session.open(source_of_array(image))
    assert np.ptp(picture(view)) > 60


def test_what_needs_three_channels_is_offered_for_them_and_stays_chosen(
    view: ColorSpaceView,
) -> None:
    menu, controls = view.menu, view.controls
    view.session.open(source_of_array(RED))
    controls.mode.value = "shells"
    menu.marginals.setChecked(True)
    model: Any = controls.mode.native.model()
    needy = (
        menu.marginals,
        menu.perspective,
        menu.auto_rotate,
        menu.shells,
        model.item(1),
        model.item(2),
    )
    assert all(choice.isEnabled() for choice in needy)
    view.session.open(source_of_array(RED[..., 0]))
    assert not any(choice.isEnabled() for choice in needy)
    assert all("three color channels" in choice.toolTip() for choice in needy)
    view.session.open(source_of_array(RED))
    assert all(choice.isEnabled() for choice in needy)
    assert controls.mode.value == "shells"
    assert menu.marginals.isChecked()


def test_what_has_no_effect_in_a_mode_is_not_offered_in_it(view: ColorSpaceView) -> None:
    menu, controls = view.menu, view.controls
    assert not menu.shells.isEnabled()
    controls.mode.value = "points"
    assert not controls.scale.enabled
    assert controls.scale.tooltip.startswith("Available while densities are shown")
    menu.marginals.setChecked(True)
    assert controls.scale.enabled
    menu.marginals.setChecked(False)
    controls.mode.value = "shells"
    assert controls.scale.enabled
    assert menu.shells.isEnabled()


def test_without_opengl_a_sentence_stands_in_its_place(
    qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_colorkde.scene.gl import context

    def refuse() -> None:
        raise context.NoOpenGLError("OpenGL is not available here.")

    monkeypatch.setattr(context, "probe", refuse)
    session = Session()
    view = make_view(session, "dark")
    qtbot.addWidget(view)
    assert view.findChild(QLabel).text() == "OpenGL is not available here."
    assert isinstance(view, MarginalPlanesView)
    session.open(source_of_array(RED))
    (red_green, caption), (_red_blue, _), (green_blue, _) = view.planes.planes.pictures
    assert caption == "red → green ↑"
    # The mass lies at the right and at the bottom, and is red.
    found = red_green.pixelColor(int(0.85 * red_green.width()), red_green.height() - 1)
    assert found.alpha() > 100
    assert found.red() > 200
    assert found.green() < 20
    assert red_green.pixelColor(5, 5).alpha() == 0
    assert green_blue.pixelColor(0, green_blue.height() - 1).alpha() > 100
    view.resize(360, 260)
    view.show()
    qtbot.waitExposed(view)
    assert np.ptp(np.array([view.grab().toImage().pixelColor(x, 150).red() for x in range(360)]))
    session.open(source_of_array(RED[..., :2]))
    ((plane, caption),) = view.planes.planes.pictures
    assert caption.endswith(" ↑")
    assert plane.pixelColor(int(0.85 * plane.width()), plane.height() - 1).alpha() > 100
    assert plane.pixelColor(5, 5).alpha() == 0
    session.open(source_of_array(RED[..., 0]))
    ((area, caption),) = view.planes.planes.pictures
    assert caption.endswith(" →")
    assert area.pixelColor(int(0.85 * area.width()), area.height() - 1).alpha() == 255
    assert area.pixelColor(5, area.height() - 1).alpha() == 0
    # The peak reaches the top, and only the peak.
    top = [area.pixelColor(x, 0).alpha() for x in range(area.width())]
    assert max(top) == 255
    assert 0 < sum(alpha > 0 for alpha in top) < area.width() / 4
    session.open(None)
    assert view.planes.planes.pictures == []
    view.set_theme("light")
    view.close_view()
    session.close()
