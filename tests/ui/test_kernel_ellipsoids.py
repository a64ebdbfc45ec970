"""Kernels in the colour space, with a canvas that only remembers what it was told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from unittest.mock import create_autospec

import numpy as np
import pytest

from napari_colorkde.app.session import Session
from napari_colorkde.app.sources import source_of_array
from napari_colorkde.core.kernels import Kernel, KernelSet
from napari_colorkde.scene.canvas import ColorSpaceCanvas
from napari_colorkde.ui.kernel_ellipsoids import KernelEllipsoids
from napari_colorkde.ui.kernels_panel import KernelsPanel
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
        self.canvas = create_autospec(ColorSpaceCanvas, instance=True)
        self.ellipsoids = KernelEllipsoids(self.canvas, self.session, self.panel.table)

    @property
    def means(self) -> list[list[float]]:
        means: list[list[float]] = self.canvas.set_ellipsoids.call_args.args[0].tolist()
        return means

    @property
    def selected(self) -> Any:
        return self.canvas.set_ellipsoids.call_args.kwargs.get("selected")


@pytest.fixture
def setting(qtbot: Any) -> Iterator[Setting]:
    setting = Setting()
    qtbot.addWidget(setting.panel)
    yield setting
    setting.ellipsoids.close()
    setting.panel.disconnect_session()


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
    setting.canvas.on_ellipsoid_clicked(0)
    assert setting.panel.table.chosen() == [0]
    assert setting.selected == 0
    setting.canvas.on_ellipsoid_clicked(None)
    assert setting.selected is None


def test_dragging_moves_the_kernel_in_one_step_of_undo(setting: Setting) -> None:
    for red in (51.0, 52.0, 53.0):
        setting.canvas.on_ellipsoid_moved(1, np.array([red, 60, 70]))
    np.testing.assert_array_equal(kernel(setting, 2).mean, [53, 60, 70])
    assert setting.means[1] == [53, 60, 70]
    setting.session.undo()
    assert setting.session.kernels == KERNELS


def test_stretching_keeps_a_kernel_without_correlations(setting: Setting) -> None:
    setting.canvas.on_ellipsoid_reshaped(0, np.diag([25.0, 9, 16]))
    np.testing.assert_array_equal(kernel(setting, 0).covariance, [25, 9, 16])
    setting.canvas.on_ellipsoid_reshaped(1, 2 * np.array(FULL))
    np.testing.assert_array_equal(kernel(setting, 2).covariance, 2 * np.array(FULL))


def test_a_shape_that_cannot_be_is_passed_over(setting: Setting) -> None:
    setting.canvas.on_ellipsoid_reshaped(0, np.diag([0.0, 9, 16]))
    assert setting.session.kernels == KERNELS


def test_the_colour_space_of_the_dock_shows_the_kernels(viewer: Viewer, dock: Dock) -> None:
    widget = dock(RGB)
    assert widget.cube is not None
    before = widget.cube.canvas.render((160, 160)).astype(int)
    widget.session.kernels = KERNELS
    widget.session.wait()
    after = widget.cube.canvas.render((160, 160)).astype(int)
    assert np.abs(after - before).max() > 30
