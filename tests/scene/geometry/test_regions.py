from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_colorkde.scene.geometry.box import ColorBox
from napari_colorkde.scene.geometry.rays import Ray
from napari_colorkde.scene.geometry.regions import (
    BallRegion,
    HalfSpace,
    ScreenRegion,
    ball_outline,
    densest_on_ray,
    distance_from_ray,
)
from tests.scene.conftest import AXIS, RGB, blob
from tests.scene.mouse import click, drag, move, pixel_of

AXES = (AXIS,) * 3


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


def test_a_ball_is_euclidean_whatever_the_edges_of_the_box() -> None:
    ball = BallRegion(np.array([50.0, 0.5, 5.0]), 10.0)
    inside = ball.contains([[59, 0.5, 5], [61, 0.5, 5], [50, -9, 5], [58, 6.5, 5.1]])
    np.testing.assert_array_equal(inside, [True, False, True, False])


PERSPECTIVE = np.array([[90, 9, 0, 0.1], [-40, 30, 1, 0.2], [7, -100, 0, 0.05], [20, 130, 0, 2.0]])
"""From the scene to homogeneous pixels."""


@given(st.integers(0, 2**31))
def test_a_ball_is_outlined_where_its_surface_is_seen_to_end(seed: int) -> None:
    rng = np.random.default_rng(seed)
    box = ColorBox.from_axes((np.linspace(0, 100, 4), np.linspace(-86, 98, 4), AXIS))
    center, radius = box.to_color(rng.uniform(0.2, 0.8, 3)), rng.uniform(2, 40)
    outline = ball_outline(center, radius, box, PERSPECTIVE)
    # Of many points of the sphere none lies outside of any tangent, and one nearly on it.
    directions = rng.normal(size=(3000, 3))
    sphere = center + radius * directions / np.linalg.norm(directions, axis=1)[:, np.newaxis]
    seen = np.column_stack([box.to_scene(sphere), np.ones(3000)]) @ PERSPECTIVE
    pixels = seen[:, :2] / seen[:, 3:]
    along = np.roll(outline, -1, axis=0) - np.roll(outline, 1, axis=0)
    outwards = np.column_stack([along[:, 1], -along[:, 0]])
    outwards /= np.linalg.norm(outwards, axis=1)[:, np.newaxis]
    middle = outline.mean(axis=0)
    reach = np.sum((outline - middle) * outwards, axis=1)
    sign = np.sign(reach)
    beyond = ((pixels - middle) @ (outwards * sign[:, np.newaxis]).T).max(axis=0) / np.abs(reach)
    assert np.all((beyond > 0.97) & (beyond < 1.001))


@pytest.mark.parametrize("n_channels", [1, 2, 3])
def test_a_ball_ends_under_the_mouse(n_channels: int) -> None:
    box = ColorBox.from_axes((AXIS, np.linspace(-10, 10, 5), np.linspace(0, 1, 5))[:n_channels])
    place = np.array([0.3, 0.0 if n_channels < 3 else 0.6, 0.4])
    # Orthographic, along y: 100 pixels an edge.
    matrix = np.array([[100, 0, 0, 0], [0, 0, 1, 0], [0, -100, 0, 0], [0, 100, 0, 1.0]])
    center = box.to_color(place)
    ray = Ray(np.array([0.5, -3.0, 0.5]), np.array([0.0, 1.0, 0.0]))
    radius = distance_from_ray(ray, center, box)
    if n_channels == 1:
        assert radius == pytest.approx(0.2 / 1.5 * 255)
        return
    outline = ball_outline(center, radius, box, matrix, points=2000)
    assert np.linalg.norm(outline - [50, 50], axis=1).min() < 0.5


def test_what_is_cut_away_is_in_no_region() -> None:
    box = ColorBox.from_axes((AXIS, np.linspace(-10, 10, 5), np.linspace(0, 100, 5)))
    # Last channel first, in parts of the edges: what is above 25 of the third channel is gone.
    left = HalfSpace.visible(np.array([1.0, 0.0, 0.0, 0.25]), box)
    colors = [[100, 0, 10], [100, 0, 25], [100, 0, 26]]
    np.testing.assert_array_equal(left.contains(colors), [True, True, False])
    ball = BallRegion(np.array([100.0, 0, 25]), 50.0, left)
    np.testing.assert_array_equal(ball.contains(colors), [True, True, False])
    matrix = np.array([[100, 0, 0, 0], [0, 0, 1, 0], [0, -100, 0, 0], [0, 100, 0, 1.0]])
    everything = [[-900, -900], [900, -900], [900, 900], [-900, 900]]
    region = ScreenRegion.from_outline(everything, matrix, box, left)
    np.testing.assert_array_equal(region.contains(colors), [True, True, False])


def test_the_densest_color_is_one_that_is_shown() -> None:
    box = ColorBox.from_axes(AXES)
    values = blob(200, 60, 100) + 0.1 * blob(60, 60, 100)
    start, end = box.to_scene([[250, 60, 100], [10, 60, 100]])
    direction = (end - start) / np.linalg.norm(end - start)
    ray = Ray(start - direction, direction)
    # Red above 128 is cut away.
    left = HalfSpace(np.array([1.0, 0, 0]), 128.0)
    color = densest_on_ray(ray, values, box, left=left)
    assert color is not None
    np.testing.assert_allclose(color, [60, 60, 100], atol=10)
    assert densest_on_ray(ray, values, box, left=left, floor=0.5 * float(values.max())) is None


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
    canvas.region_drawn.connect(canvas.regions.append)
    return canvas


@pytest.mark.window
def test_a_rectangle_selects_what_is_seen_in_it(drawn: Any) -> None:
    from qtpy.QtCore import QPoint

    drawn.set_tool("rectangle")
    middle = pixel_of(drawn, [200, 60, 60])
    azimuth = drawn.camera.azimuth
    drag(drawn, middle - QPoint(20, 20), middle, middle + QPoint(20, 20))
    (region,) = drawn.regions
    np.testing.assert_array_equal(
        region.contains([[200, 60, 60], [60, 60, 200], [60, 200, 60]]), [True, False, False]
    )
    assert drawn.camera.azimuth == azimuth
    # It means the same when the view has turned.
    drawn.rotate(70)
    assert region.contains([[200, 60, 60]]).all()


@pytest.mark.window
def test_a_lasso_is_closed_and_reported_while_it_grows(drawn: Any) -> None:
    from qtpy.QtCore import QPoint

    changes: list[Any] = []
    drawn.region_changed.connect(changes.append)
    drawn.set_tool("lasso")
    m = pixel_of(drawn, [60, 60, 200])
    corners = [QPoint(-25, -25), QPoint(25, -25), QPoint(25, 25), QPoint(-25, 25)]
    drag(drawn, *[m + corner for corner in corners])
    assert len(changes) >= 2
    (region,) = drawn.regions
    np.testing.assert_array_equal(region.contains([[60, 60, 200], [200, 60, 60]]), [True, False])


@pytest.mark.window
def test_a_ball_is_centered_on_the_densest_color(drawn: Any) -> None:
    from qtpy.QtCore import QPoint

    drawn.set_tool("ball")
    start = pixel_of(drawn, [200, 60, 60])
    drag(drawn, start, start + QPoint(20, 0), start + QPoint(40, 0))
    (region,) = drawn.regions
    np.testing.assert_allclose(region.center, [200, 60, 60], atol=12)
    # 40 pixels of a cube that is some 230 pixels large.
    assert 25 < region.radius < 75


@pytest.mark.window
def test_a_region_is_drawn_on_what_a_cut_has_left(drawn: Any) -> None:
    from qtpy.QtCore import QPoint

    centers = [[200, 60, 60], [60, 60, 200]]
    everywhere = [QPoint(1, 1), QPoint(200, 200), QPoint(428, 358)]
    drawn.set_cut([0, 0, 1], [0, 0, 128])
    drawn.render()
    drawn.set_tool("rectangle")
    drag(drawn, *everywhere)
    drawn.rotate(180)  # the other half is before the cut
    drawn.render()
    drag(drawn, *everywhere)
    first, second = (region.contains(centers) for region in drawn.regions)
    assert first.sum() == 1
    np.testing.assert_array_equal(second, ~first)


@pytest.mark.window
def test_a_click_draws_nothing(drawn: Any) -> None:
    drawn.set_tool("lasso")
    click(drawn, pixel_of(drawn, [200, 60, 60]))
    assert drawn.regions == [None]


@pytest.mark.window
@pytest.mark.parametrize("tool", ["lasso", "rectangle", "ball"])
def test_escape_gives_a_drawing_up_and_then_the_tool(drawn: Any, tool: str) -> None:
    from qtpy.QtCore import QPoint, Qt
    from qtpy.QtTest import QTest

    put_away: list[bool] = []
    drawn.tool_canceled.connect(lambda: put_away.append(True))
    drawn.set_tool(tool)
    start = pixel_of(drawn, [200, 60, 60])
    azimuth = drawn.camera.azimuth
    path = [start, start + QPoint(20, 5), start + QPoint(30, 30)]
    QTest.mousePress(drawn.native, Qt.MouseButton.LeftButton, pos=start)
    move(drawn.native, path[1])
    QTest.keyClick(drawn.native, Qt.Key.Key_Escape)
    assert drawn.regions == [None]
    move(drawn.native, path[2])
    QTest.mouseRelease(drawn.native, Qt.MouseButton.LeftButton, pos=path[2])
    assert drawn.regions == [None]
    assert drawn.camera.azimuth == azimuth
    assert put_away == []
    QTest.keyClick(drawn.native, Qt.Key.Key_Escape)
    assert put_away == [True]
    drawn.set_tool("rotate")
    drag(drawn, QPoint(150, 150), QPoint(200, 150), QPoint(220, 150))
    assert drawn.camera.azimuth != azimuth


@pytest.mark.window
def test_turning_is_the_tool_to_begin_with(drawn: Any) -> None:
    from qtpy.QtCore import QPoint

    azimuth = drawn.camera.azimuth
    drag(drawn, QPoint(150, 150), QPoint(200, 150), QPoint(220, 150))
    assert drawn.regions == []
    assert drawn.camera.azimuth != azimuth
    with pytest.raises(ValueError, match="tool must be one of"):
        drawn.set_tool("wand")
