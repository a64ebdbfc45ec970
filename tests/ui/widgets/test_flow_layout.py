from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtWidgets import QPushButton, QWidget

from napari_colorkde.ui.widgets.flow_layout import FlowLayout

pytestmark = pytest.mark.window


@pytest.fixture
def buttons(qtbot: Any) -> list[QPushButton]:
    return [QPushButton(text) for text in ("a", "a longer one", "b")]


@pytest.mark.parametrize("is_filled", [False, True])
def test_what_does_not_fit_goes_to_the_next_line(
    qtbot: Any, buttons: list[QPushButton], is_filled: bool
) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    flow = FlowLayout(buttons, is_filled=is_filled)
    page.setLayout(flow)
    page.show()
    page.resize(flow.sizeHint().width(), flow.heightForWidth(flow.sizeHint().width()))
    assert [button.y() for button in buttons] == [0, 0, 0]
    narrow = flow.minimumSize().width()
    page.resize(narrow, flow.heightForWidth(narrow))
    assert buttons[0].y() < buttons[1].y() < buttons[2].y()
    assert buttons[2].geometry().bottom() == page.height() - 1
    assert buttons[1].width() == narrow
    assert (buttons[0].width() == narrow) == is_filled


def test_a_hidden_widget_takes_no_room(qtbot: Any, buttons: list[QPushButton]) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    flow = FlowLayout(buttons)
    page.setLayout(flow)
    page.show()
    wide = flow.sizeHint().width()
    buttons[1].hide()
    assert flow.sizeHint().width() < wide
    assert flow.takeAt(0) is not None
    assert flow.count() == 2
    assert flow.itemAt(2) is None
