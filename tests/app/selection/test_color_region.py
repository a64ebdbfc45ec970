from __future__ import annotations

import numpy as np
import pytest

from napari_colorkde.app.selection.color_region import palette_mask, radius_text, selection_text
from napari_colorkde.scene.geometry.regions import BallRegion
from tests.app.density.test_readout import opened


def test_a_region_chooses_by_the_coordinates_of_the_space() -> None:
    session = opened("lab")
    assert session.estimate is not None
    coordinates = session.estimate.coordinates
    points = coordinates.points.colors
    chosen = palette_mask(BallRegion(points[17], 4.0), coordinates)
    wanted = np.linalg.norm(points - points[17], axis=1) <= 4.0
    np.testing.assert_array_equal(chosen, wanted)
    assert 0 < chosen.sum() < len(points)


@pytest.mark.parametrize(
    ("space", "text"), [("rgb", "radius 12.3 levels"), ("lab", "radius 12.3 ΔE*ab")]
)
def test_a_radius_is_told_in_the_units_of_the_space(space: str, text: str) -> None:
    session = opened(space)
    assert session.estimate is not None
    assert radius_text(12.345, session.estimate.coordinates) == text


def test_shares_count_pixels() -> None:
    session = opened()
    assert session.palette is not None
    chosen = np.zeros(len(session.palette), bool)
    assert selection_text(chosen, session.palette) == "no pixels"
    chosen[:] = True
    assert selection_text(chosen, session.palette).startswith("100")
