"""How the color space is looked at outlives the view that shows it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from napari_colorkde.app.settings.view_settings import ViewSettings
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from tests.app.settings.test_view_settings import VIEW
from tests.ui.conftest import RGB, Dock, close_dock

if TYPE_CHECKING:
    from napari import Viewer

pytestmark = pytest.mark.window

KERNELS = KernelSet([Kernel([60, 60, 60], [90, 90, 90], 1.0, cls="a")], "mine")


def choose_everything(colorspace: Any) -> None:
    """Choose by the widgets, and turn, zoom and shift the view."""
    controls, menu, canvas = colorspace.controls, colorspace.menu, colorspace.canvas
    controls.mode.value = "maximum"
    controls.scale.value = "log"
    controls.exposure.value = 13
    controls.density_floor.value = 40
    menu.perspective.setChecked(False)
    menu.marginals.setChecked(True)
    menu.outline.setChecked(False)
    menu.legend.setChecked(False)
    menu.set_shells("30, 60")
    menu.set_cut(1, 0.3)
    menu.sizes.actions()[2].trigger()
    menu.colorings.actions()[1].trigger()
    canvas.rotate(33.0, 12.0)
    canvas.camera.scale_factor *= 0.7
    canvas.camera.center = (0.2, 0.6, 0.4)
    menu.auto_rotate.setChecked(True)


def assert_drawn(colorspace: Any, look: ViewSettings) -> None:
    """What is on the canvas, not on the widgets."""
    canvas = colorspace.canvas
    assert (canvas.mode, canvas.scale) == (look.mode, look.scale)
    assert canvas.exposure == pytest.approx(look.exposure)
    assert canvas.density_floor == pytest.approx(look.density_floor)
    assert canvas.perspective == look.perspective
    assert canvas.auto_rotate == look.auto_rotate
    assert canvas.walls.is_needed == look.marginals
    assert canvas.legend_shown == look.legend
    assert canvas.shells == look.shells
    assert canvas.cut.is_needed == (look.cut is not None)
    box = canvas.space.box
    through = box.low[look.cut] + look.cut_at * (box.high[look.cut] - box.low[look.cut])
    assert canvas.cut.through[look.cut] == pytest.approx(through)


def test_a_view_that_is_opened_again_looks_as_before(
    viewer: Viewer, dock: Dock, qtbot: Any
) -> None:
    widget: Any = dock(RGB)
    widget.session.kernels = KERNELS
    widget.session.wait()
    choose_everything(widget.colorspace)
    before = widget.session.view
    close_dock(widget.colorspace, qtbot)
    seen = widget.session.view
    assert replace(seen, viewpoint=None) == replace(before, viewpoint=None)
    widget.colorspace_button.click()
    colorspace = widget.colorspace
    assert_drawn(colorspace, seen)
    assert (widget.session.view.radius, widget.session.view.by_class) == (3.0, True)
    colorspace.menu.auto_rotate.setChecked(False)
    # Turned by itself, at most, in the meantime.
    np.testing.assert_allclose(colorspace.canvas.viewpoint[1:], seen.viewpoint[1:], rtol=1e-6)
    assert colorspace.canvas.viewpoint[1:3] == pytest.approx((32.0, 1 / 0.7))
    assert not colorspace.menu.outline.isChecked()
    assert [a.isChecked() for a in colorspace.menu.sizes.actions()] == [False, False, True]
    assert replace(widget.session.view, viewpoint=None) == replace(
        seen, auto_rotate=False, viewpoint=None
    )


def test_a_look_that_is_set_is_shown_in_the_space_that_comes_with_it(dock: Dock) -> None:
    widget: Any = dock(RGB)
    widget.session.space = "lab"
    widget.session.view = replace(VIEW, auto_rotate=False)
    widget.session.wait()
    assert_drawn(widget.colorspace, replace(VIEW, auto_rotate=False))
    np.testing.assert_allclose(widget.colorspace.canvas.viewpoint, VIEW.viewpoint)
    # Of another image it is the first view again.
    widget.session.space = "oklab"
    widget.session.wait()
    assert widget.colorspace.canvas.viewpoint is None


def test_the_session_knows_a_view_that_has_come_to_rest(dock: Dock, qtbot: Any) -> None:
    widget: Any = dock(RGB)
    widget.colorspace.canvas.rotate(20.0)
    qtbot.waitUntil(lambda: widget.session.view.viewpoint is not None)
    assert widget.session.view == ViewSettings(viewpoint=widget.colorspace.canvas.viewpoint)
    widget.colorspace.menu.reset.trigger()
    qtbot.waitUntil(lambda: widget.session.view == ViewSettings())


def test_a_cut_stays_at_its_part_of_the_axis(dock: Dock) -> None:
    widget: Any = dock(RGB)
    widget.colorspace.menu.set_cut(0, 0.25)
    np.testing.assert_allclose(widget.colorspace.canvas.cut.through[0], 0.25 * 255)
    widget.session.space = "lab"
    widget.session.wait()
    box = widget.colorspace.canvas.space.box
    at = (widget.colorspace.canvas.cut.through[0] - box.low[0]) / (box.high[0] - box.low[0])
    assert at == pytest.approx(0.25)


def test_a_theme_and_a_new_context_change_nothing(viewer: Viewer, dock: Dock, qtbot: Any) -> None:
    widget: Any = dock(RGB)
    colorspace = widget.colorspace
    choose_everything(colorspace)
    colorspace.menu.auto_rotate.setChecked(False)
    qtbot.waitUntil(lambda: colorspace.canvas.is_high_quality)
    look = widget.session.view
    viewer.theme = "light"
    for floating in (True, False):
        context = colorspace.canvas.native.context()
        colorspace.parent().setFloating(floating)
        qtbot.waitUntil(lambda context=context: colorspace.canvas.native.context() is not context)
    qtbot.waitUntil(lambda: colorspace.canvas.is_high_quality)
    assert widget.session.view.viewpoint == pytest.approx(look.viewpoint, rel=1e-6)
    assert replace(widget.session.view, viewpoint=look.viewpoint) == look
    assert_drawn(colorspace, look)
