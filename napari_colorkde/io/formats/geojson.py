"""GeoJSON: polygons as QuPath exports them, as regions of an image."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.classification.regions import Region

SUFFIXES = (".geojson", ".json")


def read_regions(path: Path, shape: tuple[int, int]) -> list[Region]:
    """Read polygons, with their holes, as regions.

    Parameters
    ----------
    path
        A FeatureCollection, a list of features, a feature, or a geometry. Coordinates are pixels,
        x to the right and y down, with the corner of the picture at (0, 0), as in QuPath.
    shape
        Rows and columns of the image. What of a polygon lies outside is left out.

    Returns
    -------
    list of Region
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
    found: list[Region] = []
    taken: dict[str, int] = {}
    for number, (properties, geometry) in enumerate(features, 1):
        try:
            region = _region(geometry, shape)
        except (ValueError, TypeError, KeyError, IndexError):
            raise ValueError(
                f"{where}: the coordinates of feature {number} are no polygon; give rings of "
                "[x, y]."
            ) from None
        if region is None:
            continue
        name = _name(properties) or str(number)
        taken[name] = taken.get(name, 0) + 1
        if taken[name] > 1:
            name = f"{name} ({taken[name]})"
        found.append(Region(name, *region))
    if not found:
        raise ValueError(
            f"{where} holds no polygon within the {shape[0]} × {shape[1]} pixels of the image."
        )
    return found


def _features(document: Any) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
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


def _name(properties: Mapping[str, Any]) -> str:
    name = properties.get("name")
    kind = properties.get("classification")
    if not name and isinstance(kind, Mapping):
        name = kind.get("name") or " ".join(map(str, kind.get("names") or ()))
    return str(name or "").strip()


def _region(
    geometry: Mapping[str, Any], shape: tuple[int, int]
) -> tuple[tuple[slice, slice], NDArray[np.bool_]] | None:
    """Return the box and the pixels of a geometry; None where there are none."""
    kind = geometry["type"]
    if kind == "GeometryCollection":
        polygons = [
            polygon
            for part in geometry["geometries"]
            if part["type"] in ("Polygon", "MultiPolygon")
            for polygon in _polygons(part)
        ]
    elif kind in ("Polygon", "MultiPolygon"):
        polygons = _polygons(geometry)
    else:
        return None
    if not polygons:
        return None
    outer = np.concatenate([np.asarray(rings[0], float)[:, :2] for rings in polygons])
    if not np.isfinite(outer).all():
        raise ValueError("coordinates are not finite.")
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


def _polygons(geometry: Mapping[str, Any]) -> list[Any]:
    rings = geometry["coordinates"]
    return [rings] if geometry["type"] == "Polygon" else list(rings)


def _filled(
    ring: Sequence[Sequence[float]], low: NDArray[Any], shape: tuple[int, int]
) -> NDArray[np.bool_]:
    """Return the pixels whose centers lie within a ring."""
    from skimage.draw import polygon2mask

    # The center of the first pixel is at (0.5, 0.5).
    points = np.asarray(ring, float)[:, 1::-1] - low[::-1] - 0.5
    return np.asarray(polygon2mask(shape, points))
