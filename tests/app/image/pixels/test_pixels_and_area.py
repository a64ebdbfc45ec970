"""Pixels, percent and area of some colors."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image

from napari_colorkde.app.image.pixels.pixels_and_area import pixel_area, region_size, sizes_text
from napari_colorkde.app.image.source import source_of

COUNTS = np.array([117_623, 144_521], np.int64)
CHOSEN = np.array([True, False])


def area_of(shape: tuple[int, ...], **options: object) -> object:
    source = source_of(Image(np.zeros(shape, np.uint8), **options), [])
    return pixel_area(source, source.choices[0])


def test_pixels_percent_and_area_are_told() -> None:
    area = area_of((4, 5, 3), rgb=True, scale=(0.5, 0.25), units=("um", "um"))
    size = region_size("brown", CHOSEN, COUNTS, area)  # type: ignore[arg-type]
    assert (size.n_pixels, round(size.percent, 1)) == (117_623, 44.9)
    assert size.area == pytest.approx(117_623 / 8)
    assert size.area_text.replace("\u202f", " ") == "14 703 µm²"
    assert sizes_text([size]) == (
        "region\tpixels\tpercent\tarea [µm²]\nbrown\t117623\t44.8696\t14702.875\n"
    )


def test_without_a_scale_there_is_no_area() -> None:
    assert area_of((4, 5, 3), rgb=True) is None
    size = region_size("all", ~CHOSEN, COUNTS)
    assert size.area is None
    assert size.area_text == ""
    assert sizes_text([size]) == "region\tpixels\tpercent\nall\t144521\t55.1304\n"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"scale": (2, 3)}, (6, "", "unit²")),
        ({"scale": (2, 3), "units": ("mm", "um")}, (6000, "µm", "µm²")),
        ({"scale": (1, 1), "units": ("s", "um")}, None),
    ],
)
def test_units_of_axes_are_brought_together(options: dict[str, object], expected: object) -> None:
    area = area_of((6, 7), **options)
    if expected is None:
        assert area is None
    else:
        assert (area.area, area.unit, area.squared_unit) == pytest.approx(expected)  # type: ignore[attr-defined]


def test_an_axis_of_channels_has_no_part_in_the_area() -> None:
    area = area_of((6, 7, 3), rgb=False, scale=(2, 3, 100), units=("um", "um", "um"))
    assert area is not None
    first = area_of((3, 6, 7), rgb=False, scale=(100, 2, 3), units=("um", "um", "um"))
    assert first is not None
    assert first.area == 6  # type: ignore[attr-defined]
