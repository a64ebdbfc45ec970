"""NPY: plain arrays, without provenance; read and written."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.io.formats import reading
from napari_colorkde.io.formats.reading import DecodedImage

if TYPE_CHECKING:
    from napari_colorkde.core.kde.volumes.density_volume import DensityVolume
    from napari_colorkde.io.export_formats import DensityMap


def read(path: Path) -> DecodedImage:
    """Return the array; a large one stays in the file, mapped into memory."""
    large = path.stat().st_size > reading.MAPPED_BYTES
    try:
        array = np.load(path, allow_pickle=False, mmap_mode="r" if large else None)
    except (ValueError, EOFError):
        raise ValueError(
            f"image {str(path)!r} is not a readable NPY file of numbers; "
            "save an array of numbers with numpy.save."
        ) from None
    if not isinstance(array, np.ndarray):
        # np.load recognizes archives by content: an .npz under another name.
        array.close()
        raise ValueError(
            f"image {str(path)!r} is an archive of arrays; give one array, saved by numpy.save."
        )
    if array.dtype.kind not in "buif" or array.size == 0:
        raise ValueError(
            f"image {str(path)!r} holds an array of {array.dtype} with shape {array.shape}; "
            "give real numbers, at least one."
        )
    return DecodedImage(reading.native(array))


def write_density(path: Path, density: "DensityMap", record: Mapping[str, object]) -> None:
    """Write densities or log-densities."""
    _write(path, density.values)


def write_classes(
    path: Path, labels: NDArray[Any], names: Sequence[str], record: Mapping[str, object]
) -> None:
    """Write numbers of classes."""
    _write(path, labels)


def write_volume(path: Path, volume: "DensityVolume", record: Mapping[str, object]) -> None:
    """Write a volume's values."""
    _write(path, volume.values)


def _write(path: Path, array: NDArray[Any]) -> None:
    # Opened here: numpy would append .npy to a name in capitals.
    with path.open("wb") as file:
        np.save(file, array, allow_pickle=False)
