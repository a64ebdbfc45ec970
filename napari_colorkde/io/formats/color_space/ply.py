"""PLY: surfaces in the color space, each vertex in its own color, for Blender, MeshLab and others.

Format: Turk, The PLY Polygon File Format (1994). Coordinates are color units.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.io.provenance import as_lines

if TYPE_CHECKING:
    from napari_colorkde.core.kde.volumes.density_volume import DensityVolume
    from napari_colorkde.core.mixture.kernels import Kernel

MASS = 0.9
"""Part of the volume's mass that its shell encloses."""

DEVIATIONS = 2.0
"""Size of an ellipsoid, in standard deviations."""

RINGS = 16
"""Of a sphere's vertices, between its poles."""


def check_volume(volume: "DensityVolume") -> None:
    """Refuse a volume that has no shell.

    Raises
    ------
    ValueError
        If it has not three axes, or is empty.
    """
    if volume.values.ndim != 3 or not volume.values.any():
        raise ValueError(
            f"a surface needs a volume of three axes, but this has the shape "
            f"{volume.values.shape}; write .npz."
        )


def write_volume(path: Path, volume: "DensityVolume", record: Mapping[str, object]) -> None:
    """Write the shell that encloses the densest colors which hold 90 % of the mass.

    Raises
    ------
    ValueError
        If the volume has not three axes, or is empty.
    """
    from skimage.measure import marching_cubes

    from napari_colorkde.core.colorspaces import COLOR_SPACES

    check_volume(volume)
    values = np.asarray(volume.values, np.float32)
    order = np.sort(values, axis=None)[::-1].astype(np.float64)
    held = np.cumsum(order)
    last = int(np.searchsorted(held, MASS * held[-1]))
    # Between two values: a vertex at a grid point would make faces without area.
    level = float((order[last] + order[min(last + 1, order.size - 1)]) / 2)
    # A margin of nothing closes shells that reach the border.
    padded = np.pad(values, 1)
    steps = tuple(float(step) for step in volume.spacing)
    vertices, faces, _, _ = marching_cubes(padded, level, spacing=steps)
    starts = np.array(
        [float(axis[0]) - step for axis, step in zip(volume.axes, steps, strict=True)]
    )
    vertices = vertices + starts
    if volume.space == "rgb":
        top = max(float(axis[-1]) for axis in volume.axes)
        white = next((w for w in (1.0, 255.0, 65535.0) if top <= w), top)
        colors = vertices / white
    elif volume.space in COLOR_SPACES and COLOR_SPACES[volume.space].to_rgb is not None:
        colors = COLOR_SPACES[volume.space].to_rgb(vertices)
    else:
        colors = np.full(vertices.shape, 0.7)
    levels = (np.clip(colors, 0, 1) * 255).round().astype(np.uint8)
    write_mesh(path, vertices, faces, levels, {**record, "mass within the shell": MASS})


def write_ellipsoids(path: Path, kernels: Sequence["Kernel"], record: Mapping[str, object]) -> None:
    """Write kernels as ellipsoids, each in the color of its mean.

    Parameters
    ----------
    path
        Written in place.
    kernels
        Of three channels. Where no mean exceeds 1, these run from 0 to 1, else to 255 or 65535.
    record
        For comments.

    Raises
    ------
    ValueError
        If kernels have not three channels.
    """
    means = np.array([kernel.mean for kernel in kernels], float)
    if means.ndim != 2 or means.shape[1] != 3:
        raise ValueError(
            "ellipsoids need kernels of three channels; write .json or .csv of others."
        )
    sphere, triangles = _sphere()
    white = next((w for w in (1.0, 255.0, 65535.0) if means.max() <= w), means.max())
    levels = (np.clip(means / white, 0, 1) * 255).round().astype(np.uint8)
    vertices, faces = [], []
    for number, kernel in enumerate(kernels):
        half_axes = np.linalg.cholesky(kernel.covariance_matrix)
        vertices.append(kernel.mean + DEVIATIONS * sphere @ half_axes.T)
        faces.append(triangles + number * len(sphere))
    write_mesh(
        path,
        np.concatenate(vertices),
        np.concatenate(faces),
        np.repeat(levels, len(sphere), axis=0),
        {**record, "standard deviations": DEVIATIONS},
    )


def _sphere() -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return the unit sphere as vertices and triangles, seen from outside counterclockwise."""
    angles = np.linspace(0, np.pi, RINGS + 2)[1:-1]
    around = np.arange(2 * RINGS) * np.pi / RINGS
    ring = np.stack([np.cos(around), np.sin(around), np.zeros_like(around)], axis=-1)
    rings = [np.sin(a) * ring + (0, 0, np.cos(a)) for a in angles]
    vertices = np.concatenate([[(0, 0, 1)], *rings, [(0, 0, -1)]])
    n = 2 * RINGS
    here = np.arange(n)
    after = (here + 1) % n
    faces = [np.stack([np.zeros(n, int), 1 + here, 1 + after], axis=-1)]
    for upper in range(RINGS - 1):
        a, b = 1 + upper * n, 1 + (upper + 1) * n
        faces.append(np.stack([a + here, b + here, b + after], axis=-1))
        faces.append(np.stack([a + here, b + after, a + after], axis=-1))
    last, bottom = 1 + (RINGS - 1) * n, len(vertices) - 1
    faces.append(np.stack([np.full(n, bottom), last + after, last + here], axis=-1))
    return vertices, np.concatenate(faces)


def write_mesh(
    path: Path,
    vertices: NDArray[Any],
    faces: NDArray[Any],
    colors: NDArray[np.uint8],
    record: Mapping[str, object],
) -> None:
    """Write triangles, binary and little-endian.

    Parameters
    ----------
    path
        Written in place.
    vertices, colors
        ``(V, 3)`` positions, and RGB of 8 bits.
    faces
        ``(F, 3)`` whole numbers of vertices.
    record
        For comments.
    """
    comments = [
        f"comment {line}".encode("ascii", "backslashreplace")
        for line in as_lines(record).split("\n")
    ]
    header = [
        b"ply",
        b"format binary_little_endian 1.0",
        *comments,
        f"element vertex {len(vertices)}".encode(),
        *(f"property float {axis}".encode() for axis in "xyz"),
        *(f"property uchar {name}".encode() for name in ("red", "green", "blue")),
        f"element face {len(faces)}".encode(),
        b"property list uchar int vertex_indices",
        b"end_header",
        b"",
    ]
    rows = np.empty(len(vertices), [("position", "<f4", 3), ("color", "u1", 3)])
    rows["position"], rows["color"] = vertices, colors
    triangles = np.empty(len(faces), [("n", "u1"), ("corners", "<i4", 3)])
    triangles["n"], triangles["corners"] = 3, faces
    path.write_bytes(b"\n".join(header) + rows.tobytes() + triangles.tobytes())
