"""`.cube`: a look-up table in which colors are the brighter the denser they are: a matte.

For DaVinci Resolve, OpenColorIO, ffmpeg's lut3d and others. Format: Adobe, Cube LUT Specification
1.0 (2013); red runs fastest.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_colorkde.io.provenance import as_lines

if TYPE_CHECKING:
    from napari_colorkde.core.kde.density_volume import DensityVolume

WHITES = (1.0, 255.0, 4095.0, 65535.0)
"""Levels of white that the end of an axis may stand for."""


def write_volume(path: Path, volume: "DensityVolume", record: Mapping[str, object]) -> None:
    """Write densities as fractions of the highest, the same for red, green and blue.

    Raises
    ------
    ValueError
        If it is not the whole cube of RGB with as many points on each axis.
    """
    values = np.asarray(volume.values, np.float64)
    ends = {(float(axis[0]), float(axis[-1])) for axis in volume.axes}
    if volume.space != "rgb" or values.ndim != 3 or len(set(values.shape)) > 1:
        raise ValueError(
            f"a look-up table takes colors of RGB, but the volume has the space {volume.space!r} "
            f"and the shape {values.shape}; leave out --space, and give one number of --bins."
        )
    if len(ends) > 1 or next(iter(ends)) not in {(0.0, white) for white in WHITES}:
        raise ValueError(
            f"a look-up table runs from black to white, but the volume's axes from {ends}; give "
            "--extent 0,255 (or 0,65535, or 0,1)."
        )
    matte = values / max(values.max(), np.finfo(float).tiny)
    lines = [f"# {line}" for line in as_lines(record).splitlines()]
    lines += ['TITLE "color density"', f"LUT_3D_SIZE {len(values)}"]
    lines += [f"{m:.6f} {m:.6f} {m:.6f}" for m in matte.transpose(2, 1, 0).ravel().tolist()]
    path.write_text("\n".join([*lines, ""]), encoding="utf-8", newline="\n")
