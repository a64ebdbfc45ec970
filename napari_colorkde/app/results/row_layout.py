"""The rows of a results table: one for each image, frame, region and class."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from napari_colorkde.core.csv_and_frames import Row

if TYPE_CHECKING:
    from napari_colorkde.app.image.pixels.pixels_and_area import PixelArea
    from napari_colorkde.app.image.source import ImageSource
    from napari_colorkde.core.classification.measure import Measurement
    from napari_colorkde.core.classification.regions import Region

IDENTITY = ("image", "frame", "region", "class")
"""Columns that tell rows apart."""


def measured_row(
    image: str,
    entry: "Measurement",
    *,
    frame: tuple[int, ...] | None = None,
    pixel_area: float | None = None,
    area_unit: str = "µm²",
) -> Row:
    """Return the row of a measurement.

    Parameters
    ----------
    image
        The image's name, or where it lies.
    entry
        What was measured.
    frame
        Its place in a stack that is measured frame by frame.
    pixel_area, area_unit
        The area of a pixel; None where it is not known.
    """
    n_channels = len(entry.mean_color)
    letters = "rgb" if n_channels == 3 else [str(i + 1) for i in range(n_channels)]
    row: Row = {"image": image}
    if frame is not None:
        row["frame"] = " ".join(map(str, frame))
    return row | {
        "region": entry.region,
        "class": entry.cls,
        "pixels": entry.pixels,
        "fraction": entry.fraction,
        "area": None if pixel_area is None else entry.pixels * pixel_area,
        "area_unit": "" if pixel_area is None else area_unit,
        **{f"mean_{c}": float(m) for c, m in zip(letters, entry.mean_color, strict=True)},
        "mean_log_likelihood": entry.mean_log_likelihood,
        "entropy": entry.entropy,
        "masked": entry.n_masked,
        "transparent": entry.n_transparent,
        "not_finite": entry.n_not_finite,
    }


def measured_rows(
    source: "ImageSource",
    found: "Iterable[Measurement]",
    frame: tuple[int, ...],
    area: "PixelArea | None",
) -> list[Row]:
    """Return the rows of an image's measurements.

    Parameters
    ----------
    source
        The image.
    found
        What was measured in it.
    frame
        Its place in a stack; empty for the whole.
    area
        Of a pixel; None where it is not known.
    """
    from napari_colorkde.app.results.results_table import image_label

    return [
        measured_row(
            image_label(source),
            entry,
            frame=frame or None,
            pixel_area=None if area is None else area.area,
            area_unit="" if area is None else area.squared_unit,
        )
        for entry in found
    ]


def read_regions(path: Path, shape: tuple[int, ...], name: str = "regions") -> "list[Region]":
    """Read regions from labels, or from polygons as GeoJSON.

    Parameters
    ----------
    path
        The file.
    shape
        Of the image in pixels, without channels.
    name
        How the caller names the argument, for messages.

    Raises
    ------
    ValueError, OSError
        If the file holds none, or these do not fit the image.
    """
    from napari_colorkde.core.classification.regions import regions_of_labels
    from napari_colorkde.io.formats import geojson
    from napari_colorkde.io.images import read_labels
    from napari_colorkde.io.readers.decoding import check_image_path

    check_image_path(path)
    if path.suffix.lower() in geojson.SUFFIXES:
        if len(shape) < 2:
            raise ValueError(
                f"{name} {str(path)!r} are polygons in a plane, but the image has shape {shape}; "
                "give labels of that shape."
            )
        return geojson.read_regions(path, shape)
    labels = read_labels(path)
    if labels.shape != shape:
        raise ValueError(
            f"{name} {str(path)!r} has the shape {labels.shape}, but the image's pixels have "
            f"{shape}; give one label for each pixel."
        )
    return regions_of_labels(labels)


def regions_of_frame(
    regions: "list[Region] | None", frame: tuple[int, ...]
) -> "list[Region] | None":
    """Return the parts of regions that lie in a frame of a stack."""
    from napari_colorkde.core.classification.regions import Region

    if regions is None or not frame:
        return regions
    found = []
    for region in regions:
        leading = region.box[: len(frame)]
        if all(s.start <= i < s.stop for i, s in zip(frame, leading, strict=True)):
            at = tuple(i - s.start for i, s in zip(frame, leading, strict=True))
            found.append(Region(region.name, region.box[len(frame) :], region.inside[at]))
    return found
