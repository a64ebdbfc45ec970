from __future__ import annotations

from typing import Any

import pytest

from napari_colorkde.ui.widgets.log_slider import STEPS, LogSlider

pytestmark = pytest.mark.window


@pytest.fixture
def slider(qtbot: Any) -> LogSlider:
    slider = LogSlider(4.0, 0.25, 64.0, name="sigma", tooltip="How wide.")
    qtbot.addWidget(slider.native)
    return slider


def heard(slider: LogSlider) -> list[float]:
    values: list[float] = []
    slider.moved.connect(values.append)
    return values


def test_equal_steps_are_equal_factors(slider: LogSlider) -> None:
    values = heard(slider)
    for position in (0, STEPS // 4, STEPS // 2 + 1, STEPS // 2, STEPS):
        slider.slider.value = position
    assert values == [0.25, 1.0, pytest.approx(4.02, abs=0.01), 4.0, 64.0]


def test_what_is_typed_is_kept_as_it_is(slider: LogSlider) -> None:
    values = heard(slider)
    slider.box.value = 7.13
    assert values == [7.13]
    assert slider.box.value == 7.13
    assert slider.slider.value == pytest.approx(604, abs=1)


def test_numbers_beyond_the_ends_can_be_typed(slider: LogSlider) -> None:
    values = heard(slider)
    slider.box.value = 100
    assert values == [100]
    assert slider.slider.value == STEPS


def test_zero_is_no_bandwidth(slider: LogSlider) -> None:
    values = heard(slider)
    slider.box.value = 0
    assert values == []


def test_setting_a_number_announces_nothing(slider: LogSlider) -> None:
    values = heard(slider)
    slider.set(0.0123)
    slider.set_range(0.001, 0.25)
    assert values == []
    assert slider.box.value == 0.0123


def test_small_numbers_are_shown_to_three_digits(slider: LogSlider) -> None:
    slider.set(0.000234)
    assert slider.box.native.text().startswith("0.000234")
    slider.set(1234.0)
    assert slider.box.native.text().startswith("1234")
