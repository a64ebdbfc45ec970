"""Kernels in the color space, with a canvas that only remembers what it was told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from napari_colorkde.app.image.source import source_of_array
from napari_colorkde.app.layers.overlay_colormap import class_color
from napari_colorkde.app.session import Session
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.ui.colorspace.ellipsoid_editor import KernelEllipsoids
from napari_colorkde.ui.kernels.panel import KernelsPanel
from tests.scene.remembering import make_canvas
from tests.ui.conftest import RGB, Dock

if TYPE_CHECKING:
    from napari import Viewer

pytestmark = pytest.mark.window

FULL = [[90.0, 30.0, 0.0], [30.0, 80.0, -10.0], [0.0, -10.0, 70.0]]
KERNELS = KernelSet(
    [
        Kernel([60, 55, 50], [4, 9, 16], 0.5),
        Kernel([9, 9, 9], [9, 9, 9], 0.5, visible=False),
        Kernel([50, 60, 70], FULL, 0.25),
    ],
    "mine",
)


class Setting:
    def __init__(self) -> None:
        self.session = Session()
        self.session.open(source_of_array(RGB))
        self.session.kernels = KERNELS
        self.panel = KernelsPanel(self.session)
        self.canvas = make_canvas()
        self.ellipsoids = KernelEllipsoids(self.canvas, self.session, self.panel.table)

    @property
    def means(self) -> list[list[float]]:
        means: list[list[float]] = self.canvas.set_ellipsoids.call_args.args[0].tolist()
        return means

    @property
    def colors(self) -> Any:
        """None where the canvas shall take those of the means."""
        arguments = self.canvas.set_ellipsoids.call_args.args
        return arguments[2] if len(arguments) > 2 else None

    @property
    def selected(self) -> Any:
        return self.canvas.set_ellipsoids.call_args.kwargs.get("selected")


@pytest.fixture
def setting(qtbot: Any) -> Iterator[Setting]:
    setting = Setting()
    qtbot.addWidget(setting.panel)
    yield setting
    setting.ellipsoids.close()
    setting.panel.close_session()


def kernel(setting: Setting, k: int) -> Kernel:
    assert setting.session.kernels is not None
    return setting.session.kernels[k]


def test_visible_kernels_are_shown_while_kernels_are(setting: Setting) -> None:
    assert setting.means == [[60, 55, 50], [50, 60, 70]]
    setting.session.show = "kde"
    assert setting.means == []
    setting.session.undo()
    assert len(setting.means) == 2


def test_the_table_selects_an_ellipsoid_and_an_ellipsoid_a_row(setting: Setting) -> None:
    setting.panel.table.choose([2])
    assert setting.selected == 1
    setting.canvas.ellipsoid_clicked.emit(0)
    assert setting.panel.table.chosen() == [0]
    assert setting.selected == 0
    setting.canvas.ellipsoid_clicked.emit(None)
    assert setting.selected is None


def test_classes_have_the_colors_of_their_map(setting: Setting) -> None:
    one, hidden, bare = KERNELS
    oak, elm = replace(one, cls="oak"), replace(hidden, cls="elm")
    setting.session.kernels = KernelSet([oak, elm, bare], "mine")
    assert setting.colors is None
    setting.session.set_view(by_class=True)
    # The class of the hidden one counts; a kernel without a class is of its set.
    np.testing.assert_array_equal(setting.colors, [class_color(0), class_color(2)])
    setting.session.kernels = KernelSet([replace(oak, cls="elm"), elm, replace(bare, cls="oak")])
    np.testing.assert_array_equal(setting.colors, [class_color(0), class_color(1)])
    setting.session.set_view(by_class=False)
    assert setting.colors is None


def test_one_class_is_counted_among_those_of_the_other_sets(setting: Setting) -> None:
    setting.session.set_view(by_class=True)
    np.testing.assert_array_equal(setting.colors, [class_color(0)] * 2)
    sets = {"bark": KernelSet([KERNELS[0]], "bark"), "mine": KERNELS}
    setting.session.set(kernel_sets=sets, kernel_set="mine")
    np.testing.assert_array_equal(setting.colors, [class_color(1)] * 2)


def test_dragging_moves_the_kernel_in_one_step_of_undo(setting: Setting) -> None:
    for red in (51.0, 52.0, 53.0):
        setting.canvas.ellipsoid_moved.emit(1, np.array([red, 60, 70]))
    np.testing.assert_array_equal(kernel(setting, 2).mean, [53, 60, 70])
    assert setting.means[1] == [53, 60, 70]
    setting.session.undo()
    assert setting.session.kernels == KERNELS


def test_stretching_keeps_a_kernel_without_correlations(setting: Setting) -> None:
    setting.canvas.ellipsoid_reshaped.emit(0, np.diag([25.0, 9, 16]))
    np.testing.assert_array_equal(kernel(setting, 0).covariance, [25, 9, 16])
    setting.canvas.ellipsoid_reshaped.emit(1, 2 * np.array(FULL))
    np.testing.assert_array_equal(kernel(setting, 2).covariance, 2 * np.array(FULL))


def test_a_shape_that_cannot_be_is_passed_over(setting: Setting) -> None:
    setting.canvas.ellipsoid_reshaped.emit(0, np.diag([0.0, 9, 16]))
    assert setting.session.kernels == KERNELS


def test_the_color_space_of_the_dock_shows_the_kernels(viewer: Viewer, dock: Dock) -> None:
    widget = dock(RGB)
    assert widget.colorspace is not None
    before = widget.colorspace.canvas.render((160, 160)).astype(int)
    widget.session.kernels = KERNELS
    widget.session.wait()
    after = widget.colorspace.canvas.render((160, 160)).astype(int)
    assert np.abs(after - before).max() > 30
