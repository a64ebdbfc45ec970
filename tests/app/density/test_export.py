from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_colorkde.app.density.density_steps import compute
from napari_colorkde.app.density.export import ExportRequest, export
from napari_colorkde.app.density.request import ColorValues, DensityRequest
from napari_colorkde.app.image.counting_steps import CountedImage, count_colors
from napari_colorkde.app.image.source import source_of_array
from napari_colorkde.core.device import HOST
from napari_colorkde.core.kde.color_kde import ColorKDE


def test_an_exported_density_is_that_of_every_pixel(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 4), np.uint8)
    image[..., 3] = 255
    image[3, 4, 3] = 0
    source = source_of_array(image)
    *_, counted = count_colors(source, source.choices[0])
    assert isinstance(counted, CountedImage)
    request = DensityRequest(counted.palette, (6.0,), True, None, HOST)
    *_, densities = compute(request)
    assert isinstance(densities, ColorValues)
    path = tmp_path / "density.npy"
    *progress, written = export(
        ExportRequest(path, counted.index, densities, "magma", None, {"image": "test"})
    )
    assert written == path
    assert progress
    density = np.load(path)
    assert density.dtype == np.float64
    assert np.isnan(density[3, 4])
    wanted = ColorKDE(counted.palette, 6.0).density(image, log=True)
    np.testing.assert_allclose(density, wanted, atol=1e-4)
