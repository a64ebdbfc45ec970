from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtWidgets import QDockWidget, QMainWindow

from napari_colorkde.ui.window.fitted_picture import FittedView, is_fitted, keep_fitted
from tests.ui.conftest import RGB, Dock

if TYPE_CHECKING:
    from napari import Viewer

pytestmark = pytest.mark.window


def shown_columns(viewer: Viewer, window: QMainWindow) -> float:
    """Return how many columns of the image have room on the canvas."""
    canvas: Any = window.centralWidget()
    return float(canvas.width() / viewer.scene.camera.zoom)


def test_the_image_is_fitted_after_docking(viewer: Viewer, dock: Dock, qtbot: Any) -> None:
    wide = np.tile(RGB, (1, 4, 1))
    viewer.add_image(wide, rgb=True, name="photo")
    viewer.reset_view()
    (window,) = {dock.parent() for dock in _docks(viewer)}
    assert is_fitted(viewer)
    dock()
    qtbot.waitUntil(lambda: shown_columns(viewer, window) >= wide.shape[1])


def test_a_zoom_of_ones_own_is_kept_when_the_plugin_is_docked(
    viewer: Viewer, dock: Dock, qtbot: Any
) -> None:
    viewer.add_image(RGB, rgb=True, name="photo")
    viewer.scene.camera.zoom = 17.5
    center = viewer.scene.camera.center
    assert not is_fitted(viewer)
    dock()
    qtbot.wait(50)
    assert viewer.scene.camera.zoom == 17.5
    assert viewer.scene.camera.center == center


def test_a_zoom_of_ones_own_is_kept_from_then_on(viewer: Viewer, qtbot: Any) -> None:
    viewer.add_image(RGB, rgb=True, name="photo")
    (window,) = {dock.parent() for dock in _docks(viewer)}
    keep_fitted(viewer, window)
    keep_fitted(viewer, window)
    (fitted,) = window.findChildren(FittedView)
    viewer.scene.camera.zoom = 17.5
    fitted.fit_soon()
    qtbot.waitUntil(lambda: not window.findChildren(FittedView))
    assert viewer.scene.camera.zoom == 17.5


def test_a_view_that_lost_a_little_room_still_counts_as_fitted(viewer: Viewer) -> None:
    viewer.add_image(RGB, rgb=True, name="photo")
    viewer.reset_view()
    viewer.scene.camera.zoom *= 1.1
    assert is_fitted(viewer)
    viewer.scene.camera.zoom *= 1.3
    assert not is_fitted(viewer)


def test_looking_whether_a_view_is_fitted_does_not_move_it(viewer: Viewer) -> None:
    moved: list[object] = []
    viewer.add_image(RGB, rgb=True, name="photo")
    viewer.scene.camera.center = (0, 3, 5)
    viewer.scene.camera.events.connect(moved.append)
    assert not is_fitted(viewer)
    assert viewer.scene.camera.center == (0, 3, 5)
    assert not moved


def _docks(viewer: Viewer) -> list[QDockWidget]:
    from napari_colorkde.ui.window.gl_context import main_windows

    (window,) = [w for w in main_windows() if w.isVisible()]
    return window.findChildren(QDockWidget)
