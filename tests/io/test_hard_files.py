"""Files of kinds that readers get wrong: palettes, alpha, infrared, masks, thumbnails, suffixes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_colorkde import Palette, read_image
from napari_colorkde.io.images import read_labels, read_mask
from tests import hard_files
from tests.hard_files import facts


@pytest.mark.parametrize(
    "make",
    [
        hard_files.palette_one_bit,
        hard_files.still_gif,
        hard_files.palette_eight_bit_table,
        hard_files.deep_ppm,
        hard_files.thumbnail_first,
        hard_files.pages_in_lsm,
        hard_files.planar_rgb,
        hard_files.zstd,
    ],
)
def test_numbers_are_those_that_were_written(make: hard_files.Make, tmp_path: Path) -> None:
    case = make(tmp_path)
    assert facts(read_image(tmp_path / case["file"])) == case["image"]


def test_associated_alpha_is_divided_out(tmp_path: Path) -> None:
    case = hard_files.associated_alpha(tmp_path)
    image = np.asarray(read_image(tmp_path / case["file"]), np.float64)
    alpha = tifffile.imread(tmp_path / case["file"])[..., 3].astype(float)
    visible = alpha > 0
    error = np.abs(image[..., :3] - case["color"]).max(axis=-1)
    allowed = 127.5 / np.maximum(alpha, 1) + 1
    assert (error <= allowed)[visible].all()
    assert Palette.from_image(read_image(tmp_path / case["file"])).n_pixels == case["n_opaque"]


def test_a_fourth_sample_that_is_no_alpha_is_asked_about(tmp_path: Path) -> None:
    case = hard_files.red_green_blue_infrared(tmp_path)
    path = tmp_path / case["file"]
    with pytest.raises(ValueError, match="four samples per pixel, and the last is not marked"):
        read_image(path)
    np.testing.assert_array_equal(
        read_image(path, channels=(0, 1, 2)), np.load(tmp_path / case["rgb"])
    )
    with pytest.raises(ValueError, match=r"channels=\[4\]: a pixel .* has 4 samples; give numbers"):
        read_image(path, channels=[4])


def test_gray_png_keeps_16_bits_beside_a_transparent_level(tmp_path: Path) -> None:
    case = hard_files.gray_png_transparent_level(tmp_path)
    image = read_image(tmp_path / case["file"])
    palette = Palette.from_image(image)
    assert palette.n_transparent == case["n_transparent"]
    assert (palette.colors == palette.colors[:, :1]).all()
    levels = np.sort(np.repeat(palette.colors[:, 0], palette.counts)).astype(image.dtype)
    assert facts(levels) == case["opaque"]


def test_ycbcr_becomes_rgb(tmp_path: Path) -> None:
    case = hard_files.ycbcr(tmp_path)
    image = read_image(tmp_path / case["file"])
    assert list(image.shape) == case["shape"]
    corners = image[[0, 0, -1, -1], [0, -1, 0, -1]].astype(int)
    np.testing.assert_allclose(corners, case["corners"], atol=case["tolerance"])


def test_labels_of_a_palette_picture_are_its_entries(tmp_path: Path) -> None:
    case = hard_files.palette_png_labels(tmp_path)
    assert facts(read_labels(tmp_path / case["labels"])) == case["index"]


def test_white_counts_in_a_mask_in_which_white_is_zero(tmp_path: Path) -> None:
    case = hard_files.mask_white_is_zero(tmp_path)
    mask = read_mask(tmp_path / case["mask"])
    assert mask.sum() == case["n_pixels"]
    image = read_image(tmp_path / case["file"])
    np.testing.assert_allclose(image[mask].mean(axis=0), case["mean"], atol=1e-9)


def test_mask_and_labels_fit_a_still_gif(tmp_path: Path) -> None:
    case = hard_files.still_gif(tmp_path)
    image = read_image(tmp_path / case["file"])
    labels = np.where(read_mask(tmp_path / case["mask"]), read_labels(tmp_path / case["labels"]), 0)
    for label, mean in case["means"].items():
        np.testing.assert_allclose(image[labels == int(label)].mean(axis=0), mean, atol=1e-9)
