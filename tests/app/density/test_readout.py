from __future__ import annotations

import numpy as np
import pytest

from napari_colorkde.app.density.readout import entry_at, readout, readout_text
from napari_colorkde.app.image.source import source_of_array
from napari_colorkde.app.session import Session

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(40, 60, (20, 30, 3)).astype(np.uint8)


def opened(space: str = "rgb") -> Session:
    session = Session()
    session.open(source_of_array(IMAGE))
    session.space = space
    session.wait()
    return session


def test_a_pixel_has_the_entry_of_its_color() -> None:
    session = opened()
    assert session.index is not None
    assert session.palette is not None
    for position in ((3, 7), (2.6, 7.4), (19, 29)):
        entry = entry_at(session.index, position)
        assert entry is not None
        row, column = (round(p) for p in position)
        np.testing.assert_array_equal(session.palette.colors[entry], IMAGE[row, column])


@pytest.mark.parametrize("position", [(-0.6, 3), (3, 29.6), (20, 0), (1,), (1, 2, 3)])
def test_outside_of_the_image_there_is_none(position: tuple[float, ...]) -> None:
    session = opened()
    assert session.index is not None
    assert entry_at(session.index, position) is None


def test_excluded_pixels_have_none() -> None:
    image = np.dstack([IMAGE, np.full(IMAGE.shape[:2], 255, np.uint8)])
    image[4, 5, 3] = 0
    session = Session()
    session.open(source_of_array(image))
    assert session.index is not None
    assert entry_at(session.index, (4, 5)) is None
    assert entry_at(session.index, (4, 6)) is not None


@pytest.mark.parametrize("space", ["rgb", "lab"])
def test_what_is_known_of_a_pixel(space: str) -> None:
    session = opened(space)
    assert session.index is not None
    assert session.palette is not None
    assert session.estimate is not None
    assert session.densities is not None
    entry = entry_at(session.index, (3, 7))
    assert entry is not None
    coordinates = session.estimate.coordinates
    known = readout(entry, session.palette, coordinates, session.densities)
    assert known.color == tuple(IMAGE[3, 7])
    assert known.place == tuple(coordinates.points.colors[entry])
    painted = session.palette.paint(session.densities.values, IMAGE)
    assert known.value == pytest.approx(painted[3, 7])
    assert known.sparser == pytest.approx((painted < painted[3, 7]).mean())
    text = readout_text(known, coordinates, session.densities)
    assert f"color ({', '.join(map(str, IMAGE[3, 7]))})" in text
    assert f"log density {known.value:.4g}" in text
    assert ("L* " in text) == (space == "lab")


def test_before_there_are_densities_the_color_is_known() -> None:
    session = opened()
    assert session.palette is not None
    known = readout(0, session.palette, None, None)
    assert (known.value, known.sparser) == (None, None)
    assert "density" not in readout_text(known, None, None)
