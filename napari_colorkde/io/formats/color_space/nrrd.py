"""NRRD: a volume with its axes, for 3D Slicer, ITK and others.

Header fields: https://teem.sourceforge.net/nrrd/format.html. The first axis of the file runs
fastest, which is the last of an array.
"""

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_colorkde.io.provenance import as_lines

if TYPE_CHECKING:
    from napari_colorkde.core.kde.volumes.density_volume import DensityVolume

KEYS = str.maketrans({":": " ", "=": " ", "\n": " "})


def write_volume(path: Path, volume: "DensityVolume", record: Mapping[str, object]) -> None:
    """Write a volume as float32, gzip, with spacing and origin of each axis in color units."""
    values = volume.values.astype("<f4")
    n = values.ndim
    steps = [float(step) for step in volume.spacing][::-1]
    starts = [float(axis[0]) for axis in volume.axes][::-1]
    names = (("red", "green", "blue") if volume.space == "rgb" and n == 3 else "123")[:n][::-1]
    directions = [
        "(" + ",".join(repr(step) if i == j else "0" for j in range(n)) + ")"
        for i, step in enumerate(steps)
    ]
    header = [
        "NRRD0005",
        "type: float",
        f"dimension: {n}",
        f"space dimension: {n}",
        f"sizes: {' '.join(str(size) for size in values.shape[::-1])}",
        f"space directions: {' '.join(directions)}",
        f"space origin: ({','.join(repr(start) for start in starts)})",
        f"kinds: {' '.join(['domain'] * n)}",
        f"labels: {' '.join(chr(34) + name + chr(34) for name in names)}",
        "endian: little",
        "encoding: gzip",
    ]
    for line in as_lines({**record, "color space": volume.space}).splitlines():
        name, _, value = line.partition(": ")
        header.append(f"{name.translate(KEYS)}:={value}")
    content = gzip.compress(np.ascontiguousarray(values).tobytes(), 6, mtime=0)
    path.write_bytes("\n".join([*header, "", ""]).encode() + content)
