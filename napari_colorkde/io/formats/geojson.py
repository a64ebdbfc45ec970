"""GeoJSON: polygons as QuPath exports them, as regions of an image."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.classification.polygons import polygon_mask
from napari_colorkde.core.classification.regions import Region
from napari_colorkde.io.formats.reading import JsonObject

SUFFIXES = (".geojson", ".json")


@dataclass(frozen=True, slots=True, eq=False)
class Annotation:
    """A polygon, or a group of polygons, of an annotation program.

    Attributes
    ----------
    region
        The pixels whose centers lie within, and its name.
    cls
        The name of its class; "" where it has none.
    color
        Of that class, red, green and blue of 8 bits; None where the file has none.
    polygons
        Each the rings ``(N, 2)`` of one polygon, the first around it, the others around its holes:
        x and y in pixels, with the corner of the picture at (0, 0).
    plane
        Of a stack the plane and the time (z, t), counted from 0, as QuPath writes them; None where
        the file says neither.
    """

    region: Region
    cls: str
    color: tuple[int, int, int] | None
    polygons: tuple[tuple[NDArray[np.float64], ...], ...] = field(repr=False)
    plane: tuple[int, int] | None = None


def read_regions(path: Path, shape: tuple[int, ...]) -> list[Region]:
    """Read polygons, with their holes, as regions: those of `read_annotations`, in their planes.

    Parameters
    ----------
    path
        As for `read_annotations`.
    shape
        Of the image: rows and columns come last.

    Raises
    ------
    ValueError
        As from `read_annotations` and `in_planes`.
    """
    found = read_annotations(path, (shape[-2], shape[-1]))
    return [each.region for each in in_planes(path, found, shape[:-2])]


def in_planes(
    path: Path, annotations: Sequence[Annotation], leading: tuple[int, ...]
) -> list[Annotation]:
    """Place polygons in the planes of a stack.

    Where no polygon of the file names a plane, each goes through all planes. Otherwise those that
    name none lie in the first, which QuPath does not write.

    Parameters
    ----------
    path
        For messages.
    annotations
        What was read from it.
    leading
        Lengths of the axes before rows and columns: of planes or times, or of times and planes.

    Returns
    -------
    list of Annotation
        Whose regions have boxes of all axes.

    Raises
    ------
    ValueError
        If it is not clear which axis the planes are counted on, or none lies in the stack.
    """
    if not leading:
        return list(annotations)
    planes = [each.plane or (0, 0) for each in annotations]
    names_planes = any(each.plane is not None for each in annotations)
    both = any(z for z, _ in planes) and any(t for _, t in planes)
    if names_planes and (len(leading) > 2 or (both and len(leading) == 1)):
        raise ValueError(
            f"regions {str(path)!r} lie in planes with z and t, but the image has {len(leading)} "
            f"{'axis' if len(leading) == 1 else 'axes'} before rows and columns; give labels of "
            "the image's shape."
        )
    found = []
    for each, (z, t) in zip(annotations, planes, strict=True):
        at = [slice(0, n) for n in leading]
        if names_planes:
            places = (t, z) if len(leading) == 2 else (z or t,)
            if any(place >= n for place, n in zip(places, leading, strict=True)):
                continue
            at = [slice(place, place + 1) for place in places]
        thickness = [a.stop - a.start for a in at]
        inside = np.broadcast_to(each.region.inside, (*thickness, *each.region.inside.shape))
        region = Region(each.region.name, (*at, *each.region.box), inside)
        found.append(replace(each, region=region))
    if not found:
        raise ValueError(f"regions {str(path)!r} lie in planes that the image does not have.")
    return found


def read_annotations(path: Path, shape: tuple[int, int]) -> list[Annotation]:
    """Read polygons, with their holes and classes.

    Parameters
    ----------
    path
        A FeatureCollection, a list of features, a feature, or a geometry. Coordinates are pixels,
        x to the right and y down, with the corner of the picture at (0, 0), as in QuPath.
    shape
        Rows and columns of the image. What of a polygon lies outside is left out.

    Returns
    -------
    list of Annotation
        One for each polygon or group of polygons, named by its name or, where it has none, by its
        class; names that appear again are numbered. Points and lines hold no pixels and are left
        out.

    Raises
    ------
    ValueError
        If it is no GeoJSON, or holds no polygon that lies in the image.
    """
    where = f"regions {str(path)!r}"
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
        features = list(_features(document))
    except (ValueError, RecursionError, AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"{where} is not readable GeoJSON ({error}).") from None
    found: list[Annotation] = []
    taken: dict[str, int] = {}
    for number, (properties, geometry) in enumerate(features, 1):
        try:
            polygons = _polygons_of(geometry)
            region = _region(polygons, shape) if polygons else None
            plane = _plane(geometry)
        except (ValueError, TypeError, KeyError, IndexError):
            raise ValueError(
                f"{where}: the coordinates of feature {number} are not a polygon, or its plane has "
                "no z and t; give rings of [x, y]."
            ) from None
        if region is None:
            continue
        cls, color = _class(properties)
        name = str(properties.get("name") or "").strip() or cls or str(number)
        taken[name] = taken.get(name, 0) + 1
        if taken[name] > 1:
            name = f"{name} ({taken[name]})"
        found.append(Annotation(Region(name, *region), cls, color, polygons, plane))
    if not found:
        raise ValueError(
            f"{where} holds no polygon within the {shape[0]} × {shape[1]} pixels of the image."
        )
    return found


def _features(document: Any) -> Iterator[tuple[JsonObject, JsonObject]]:
    if isinstance(document, list):
        for feature in document:
            yield from _features(feature)
    elif document["type"] == "FeatureCollection":
        yield from _features(document["features"])
    elif document["type"] == "Feature":
        if document.get("geometry") is not None:
            yield document.get("properties") or {}, document["geometry"]
    else:
        yield {}, document


def _class(properties: JsonObject) -> tuple[str, tuple[int, int, int] | None]:
    """Return the name and the color of a class; "" and None where there are none."""
    kind = properties.get("classification")
    if not isinstance(kind, Mapping):
        return "", None
    name = kind.get("name") or " ".join(map(str, kind.get("names") or ()))
    color, packed = kind.get("color"), kind.get("colorRGB")
    if isinstance(packed, int):  # QuPath before 0.4
        color = [packed >> 16 & 255, packed >> 8 & 255, packed & 255]
    levels: list[Any] = color if isinstance(color, list) else []
    if len(levels) != 3 or not all(
        isinstance(level, int) and 0 <= level <= 255 for level in levels
    ):
        return str(name).strip(), None
    return str(name).strip(), (levels[0], levels[1], levels[2])


def _plane(geometry: Mapping[str, object]) -> tuple[int, int] | None:
    """Return where in a stack QuPath has drawn something."""
    plane = geometry.get("plane")
    if not isinstance(plane, Mapping):
        return None
    z, t = plane.get("z", 0), plane.get("t", 0)
    if not isinstance(z, int) or not isinstance(t, int) or z < 0 or t < 0:
        raise ValueError("a plane needs z and t, counted from 0.")
    return z, t


def _polygons_of(geometry: JsonObject) -> tuple[tuple[NDArray[np.float64], ...], ...]:
    """Return the rings of each polygon of a geometry; nothing of points and lines."""
    kind = geometry["type"]
    parts = geometry["geometries"] if kind == "GeometryCollection" else [geometry]
    found: list[tuple[NDArray[np.float64], ...]] = []
    for part in parts:
        if part["type"] not in ("Polygon", "MultiPolygon"):
            continue
        rings = part["coordinates"]
        polygons = [rings] if part["type"] == "Polygon" else rings
        found += [tuple(map(_ring, polygon)) for polygon in polygons]
    return tuple(found)


def _ring(ring: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    corners = np.array([point[:2] for point in ring], np.float64)
    if corners.ndim != 2 or corners.shape[1] != 2 or not np.isfinite(corners).all():
        raise ValueError("a ring is a list of finite [x, y].")
    return corners


def _region(
    polygons: tuple[tuple[NDArray[np.float64], ...], ...], shape: tuple[int, int]
) -> tuple[tuple[slice, slice], NDArray[np.bool_]] | None:
    """Return the box and the pixels of polygons; None where there are none."""
    outer = np.concatenate([rings[0] for rings in polygons])
    low = np.clip(np.floor(outer.min(axis=0)).astype(int), 0, shape[::-1])
    high = np.clip(np.ceil(outer.max(axis=0)).astype(int), 0, shape[::-1])
    if (high <= low).any():
        return None
    inside = np.zeros((high[1] - low[1], high[0] - low[0]), np.bool_)
    for rings in polygons:
        part = _filled(rings[0], low, inside.shape)
        for hole in rings[1:]:
            part &= ~_filled(hole, low, inside.shape)
        inside |= part
    if not inside.any():
        return None
    return (slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))), inside


def _filled(
    ring: NDArray[np.float64], low: NDArray[Any], shape: tuple[int, int]
) -> NDArray[np.bool_]:
    """Return the pixels whose centers lie within a ring."""
    # The center of the first pixel is at (0.5, 0.5).
    return polygon_mask(ring[:, ::-1] - low[::-1] - 0.5, shape)
