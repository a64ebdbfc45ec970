from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_colorkde.scene.geometry import ColorBox
from napari_colorkde.scene.rays import Ray
from napari_colorkde.scene.regions import (
    BallRegion,
    ScreenRegion,
    densest_on_ray,
    polygon_mask,
)

from .conftest import AXIS, RGB, blob
from .mouse import click, drag, pixel_of

AXES = (AXIS,) * 3


@given(st.integers(0, 2**31), st.integers(3, 9))
def test_polygon_mask_follows_the_even_odd_rule(seed: int, n_corners: int) -> None:
    outline = np.random.default_rng(seed).uniform(-5, 25, (n_corners, 2))
    mask = polygon_mask(outline, (20, 18))
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
    mask = polygon_mask(np.array([[2, 1], [5, 1], [5, 4], [2, 4.0]]), (6, 8))
    expected = np.zeros((6, 8), dtype=bool)
    expected[1:4, 2:5] = True
    np.testing.assert_array_equal(mask, expected)


def test_screen_region_holds_what_projects_into_it() -> None:
    box = ColorBox.from_axes(AXES)
    # Orthographic, 100 pixels an edge: x to the right, z upwards.
    matrix = np.array([[100, 0, 0, 0], [0, 0, 1, 0], [0, -100, 0, 0], [0, 100, 0, 1.0]])
    region = ScreenRegion.from_outline([[20, 30], [60, 30], [60, 70], [20, 70]], matrix, box)
    colors = np.random.default_rng(0).uniform(0, 255, (500, 3))
    scene = box.to_scene(colors)
    x, y = 100 * scene[:, 0], 100 - 100 * scene[:, 2]
    expected = (x >= 20) & (x < 60) & (y >= 30) & (y < 70)
    np.testing.assert_array_equal(region.contains(colors), expected)


def test_colors_behind_the_viewer_are_in_no_region() -> None:
    box = ColorBox.from_axes(AXES)
    matrix = np.diag([1.0, 1, 1, 1]) * -1  # w is −1 everywhere
    region = ScreenRegion.from_outline([[-9, -9], [9, -9], [9, 9], [-9, 9]], matrix, box)
    assert not region.contains(np.full((3, 3), 100.0)).any()


def test_ball_region_measures_in_edges_of_the_box() -> None:
    box = ColorBox.from_axes((np.linspace(0, 255, 4), np.linspace(0, 1, 4), np.linspace(0, 10, 4)))
    ball = BallRegion(np.array([100.0, 0.5, 5.0]), 0.1, box)
    inside = ball.contains([[125, 0.5, 5], [126, 0.5, 5], [100, 0.59, 5], [100, 0.5, 6.1]])
    np.testing.assert_array_equal(inside, [True, False, True, False])


def test_densest_color_on_a_ray_is_found() -> None:
    box = ColorBox.from_axes(AXES)
    values = blob(200, 60, 100)
    target = box.to_scene([200, 60, 100])
    direction = np.array([0.3, 0.5, 0.2]) / np.linalg.norm([0.3, 0.5, 0.2])
    color = densest_on_ray(Ray(target - 3 * direction, direction), values, box)
    assert color is not None
    np.testing.assert_allclose(color, [200, 60, 100], atol=10)
    beside = Ray(np.array([5.0, 5, 5]), np.array([0, 0, 1.0]))
    assert densest_on_ray(beside, values, box) is None


@pytest.fixture
def drawn(canvas: Any) -> Any:
    canvas.set_volume((blob(200, 60, 60) + blob(60, 60, 200)).astype(np.float32), AXES, RGB)
    canvas.regions = []
    canvas.on_region_drawn = canvas.regions.append
    return canvas


@pytest.mark.window
def test_a_rectangle_selects_what_is_seen_in_it(drawn: Any) -> None:
    from qtpy.QtCore import QPoint

    drawn.set_tool("rectangle")
    middle = pixel_of(drawn, [200, 60, 60])
    azimuth = drawn._camera.azimuth
    drag(drawn, middle - QPoint(20, 20), middle, middle + QPoint(20, 20))
    (region,) = drawn.regions
    np.testing.assert_array_equal(
        region.contains([[200, 60, 60], [60, 60, 200], [60, 200, 60]]), [True, False, False]
    )
    assert drawn._camera.azimuth == azimuth
    # It means the same when the view has turned.
    drawn.turn(70)
    assert region.contains([[200, 60, 60]]).all()


@pytest.mark.window
def test_a_lasso_is_closed_and_reported_while_it_grows(drawn: Any) -> None:
    from qtpy.QtCore import QPoint

    changes: list[Any] = []
    drawn.on_region_changed = changes.append
    drawn.set_tool("lasso")
    m = pixel_of(drawn, [60, 60, 200])
    corners = [QPoint(-25, -25), QPoint(25, -25), QPoint(25, 25), QPoint(-25, 25)]
    drag(drawn, *[m + corner for corner in corners])
    assert len(changes) >= 2
    (region,) = drawn.regions
    np.testing.assert_array_equal(region.contains([[60, 60, 200], [200, 60, 60]]), [True, False])


@pytest.mark.window
def test_a_ball_is_centred_on_the_densest_color(drawn: Any) -> None:
    from qtpy.QtCore import QPoint

    drawn.set_tool("ball")
    start = pixel_of(drawn, [200, 60, 60])
    drag(drawn, start, start + QPoint(20, 0), start + QPoint(40, 0))
    (region,) = drawn.regions
    np.testing.assert_allclose(region.center, [200, 60, 60], atol=12)
    # 40 pixels of a cube that is some 230 pixels large.
    assert 0.1 < region.radius < 0.3


@pytest.mark.window
def test_a_click_draws_nothing(drawn: Any) -> None:
    drawn.set_tool("lasso")
    click(drawn, pixel_of(drawn, [200, 60, 60]))
    assert drawn.regions == [None]


@pytest.mark.window
def test_turning_is_the_tool_to_begin_with(drawn: Any) -> None:
    from qtpy.QtCore import QPoint

    azimuth = drawn._camera.azimuth
    drag(drawn, QPoint(150, 150), QPoint(200, 150), QPoint(220, 150))
    assert drawn.regions == []
    assert drawn._camera.azimuth != azimuth
    with pytest.raises(ValueError, match="tool must be one of"):
        drawn.set_tool("wand")


@pytest.mark.window
def test_colors_of_a_part_of_the_image_light_up(canvas: Any) -> None:
    canvas.set_volume(blob(128, 128, 128), AXES, RGB)
    before = canvas.render((300, 300)).astype(int)
    colors = np.random.default_rng(0).uniform(20, 60, (300, 3))
    canvas.light_up(colors)
    lit = canvas.render((300, 300)).astype(int)
    changed = np.abs(lit - before).sum(axis=-1) > 60
    assert changed.sum() > 150
    canvas.light_up(np.empty((0, 3)))
    assert np.abs(canvas.render((300, 300)) - before).max() <= 2
