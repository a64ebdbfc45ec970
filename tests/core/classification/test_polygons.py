from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from skimage.measure import grid_points_in_poly

from napari_colorkde.core.classification.polygons import polygon_mask


@given(st.integers(0, 2**31), st.integers(3, 9))
def test_polygon_mask_follows_the_even_odd_rule(seed: int, n_corners: int) -> None:
    outline = np.random.default_rng(seed).uniform(-5, 25, (n_corners, 2))
    mask = polygon_mask((outline - 0.5)[:, ::-1], (20, 18))
    # Count for each pixel how many edges a ray to the right crosses.
    x, y = np.meshgrid(np.arange(18) + 0.5, np.arange(20) + 0.5)
    inside = np.zeros_like(mask)
    for (x0, y0), (x1, y1) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        spans = (y0 > y) != (y1 > y)
        with np.errstate(divide="ignore", invalid="ignore"):
            at = x0 + (y - y0) / (y1 - y0) * (x1 - x0)
        inside ^= spans & (x < at)
    np.testing.assert_array_equal(mask, inside)


def test_polygon_mask_of_a_rectangle() -> None:
    # Of the points on its edges, those above and to the left lie in it.
    mask = polygon_mask(np.array([[1, 2], [1, 5], [4, 5], [4, 2.0]]), (6, 8))
    expected = np.zeros((6, 8), dtype=bool)
    expected[1:4, 2:5] = True
    np.testing.assert_array_equal(mask, expected)


@given(st.lists(st.tuples(st.floats(-5, 25), st.floats(-5, 25)), min_size=3, max_size=9))
def test_polygons_are_filled_as_in_scikit_image(corners: list[tuple[float, float]]) -> None:
    # Off the pixels' centers: there it is a matter of convention.
    polygon = np.array(corners) + np.array([0.0123, 0.0456])
    np.testing.assert_array_equal(
        polygon_mask(polygon, (17, 19)), grid_points_in_poly((17, 19), polygon)
    )
