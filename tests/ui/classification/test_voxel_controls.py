"""Only the voxels of the chosen kernels are seen, in their own colors; by the user's hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from tests.app.layers.voxels.test_voxels import BOTH, COVARIANCE, GREEN, PURPLE, STACK
from tests.ui.conftest import RGB, Dock

if TYPE_CHECKING:
    from napari import Viewer

pytestmark = [pytest.mark.window, pytest.mark.usefixtures("flat_color_space")]


def click(box: Any) -> None:
    """Click on the square of a check box."""
    QTest.mouseClick(box.native, Qt.MouseButton.LeftButton, pos=QPoint(8, box.native.height() // 2))
    QApplication.processEvents()


def seen(viewer: Viewer) -> set[str]:
    """The colors on the canvas, but for what is nearly as dark as its background."""
    picture = np.asarray(viewer.screenshot(canvas_only=True, flash=False))[..., :3].astype(int)
    red, green, _ = picture[picture.max(axis=-1) > 60].T
    names = np.where(green > red + 20, "green", np.where(red > green + 20, "purple", "gray"))
    return set(names.tolist())


def test_only_the_voxels_of_the_chosen_kernels_are_seen(dock: Dock, viewer: Viewer) -> None:
    widget = dock(STACK, name="stack")
    session, controls = widget.session, widget.classification.voxels
    widget.tabs.setCurrentIndex(2)
    assert not controls.shown.enabled
    assert "choose a kernel set first" in controls.shown.tooltip
    session.set(kernel_sets=BOTH, kernel_set="purple", show="kernels")
    session.wait()
    click(controls.shown)
    assert viewer.dims.ndisplay == 3
    assert session.state.voxels.show
    assert controls.clear.isVisible()
    viewer.scene.camera.angles = (10, 30, 120)
    assert seen(viewer) == {"purple"}
    # A kernel that is dragged to the other color takes the voxels along.
    for step in (0.3, 0.7, 1.0):
        mean = np.array(PURPLE) * (1 - step) + np.array(GREEN) * step
        session.edit(KernelSet([Kernel(mean, COVARIANCE, 0.3)]), merge_key="drag")
        session.wait()
    assert seen(viewer) == {"green"}
    session.undo()
    session.set_classification(show="posterior", cls="purple")
    session.wait()
    assert seen(viewer) == {"purple"}
    assert controls.clear.value == 0.5
    controls.opaque.slider.setValue(300)
    assert session.state.voxels.opacity == (pytest.approx(0.299), 0.3)
    click(controls.shown)
    assert not session.state.voxels.show
    assert seen(viewer) >= {"purple", "green"}


def test_an_image_without_a_z_axis_says_why(dock: Dock) -> None:
    widget = dock(RGB)
    controls = widget.classification.voxels
    widget.tabs.setCurrentIndex(2)
    widget.session.kernels = BOTH["purple"]
    widget.session.wait()
    assert not controls.shown.enabled
    assert "'photo' has no z axis (60 × 80 pixels)" in controls.shown.tooltip
    assert not controls.clear.isVisible()
