"""Polygons of an annotation program as regions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.path import Path as Outline

from napari_colorkde.io.formats.geojson import read_regions


def feature(kind: str, coordinates: Any, **properties: Any) -> dict[str, Any]:
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def painted(path: Path, shape: tuple[int, int]) -> dict[str, Any]:
    found = {}
    for region in read_regions(path, shape):
        mask = np.zeros(shape, bool)
        mask[region.box] = region.inside
        found[region.name] = mask
    return found


def test_pixels_whose_centers_lie_within_belong_to_a_polygon(tmp_path: Path) -> None:
    ring = [[3.2, 1.1], [25.7, 4.3], [18.4, 17.9], [2.6, 12.2], [3.2, 1.1]]
    hole = [[10.0, 6.0], [14.0, 6.0], [14.0, 9.0], [10.0, 9.0], [10.0, 6.0]]
    square = [[[-5, -5], [2, -5], [2, 2], [-5, 2], [-5, -5]]]
    document = {
        "type": "FeatureCollection",
        "features": [
            feature("Polygon", [ring, hole], classification={"name": "Tumor", "color": [1, 2, 3]}),
            feature("MultiPolygon", [square], name="corner", classification={"name": "Tumor"}),
            feature("Polygon", [hole], classification={"names": ["Tumor"]}),
            feature("Point", [3, 4], name="point"),
            feature("Polygon", [[[90, 90], [95, 90], [95, 95], [90, 90]]], name="outside"),
        ],
    }
    (tmp_path / "a.geojson").write_text(json.dumps(document))
    found = painted(tmp_path / "a.geojson", (20, 30))
    assert list(found) == ["Tumor", "corner", "Tumor (2)"]
    y, x = np.mgrid[:20, :30]
    centers = np.stack([x.ravel() + 0.5, y.ravel() + 0.5], axis=-1)
    inside = Outline(ring).contains_points(centers) & ~Outline(hole).contains_points(centers)
    np.testing.assert_array_equal(found["Tumor"], inside.reshape(20, 30))
    assert found["corner"].sum() == 4
    assert found["corner"][:2, :2].all()
    assert found["Tumor (2)"].sum() == 12


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is not readable GeoJSON"),
        ("[1]", "is not readable GeoJSON"),
        (
            '{"type": "Polygon", "coordinates": [["a"]]}',
            "coordinates of feature 1 are not a polygon",
        ),
        ('{"type": "FeatureCollection", "features": []}', "holds no polygon within the 20 × 30"),
    ],
)
def test_what_is_no_polygon_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "a.geojson").write_text(text)
    with pytest.raises(ValueError, match=sentence):
        read_regions(tmp_path / "a.geojson", (20, 30))
