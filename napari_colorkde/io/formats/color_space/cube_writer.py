"""`.cube`: a lookup table that shows where colors are dense: a matte, or a graded look.

For DaVinci Resolve, OpenColorIO, ffmpeg's lut3d and others. Format: Adobe, Cube LUT Specification
1.0 (2013); red runs fastest.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.io.provenance import LOOK, as_lines

if TYPE_CHECKING:
    from napari_colorkde.core.kde.volumes.density_volume import DensityVolume

WHITES = (1.0, 255.0, 4095.0, 65535.0)
"""Levels of white that the end of an axis may stand for."""

LUMA = (0.2126, 0.7152, 0.0722)
"""Parts of red, green and blue in a gray, ITU-R BT.709."""


def check_volume(volume: "DensityVolume") -> None:
    """Refuse a volume that is not the whole cube of RGB with as many points on each axis.

    Raises
    ------
    ValueError
        If it is another one.
    """
    values = volume.values
    ends = {(float(axis[0]), float(axis[-1])) for axis in volume.axes}
    if volume.space != "rgb" or values.ndim != 3 or len(set(values.shape)) > 1:
        raise ValueError(
            f"a lookup table needs RGB axes of equal length, but the volume has the space "
            f"{volume.space!r} and shape {values.shape}; leave out --space, and give one number "
            "for --bins."
        )
    if len(ends) > 1 or next(iter(ends)) not in {(0.0, white) for white in WHITES}:
        raise ValueError(
            f"a lookup table runs from black to white, but the volume's axes have the ends "
            f"{ends}; give --extent 0,255 (or 0,65535, or 0,1)."
        )


def write_volume(path: Path, volume: "DensityVolume", record: Mapping[str, object]) -> None:
    """Write densities as fractions of the highest, the same for red, green and blue: a matte.

    With "graded" under `LOOK` in `record`, each color is mixed with its own gray (Rec. 709): it
    keeps as much of itself as pixels have colors that are no denser, so that the densest stays as
    it is, and what no pixel has is gray.

    Raises
    ------
    ValueError
        If it is not the whole cube of RGB with as many points on each axis.
    """
    check_volume(volume)
    values = np.asarray(volume.values, np.float64)
    matte = values / max(values.max(), np.finfo(float).tiny)
    colors = np.repeat(matte[..., np.newaxis], 3, axis=-1)
    if record.get(LOOK) == "graded":
        colors = _graded(values)
    lines = [f"# {line}" for line in as_lines(record).splitlines()]
    lines += ['TITLE "color density"', f"LUT_3D_SIZE {len(values)}"]
    rows = colors.transpose(2, 1, 0, 3).reshape(-1, 3).tolist()
    lines += [f"{r:.6f} {g:.6f} {b:.6f}" for r, g, b in rows]
    path.write_text("\n".join([*lines, ""]), encoding="utf-8", newline="\n")


def _graded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each color of the cube, mixed with its gray by how rare it is: ``(N, N, N, 3)``."""
    levels = np.linspace(0.0, 1.0, len(values))
    colors = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1)
    flat = values.ravel()
    order = np.argsort(flat, kind="stable")
    mass = np.cumsum(flat[order])
    kept = np.empty_like(flat)
    kept[order] = mass / max(mass[-1], np.finfo(float).tiny)
    weight = kept.reshape(values.shape)[..., np.newaxis]
    gray = (colors @ np.array(LUMA))[..., np.newaxis]
    return np.asarray(weight * colors + (1 - weight) * gray)
