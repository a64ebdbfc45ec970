"""What has the keyboard's focus is seen, on every theme."""

from __future__ import annotations

from typing import Any

import pytest
from napari.utils.theme import get_theme
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QCheckBox, QPushButton, QSlider, QToolButton, QVBoxLayout, QWidget

from napari_colorkde.ui.widgets.focus_ring import focus_ring

pytestmark = pytest.mark.window


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_what_has_the_focus_has_a_ring_and_nothing_moves(qtbot: Any, theme: str) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    widgets = [QPushButton("a"), QToolButton(), QCheckBox("b"), QSlider(Qt.Orientation.Horizontal)]
    lines = QVBoxLayout(page)
    for widget in widgets:
        widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        lines.addWidget(widget)
    page.setStyleSheet(focus_ring(theme))
    page.show()
    qtbot.waitExposed(page)
    page.activateWindow()
    ring = QColor(get_theme(theme).text.as_hex())
    for widget, other in zip(widgets, [*widgets[1:], widgets[0]], strict=True):
        other.setFocus()
        qtbot.waitUntil(other.hasFocus)
        before, size = _border(widget), widget.sizeHint()
        widget.setFocus(Qt.FocusReason.TabFocusReason)
        qtbot.waitUntil(widget.hasFocus)
        assert ring.name() in _border(widget)
        assert ring.name() not in before
        assert widget.sizeHint() == size != QSize(0, 0)


def _border(widget: QWidget) -> set[str]:
    """The colors along the left edge."""
    image = widget.grab().toImage()
    return {QColor(image.pixel(0, y)).name() for y in range(3, image.height() - 3)}


def test_small_texts_have_the_font_size_of_napari(qtbot: Any) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    button = QToolButton(page)
    button.setText("Copy")
    page.setStyleSheet(focus_ring("dark", 9))
    page.show()
    small = button.fontMetrics().height()
    page.setStyleSheet(focus_ring("dark", 16))
    assert button.fontMetrics().height() > 1.5 * small
