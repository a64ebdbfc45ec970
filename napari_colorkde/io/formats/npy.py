"""NPY: an array as it is, with no room for its origin."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from napari_colorkde.core.kde.color_kde import DensityVolume
    from napari_colorkde.io.export_formats import DensityMap


def write_density(path: Path, density: "DensityMap", record: Mapping[str, Any]) -> None:
    """Write densities or log-densities."""
    _write(path, density.values)


def write_classes(
    path: Path, labels: NDArray[Any], names: Sequence[str], record: Mapping[str, Any]
) -> None:
    """Write numbers of classes."""
    _write(path, labels)


def write_volume(path: Path, volume: "DensityVolume", record: Mapping[str, Any]) -> None:
    """Write a volume's values."""
    _write(path, volume.values)


def _write(path: Path, array: NDArray[Any]) -> None:
    # Opened here: numpy would append .npy to a name in capitals.
    with path.open("wb") as file:
        np.save(file, array, allow_pickle=False)
