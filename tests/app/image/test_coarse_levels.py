"""Slides whose files have one level: they stay in their files, and coarser levels are made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_colorkde.app.image import coarse_levels
from napari_colorkde.app.image.file_as_layer import open_image_file
from napari_colorkde.core.palette.image_tiles import is_dask
from napari_colorkde.io.formats import blocks, reading
from tests.slides import slide_pixels

PIXELS = slide_pixels(203, 330)


@pytest.fixture(autouse=True)
def small_slides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "LAZY_PIXELS", 200 * 300)
    monkeypatch.setattr(blocks, "BLOCK_PIXELS", 1 << 13)
    monkeypatch.setattr(coarse_levels, "COARSE_PIXELS", 5000)
    monkeypatch.setattr(coarse_levels, "SCREEN_SIDE", 60)


@pytest.mark.parametrize("options", [{"tile": (48, 64)}, {"rowsperstrip": 7}])
def test_a_slide_of_one_level_has_coarser_ones_and_is_not_read_whole(
    tmp_path: Path, options: dict[str, object]
) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, PIXELS, photometric="rgb", compression="zlib", **options)
    opened = open_image_file(path)
    finest, *coarse = opened.data
    assert opened.arguments == {"rgb": True, "multiscale": True}
    assert is_dask(finest)
    np.testing.assert_array_equal(finest, PIXELS)
    assert [level.shape[:2] for level in coarse] == [(51, 83), (26, 42)]
    for level, step in zip(coarse, (4, 8), strict=True):
        np.testing.assert_array_equal(level, PIXELS[::step, ::step])


def test_memory_maps_and_gray_stacks_of_large_planes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MAPPED_BYTES", 1000)
    stack = np.stack([PIXELS[..., 0], PIXELS[..., 1]])
    np.save(tmp_path / "a.npy", stack)
    opened = open_image_file(tmp_path / "a.npy")
    assert isinstance(opened.data[0], np.memmap)
    np.testing.assert_array_equal(opened.data[1], stack[:, ::8, ::8])
    np.save(tmp_path / "b.npy", stack[:, :100])
    assert isinstance(open_image_file(tmp_path / "b.npy").data, np.memmap)


def test_many_small_planes_are_read_as_ever(tmp_path: Path) -> None:
    planes = np.repeat(PIXELS[np.newaxis, :100, :, 0], 4, axis=0)
    tifffile.imwrite(tmp_path / "a.tif", planes, imagej=True, metadata={"axes": "ZYX"})
    opened = open_image_file(tmp_path / "a.tif")
    assert isinstance(opened.data, np.ndarray)
    np.testing.assert_array_equal(opened.data, planes)
