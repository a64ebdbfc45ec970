"""Slides as pyramids: the levels that their files hold, nothing decoded whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_colorkde.core.palette.image_tiles import is_dask
from napari_colorkde.io.images import image_contents, read_image
from napari_colorkde.io.pyramids import load_pyramid
from tests.slides import PIXEL_SIZE, pyramid, slide_pixels, write_ome_zarr, write_svs

LEVELS = pyramid(slide_pixels(192, 256))


@pytest.mark.parametrize("name", ["s.svs", "4.zarr", "5.zarr"])
def test_a_slide_opens_with_all_of_its_levels(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "s.svs":
        write_svs(path, LEVELS)
    else:
        write_ome_zarr(path, LEVELS, f"0.{name[0]}")
    found = load_pyramid(path)
    assert found is not None
    assert found.channel_axis == (None if name == "s.svs" else 1)
    assert found.finest.pixel_size == (PIXEL_SIZE, PIXEL_SIZE)
    assert found.finest.remarks == ()
    for level, wanted in zip(found.levels, LEVELS, strict=True):
        assert is_dask(level)
        np.testing.assert_array_equal(level, wanted)


@pytest.mark.parametrize("options", [{}, {"metadata": {}}])
def test_label_and_macro_pictures_of_a_slide_are_not_its_main_picture(
    tmp_path: Path, options: dict[str, object]
) -> None:
    path = write_svs(tmp_path / "s.svs", LEVELS, **options)
    _, pictures = image_contents(path)
    assert [p.kind for p in pictures] == ["picture", "thumbnail", "thumbnail", "thumbnail"]
    assert [p.is_main for p in pictures] == [True, False, False, False]
    assert (pictures[0].pixel_size, pictures[0].unit) == ((PIXEL_SIZE, PIXEL_SIZE), "µm")
    np.testing.assert_array_equal(read_image(path, level=2), LEVELS[2])


def test_a_picture_of_one_level_is_no_pyramid(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", LEVELS[0], photometric="rgb", tile=(64, 64))
    np.save(tmp_path / "a.npy", LEVELS[0])
    assert load_pyramid(tmp_path / "a.tif") is None
    assert load_pyramid(tmp_path / "a.npy") is None
    with pytest.raises(FileNotFoundError, match="check the name"):
        load_pyramid(tmp_path / "none.svs")


def test_levels_that_disagree_are_no_pyramid(tmp_path: Path) -> None:
    write_ome_zarr(tmp_path / "a.zarr", [LEVELS[1], LEVELS[0]])
    assert load_pyramid(tmp_path / "a.zarr") is None
