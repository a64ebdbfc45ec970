"""Everything that takes the keyboard's focus has a name, and shows that it has the focus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from napari.settings import get_settings
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QScrollBar,
    QTabBar,
    QWidget,
)

from napari_colorkde.core.mixture.kernels import Kernel
from napari_colorkde.ui.kernels.covariance_dialog import CovarianceDialog
from napari_colorkde.ui.pictures.dialog import PictureDialog
from napari_colorkde.ui.widgets.painted_plot import PaintedPlot
from tests.ui.conftest import RGB, Dock

if TYPE_CHECKING:
    from napari import Viewer

pytestmark = pytest.mark.window

CONTROLS = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    PaintedPlot,
)


def test_every_control_has_a_name_and_a_ring(viewer: Viewer, dock: Dock, qtbot: Any) -> None:
    widget = dock(RGB)
    viewer.add_labels(np.ones(RGB.shape[:2], np.uint8))
    widget.results.open()
    widget.results.open_batch()
    widget.results.open_export()
    widget.fitting.open()
    kernel = Kernel([1, 2, 3], np.eye(3), 1)
    covariance = CovarianceDialog(kernel, ("red", "green", "blue"), widget)
    picture = PictureDialog((400, 300), "photo", widget)
    pages = {
        "dock": widget,
        "color space": widget.colorspace,
        "results": widget.results.panel,
        "batch": widget.results.batch_dialog,
        "export": widget.results.export_dialog,
        "fit": widget.fitting.dialog,
        "covariance": covariance,
        "picture": picture,
    }
    nameless, ringless, seen = set(), set(), 0
    for title, page in pages.items():
        assert page is not None, title
        for control in filter(_is_control, page.findChildren(QWidget)):
            seen += 1
            if not _name(control):
                nameless.add(f"{title}: {_where(control)}")
            if not _has_ring(control):
                ringless.add(f"{title}: {_where(control)}")
    assert seen > 100
    assert not nameless, "\n".join(sorted(nameless))
    assert not ringless, "\n".join(sorted(ringless))


@pytest.mark.parametrize("font_size", [9, 16])
def test_no_edge_is_cut_however_narrow_the_column_and_large_the_font(
    viewer: Viewer, dock: Dock, qtbot: Any, font_size: int
) -> None:
    viewer.window.resize(1200, 900)
    widget = dock(RGB)
    appearance, before = get_settings().appearance, get_settings().appearance.font_size
    try:
        appearance.font_size = font_size
        window, docks = widget.window(), [widget.parent(), widget.colorspace.parent()]
        qtbot.wait(50)
        window.resizeDocks(docks, [150, 150], Qt.Orientation.Horizontal)
        qtbot.wait(300)
        assert widget.width() < 420
        cut = set()
        for page in (widget, widget.colorspace):
            for at in range(widget.tabs.count()):
                widget.tabs.setCurrentIndex(at)
                qtbot.wait(20)
                for control in filter(_is_control, page.findChildren(QWidget)):
                    right = control.mapTo(page, control.rect().topRight()).x()
                    if control.isVisible() and right > page.width():
                        cut.add(f"{at}: {_where(control)}")
        assert not cut, "\n".join(sorted(cut))
    finally:
        appearance.font_size = before


def _is_control(widget: QWidget) -> bool:
    is_part = isinstance(widget, QScrollBar | QTabBar | QHeaderView) or (
        isinstance(widget.parent(), QComboBox | QAbstractSpinBox | QTabBar)
    )
    inside_popup = any("QComboBoxPrivateContainer" in _kind(each) for each in _above(widget))
    internal = widget.objectName().startswith("qt_") or _kind(widget) == "QTableCornerButton"
    return isinstance(widget, CONTROLS) and not (is_part or inside_popup or internal)


def _above(widget: QWidget) -> list[Any]:
    above = []
    while (widget := widget.parent()) is not None:
        above.append(widget)
    return above


def _kind(widget: QWidget) -> str:
    return str(widget.metaObject().className())


def _name(widget: QWidget) -> str:
    own = widget.accessibleName()
    text = widget.text() if isinstance(widget, QAbstractButton) else ""
    labels = widget.window().findChildren(QLabel)
    return own or text.strip("▾… ") or next((x.text() for x in labels if x.buddy() is widget), "")


def _has_ring(widget: QWidget) -> bool:
    """Whether a style sheet above says how it looks with the focus."""
    return any(":focus" in each.styleSheet() for each in (widget, *_above(widget)))


def _where(widget: QWidget) -> str:
    line = (widget, *_above(widget)[:2])
    return " < ".join(f"{_kind(w)}:{w.objectName()}:{w.toolTip()[:20]}" for w in line)
