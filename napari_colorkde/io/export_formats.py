"""The file formats that results are written to: one entry each.

The library, the command line and the window's file dialogs take suffixes and names from
`EXPORT_FORMATS`; a new format is written there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from napari_colorkde.io.formats import npy, npz, png, tiff_writer

if TYPE_CHECKING:
    from napari_colorkde.core.kde.density_volume import DensityVolume


WriteVolume = Callable[[Path, "DensityVolume", Mapping[str, object]], None]


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
        For pictures: see `napari_colorkde.io.coloring.color_density`.
    """

    values: NDArray[Any]
    log: bool = False
    colormap: str | NDArray[Any] = "magma"
    contrast_limits: tuple[float, float] | None = None


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
    is_picture
        Whether it holds one picture alone, without leading axes.
    """

    title: str
    suffixes: tuple[str, ...]
    holds: str
    write_density: Callable[[Path, DensityMap, Mapping[str, object]], None]
    write_classes: Callable[[Path, NDArray[Any], Sequence[str], Mapping[str, object]], None]
    write_volume: WriteVolume | None = None
    is_picture: bool = False


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
)
"""All formats, in the order in which they are offered."""


def density_suffixes() -> tuple[str, ...]:
    """Return the suffixes that densities and class maps can be written to."""
    return tuple(suffix for f in EXPORT_FORMATS for suffix in f.suffixes)


def volume_suffixes() -> tuple[str, ...]:
    """Return the suffixes that volumes can be written to."""
    return tuple(
        suffix for f in EXPORT_FORMATS if f.write_volume is not None for suffix in f.suffixes
    )


def export_format(path: Path) -> ExportFormat:
    """Return the format of a path whose suffix was checked."""
    return next(f for f in EXPORT_FORMATS if path.suffix.lower() in f.suffixes)


def volume_writer(path: Path) -> "WriteVolume":
    """Return what writes a volume to a path whose suffix was checked."""
    return next(
        f.write_volume
        for f in EXPORT_FORMATS
        if f.write_volume is not None and path.suffix.lower() in f.suffixes
    )


def file_filter() -> str:
    """Return the formats for densities as Qt's file dialogs want them."""
    return ";;".join(f"{f.title} (*{f.suffixes[0]})" for f in EXPORT_FORMATS)
