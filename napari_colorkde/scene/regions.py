"""Regions of colours drawn with the mouse. Pure functions and values; no OpenGL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .geometry import ColorBox, Floats
from .rays import Ray, hit_box


class Region(Protocol):
    """A set of colours."""

    def contains(self, colors: ArrayLike) -> NDArray[np.bool_]:
        """Say which of the colours (N, C), image units, lie in the region: (N,) bools."""


@dataclass(frozen=True, eq=False)
class ScreenRegion:
    """All colours that a view showed within an outline on the screen.

    Attributes
    ----------
    mask : (H, W) bool array
        The pixels within the outline.
    corner : (int, int)
        Column and row on the canvas of the mask's first pixel.
    matrix : (4, 4) array
        Takes scene points ``[x, y, z, 1] @ matrix`` to homogeneous pixels, as the view was then.
    box : ColorBox
        Where colours lay in the scene.
    """

    mask: NDArray[np.bool_]
    corner: tuple[int, int]
    matrix: Floats
    box: ColorBox

    @classmethod
    def from_outline(cls, outline: ArrayLike, matrix: Floats, box: ColorBox) -> ScreenRegion:
        """Make the region of a closed outline, (M, 2) pixels of the canvas."""
        outline = np.asarray(outline, dtype=float)
        low = np.floor(outline.min(axis=0)).astype(int)
        high = np.ceil(outline.max(axis=0)).astype(int)
        width, height = np.maximum(high - low, 1)
        mask = polygon_mask(outline - low, (int(height), int(width)))
        return cls(mask, (int(low[0]), int(low[1])), matrix, box)

    def contains(self, colors: ArrayLike) -> NDArray[np.bool_]:
        """Say which colours (N, C) lie in the region. 30 ms for 440 000."""
        # One affine map from colours to homogeneous pixels; a quarter of a pixel is enough.
        n_channels = len(self.box.low)
        origin = self.box.to_scene(np.zeros(n_channels))
        axes = self.box.to_scene(np.eye(n_channels)) - origin
        linear = (axes @ self.matrix[:3])[:, [0, 1, 3]].astype(np.float32)
        offset = (origin @ self.matrix[:3] + self.matrix[3])[[0, 1, 3]].astype(np.float32)
        x, y, w = linear.T @ np.asarray(colors, dtype=np.float32).T + offset[:, np.newaxis]
        # A frame of False around the mask takes in everything outside.
        height, width = self.mask.shape
        framed = np.pad(self.mask, 1)
        w[w <= 0] = np.nan
        with np.errstate(invalid="ignore"):
            column = np.clip(np.floor(x / w) - self.corner[0] + 1, 0, width + 1)
            row = np.clip(np.floor(y / w) - self.corner[1] + 1, 0, height + 1)
        index = np.nan_to_num(row * (width + 2) + column, copy=False).astype(np.int32)
        return np.asarray(framed.ravel()[index])


@dataclass(frozen=True, eq=False)
class BallRegion:
    """All colours near one.

    Attributes
    ----------
    center : (C,) array
        A colour in image units.
    radius : float
        In edge lengths of the box.
    box : ColorBox
        Whose edges measure distances.
    """

    center: Floats
    radius: float
    box: ColorBox

    def contains(self, colors: ArrayLike) -> NDArray[np.bool_]:
        """Say which colours (N, C) lie in the ball."""
        span = np.subtract(self.box.high, self.box.low)
        offset = (np.asarray(colors, dtype=float) - self.center) / span
        return np.asarray(np.einsum("nc,nc->n", offset, offset) <= self.radius**2)


def polygon_mask(outline: Floats, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the pixels whose centres lie within a closed polygon, by the even–odd rule.

    Parameters
    ----------
    outline : (M, 2) array
        Corners, x and y in pixels; the last joins the first.
    shape : (H, W)
        Of the mask.

    Notes
    -----
    O(M · H + H · W): each edge flips all pixels to the right of where it crosses a row.
    """
    height, width = shape
    flips = np.zeros((height, width + 1), dtype=np.int32)
    for (x0, y0), (x1, y1) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        (xa, ya), (xb, yb) = sorted([(x0, y0), (x1, y1)], key=lambda p: p[1])
        first, last = max(int(np.ceil(ya - 0.5)), 0), min(int(np.ceil(yb - 0.5)), height)
        rows = np.arange(first, last)
        crossings = xa + (rows + 0.5 - ya) / (yb - ya) * (xb - xa)
        columns = np.clip(np.ceil(crossings - 0.5), 0, width).astype(np.intp)
        np.add.at(flips, (rows, columns), 1)
    return np.asarray(np.cumsum(flips, axis=1)[:, :-1] % 2 == 1)


def densest_on_ray(ray: Ray, values: NDArray[np.floating], box: ColorBox) -> Floats | None:
    """Return the colour (3,) at which a ray meets the highest density; None if it misses the box.

    Looks at the grid point nearest to each of as many places as the grid has along two edges.
    """
    hit = hit_box(ray, np.zeros(3), box.size)
    if hit is None:
        return None
    places = ray.origin + np.linspace(*hit, 2 * max(values.shape))[:, np.newaxis] * ray.direction
    colors = box.to_color(places)
    low, high = np.array(box.low), np.array(box.high)
    points = np.array(values.shape) - 1
    index = np.clip(np.rint((colors - low) / (high - low) * points), 0, points).astype(np.intp)
    densities = np.abs(values[tuple(index.T)])
    return np.asarray(colors[int(np.argmax(densities))])
