"""NPZ: arrays as they are, with how to get them again."""

import os
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.io.provenance import as_json

if TYPE_CHECKING:
    from napari_colorkde.core.kde.density_volume import DensityVolume
    from napari_colorkde.core.palette.palette import Palette
    from napari_colorkde.io.export_formats import DensityMap

PALETTE_SCHEMA = "napari-colorkde palette 1"


def write_density(path: Path, density: "DensityMap", record: Mapping[str, object]) -> None:
    """Write the arrays `density`, `log` and `provenance` (JSON)."""
    _write(path, density=density.values, log=np.array(density.log), provenance=as_json(record))


def write_classes(
    path: Path, labels: NDArray[Any], names: Sequence[str], record: Mapping[str, object]
) -> None:
    """Write the arrays `labels`, `names` and `provenance` (JSON)."""
    _write(path, labels=labels, names=np.array(list(names)), provenance=as_json(record))


def write_volume(path: Path, volume: "DensityVolume", record: Mapping[str, object]) -> None:
    """Write everything that `read_volume` needs."""
    axes = {f"axis_{i}": axis for i, axis in enumerate(volume.axes)}
    _write(
        path,
        values=volume.values,
        covariance=volume.covariance,
        mass_inside=volume.mass_inside,
        space=volume.space,
        provenance=as_json(record),
        **axes,
    )


def write_palette(path: Path, palette: "Palette", record: Mapping[str, object]) -> None:
    """Write everything that `read_palette` needs.

    The arrays `schema` (`PALETTE_SCHEMA`), `colors` (U, C), `counts` (U,), `left_out` (pixels that
    are masked, transparent, not finite), `bin_width` (C,), `image_dtype`, `provenance` (JSON); and
    `ranges` (C,) where the palette has them. How a bin's pixels are spread within it is not kept.
    """
    arrays: dict[str, ArrayLike] = {} if palette.ranges is None else {"ranges": palette.ranges}
    _write(
        path,
        schema=PALETTE_SCHEMA,
        colors=palette.colors,
        counts=palette.counts,
        left_out=[palette.n_masked, palette.n_transparent, palette.n_not_finite],
        bin_width=palette.bin_width,
        image_dtype="" if palette.image_dtype is None else palette.image_dtype.str,
        provenance=as_json(record),
        **arrays,
    )


def read_palette(path: str | os.PathLike[str]) -> "Palette":
    """Read a palette that `write_palette` wrote.

    Raises
    ------
    ValueError
        If the file holds no such palette.
    OSError
        If there is no such file.
    """
    from napari_colorkde.core.palette.palette import Palette

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"palette {str(path)!r} does not exist; check the name.")
    try:
        with path.open("rb") as stream:
            file = np.load(stream, allow_pickle=False)
            if str(file["schema"]) != PALETTE_SCHEMA:
                raise ValueError
            n_masked, n_transparent, n_not_finite = map(int, file["left_out"])
            dtype = str(file["image_dtype"])
            return Palette(
                file["colors"],
                file["counts"],
                file["bin_width"],
                n_masked,
                n_transparent,
                n_not_finite,
                ranges=file.get("ranges"),
                image_dtype=np.dtype(dtype) if dtype else None,
            )
    except (ValueError, TypeError, LookupError, AttributeError, EOFError, BadZipFile, zlib.error):
        raise ValueError(
            f"palette {str(path)!r} is not a palette; give an .npz file that this program wrote."
        ) from None


def _write(path: Path, **arrays: ArrayLike) -> None:
    # Opened here: numpy would append .npz to a name in capitals.
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
