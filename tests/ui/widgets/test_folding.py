from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

from napari_colorkde.io.sample_data import PRESET_FILE, sample_path
from napari_colorkde.ui.colorspace import dock as colorspace_dock
from napari_colorkde.ui.widgets.folding import FoldingGroup
from napari_colorkde.ui.window import dock_column
from tests.ui.conftest import RGB, Dock

if TYPE_CHECKING:
    from napari import Viewer

pytestmark = pytest.mark.window


def test_a_group_folds_and_stays_folded(qtbot: Any) -> None:
    group, content = FoldingGroup("Part", label := QLabel("here")), label
    qtbot.addWidget(group)
    group.show()
    qtbot.waitExposed(group)
    height = group.sizeHint().height()
    assert content.isVisible()
    qtbot.mouseClick(group.header, Qt.MouseButton.LeftButton)
    assert not content.isVisible()
    assert group.sizeHint().height() < height
    again, other = FoldingGroup("Part", QLabel("here")), FoldingGroup("Other", QLabel("here"))
    qtbot.addWidget(again)
    qtbot.addWidget(other)
    assert again.folded
    assert not other.folded
    group.header.setFocus()
    qtbot.keyClick(group.header, Qt.Key.Key_Space)
    assert content.isVisible()


def test_the_dock_has_room_for_more_kernels_where_the_image_is_folded(
    viewer: Viewer, dock: Dock, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dock_column, "MIN_STACKED_HEIGHT", 800)
    viewer.window.resize(1366, 768)
    columns: list[dock_column.Column] = []

    def make_column(*docks: Any) -> dock_column.Column:
        columns.append(dock_column.Column(*docks))
        return columns[-1]

    monkeypatch.setattr(colorspace_dock, "Column", make_column)
    widget = dock(RGB)
    qtbot.waitUntil(columns.pop().is_settled)
    widget.parent().raise_()
    widget.tabs.setCurrentIndex(1)
    qtbot.wait(50)
    before = widget.kernels.table.height()
    (group,) = (g for g in widget.findChildren(FoldingGroup) if g.header.text() == "Image")
    qtbot.mouseClick(group.header, Qt.MouseButton.LeftButton)
    qtbot.wait(100)
    assert not widget.chooser.isVisible()
    assert widget.kernels.table.height() > before


def test_six_kernels_are_seen_where_both_docks_are_stacked(
    viewer: Viewer, dock: Dock, qtbot: Any
) -> None:
    viewer.window.resize(1500, 980)
    widget = dock(RGB)
    widget.session.load_kernels(sample_path(PRESET_FILE))
    widget.session.wait()
    widget.tabs.setCurrentIndex(1)
    table = widget.kernels.table

    def seen() -> int:
        cells = (table.visualRect(table.model().index(row, 2)) for row in range(16))
        visible = table.viewport().visibleRegion().boundingRect()
        return sum(visible.contains(cell) for cell in cells)

    qtbot.waitUntil(lambda: seen() >= 6)
