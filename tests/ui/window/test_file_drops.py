"""Files that are dropped on the canvas and on the dock."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication, QWidget

from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.io.kernels.kernel_files import save_kernels
from tests.ui.conftest import RGB, Dock

if TYPE_CHECKING:
    from napari import Viewer

pytestmark = pytest.mark.window

COPY = Qt.DropAction.CopyAction
LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier


def drop(widget: QWidget, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    entered = QDragEnterEvent(QPoint(9, 9), COPY, data, LEFT, NONE)
    QApplication.sendEvent(widget, entered)
    assert entered.isAccepted()
    QApplication.sendEvent(widget, QDropEvent(QPointF(9, 9), COPY, data, LEFT, NONE))


def canvas_of(widget: QWidget) -> QWidget:
    found = [w for w in widget.window().findChildren(QWidget) if type(w).__name__ == "QtViewer"]
    return found[0]


@pytest.fixture
def kernel_file(tmp_path: Path) -> Path:
    path = tmp_path / "stains.json"
    save_kernels(path, {"stains": KernelSet([Kernel([60, 50, 40], [9, 9, 9], 1)], "stains")})
    return path


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "dropped.png"
    Image.fromarray(RGB[::-1]).save(path)
    return path


@pytest.mark.parametrize("place", ["dock", "canvas", "color space"])
def test_kernel_files_are_opened_wherever_they_are_dropped(
    dock: Dock, viewer: Viewer, kernel_file: Path, place: str
) -> None:
    widget = dock(RGB)
    places = {"dock": widget, "canvas": canvas_of(widget), "color space": widget.colorspace}
    drop(places[place], kernel_file)
    widget.session.wait()
    assert widget.session.state.kernel_set == "stains"
    assert len(viewer.layers) == 2


@pytest.mark.parametrize("place", ["dock", "canvas"])
def test_a_look_that_is_dropped_grades_the_image(
    dock: Dock, viewer: Viewer, tmp_path: Path, place: str
) -> None:
    widget = dock(RGB)
    (tmp_path / "warm.cube").write_text("LUT_1D_SIZE 2\n0.1 0 0\n1 0.9 0.8\n")
    drop(widget if place == "dock" else canvas_of(widget), tmp_path / "warm.cube")
    widget.session.wait()
    assert widget.overlay.image.name == "photo warm"
    assert widget.chooser.image.value is widget.overlay.image


@pytest.mark.parametrize("place", ["dock", "canvas"])
def test_a_photograph_that_is_dropped_is_looked_at(
    dock: Dock, viewer: Viewer, picture: Path, place: str, qtbot: Any
) -> None:
    widget = dock(RGB)
    drop(widget if place == "dock" else canvas_of(widget), picture)
    qtbot.waitUntil(lambda: "dropped" in viewer.layers)
    qtbot.waitUntil(lambda: widget.overlay.image is viewer.layers["dropped"])
    widget.session.wait()
    assert widget.session.source is not None
    np.testing.assert_array_equal(widget.session.source.array, RGB[::-1])
