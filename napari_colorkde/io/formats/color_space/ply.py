"""PLY: surfaces in the color space, each vertex in its own color, for Blender, MeshLab and others.

Format: Turk, The PLY Polygon File Format (1994). Coordinates are color units.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.io.provenance import as_lines

if TYPE_CHECKING:
    from napari_colorkde.core.kde.density_volume import DensityVolume

MASS = 0.9
"""Part of the volume's mass that its shell encloses."""


def write_volume(path: Path, volume: "DensityVolume", record: Mapping[str, object]) -> None:
    """Write the shell that encloses the densest colors which hold 90 % of the mass.

    Raises
    ------
    ValueError
        If the volume has not three axes, or is empty.
    """
    from skimage.measure import marching_cubes

    from napari_colorkde.core.colorspaces import COLOR_SPACES

    values = np.asarray(volume.values, np.float32)
    if values.ndim != 3 or not values.any():
        raise ValueError(
            f"a surface needs a volume of three axes, but this has the shape {values.shape}; "
            "write .npz."
        )
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
