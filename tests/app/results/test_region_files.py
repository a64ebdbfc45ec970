"""Polygons from files as a Shapes layer, measured as the command line does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.layers import Labels

from napari_colorkde.app.results import region_files
from napari_colorkde.app.results.region_files import RegionLayer, read_region_layer
from napari_colorkde.cli import main
from napari_colorkde.io.csv_files import read_rows
from napari_colorkde.io.images import read_image
from napari_colorkde.io.kernels.kernel_files import save_kernels
from tests.app.layers.test_overlay import RGB, THERE
from tests.app.results.test_measuring import STAINS, Measured

RING = [[3.2, 1.1], [25.7, 4.3], [18.4, 17.9], [2.6, 12.2], [3.2, 1.1]]
HOLES = [[[10, 6], [14, 6], [14, 9], [10, 9], [10, 6]], [[16, 6], [19, 6], [17, 9], [16, 6]]]
SQUARES = [[[[-5, -5], [2, -5], [2, 2], [-5, 2]]], [[[24, 14], [29, 14], [29, 19], [24, 19]]]]


def feature(kind: str, coordinates: Any, **properties: Any) -> dict[str, Any]:
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


TUMOR = {"name": "Tumor", "color": [200, 0, 0]}
FEATURES = [
    feature("Polygon", [RING, *HOLES], classification=TUMOR),
    feature("MultiPolygon", SQUARES, name="corners", classification={"name": "Stroma"}),
    feature("Polygon", [HOLES[0]], classification=TUMOR),
    feature("Point", [3, 4], name="point"),
    feature("Polygon", [[[90, 90], [95, 90], [95, 95], [90, 90]]], name="outside"),
]


@pytest.fixture
def measured() -> Iterator[Measured]:
    measured = Measured()
    yield measured
    measured.measuring.close()
    measured.overlay.close()
    measured.session.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "annotations.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": FEATURES}))
    return path


def opened(measured: Measured, path: Path) -> Any:
    image, source = measured.overlay.image, measured.session.source
    channels = measured.session.channels
    assert image is not None
    assert source is not None
    assert channels is not None
    *_, found = read_region_layer(path, image, source, channels)
    assert isinstance(found, RegionLayer)
    measured.remark = found.remark
    return measured.viewer.add_layer(found.layer)


@pytest.mark.parametrize("options", [{}, THERE])
def test_rows_are_those_of_the_command_line(
    measured: Measured, path: Path, tmp_path: Path, options: dict[str, Any]
) -> None:
    np.save(tmp_path / "photo.npy", RGB)
    save_kernels(tmp_path / "k.json", {"stains": STAINS})
    words = ["measure", str(tmp_path / "photo.npy"), "--kernels", str(tmp_path / "k.json")]
    assert main([*words, "--regions", str(path), "-o", str(tmp_path / "t.csv")]) == 0
    measured.show(read_image(tmp_path / "photo.npy"), **options)
    measured.session.kernels = STAINS
    layer = opened(measured, path)
    assert list(layer.features["name"]) == ["Tumor", "corners", "corners", "Tumor (2)"]
    assert list(layer.features["class"]) == ["Tumor", "Stroma", "Stroma", "Tumor"]
    np.testing.assert_allclose(layer.edge_color[0], [200 / 255, 0, 0, 1])
    measured.measuring.regions = layer
    measured.measuring.add()
    rows, expected = measured.table.rows, read_rows(tmp_path / "t.csv")
    assert len(rows) == 9
    for row, right in zip(rows, expected, strict=True):
        assert (row["region"], row["class"]) == (right["region"], right["class"])
        assert row["pixels"] == int(right["pixels"])


def test_rows_follow_the_names_of_shapes(measured: Measured, path: Path) -> None:
    measured.show()
    layer = opened(measured, path)
    measured.measuring.regions = layer
    measured.measuring.add()
    assert [row["region"] for row in measured.table.rows] == ["Tumor", "corners", "Tumor (2)"]
    layer.add_polygons([[5, 20], [5, 28], [9, 28]])  # it has no name
    assert measured.table.rows[-1]["region"] == "5"
    names = [*layer.features["name"][:3], "Tumor", "5"]
    layer.features = layer.features.assign(name=names)
    assert [row["region"] for row in measured.table.rows] == ["Tumor", "corners", "5"]


def test_shapes_lie_over_the_rows_and_columns_of_channels(measured: Measured, path: Path) -> None:
    planes = np.moveaxis(RGB, -1, 0)
    measured.show(planes, rgb=False, scale=(1, 2, 3), translate=(0, 5, 7))
    channels = next(c for c in measured.session.source.choices if len(c.indices) == 3)
    measured.session.channels = channels
    layer = opened(measured, path)
    np.testing.assert_allclose(layer.data_to_world((0, 0)), (5, 7))
    np.testing.assert_allclose(layer.data_to_world((1, 1)), (7, 10))


def on_planes(path: Path, *planes: dict[str, int] | None) -> Path:
    """Say of the features where in a stack they lie, as QuPath does."""
    features = json.loads(json.dumps(FEATURES))
    for each, plane in zip(features, planes, strict=False):
        if plane is not None:
            each["geometry"]["plane"] = {"c": -1, **plane}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def rows_of_both(measured: Measured, path: Path, stack: Any, *words: str) -> list[Any]:
    """Return the pixels of each region, by the window, which are those of the command line."""
    np.save(path.with_name("stack.npy"), stack)
    table = path.with_name("t.csv")
    command = ["measure", str(path.with_name("stack.npy")), "--regions", str(path), *words]
    assert main([*command, "-o", str(table)]) == 0
    layer = opened(measured, path)
    assert isinstance(layer, Labels)
    measured.measuring.regions = layer
    measured.measuring.add()
    rows = [(row["region"], row["pixels"]) for row in measured.table.rows]
    if not measured.remark:
        assert rows == [(row["region"], int(row["pixels"])) for row in read_rows(table)]
    return rows


def test_polygons_go_through_all_planes_of_a_stack_or_lie_in_theirs(
    measured: Measured, path: Path
) -> None:
    stack = np.stack([RGB, RGB[::-1], RGB // 2])
    measured.show(stack)
    (_, through), *_ = rows_of_both(measured, path, stack)
    measured.table.clear()
    on_planes(path, {"z": 2, "t": 0}, {"z": 1, "t": 0})
    tumor, _, third = rows_of_both(measured, path, stack)
    assert tumor == ("Tumor", through // 3)
    assert third == ("Tumor (2)", 12)  # it names no plane and lies in the first
    assert np.unique(measured.measuring.regions.data[2]).tolist() == [0, 1]
    on_planes(path, {"z": 7, "t": 0}, {"z": 1, "t": 2})
    with pytest.raises(ValueError, match="lie in planes with z and t, but the image has 1 axis"):
        opened(measured, path)


def test_more_polygons_than_napari_draws_are_labels_and_what_overlaps_is_said(
    measured: Measured, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(region_files, "MOST_SHAPES", 3)
    measured.show(RGB)
    rows = rows_of_both(measured, path, RGB)
    assert [name for name, _ in rows] == ["Tumor", "corners", "Tumor (2)"]
    assert measured.remark == ""
    path.write_text(json.dumps([feature("Polygon", [RING]), *FEATURES]))
    rows_of_both(measured, path, RGB)
    assert measured.remark.startswith("Regions overlap in ")
    planes = np.moveaxis(RGB, -1, 0)
    measured.show(planes, rgb=False)
    measured.session.channels = next(c for c in measured.session.source.choices if len(c) == 3)
    assert opened(measured, path).data.shape == planes.shape


def test_files_that_do_not_fit_are_refused(measured: Measured, path: Path) -> None:
    measured.show(RGB)
    with pytest.raises(OSError, match="does not exist"):
        opened(measured, path.with_name("none.geojson"))
    path.write_text("{")
    with pytest.raises(ValueError, match="is not readable GeoJSON"):
        opened(measured, path)
