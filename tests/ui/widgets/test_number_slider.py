"""The slider with a box: what it shows, what is typed, what it announces."""

from __future__ import annotations

from typing import Any

import pytest

from napari_colorkde.ui.widgets.number_slider import STEPS, NumberSlider

pytestmark = pytest.mark.window


@pytest.fixture
def slider(qtbot: Any) -> NumberSlider:
    slider = NumberSlider(
        0.25, 64.0, minimum=0, maximum=1e9, tooltip="How wide.", scale="log", value=4
    )
    qtbot.addWidget(slider.native)
    return slider


def heard(slider: NumberSlider) -> list[float]:
    values: list[float] = []
    slider.moved.connect(values.append)
    return values


def test_equal_steps_are_equal_factors(slider: NumberSlider) -> None:
    values = heard(slider)
    for position in (0, STEPS // 4, STEPS // 2 + 1, STEPS // 2, STEPS):
        slider.slider.setValue(position)
    assert values == [0.25, 1.0, pytest.approx(4.02, abs=0.01), 4.0, 64.0]


def test_what_is_typed_is_kept_as_it_is(slider: NumberSlider) -> None:
    values = heard(slider)
    slider.box.setValue(7.13)
    assert values == [7.13]
    assert slider.value == 7.13
    assert slider.slider.value() == pytest.approx(604, abs=1)


def test_numbers_beyond_the_ends_can_be_typed(slider: NumberSlider) -> None:
    values = heard(slider)
    slider.box.setValue(100)
    assert values == [100]
    assert slider.slider.value() == STEPS


def test_zero_is_no_bandwidth(slider: NumberSlider) -> None:
    values = heard(slider)
    slider.box.setValue(0)
    assert values == []
    assert slider.value == slider.box.value() == 4


def test_setting_a_number_announces_nothing(slider: NumberSlider) -> None:
    values = heard(slider)
    slider.set(0.0123)
    slider.set_range(0.001, 0.25)
    assert values == []
    assert slider.value == 0.0123


def test_small_numbers_are_shown_to_three_digits(slider: NumberSlider) -> None:
    slider.set(0.000234)
    assert slider.box.text().startswith("0.000234")
    slider.set(1234.0)
    assert slider.box.text().startswith("1234")


def test_a_slider_and_its_box_agree(qtbot: Any) -> None:
    slider = NumberSlider(-2, 6, minimum=-100, maximum=100, decimals=3, tooltip="a number")
    qtbot.addWidget(slider)
    moved: list[float] = []
    slider.moved.connect(moved.append)
    slider.slider.setValue(500)
    assert slider.box.value() == 2
    slider.box.setValue(40)
    assert slider.slider.value() == 1000
    slider.set(-2)
    assert moved == [2, 40]
    assert slider.slider.value() == 0


def test_a_box_has_the_decimals_that_its_slider_needs(qtbot: Any) -> None:
    slider = NumberSlider(0, 1, minimum=-1e9, maximum=1e9, decimals=3, tooltip="a number")
    qtbot.addWidget(slider)
    moved: list[float] = []
    slider.moved.connect(moved.append)
    for high, wanted in ((0.02, "0.00500"), (2e-6, "5e-07"), (2e-15, "5e-16"), (200, "50.000")):
        slider.set_range(0, high)
        slider.set(high / 4)
        assert slider.box.text() == wanted
        assert slider.box.value() == pytest.approx(high / 4)
    assert not moved
    slider.set_range(0, 2e-6)
    states = [slider.box.validate(text, 0)[0].name for text in ("1e-7", "1e-", "1e99", "many")]
    assert states == ["Acceptable", "Intermediate", "Intermediate", "Invalid"]


def test_a_box_is_as_wide_as_usual_numbers_in_any_font(slider: NumberSlider) -> None:
    box = slider.box
    for points in (9, 16):
        font = box.font()
        font.setPointSize(points)
        box.setFont(font)
        digit = box.fontMetrics().horizontalAdvance("0")
        # The largest number that can be typed has ten digits before the point.
        assert 9 * digit < box.minimumSizeHint().width() <= box.sizeHint().width() < 16 * digit
