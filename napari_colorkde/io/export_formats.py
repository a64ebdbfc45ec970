"""The file formats that results are written to: one entry each.

The library, the command line and the window's file dialogs take suffixes and names from
`EXPORT_FORMATS`; a new format is written there.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from napari_colorkde.io.formats import npy, npz, png
from napari_colorkde.io.formats.blocks import BlockPicture
from napari_colorkde.io.formats.color_space import cube_writer, nrrd, ply
from napari_colorkde.io.formats.ome_zarr import block_writer as zarr_blocks
from napari_colorkde.io.formats.ome_zarr import writer as ome_zarr
from napari_colorkde.io.formats.tiff import block_writer as tiff_blocks
from napari_colorkde.io.formats.tiff import ome as ome_tiff
from napari_colorkde.io.formats.tiff import writer as tiff_writer
from napari_colorkde.io.writers.atomic import atomic_folder, atomic_path
from napari_colorkde.io.writers.targets import check_target, has_suffix

if TYPE_CHECKING:
    from napari_colorkde.core.kde.volumes.density_volume import DensityVolume


WriteVolume = Callable[[Path, "DensityVolume", Mapping[str, object]], None]
CheckVolume = Callable[["DensityVolume"], None]


@dataclass(frozen=True, slots=True, eq=False)
class DensityMap:
    """What is written of a density.

    Attributes
    ----------
    values
        ``(H, W)`` floats, or with leading axes.
    log
        Whether these are logarithms.
    colormap, contrast_limits
        For pictures: see `napari_colorkde.io.colors.coloring.color_density`.
    color_bar
        Whether a picture has a bar with numbers at its right.
    """

    values: NDArray[Any]
    log: bool = False
    colormap: str | NDArray[Any] = "magma"
    contrast_limits: tuple[float, float] | None = None
    color_bar: bool = False


WriteDensity = Callable[[Path, DensityMap, Mapping[str, object]], None]
WriteBlocks = Callable[[BlockPicture], None]
WriteClasses = Callable[[Path, NDArray[Any], Sequence[str], Mapping[str, object]], None]


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """A file format.

    Attributes
    ----------
    title
        As file dialogs name it.
    suffixes
        With their dots, in lower case; the first is the usual one.
    holds
        What it keeps of a density, for help.
    write_density, write_classes, write_volume
        Write to a path in place, with how to get the file again; None where the format has no room
        for that.
    write_blocks
        Writes what comes in blocks, with bounded memory, whole or not at all; None where the format
        is not written so.
    check_volume
        Raises `ValueError` for volumes that it has no room for; None where it has for all.
    is_picture
        Whether it holds one picture alone, without leading axes.
    is_folder
        Whether it is a folder, not a file.
    """

    title: str
    suffixes: tuple[str, ...]
    holds: str
    write_density: WriteDensity | None = None
    write_classes: WriteClasses | None = None
    write_volume: WriteVolume | None = None
    write_blocks: WriteBlocks | None = None
    check_volume: CheckVolume | None = None
    is_picture: bool = False
    is_folder: bool = False


EXPORT_FORMATS = (
    ExportFormat(
        "TIFF",
        (".tif", ".tiff"),
        "float32, for ImageJ; classes: integers",
        tiff_writer.write_density,
        tiff_writer.write_classes,
        tiff_writer.write_volume,
    ),
    ExportFormat(
        "NumPy",
        (".npy",),
        "the array",
        npy.write_density,
        npy.write_classes,
        npy.write_volume,
    ),
    ExportFormat(
        "NumPy with origin",
        (".npz",),
        "the array and how to get it again",
        npz.write_density,
        npz.write_classes,
        npz.write_volume,
    ),
    ExportFormat(
        "Picture", (".png",), "colored", png.write_density, png.write_classes, is_picture=True
    ),
    ExportFormat(
        "OME-TIFF",
        (".ome.tif", ".ome.tiff"),
        "float32 with the size of a pixel, a pyramid where large",
        ome_tiff.write_density,
        ome_tiff.write_classes,
        write_blocks=tiff_blocks.write_blocks,
    ),
    ExportFormat(
        "OME-Zarr",
        (".zarr",),
        "a folder: float32 in chunks; classes: labels with names and colors",
        ome_zarr.write_density,
        ome_zarr.write_classes,
        ome_zarr.write_volume,
        zarr_blocks.write_blocks,
        ome_zarr.check_volume,
        is_folder=True,
    ),
    ExportFormat("NRRD", (".nrrd",), "", write_volume=nrrd.write_volume),
    ExportFormat(
        "Look-up table",
        (".cube",),
        "",
        write_volume=cube_writer.write_volume,
        check_volume=cube_writer.check_volume,
    ),
    ExportFormat(
        "PLY", (".ply",), "", write_volume=ply.write_volume, check_volume=ply.check_volume
    ),
)
"""All formats, in the order in which they are offered."""


def density_suffixes() -> tuple[str, ...]:
    """Return the suffixes that densities and class maps can be written to."""
    return tuple(suffix for f in EXPORT_FORMATS if f.write_density for suffix in f.suffixes)


def volume_suffixes() -> tuple[str, ...]:
    """Return the suffixes that volumes can be written to."""
    return tuple(suffix for f in EXPORT_FORMATS if f.write_volume for suffix in f.suffixes)


def suffixes_for_volume(volume: "DensityVolume") -> tuple[str, ...]:
    """Return the suffixes of the formats that have room for a volume."""
    return tuple(suffix for f in EXPORT_FORMATS if _has_room(f, volume) for suffix in f.suffixes)


def _has_room(known: ExportFormat, volume: "DensityVolume") -> bool:
    try:
        if known.check_volume is not None:
            known.check_volume(volume)
    except ValueError:
        return False
    return known.write_volume is not None


def export_format(path: Path, wanted: tuple[str, ...] | None = None) -> ExportFormat:
    """Return the format of a path whose suffix was checked: the longest that fits.

    Parameters
    ----------
    path
        Where something shall be written.
    wanted
        Suffixes to choose from; None means those of densities.
    """
    known = density_suffixes() if wanted is None else wanted
    fitting = [
        (len(suffix), f)
        for f in EXPORT_FORMATS
        for suffix in f.suffixes
        if suffix in known and has_suffix(path, suffix)
    ]
    return max(fitting, key=lambda pair: pair[0])[1]


def check_export(path: str | os.PathLike[str], *, volume: bool = False, name: str = "path") -> Path:
    """Refuse, before anything is computed, a target that could not be written in the end.

    Parameters
    ----------
    path
        Where a density, a class map or, with `volume`, a volume shall be written.
    name
        How the caller names the argument, for messages.

    Raises
    ------
    ValueError, OSError
        As from `check_target`; also where a folder stands that is no OME-Zarr.
    """
    suffixes = volume_suffixes() if volume else density_suffixes()
    target = Path(path)
    is_folder = any(
        f.is_folder and has_suffix(target, suffix) for f in EXPORT_FORMATS for suffix in f.suffixes
    )
    target = check_target(target, suffixes, name=name, is_folder=is_folder)
    if is_folder and target.is_dir() and not (target / "zarr.json").exists():
        raise OSError(
            f"{name} {str(target)!r} is a folder, but not an OME-Zarr; give another name."
        )
    return target


def atomic_export(path: Path, known: ExportFormat) -> AbstractContextManager[Path]:
    """Give a place to write to, which becomes the file or the folder when all went well."""
    return atomic_folder(path) if known.is_folder else atomic_path(path)


def write_in_blocks(picture: BlockPicture) -> bool:
    """Write a dask array to a path whose suffix was checked; False where it is to be made whole.

    Raises
    ------
    ValueError
        If the format is not written block by block, and the whole is larger than memory.
    OSError
        If the file cannot be written. What a run that was stopped has written is kept.
    """
    from napari_colorkde.core.number_text import bytes_text
    from napari_colorkde.io.datasets.memory import available_bytes

    known = export_format(picture.path)
    if known.write_blocks is not None:
        known.write_blocks(picture)
        return True
    wanted, free = picture.values.nbytes, available_bytes()
    if wanted > free:
        raise ValueError(
            f"path {str(picture.path)!r}: the result takes {bytes_text(wanted)}, but only "
            f"{bytes_text(free)} of memory are free; write .zarr or .ome.tif, block by block."
        )
    return False


def file_filter() -> str:
    """Return the formats for densities as Qt's file dialogs want them."""
    return ";;".join(
        f"{f.title} (*{f.suffixes[0]})" for f in EXPORT_FORMATS if f.write_density is not None
    )
