"""Regions and classes in numbers, beside the plain sums over pixels."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

from napari_colorkde import Kernel, KernelSet, classify_image
from napari_colorkde.core.classification.classify_colors import NONE
from napari_colorkde.core.classification.measure import measure_regions
from napari_colorkde.core.classification.regions import Region, regions_of_labels
from napari_colorkde.core.reference import mixture_density

RANDOM = np.random.default_rng(31)
IMAGE = RANDOM.integers(0, 256, (20, 30, 4), dtype=np.uint8)
IMAGE[..., 3] = 255
IMAGE[:2, :4, 3] = 0
MASK = np.ones((20, 30), bool)
MASK[5:8] = False
LABELS = np.zeros((20, 30), np.int64)
LABELS[1:9, 2:20], LABELS[12:, 5:], LABELS[15:17] = 3, 720575940621039145, 9
KERNELS = {
    name: KernelSet([Kernel(mean, np.diag([900.0, 800, 700]), weight=2.0)], name)
    for name, mean in (("dark", (60, 60, 60)), ("light", (190, 180, 170)))
}


def test_classes_of_regions_are_the_means_over_their_pixels() -> None:
    priors = {"dark": 0.3, "light": 0.7}
    found = measure_regions(
        IMAGE, regions_of_labels(LABELS), KERNELS, mask=MASK, priors=priors, keep_mass=0.9
    )
    assert len(found) == 9
    classes = classify_image(IMAGE, KERNELS, mask=MASK, priors=priors, keep_mass=0.9)
    counts = MASK & (IMAGE[..., 3] > 0)
    colors = IMAGE[..., :3].reshape(-1, 3).astype(float)
    joint = np.stack(
        [priors[name] * mixture_density(colors, each) / 2 for name, each in KERNELS.items()]
    )
    posterior = joint / joint.sum(axis=0)
    entropy = -(posterior * np.log(posterior)).sum(axis=0).reshape(20, 30)
    log_likelihood = np.log(joint.sum(axis=0)).reshape(20, 30)
    for entry in found:
        region = int(entry.region) == LABELS
        cls = {"dark": 1, "light": 2, NONE: 0}[entry.cls]
        inside = region & counts & (classes == cls)
        assert entry.pixels == inside.sum()
        assert entry.fraction == pytest.approx(inside.sum() / (region & counts).sum())
        assert entry.n_masked == (region & ~MASK).sum()
        assert entry.n_transparent == (region & MASK & (IMAGE[..., 3] == 0)).sum()
        assert entry.n_not_finite == 0
        if entry.pixels:
            np.testing.assert_allclose(entry.mean_color, IMAGE[inside][:, :3].mean(axis=0))
            assert entry.entropy == pytest.approx(entropy[inside].mean(), abs=1e-9)
            assert entry.mean_log_likelihood == pytest.approx(log_likelihood[inside].mean())
        else:
            assert np.isnan([*entry.mean_color, entry.entropy]).all()


def test_lazy_images_are_measured_block_by_block() -> None:
    options = {"priors": {"dark": 0.3}, "mask": MASK}
    regions = regions_of_labels(LABELS)
    expected = measure_regions(IMAGE, regions, KERNELS, **options)
    image = da.from_array(IMAGE, chunks=(7, 11, 4))
    found = measure_regions(image, regions, KERNELS, **options)
    assert str(found) == str(expected)
    assert sum(entry.n_masked for entry in found) > 0


def test_without_regions_and_kernels_the_whole_is_measured() -> None:
    gray = RANDOM.random((4, 5, 6)).astype(np.float32)
    gray[0, 0, 0] = np.nan
    (entry,) = measure_regions(gray, channel_axis=None)
    assert (entry.region, entry.cls, entry.pixels, entry.fraction) == ("", "", 119, 1.0)
    assert entry.n_not_finite == 1
    np.testing.assert_allclose(entry.mean_color, [np.nanmean(gray.astype(float))])
    assert np.isnan(entry.mean_log_likelihood)


def test_masked_arrays_say_what_does_not_count() -> None:
    image = np.ma.MaskedArray(IMAGE[..., :3], mask=np.zeros((20, 30, 3), bool))
    image[3, 4] = np.ma.masked
    (entry,) = measure_regions(image)
    assert (entry.pixels, entry.n_masked) == (599, 1)


def test_a_region_all_of_whose_pixels_are_left_out_has_no_fraction() -> None:
    region = Region("dark", (slice(5, 8), slice(0, 30)), np.ones((3, 30), bool))
    (entry,) = measure_regions(IMAGE, [region], mask=MASK)
    assert entry.pixels == 0
    assert np.isnan(entry.fraction)
    assert entry.n_masked == 90


def test_labels_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="labels are all 0; give each region a number"):
        regions_of_labels(np.zeros((3, 4), int))
    with pytest.raises(ValueError, match="labels is an array of float64; give whole numbers"):
        regions_of_labels(np.zeros((3, 4)))
