"""NPZ: plain arrays, with their provenance."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.io.provenance import as_json

if TYPE_CHECKING:
    from napari_colorkde.core.kde.volumes.density_volume import DensityVolume
    from napari_colorkde.io.export_formats import DensityMap


def write_density(path: Path, density: "DensityMap", record: Mapping[str, object]) -> None:
    """Write the arrays `density`, `log` and `provenance` (JSON)."""
    _write(path, density=density.values, log=np.array(density.log), provenance=as_json(record))


def write_classes(
    path: Path, labels: NDArray[Any], names: Sequence[str], record: Mapping[str, object]
) -> None:
    """Write the arrays `labels`, `names` and `provenance` (JSON)."""
    _write(path, labels=labels, names=np.array(list(names)), provenance=as_json(record))


def write_volume(path: Path, volume: "DensityVolume", record: Mapping[str, object]) -> None:
    """Write everything that `load_volume` needs."""
    axes = {f"axis_{i}": axis for i, axis in enumerate(volume.axes)}
    _write(
        path,
        values=volume.values,
        covariance=volume.covariance,
        mass_inside=volume.mass_inside,
        space=volume.space,
        boundary=volume.boundary,
        sampling=volume.sampling,
        is_log=volume.is_log,
        names=np.array(volume.names),
        provenance=as_json(record),
        **axes,
    )


def _write(path: Path, **arrays: ArrayLike) -> None:
    # Opened here: numpy would append .npz to a name in capitals.
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
