"""Where the ray under the mouse meets things. Pure functions; scene coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from napari_colorkde.scene.geometry.box import Floats


@dataclass(frozen=True, eq=False)
class Ray:
    """All points that lie behind one pixel.

    Attributes
    ----------
    origin : (3,) array
        A point of the ray at the near end of the view.
    direction : (3,) array
        Away from the eye, of length 1.
    """

    origin: Floats
    direction: Floats

    def at(self, distance: float) -> Floats:
        """Return the point at `distance` from the origin."""
        return np.asarray(self.origin + distance * self.direction)


def hit_ellipsoids(ray: Ray, means: ArrayLike, axes: ArrayLike) -> Floats:
    """Return the distances at which a ray enters ellipsoids.

    Parameters
    ----------
    ray : Ray
        Of the mouse.
    means : (K, 3) array
        Centers.
    axes : (K, 3, 3) array
        Half-axes in columns. Flat ones are thickened by a millionth of their longest.

    Returns
    -------
    (K,) array
        Infinite where the ray misses, or where the ellipsoid lies behind the eye. Inside of one:
        where the ray leaves it.
    """
    means, axes = np.asarray(means, dtype=float), np.asarray(axes, dtype=float)
    longest = np.linalg.norm(axes, axis=(1, 2))
    directions, lengths, _ = np.linalg.svd(axes) if len(axes) else (axes, axes[:, 0], axes)
    lengths = np.maximum(lengths, 1e-6 * longest[:, np.newaxis])
    # In coordinates in which the ellipsoid is the unit ball.
    origin = np.einsum("kij,ki->kj", directions, ray.origin - means) / lengths
    along = np.einsum("kij,i->kj", directions, ray.direction) / lengths
    a = np.sum(along**2, axis=1)
    b = np.sum(along * origin, axis=1)
    discriminant = b**2 - a * (np.sum(origin**2, axis=1) - 1)
    root = np.sqrt(np.clip(discriminant, 0, None))
    enter, leave = (-b - root) / a, (-b + root) / a
    distance = np.where(enter >= 0, enter, leave)
    return np.where((discriminant >= 0) & (distance >= 0), distance, np.inf)


def hit_plane(ray: Ray, point: Floats, normal: Floats) -> Floats | None:
    """Return where a ray meets the plane through `point`; None if it runs along it."""
    slope = float(ray.direction @ normal)
    if abs(slope) < 1e-9:
        return None
    return ray.at(float((np.asarray(point) - ray.origin) @ normal) / slope)


def hit_box(ray: Ray, low: ArrayLike, high: ArrayLike) -> tuple[float, float] | None:
    """Return the distances at which a ray enters and leaves the box [low, high]; None if it misses.

    From inside, the first distance is 0. (Kay and Kajiya's slabs, SIGGRAPH 1986.)
    """
    low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        to_low, to_high = (low - ray.origin) / ray.direction, (high - ray.origin) / ray.direction
    parallel = ray.direction == 0
    inside = (ray.origin >= low) & (ray.origin <= high)
    if np.any(parallel & ~inside):
        return None
    enter = np.where(parallel, -np.inf, np.minimum(to_low, to_high)).max()
    leave = np.where(parallel, np.inf, np.maximum(to_low, to_high)).min()
    enter = max(float(enter), 0.0)
    return (enter, float(leave)) if leave >= enter else None


def nearest_on_line(ray: Ray, point: Floats, direction: Floats) -> float | None:
    """Return how far along the line ``point + t · direction`` it comes nearest to a ray.

    None if both run alike.
    """
    # Normal equations of |point + t direction − origin − s ray| for t and s.
    d = np.asarray(direction, dtype=float)
    dd, dr = float(d @ d), float(d @ ray.direction)
    determinant = dd - dr**2
    if determinant < 1e-9 * dd:
        return None
    gap = ray.origin - np.asarray(point)
    return float(gap @ d - dr * (gap @ ray.direction)) / determinant
