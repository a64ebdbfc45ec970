from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtWidgets import QApplication, QLabel, QVBoxLayout, QWidget

from napari_colorkde.ui.widgets.pages import ShrinkingColumn, in_scroll_area

pytestmark = pytest.mark.window


@pytest.mark.parametrize(("height", "scrolls"), [(160, False), (60, True)])
def test_a_page_in_the_column_scrolls_before_the_column_does(
    qtbot: Any, height: int, scrolls: bool
) -> None:
    inside, page = QWidget(), QWidget()
    lines = QVBoxLayout(page)
    for number in range(20):
        lines.addWidget(QLabel(f"line {number}"))
    inner = in_scroll_area(page)
    inner.setMinimumHeight(70)
    column = ShrinkingColumn(inside)
    column.addWidget(inner, 1)
    text = QLabel("a sentence that is broken where the column is narrow")
    text.setWordWrap(True)
    column.addWidget(text)
    outer = in_scroll_area(inside)
    qtbot.addWidget(outer)
    outer.resize(300, height)
    outer.show()
    QApplication.processEvents()
    assert inner.verticalScrollBar().maximum() > 0
    assert (outer.verticalScrollBar().maximum() > 0) == scrolls
