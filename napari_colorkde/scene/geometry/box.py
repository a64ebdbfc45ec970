"""Geometry of the color-space view: the box in the scene, its edges, its rulers. No OpenGL here.

Three coordinate systems meet:

* *colors*: channel values in image units, channel order of the image;
* *scene*: the box that is drawn, ``[0, size]`` along x, y and z (z is up on the screen);
* *screen*: logical pixels of the canvas, y downwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

# A corner's bits are its x, y and z: corner 5 = (1, 0, 1).
CUBE_CORNERS: Floats = np.array([[i & 1, i >> 1 & 1, i >> 2 & 1] for i in range(8)], dtype=float)
# Four edges along x, four along y, four along z: edge // 4 is its direction.
CUBE_EDGES: NDArray[np.intp] = np.array(
    [
        (corner, corner | 1 << axis)
        for axis in range(3)
        for corner in range(8)
        if not corner >> axis & 1
    ]
)
# Corners of each face, counterclockwise seen from outside; face = 2 * axis + side.
CUBE_FACES: NDArray[np.intp] = np.array(
    [(0, 4, 6, 2), (1, 3, 7, 5), (0, 1, 5, 4), (2, 6, 7, 3), (0, 2, 3, 1), (4, 5, 7, 6)]
)
BACK, SILHOUETTE, FRONT = 0, 1, 2


@dataclass(frozen=True, slots=True)
class ColorBox:
    """Where a box of colors stands in the scene.

    Attributes
    ----------
    low, high : tuple of float
        The colors at two opposite corners, one number per channel, image units.
    order : tuple of int
        The channel along the scene's x, y and z. Three entries, whatever the number of channels;
        -1 stands for "no channel".
    size : tuple of float
        Lengths of the box's edges along x, y and z in the scene.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    order: tuple[int, int, int]
    size: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @classmethod
    def from_axes(cls, axes: tuple[ArrayLike, ...], up: int = 0) -> ColorBox:
        """Make the box of the coordinate arrays `axes`, channel `up` pointing up.

        Three channels are turned cyclically, so that the scene stays right-handed. Two channels
        lie in the plane of x (the first one) and z (the second). One lies along x. Fewer than
        three have no depth (y).
        """
        arrays = [np.asarray(axis, dtype=float) for axis in axes]
        low = tuple(float(axis[0]) for axis in arrays)
        high = tuple(float(axis[-1]) for axis in arrays)
        if any(a >= b for a, b in zip(low, high, strict=True)):
            raise ValueError(f"axes must ascend; their ends are {low} and {high}.")
        n = len(arrays)
        if n == 3:
            if up not in (0, 1, 2):
                raise ValueError(f"up must be a channel, 0, 1 or 2, not {up!r}.")
            return cls(low, high, ((up + 1) % 3, (up + 2) % 3, up))
        if n == 2:
            return cls(low, high, (0, -1, 1), (1.0, 0.0, 1.0))
        if n == 1:
            # The height is the density's.
            return cls(low, high, (0, -1, -1), (1.5, 0.0, 1.0))
        raise ValueError(f"axes must be those of 1, 2 or 3 channels, not {n}.")

    def to_scene(self, colors: ArrayLike) -> Floats:
        """Map colors (..., C) to scene points (..., 3); absent directions become 0."""
        colors = np.asarray(colors, dtype=float)
        low, high = np.array(self.low), np.array(self.high)
        t = (colors - low) / (high - low)
        points = np.zeros((*colors.shape[:-1], 3))
        for axis, channel in enumerate(self.order):
            if channel >= 0:
                points[..., axis] = t[..., channel] * self.size[axis]
        return points

    def to_color(self, points: ArrayLike) -> Floats:
        """Map scene points (..., 3) to colors (..., C): the inverse of `to_scene`."""
        points = np.asarray(points, dtype=float)
        colors = np.empty((*points.shape[:-1], len(self.low)))
        for axis, channel in enumerate(self.order):
            if channel >= 0:
                t = points[..., axis] / self.size[axis]
                low, high = self.low[channel], self.high[channel]
                colors[..., channel] = low + t * (high - low)
        return colors

    def matrix(self) -> Floats:
        """Return the 4×4 matrix M with ``[color, 1] @ M = [scene point, 1]`` (3 channels)."""
        m = np.zeros((4, 4))
        m[3, 3] = 1.0
        for axis, channel in enumerate(self.order):
            scale = self.size[axis] / (self.high[channel] - self.low[channel])
            m[channel, axis] = scale
            m[3, axis] = -self.low[channel] * scale
        return m

    def volume_matrix(self) -> Floats:
        """Return the 4×4 matrix M with ``[t2, t1, t0, 1] @ M = [scene point, 1]`` (3 channels).

        t runs from 0 to 1 between the ends of a channel. The order is reversed because a texture's
        x runs along the array's last axis.
        """
        unit = ColorBox((0.0,) * 3, (1.0,) * 3, self.order, self.size)
        m = unit.matrix()
        m[:3] = m[2::-1]
        return m

    def corners(self) -> Floats:
        """Return the eight corners in the scene, (8, 3), in the order of `CUBE_CORNERS`."""
        return np.asarray(CUBE_CORNERS * np.array(self.size))


def faces_toward_viewer(screen: Floats, depth_w: Floats) -> NDArray[np.bool_]:
    """Say which faces of the cube are seen from outside.

    Parameters
    ----------
    screen : (8, 2) array
        The corners on the screen, pixels, y downwards.
    depth_w : (8,) array
        The corners' homogeneous w; a face with a corner behind the viewer (w ≤ 0) is not seen.

    Returns
    -------
    (6,) bool array
    """
    quads = screen[CUBE_FACES]  # (6, 4, 2)
    diagonal_a = quads[:, 2] - quads[:, 0]
    diagonal_b = quads[:, 3] - quads[:, 1]
    # Twice the signed area. With y downwards, counterclockwise is negative.
    area = diagonal_a[:, 0] * diagonal_b[:, 1] - diagonal_a[:, 1] * diagonal_b[:, 0]
    in_front = np.all(depth_w[CUBE_FACES] > 0, axis=1)
    return np.asarray((area < 0) & in_front)


def edge_kinds(facing: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Class the 12 edges: `BACK` (behind the content), `SILHOUETTE` or `FRONT`.

    An edge is the meeting of two faces; the kind is the number of them that face the viewer.
    """
    kinds = np.empty(12, dtype=np.intp)
    for edge, (start, _) in enumerate(CUBE_EDGES):
        direction = edge // 4
        faces = [2 * axis + (start >> axis & 1) for axis in range(3) if axis != direction]
        kinds[edge] = np.count_nonzero(facing[faces])
    return kinds


def choose_rulers(
    screen: Floats, kinds: NDArray[np.intp], shortest: float = 40.0
) -> tuple[int | None, int | None, int | None]:
    """Choose for each direction the edge that carries ticks and numbers.

    Among a direction's edges on the silhouette (nothing is drawn outside of them, so the numbers
    stay readable) the lowest on the screen is taken; for edges nearer to upright, the leftmost.

    Parameters
    ----------
    screen : (8, 2) array
        The corners on the screen, pixels, y downwards.
    kinds : (12,) array
        From `edge_kinds`.
    shortest : float
        Edges shorter than this many pixels (seen end-on) get no ruler.
    """
    chosen: list[int | None] = []
    for axis in range(3):
        edges = np.arange(4 * axis, 4 * axis + 4)
        spans = screen[CUBE_EDGES[edges, 1]] - screen[CUBE_EDGES[edges, 0]]
        middles = screen[CUBE_EDGES[edges]].mean(axis=1)
        lengths = np.hypot(spans[:, 0], spans[:, 1])
        usable = (lengths >= shortest) & (kinds[edges] == SILHOUETTE)
        if not usable.any():
            chosen.append(None)
            continue
        upright = np.abs(spans[:, 1]).mean() > np.abs(spans[:, 0]).mean()
        # A small fraction of the other coordinate settles ties.
        score = (
            -middles[:, 0] + 0.1 * middles[:, 1] if upright else middles[:, 1] - 0.1 * middles[:, 0]
        )
        chosen.append(int(edges[np.argmax(np.where(usable, score, -np.inf))]))
    return chosen[0], chosen[1], chosen[2]


def outward(start: Floats, end: Floats, center: Floats) -> Floats:
    """Return the unit normal of the screen segment that points away from `center`, (2,)."""
    span = end - start
    normal = np.array([span[1], -span[0]])
    length = np.hypot(*normal)
    if length == 0:
        return np.array([0.0, 1.0])
    normal /= length
    return normal if np.dot((start + end) / 2 - center, normal) >= 0 else -normal


def plane_in_box(point: Floats, normal: Floats, size: tuple[float, float, float]) -> Floats:
    """Return the polygon in which a plane cuts the box [0, size], (N, 3), N = 0 or 3 to 6.

    The corners go round the normal.
    """
    corners = CUBE_CORNERS * np.array(size)
    height = (corners - point) @ normal
    ends = []
    for a, b in CUBE_EDGES:
        if (height[a] < 0) != (height[b] < 0):
            t = height[a] / (height[a] - height[b])
            ends.append(corners[a] + t * (corners[b] - corners[a]))
    if len(ends) < 3:
        return np.empty((0, 3))
    polygon = np.array(ends)
    middle = polygon.mean(axis=0)
    # Two directions in the plane to sort the corners by their angle.
    u = polygon[0] - middle
    v = np.cross(normal, u)
    order = np.argsort(np.arctan2((polygon - middle) @ v, (polygon - middle) @ u))
    return np.asarray(polygon[order])
