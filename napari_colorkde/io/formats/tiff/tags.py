"""The tags of a TIFF: the meaning of samples, the kind of image, the pixel size.

`samples_to_levels` makes colors of samples by what is found here.
"""

import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import tifffile
from numpy.typing import NDArray
from tifffile import EXTRASAMPLE, PHOTOMETRIC

from napari_colorkde.core.checks.arguments import Keywords
from napari_colorkde.io.formats.reading import Alpha, ColorModel, GeoTag
from napari_colorkde.io.formats.samples_to_levels import CCIR601, FULL_RANGE

_COLORS: dict[int, ColorModel] = {
    PHOTOMETRIC.MINISWHITE: "gray",
    PHOTOMETRIC.MINISBLACK: "gray",
    PHOTOMETRIC.RGB: "rgb",
    PHOTOMETRIC.PALETTE: "palette",
    PHOTOMETRIC.MASK: "gray",
    PHOTOMETRIC.SEPARATED: "cmyk",
    PHOTOMETRIC.YCBCR: "ycbcr",
    PHOTOMETRIC.CIELAB: "cielab",
    PHOTOMETRIC.ICCLAB: "icclab",
    PHOTOMETRIC.LINEAR_RAW: "rgb",
    PHOTOMETRIC.DEPTH_MAP: "gray",
}
_N_COLORS = {"gray": 1, "palette": 1, "cmyk": 4}

_DECODED_TO_RGB = {6, 7, 34892, 33007, 34933, 34934}
"""Compressions whose YCbCr tifffile turns into RGB itself: JPEG and its kin."""

_APERIO_YCBCR = 33003

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


def picture_tags(tiff: tifffile.TiffFile, page: tifffile.TiffPage) -> Keywords:
    """Put what the tags say into the fields of a `DecodedImage`."""
    color = _COLORS.get(page.photometric)
    if color is None:
        name = getattr(page.photometric, "name", page.photometric)
        raise ValueError(f"its numbers are {name}, which are not levels of gray or RGB.")
    if color == "rgb" and page.samplesperpixel < 3:
        color = "gray"
    if page.compression == _APERIO_YCBCR:
        color = "ycbcr"
    elif color == "ycbcr" and page.compression in _DECODED_TO_RGB:
        color = "rgb"
    bits = page.bitspersample
    size, unit = physical_size(tiff, page)
    return {
        "color": color,
        "alpha": _alpha(page, color),
        "bits": int(bits) if isinstance(bits, int) else int(max(bits)),
        "white_is_zero": page.photometric == PHOTOMETRIC.MINISWHITE,
        "table": _table(page) if color == "palette" else None,
        "ycbcr": _ycbcr(page) if color == "ycbcr" else None,
        "profile": profile_tag(page),
        "orientation": orientation_tag(page),
        "no_data": _no_data(page),
        "pixel_size": size,
        "unit": unit,
        "geo_tags": geo_tags(page),
    }


def _alpha(page: tifffile.TiffPage, color: str) -> Alpha:
    """Tell what the first sample after the colors is, by the tag ExtraSamples alone."""
    extra = tuple(page.extrasamples)
    if not extra or page.samplesperpixel <= _N_COLORS.get(color, 3):
        return ""
    if extra[0] == EXTRASAMPLE.ASSOCALPHA:
        return "associated"
    return "straight" if extra[0] == EXTRASAMPLE.UNASSALPHA else ""


def _table(page: tifffile.TiffPage) -> NDArray[Any] | None:
    """Return a palette as ``(N, 3)``: of 8 bits where its 16-bit cells hold no more."""
    colormap = page.colormap
    if colormap is None:
        return None
    if colormap.max(initial=0) < 256:
        return np.asarray(colormap.T.astype(np.uint8))  # levels of 8 bits, as some programs write
    low, high = colormap & 255, colormap >> 8
    if not low.any() or (low == high).all() or (low == 255).all():
        return np.asarray(high.T.astype(np.uint8))
    return np.asarray(colormap.T)


def _ycbcr(page: tifffile.TiffPage) -> tuple[tuple[float, ...], tuple[float, ...]]:
    coefficients, reference = page.tags.get(529), page.tags.get(532)
    return (
        CCIR601 if coefficients is None else _ratios(coefficients.value),
        FULL_RANGE if reference is None else _ratios(reference.value),
    )


def _ratios(values: Any) -> tuple[float, ...]:
    """Return fractions, which tifffile leaves as numerators and denominators, as floats."""
    numbers = np.asarray(values, float).reshape(-1, 2)
    return tuple((numbers[:, 0] / numbers[:, 1]).tolist())


def _no_data(page: tifffile.TiffPage) -> float | None:
    tag = page.tags.get(42113)
    try:
        return None if tag is None else float(str(tag.value).strip().rstrip("\0"))
    except ValueError:
        return None


def orientation_tag(page: tifffile.TiffPage) -> int:
    """Return how a picture is turned, as the tag Orientation numbers it; 1 where it is not said."""
    tag = page.tags.get(274)
    return int(tag.value) if tag is not None and isinstance(tag.value, int) else 1


def profile_tag(page: tifffile.TiffPage) -> bytes | None:
    """Return the ICC profile, None where there is none."""
    tag = page.tags.get(34675)
    return None if tag is None else bytes(tag.value)


def color_name(page: tifffile.TiffPage) -> str:
    """Return what the numbers of a pixel are, for people; of kinds that are not read, too."""
    return _COLORS.get(page.photometric, getattr(page.photometric, "name", "unknown"))


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
    metadata: Keywords = tiff.imagej_metadata or {}
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
