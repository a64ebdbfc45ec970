"""Class maps in files: the numbers, the names, and the colors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_colorkde.io.class_maps import write_class_map
from napari_colorkde.io.colors.colormaps import CLASS_COLORS
from napari_colorkde.io.images import read_image
from napari_colorkde.io.provenance import provenance

LABELS = np.array([[0, 1, 2], [2, 2, 1]], np.uint8)
NAMES = ("skin", "größe")


@pytest.mark.parametrize("suffix", [".tif", ".TIFF", ".npy"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_numbers_are_kept(tmp_path: Path, suffix: str, dtype: Any) -> None:
    path = tmp_path / f"c{suffix}"
    write_class_map(path, LABELS.astype(dtype), NAMES)
    labels = read_image(path)
    assert labels.dtype == dtype
    np.testing.assert_array_equal(labels, LABELS)


def test_stacks_go_into_a_tiff(tmp_path: Path) -> None:
    stack = np.stack([LABELS, LABELS[::-1], LABELS])
    write_class_map(tmp_path / "c.tif", stack, NAMES)
    np.testing.assert_array_equal(read_image(tmp_path / "c.tif"), stack)


def test_tiff_says_what_the_numbers_mean(tmp_path: Path) -> None:
    write_class_map(tmp_path / "c.tif", LABELS, NAMES, description=provenance("do it"))
    with tifffile.TiffFile(tmp_path / "c.tif") as tiff:
        text = tiff.pages[0].description  # type: ignore[union-attr]
    assert "command: do it" in text
    assert '"1": "skin"' in text


def test_png_is_numbers_and_colors_at_once(tmp_path: Path) -> None:
    write_class_map(tmp_path / "c.png", LABELS, NAMES)
    with Image.open(tmp_path / "c.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), LABELS)
        assert '"2": "größe"' in picture.info["Description"]
        shown = np.asarray(picture.convert("RGBA"))
    np.testing.assert_array_equal(shown[LABELS == 0, 3], 0)
    for label in (1, 2):
        expected = (*CLASS_COLORS[label - 1], 255)
        assert {tuple(color) for color in shown[label == LABELS].tolist()} == {expected}


def test_colors_begin_again_after_the_last(tmp_path: Path) -> None:
    labels = np.array([[1, 1 + len(CLASS_COLORS)]], np.uint8)
    write_class_map(tmp_path / "c.png", labels, [str(i) for i in range(9)])
    left, right = read_image(tmp_path / "c.png")[0].tolist()
    assert left == right


def test_archive_has_names_and_origin(tmp_path: Path) -> None:
    write_class_map(tmp_path / "c.npz", LABELS, NAMES)
    with np.load(tmp_path / "c.npz") as file:
        np.testing.assert_array_equal(file["labels"], LABELS)
        assert tuple(file["names"]) == NAMES
        record = json.loads(str(file["provenance"]))
    assert record["classes"] == {"0": "none", "1": "skin", "2": "größe"}


@pytest.mark.parametrize(
    ("name", "labels", "names", "message"),
    [
        ("c.gif", LABELS, NAMES, "has the suffix '.gif'"),
        ("c.tif", LABELS.astype(float), NAMES, "labels is an array of float64 with shape"),
        ("c.tif", LABELS.astype(np.uint32), NAMES, "give uint8 or uint16, one per pixel"),
        ("c.tif", LABELS[0], NAMES, "give uint8 or uint16, one per pixel"),
        ("c.tif", LABELS, ("skin",), "labels go up to 2, but there are 1 names"),
        ("c.png", LABELS[None], NAMES, "a PNG holds a single image"),
        ("c.png", LABELS, ["x"] * 256, "has room for 255 classes, but there are 256"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_written(
    tmp_path: Path, name: str, labels: Any, names: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        write_class_map(tmp_path / name, labels, names)
    assert list(tmp_path.iterdir()) == []
