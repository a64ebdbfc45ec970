from __future__ import annotations

import pytest

from napari_colorkde.core.number_text import bytes_text, counted, grouped, percentage, shape_text


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


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (47_040_000, "47.0 MB"),
        (2**60, "1,152.9 PB"),
    ],
)
def test_sizes_are_for_people(n_bytes: int, text: str) -> None:
    assert bytes_text(n_bytes) == text


def test_shapes_are_for_people() -> None:
    assert shape_text((512, 512)) == "512 × 512"
