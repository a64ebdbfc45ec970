from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_colorkde.scene.geometry.rays import (
    Ray,
    hit_box,
    hit_ellipsoids,
    hit_plane,
    nearest_on_line,
)


def ray_through(seed: int, target: np.ndarray) -> Ray:
    """Return a ray from a random place 5 away toward `target`."""
    direction = np.random.default_rng(seed).normal(size=3)
    direction /= np.linalg.norm(direction)
    return Ray(target - 5 * direction, direction)


def random_axes(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    return rotation * rng.uniform(0.1, 1.0, 3)


@given(st.integers(0, 2**31))
def test_a_ray_enters_an_ellipsoid_on_its_surface(seed: int) -> None:
    axes = random_axes(seed)
    ball = np.random.default_rng(seed).normal(size=3)
    target = axes @ (0.9 * ball / np.linalg.norm(ball))  # a point inside
    ray = ray_through(seed + 1, target)
    distance = hit_ellipsoids(ray, np.zeros((1, 3)), axes[np.newaxis])[0]
    assert np.linalg.norm(np.linalg.solve(axes, ray.at(distance))) == pytest.approx(1, abs=1e-9)
    assert distance < 5
    # It is the first such point.
    nearer = np.linspace(0, distance * 0.999, 50)
    outside = [np.linalg.norm(np.linalg.solve(axes, ray.at(d))) for d in nearer]
    assert min(outside) >= 1 - 1e-9


def test_a_ray_beside_and_one_away_miss() -> None:
    axes = np.eye(3)[np.newaxis]
    beside = Ray(np.array([0, 1.01, -5.0]), np.array([0, 0, 1.0]))
    away = Ray(np.array([0, 0, 5.0]), np.array([0, 0, 1.0]))
    assert np.isinf(hit_ellipsoids(beside, np.zeros((1, 3)), axes)).all()
    assert np.isinf(hit_ellipsoids(away, np.zeros((1, 3)), axes)).all()


def test_from_inside_the_ray_meets_the_far_side() -> None:
    inside = Ray(np.zeros(3), np.array([0, 0, 1.0]))
    assert hit_ellipsoids(inside, np.zeros((1, 3)), 2 * np.eye(3)[np.newaxis])[0] == 2


def test_no_ellipsoids_give_no_distances() -> None:
    ray = Ray(np.zeros(3), np.array([0, 0, 1.0]))
    assert hit_ellipsoids(ray, np.empty((0, 3)), np.empty((0, 3, 3))).shape == (0,)


def test_flat_ellipsoids_can_be_hit() -> None:
    axes = np.diag([1.0, 1.0, 0.0])[np.newaxis]
    ray = Ray(np.array([0.2, 0.1, -3.0]), np.array([0, 0, 1.0]))
    assert hit_ellipsoids(ray, np.zeros((1, 3)), axes)[0] == pytest.approx(3, abs=1e-3)


@given(st.integers(0, 2**31))
def test_the_point_in_a_plane_lies_in_it_and_on_the_ray(seed: int) -> None:
    point, normal = np.random.default_rng(seed).normal(size=(2, 3))
    ray = ray_through(seed, np.zeros(3))
    hit = hit_plane(ray, point, normal)
    assert hit is not None
    assert (hit - point) @ normal == pytest.approx(0, abs=1e-5 * np.linalg.norm(hit - point) + 1e-9)
    across = np.cross(hit - ray.origin, ray.direction)
    np.testing.assert_allclose(across, 0, atol=1e-6 * max(1, np.linalg.norm(hit)))


def test_a_ray_along_a_plane_does_not_meet_it() -> None:
    ray = Ray(np.zeros(3), np.array([1.0, 0, 0]))
    assert hit_plane(ray, np.array([0, 0, 1.0]), np.array([0, 0, 1.0])) is None


@given(st.integers(0, 2**31))
def test_a_box_is_entered_and_left_on_its_faces(seed: int) -> None:
    target = np.random.default_rng(seed).uniform(0.01, 0.99, 3)
    ray = ray_through(seed, target)
    hit = hit_box(ray, np.zeros(3), np.ones(3))
    assert hit is not None
    assert hit[0] < 5 < hit[1]
    for distance in hit:
        point = ray.at(distance)
        assert np.min(np.abs(np.concatenate([point, 1 - point]))) < 1e-9
        assert np.all((point > -1e-9) & (point < 1 + 1e-9))


def test_boxes_beside_and_behind_are_missed() -> None:
    assert hit_box(Ray(np.array([2.0, 0.5, -1]), np.array([0, 0, 1.0])), [0] * 3, [1] * 3) is None
    assert hit_box(Ray(np.array([0.5, 0.5, 2]), np.array([0, 0, 1.0])), [0] * 3, [1] * 3) is None


@given(st.integers(0, 2**31))
def test_nearest_point_of_a_line_is_perpendicular_to_both(seed: int) -> None:
    point, direction = np.random.default_rng(seed).normal(size=(2, 3))
    ray = ray_through(seed, np.zeros(3))
    t = nearest_on_line(ray, point, direction)
    assert t is not None
    place = point + t * direction
    on_ray = ray.at(float((place - ray.origin) @ ray.direction))
    gap = place - on_ray
    assert gap @ direction == pytest.approx(0, abs=1e-6 * (1 + np.linalg.norm(place)))


def test_a_parallel_line_has_no_nearest_point() -> None:
    ray = Ray(np.zeros(3), np.array([0, 0, 1.0]))
    assert nearest_on_line(ray, np.ones(3), np.array([0, 0, 2.0])) is None
