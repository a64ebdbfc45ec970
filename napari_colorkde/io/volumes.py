"""Writing density volumes, and reading them back.

The first axis of a volume is the image's first channel: in ImageJ red goes from slice to slice,
green runs down, blue to the right. Volumes of two channels are one picture, of one channel one row.
"""

import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from tokenize import TokenError
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.checks.arguments import choice, kind_of, path_of
from napari_colorkde.core.kde.volumes.density_volume import DensityVolume
from napari_colorkde.core.kde.volumes.field_checks import SAMPLINGS
from napari_colorkde.io.export_formats import (
    atomic_export,
    check_export,
    export_format,
    volume_suffixes,
)
from napari_colorkde.io.provenance import described

SHOW_DENSITIES = (".cube", ".ply")
"""Formats of pictures of densities."""


def save_volume(
    path: str | os.PathLike[str],
    volume: "DensityVolume",
    *,
    description: Mapping[str, object] | None = None,
) -> None:
    """Write a density volume.

    Parameters
    ----------
    path
        ``.npz``: everything, for `load_volume`; ``.npy``: the values alone; ``.tif``: float32 with
        voxel size and origin in color units, readable by ImageJ; ``.nrrd`` and ``.zarr``: the same
        for other programs; ``.cube``: a lookup table of densities as fractions of the highest;
        ``.ply``: the shell around 90 % of the mass.
    volume
        In one, two or three dimensions.
    description
        How to reproduce the file, as `provenance` gives it. NPY cannot store it.

    Raises
    ------
    ValueError
        If the suffix is not known.
    OSError
        If the file cannot be written. An existing file is then left unchanged.
    """
    if not isinstance(volume, DensityVolume):
        raise TypeError(f"volume is {kind_of(volume)}; give a DensityVolume, as color_kde returns.")
    path = check_export(path_of(path), volume=True)
    if volume.is_log and path.suffix.lower() in SHOW_DENSITIES:
        raise ValueError(
            f"volume holds logarithms, which {path.suffix} cannot store; give a volume of "
            "densities, or use .npz, .npy, .tif or .nrrd."
        )
    record = described(description)
    known = export_format(path, volume_suffixes())
    if known.write_volume is None:
        raise ValueError(f"path {str(path)!r}: {known.title} cannot hold a volume.")
    with atomic_export(path, known) as scratch:
        known.write_volume(scratch, volume, record)


def _since(file: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Return what volumes say in files of today; older ones are points of a plain density."""
    if "sampling" not in file:
        return {}
    return {
        "boundary": str(file["boundary"]),
        "sampling": choice(str(file["sampling"]), "sampling", SAMPLINGS),
        "is_log": bool(file["is_log"]),
        "names": tuple(map(str, file["names"])),
    }


def load_volume(path: str | os.PathLike[str]) -> "DensityVolume":
    """Read a volume that `save_volume` wrote as ``.npz``.

    Raises
    ------
    ValueError
        If the file is not such a volume.
    OSError
        If there is no such file.
    """
    path = Path(path_of(path))
    if not path.is_file():
        raise FileNotFoundError(f"volume {str(path)!r} does not exist; check the name.")
    try:
        # Opened here, because numpy leaves a broken archive open.
        with path.open("rb") as stream:
            file = np.load(stream, allow_pickle=False)
            values = file["values"]
            return DensityVolume(
                values=values,
                axes=tuple(file[f"axis_{i}"] for i in range(values.ndim)),
                covariance=file["covariance"],
                mass_inside=float(file["mass_inside"]),
                space=str(file["space"]),
                **_since(file),
            )
    except (
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        EOFError,
        SyntaxError,
        TokenError,
        NotImplementedError,
        RuntimeError,
        BadZipFile,
        zlib.error,
    ):
        raise ValueError(
            f"volume {str(path)!r} is not a density volume; give an .npz file that this "
            "program wrote."
        ) from None
