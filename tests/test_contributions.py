"""File ▸ Save Selected Layers, by way of the manifest."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import npe2
import numpy as np
import pytest
import tifffile
from napari.layers import Image

PHOTOGRAPH = np.random.default_rng(0).integers(0, 256, (6, 5, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def only_this_plugin_and_naparis_own(npe2pm: npe2.PluginManager) -> None:
    # The first of two equal writers is taken; which one that is depends on the installation.
    for name in ("napari-colorkde", "napari"):
        npe2pm.register(npe2.PluginManifest.from_distribution(name))


@pytest.mark.parametrize("suffix", [".png", ".tif", ".npy"])
@pytest.mark.parametrize("image", [PHOTOGRAPH, PHOTOGRAPH[..., 0]], ids=["color", "grey"])
def test_images_that_are_no_overlay_are_saved_as_they_are(
    image: np.ndarray, suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"image{suffix}"
    assert Image(image, rgb=image.ndim == 3).save(str(path)) == [str(path)]
    saved = np.load(path) if suffix == ".npy" else iio.imread(path)
    assert saved.dtype == np.uint8
    np.testing.assert_array_equal(saved, image)


def test_multiscale_image_is_saved_at_full_resolution(tmp_path: Path) -> None:
    path = tmp_path / "image.tif"
    Image([PHOTOGRAPH, PHOTOGRAPH[::2, ::2]], rgb=True, multiscale=True).save(str(path))
    np.testing.assert_array_equal(tifffile.imread(path), PHOTOGRAPH)
