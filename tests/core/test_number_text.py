from __future__ import annotations

from napari_colorkde.core.number_text import counted, grouped, percentage


def test_digits_are_in_groups_of_three() -> None:
    assert grouped(123) == "123"
    assert grouped(1234567) == "1\u202f234\u202f567"


def test_one_thing_has_no_plural() -> None:
    assert counted(1, "color") == "1 color"
    assert counted(4800, "pixel") == "4\u202f800 pixels"
    assert counted(0, "kernel") == "0 kernels"


def test_percentages_have_three_digits() -> None:
    assert percentage(0.12345) == "12.3\u202f%"
    assert percentage(1) == "100\u202f%"
