from __future__ import annotations

import numpy as np
import pytest

from napari_colorkde.app.image import counting_steps as module
from napari_colorkde.app.image.counting_steps import CountedImage, count_colors
from napari_colorkde.app.image.source import source_of_array

IMAGE = np.random.default_rng(0).integers(40, 80, (20, 30, 3)).astype(np.uint8)


def test_counting_gives_the_palette_and_the_index_of_the_whole_image() -> None:
    source = source_of_array(IMAGE)
    *progress, counted = count_colors(source, source.choices[0])
    assert isinstance(counted, CountedImage)
    assert counted.palette.n_pixels == 600
    np.testing.assert_array_equal(counted.palette.colors[counted.index.cached - 1], IMAGE)
    assert {p.what for p in progress} == {"counting colors", "finding the pixels' colors"}


def test_a_large_image_shows_a_sample_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGE", 500)
    monkeypatch.setattr(module, "SAMPLE_PIXELS", 200)
    source = source_of_array(IMAGE)
    sample, whole = (
        r for r in count_colors(source, source.choices[0]) if isinstance(r, CountedImage)
    )
    assert sample.index.is_preview
    assert sample.palette.n_pixels == 150
    assert not whole.index.is_preview
    assert whole.palette.n_pixels == 600


@pytest.mark.parametrize(("dtype", "has_sample"), [(np.uint8, False), (np.uint16, True)])
def test_deep_images_show_a_sample_sooner(
    monkeypatch: pytest.MonkeyPatch, dtype: type[np.generic], has_sample: bool
) -> None:
    monkeypatch.setattr(module, "LARGE_DEEP", 500)
    monkeypatch.setattr(module, "SAMPLE_PIXELS", 200)
    source = source_of_array(IMAGE.astype(dtype))
    counted = [r for r in count_colors(source, source.choices[0]) if isinstance(r, CountedImage)]
    assert [c.index.is_preview for c in counted] == [True, False][not has_sample :]


def test_a_sample_without_a_pixel_that_counts_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGE", 500)
    monkeypatch.setattr(module, "SAMPLE_PIXELS", 200)
    image = np.dstack([IMAGE, np.zeros((20, 30), np.uint8)])
    image[1::2, 1::2, 3] = 255
    source = source_of_array(image)
    (whole,) = (r for r in count_colors(source, source.choices[0]) if isinstance(r, CountedImage))
    assert whole.palette.n_pixels == 150
    assert whole.palette.n_excluded == 450
