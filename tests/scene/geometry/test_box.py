from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from napari_colorkde.scene.geometry.box import (
    BACK,
    CUBE_CORNERS,
    CUBE_EDGES,
    CUBE_FACES,
    FRONT,
    SILHOUETTE,
    ColorBox,
    choose_rulers,
    edge_kinds,
    faces_toward_viewer,
    outward,
    plane_in_box,
)
from napari_colorkde.scene.geometry.principal_axes import principal_axes, principal_circles
from napari_colorkde.scene.geometry.ticks import nice_ticks, tick_texts

AXES = (np.linspace(0, 255, 5), np.linspace(-10, 10, 6), np.linspace(2, 3, 7))
# Above the middle of the bottom edge, looking down a little: an orthographic picture of the cube.
ANGLES = st.tuples(st.floats(1, 89), st.floats(5, 85), st.integers(0, 3))


def cube_seen_from(azimuth: float, elevation: float) -> np.ndarray:
    """Return the corners in pixels (y downwards), 100 an edge, without perspective."""
    a, e = np.radians([azimuth, elevation])
    right = np.array([np.cos(a), np.sin(a), 0])
    forward = np.array([-np.sin(a) * np.cos(e), np.cos(a) * np.cos(e), -np.sin(e)])
    up = np.cross(right, forward)
    return 100 * np.column_stack([CUBE_CORNERS @ right, -(CUBE_CORNERS @ up)])


@pytest.mark.parametrize("n_channels", [1, 2, 3])
@pytest.mark.parametrize("up", [0, 1, 2])
def test_colors_come_back_from_the_scene(n_channels: int, up: int) -> None:
    box = ColorBox.from_axes(AXES[:n_channels], up)
    colors = np.random.default_rng(1).uniform(-3, 300, (20, n_channels))
    np.testing.assert_allclose(box.to_color(box.to_scene(colors)), colors, atol=1e-9)


def test_the_upward_channel_lies_along_z() -> None:
    box = ColorBox.from_axes(AXES, up=2)
    low, high = box.to_scene([[0, 0, 2], [0, 0, 3]])
    np.testing.assert_allclose(high - low, [0, 0, 1])


def test_matrix_maps_as_to_scene_does() -> None:
    box = ColorBox.from_axes(AXES, up=1)
    color = np.array([17.0, -3.0, 2.25])
    np.testing.assert_allclose((np.append(color, 1) @ box.matrix())[:3], box.to_scene(color))


def test_volume_matrix_puts_grid_points_at_their_colors() -> None:
    box = ColorBox.from_axes(AXES)
    matrix = box.volume_matrix()
    i, j, k = 1, 4, 6
    color = [AXES[0][i], AXES[1][j], AXES[2][k]]
    place = [k / 6, j / 5, i / 4, 1]  # x runs along the last axis
    np.testing.assert_allclose((place @ matrix)[:3], box.to_scene(color))


def test_scene_stays_right_handed() -> None:
    for up in (0, 1, 2):
        assert np.linalg.det(ColorBox.from_axes(AXES, up).matrix()[:3, :3]) > 0


def test_descending_axes_are_refused() -> None:
    with pytest.raises(ValueError, match="ascend"):
        ColorBox.from_axes((AXES[0][::-1],))


def test_four_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="1, 2 or 3 channels, not 4"):
        ColorBox.from_axes((*AXES, AXES[0]))


def test_edges_join_corners_that_differ_in_one_coordinate() -> None:
    for edge, (start, end) in enumerate(CUBE_EDGES):
        difference = CUBE_CORNERS[end] - CUBE_CORNERS[start]
        np.testing.assert_array_equal(difference, np.eye(3)[edge // 4])
    assert len({tuple(edge) for edge in CUBE_EDGES}) == 12


def test_faces_wind_counterclockwise_seen_from_outside() -> None:
    for face, (a, b, c, _) in enumerate(CUBE_CORNERS[CUBE_FACES]):
        outwards = np.eye(3)[face // 2] * (1 if face % 2 else -1)
        np.testing.assert_array_equal(np.cross(b - a, c - b), outwards)


@given(ANGLES)
def test_three_faces_are_seen_and_edges_are_classed(view: tuple[float, float, int]) -> None:
    azimuth, elevation, quarter = view
    screen = cube_seen_from(azimuth + 90 * quarter, elevation)
    facing = faces_toward_viewer(screen, np.ones(8))
    assert facing.sum() == 3
    assert facing[5]  # the top, seen from above
    kinds = edge_kinds(facing)
    assert [np.count_nonzero(kinds == k) for k in (BACK, SILHOUETTE, FRONT)] == [3, 6, 3]


def test_faces_behind_the_viewer_are_not_seen() -> None:
    screen = cube_seen_from(30, 30)
    assert not faces_toward_viewer(screen, -np.ones(8)).any()


@given(ANGLES)
def test_rulers_lie_on_the_outline_and_low(view: tuple[float, float, int]) -> None:
    azimuth, elevation, quarter = view
    screen = cube_seen_from(azimuth + 90 * quarter, elevation)
    kinds = edge_kinds(faces_toward_viewer(screen, np.ones(8)))
    rulers = choose_rulers(screen, kinds, shortest=20)
    middles = screen[CUBE_EDGES].mean(axis=1)
    for axis, edge in enumerate(rulers):
        if edge is None:
            continue
        assert edge // 4 == axis
        assert kinds[edge] == SILHOUETTE
    if rulers[2] is not None:  # z is upright: its ruler stands at the left
        assert middles[rulers[2], 0] <= middles[8:12, 0].min() + 1e-9
    spans = np.abs(np.diff(screen[CUBE_EDGES], axis=1)[:, 0])
    for edge in rulers[:2]:
        if edge is not None and spans[edge, 0] > spans[edge, 1]:  # the others at the bottom
            assert middles[edge, 1] >= np.median(middles[:, 1])


def test_edges_seen_end_on_carry_no_ruler() -> None:
    screen = cube_seen_from(0.5, 20)  # along y, nearly
    kinds = edge_kinds(faces_toward_viewer(screen, np.ones(8)))
    rulers = choose_rulers(screen, kinds, shortest=40)
    assert rulers[1] is None
    assert rulers[0] is not None


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(2, 10))
def test_ticks_are_few_round_and_within(low: float, span: float, at_most: int) -> None:
    high = low + span
    assume(span > 1e-9 * abs(low))
    ticks = nice_ticks(low, high, at_most)
    assert len(ticks) <= at_most
    slack = 1e-6 * span
    assert np.all((ticks >= low - slack) & (ticks <= high + slack))
    if len(ticks) > 1:
        step = ticks[1] - ticks[0]
        mantissa = step / 10 ** np.floor(np.log10(step * (1 + 1e-6)))
        assert np.isclose([1, 2, 2.5, 5, 10], mantissa, rtol=1e-4).any()


def test_eight_bit_ticks() -> None:
    ticks = nice_ticks(0, 255, 6)
    assert tick_texts(ticks) == ["0", "50", "100", "150", "200", "250"]


def test_tick_texts_have_the_decimals_of_the_step() -> None:
    assert tick_texts(np.array([-0.25, 0.0, 0.25])) == ["−0.25", "0", "0.25"]
    assert tick_texts(np.array([0.0, 0.5, 1.0])) == ["0", "0.5", "1"]
    assert tick_texts(np.array([])) == []


def test_ticks_of_an_empty_range_are_refused() -> None:
    with pytest.raises(ValueError, match="ascending"):
        nice_ticks(3, 3)


def test_outward_points_away_from_the_center() -> None:
    normal = outward(np.array([0.0, 10]), np.array([20.0, 10]), np.array([10.0, 0]))
    np.testing.assert_allclose(normal, [0, 1])
    flipped = outward(np.array([20.0, 10]), np.array([0.0, 10]), np.array([10.0, 50]))
    np.testing.assert_allclose(flipped, [0, -1])


@given(st.integers(0, 2**31), st.integers(1, 3))
def test_principal_axes_give_the_covariance_back(seed: int, n_channels: int) -> None:
    root = np.random.default_rng(seed).normal(size=(4, n_channels, n_channels))
    covariances = root @ np.swapaxes(root, 1, 2)
    axes = principal_axes(covariances)
    np.testing.assert_allclose(axes @ np.swapaxes(axes, 1, 2), covariances, atol=1e-9)
    assert np.all(np.linalg.det(axes) >= 0)
    products = np.swapaxes(axes, 1, 2) @ axes  # columns are perpendicular
    off_diagonal = products * (1 - np.eye(n_channels))
    np.testing.assert_allclose(off_diagonal, 0, atol=1e-8)


@given(st.integers(0, 2**31), st.integers(1, 3))
def test_principal_circles_lie_at_their_radius(seed: int, n_channels: int) -> None:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(2, n_channels, n_channels)) + 2 * np.eye(n_channels)
    covariances = root @ np.swapaxes(root, 1, 2)
    means = rng.normal(size=(2, n_channels))
    circles = principal_circles(means, 2 * principal_axes(covariances), 12)
    offsets = circles - means[:, np.newaxis, np.newaxis]
    solved = np.einsum("kij,kpnj->kpni", np.linalg.inv(covariances), offsets)
    radii = np.sqrt(np.sum(offsets * solved, axis=-1))
    np.testing.assert_allclose(radii, 2, rtol=1e-5)


def test_three_channels_have_three_circles() -> None:
    circles = principal_circles(np.zeros((5, 3)), np.tile(np.eye(3), (5, 1, 1)), 10)
    assert circles.shape == (5, 3, 20, 3)


@given(st.integers(0, 2**31))
def test_a_plane_cuts_a_box_in_a_convex_polygon(seed: int) -> None:
    rng = np.random.default_rng(seed)
    size = tuple(rng.uniform(0.5, 2, 3))
    point = rng.uniform(0.2, 0.8, 3) * size
    normal = rng.normal(size=3)
    normal /= np.linalg.norm(normal)
    polygon = plane_in_box(point, normal, size)
    assert 3 <= len(polygon) <= 6
    np.testing.assert_allclose((polygon - point) @ normal, 0, atol=1e-9)
    assert np.all((polygon > -1e-9) & (polygon < np.array(size) + 1e-9))
    sides = np.roll(polygon, -1, axis=0) - polygon
    turns = np.cross(sides, np.roll(sides, -1, axis=0)) @ normal
    assert np.all(turns > -1e-9) or np.all(turns < 1e-9)


def test_a_plane_beside_the_box_cuts_nothing() -> None:
    outside = plane_in_box(np.array([0, 0, 2.0]), np.array([0, 0, 1.0]), (1, 1, 1))
    assert outside.shape == (0, 3)
