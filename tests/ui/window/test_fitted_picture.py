from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtWidgets import QDockWidget, QMainWindow

from napari_colorkde.ui.window.fitted_picture import FittedView
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
    fitted = FittedView(viewer, window)
    dock()
    qtbot.waitUntil(lambda: shown_columns(viewer, window) >= wide.shape[1])
    fitted.close()


def test_a_zoom_of_ones_own_is_kept(viewer: Viewer, dock: Dock, qtbot: Any) -> None:
    viewer.add_image(RGB, rgb=True, name="photo")
    (window,) = {dock.parent() for dock in _docks(viewer)}
    fitted = FittedView(viewer, window)
    viewer.scene.camera.zoom = 17.5
    dock()
    qtbot.wait(50)
    assert viewer.scene.camera.zoom == 17.5
    fitted.close()


def _docks(viewer: Viewer) -> list[QDockWidget]:
    from napari_colorkde.ui.window.gl_context import main_windows

    (window,) = [w for w in main_windows() if w.isVisible()]
    return window.findChildren(QDockWidget)
