"""What the tags of a TIFF say about pictures as a whole: their kind, and how large a pixel is.

The tags that say what samples mean (alpha, palette, YCbCr, no data) are read in `pictures`.
"""

import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import tifffile

from napari_colorkde.io.formats.reading import GeoTag

_REDUCED, _MASK = 1, 4
_THUMBNAIL_NAMES = ("thumbnail", "label", "macro", "overview", "map")

_CENTIMETER = 3

_MICROMETERS = {"µm": 1.0, "\u03bcm": 1.0, "um": 1.0, "micron": 1.0, "microns": 1.0}
_MICROMETERS |= {"nm": 1e-3, "mm": 1e3, "cm": 1e4, "m": 1e6, "inch": 25400.0}


def named_kind(tiff: tifffile.TiffFile, number: int) -> str:
    """Tell "picture" from "thumbnail", "reduced" and "mask", by NewSubfileType and by name."""
    series = tiff.series[number]
    page = series.keyframe
    kind = int(page.subfiletype)
    if series.name and series.name.strip().lower() in _THUMBNAIL_NAMES:
        return "thumbnail"
    if kind & _MASK:
        return "mask"
    if kind & _REDUCED:
        return "reduced" if series.kind != "svs" else "thumbnail"
    return "picture"


GEO_TAGS = {33550: "d", 33922: "d", 34264: "d", 34735: "H", 34736: "d", 34737: "s"}
"""GeoTIFF 1.1: pixel scale, tie points, transformation, and the directory of keys; with types."""


def geo_tags(page: tifffile.TiffPage) -> tuple[GeoTag, ...]:
    """Return the tags that say where on Earth a picture lies."""
    found: list[GeoTag] = []
    for code, kind in GEO_TAGS.items():
        tag = page.tags.get(code)
        if tag is not None:
            value = str(tag.value) if kind == "s" else tuple(np.atleast_1d(tag.value).tolist())
            found.append((code, kind, value))
    return tuple(found)


def physical_size(
    tiff: tifffile.TiffFile, page: tifffile.TiffPage
) -> tuple[tuple[float, float] | None, str]:
    """Return height and width of a pixel in micrometers, where a file says it.

    Asked in this order: OME-XML, ImageJ's unit, Aperio's and Zeiss' own entries, pixels per
    centimeter. Pixels per inch are for printers and say nothing about what is seen.
    """
    for look in (_of_ome, _of_imagej, _of_aperio, _of_lsm):
        found = look(tiff, page)
        if found is not None:
            return found, "µm"
    if page.resolutionunit == _CENTIMETER:
        found = _inverse(page, 1e4)
        if found is not None:
            return found, "µm"
    return None, ""


def _of_ome(tiff: tifffile.TiffFile, page: tifffile.TiffPage) -> tuple[float, float] | None:
    if not tiff.is_ome or tiff.ome_metadata is None:
        return None
    try:
        root = ElementTree.fromstring(tiff.ome_metadata)
    except ElementTree.ParseError:
        return None
    pixels = next((e for e in root.iter() if e.tag.endswith("}Pixels")), None)
    if pixels is None:
        return None
    sizes = [_in_micrometers(pixels, axis) for axis in "YX"]
    return None if None in sizes else (float(sizes[0] or 0), float(sizes[1] or 0))


def _in_micrometers(pixels: ElementTree.Element, axis: str) -> float | None:
    text = pixels.get(f"PhysicalSize{axis}")
    factor = _MICROMETERS.get(pixels.get(f"PhysicalSize{axis}Unit", "µm"))
    return None if text is None or factor is None else float(text) * factor


def _of_imagej(tiff: tifffile.TiffFile, page: tifffile.TiffPage) -> tuple[float, float] | None:
    metadata: dict[str, Any] = tiff.imagej_metadata or {}
    unit = str(metadata.get("unit", "")).replace("\\u00B5", "µ").strip()
    factor = _MICROMETERS.get(unit)
    return None if factor is None else _inverse(page, factor)


def _of_aperio(tiff: tifffile.TiffFile, page: tifffile.TiffPage) -> tuple[float, float] | None:
    found = re.search(r"\|\s*MPP\s*=\s*([\d.]+)", page.description or "")
    return (float(found[1]), float(found[1])) if found else None


def _of_lsm(tiff: tifffile.TiffFile, page: tifffile.TiffPage) -> tuple[float, float] | None:
    metadata = tiff.lsm_metadata if tiff.is_lsm else None
    if not metadata or not metadata.get("VoxelSizeX"):
        return None
    return metadata["VoxelSizeY"] * 1e6, metadata["VoxelSizeX"] * 1e6


def _inverse(page: tifffile.TiffPage, factor: float) -> tuple[float, float] | None:
    """Return the size of a pixel from pixels per unit; None where they are no numbers above 0."""
    sizes = []
    for code in (283, 282):
        tag = page.tags.get(code)
        if tag is None:
            return None
        value = tag.value
        number = value[0] / value[1] if isinstance(value, tuple) and value[1] else 0.0
        if number <= 0:
            return None
        sizes.append(factor / number)
    return sizes[0], sizes[1]
