from functools import reduce
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_colorkde.core.palette.bins.bin_widths import bin_width_for, color_unit, narrowest_width
from napari_colorkde.core.palette.bins.binning import (
    bin_colors,
    merge_bins,
    widen_bins,
    widen_to,
    within_bins,
)
from napari_colorkde.core.palette.sorted_rows.distinct_rows import CountedColors, count_rows
from tests.core.drawn import images, seeds

deep_images = images(dtypes=("uint16", "float32", "float64"), max_side=8)
doublings = st.integers(0, 6)


def rows_of(image):
    return image.reshape(-1, image.shape[-1])


def width_of(rows, doublings):
    """Powers of two of the rows' own magnitude, wide enough to hold several of them."""
    span = np.maximum(np.abs(rows.astype(float)).max(axis=0), 1e-6)
    return np.maximum(2.0 ** (np.floor(np.log2(span)) - 8 + doublings), narrowest_width(rows))


def assert_same_bins(a, b):
    np.testing.assert_array_equal(a.width, b.width)
    np.testing.assert_array_equal(a.counts, b.counts)
    for name in ("unit", "bins", "first"):
        np.testing.assert_array_equal(getattr(a.moments, name), getattr(b.moments, name), name)
    rounding = 0 if (a.moments.unit == 1).all() else 1e-12  # products of floats exceed 2⁵³
    np.testing.assert_allclose(a.moments.second, b.moments.second, rtol=rounding)


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e9])
@pytest.mark.parametrize("budget", [8, 100, 1000])
def test_bins_are_the_finest_within_the_budget(channels, scale, budget):
    colors = scale * np.random.default_rng(0).normal(size=(5000, channels))
    counted = count_rows(colors)
    width = bin_width_for(counted.colors, budget)
    assert (np.log2(width) % 1 == 0).all()
    assert len(bin_colors(counted, width)) <= budget
    assert len(bin_colors(counted, width / 2)) > budget


def test_bins_of_integers_start_from_their_own_step():
    colors = np.random.default_rng(0).integers(0, 65536, (500, 3)).astype(np.uint16)
    assert bin_width_for(colors, 500).tolist() == [1, 1, 1]
    assert bin_width_for(colors, 499).min() > 1


def test_bins_of_a_constant_channel_are_sane():
    colors = np.stack([np.linspace(-1, 1, 500), np.full(500, 3.0)], axis=1)
    binned = bin_colors(count_rows(colors), bin_width_for(colors, 50))
    assert 25 < len(binned) <= 50
    assert (binned.means()[:, 1] == 3).all()


@given(deep_images, doublings)
def test_binning_keeps_counts_means_and_bins(image, doublings):
    rows = rows_of(image)
    width = width_of(rows, doublings)
    binned = bin_colors(count_rows(rows), width)
    assert binned.counts.sum() == len(rows)
    error = np.abs(binned.counts @ binned.means() - rows.astype(float).sum(axis=0))
    assert (error <= len(rows) * (binned.moments.unit + 1e-15 * np.abs(rows).max())).all()
    cells = np.unique(np.floor(rows.astype(float) / width), axis=0)
    np.testing.assert_array_equal(np.floor(binned.means() / width), cells)
    np.testing.assert_array_equal(binned.moments.bins, cells)


@given(deep_images, doublings)
def test_bins_know_the_covariance_of_their_pixels(image, doublings):
    rows = rows_of(image)
    width = width_of(rows, doublings)
    binned = bin_colors(count_rows(rows), width)
    found = within_bins(binned)
    pairs = np.triu_indices(rows.shape[1])
    cells = np.floor(rows.astype(float) / width)
    # Floats are cut off to the unit.
    unit = color_unit(rows, width)
    for i, cell in enumerate(binned.moments.bins):
        inside = rows[(cells == cell).all(axis=1)].astype(float)
        expected = np.cov(inside.T, bias=True).reshape(rows.shape[1], -1)[pairs]
        bound = (unit * width)[:, None] + (unit * width)[None] + 1e-12 * np.outer(width, width)
        assert (np.abs(found[i] - expected) <= bound[pairs]).all()


@given(st.lists(deep_images.map(rows_of), min_size=3, max_size=3), st.lists(doublings, min_size=3))
def test_merging_bins_is_exact_in_any_order(parts, widths):
    parts = [part.astype(np.uint16) for part in parts if part.shape[1] == parts[0].shape[1]]
    binned = [
        bin_colors(count_rows(p), np.full(p.shape[1], 2.0**w))
        for p, w in zip(parts, widths, strict=False)
    ]
    together = bin_colors(
        count_rows(np.concatenate(parts)), np.max([b.width for b in binned], axis=0)
    )
    for order in permutations(binned):
        assert_same_bins(merge_bins(order), together)
        assert_same_bins(reduce(lambda a, b: merge_bins([a, b]), order), together)
    first, *rest = binned
    if rest:
        assert_same_bins(merge_bins([first, merge_bins(rest)]), together)


@given(seeds)
def test_merging_bins_of_floats_of_any_magnitude_is_exact_in_any_order(seed):
    rng = np.random.default_rng(seed)
    parts = []
    for scale in rng.choice([0.1, 1.0, 30.0, 255.0], 3):
        rows = (scale * rng.normal(size=(50, 2))).astype(np.float32)
        parts.append(bin_colors(count_rows(rows), np.full(2, 2.0 ** rng.integers(-6, 3))))
    merged = [reduce(lambda a, b: merge_bins([a, b]), order) for order in permutations(parts)]
    for other in merged[1:]:
        for name in ("unit", "bins", "first"):
            a, b = (getattr(m.moments, name) for m in (merged[0], other))
            np.testing.assert_array_equal(a, b)
        np.testing.assert_allclose(merged[0].moments.second, other.moments.second, rtol=1e-12)


@given(deep_images, st.integers(0, 3), st.integers(0, 3))
def test_wider_bins_are_unions_of_narrower_ones(image, start, more):
    rows = rows_of(image)
    counted = count_rows(rows)
    narrow, wide = width_of(rows, start), width_of(rows, start + more)
    unit = color_unit(rows, narrow)
    stepwise = widen_bins(bin_colors(counted, narrow, unit), wide)
    at_once = bin_colors(counted, wide, unit)
    assert_same_bins(stepwise, at_once)


@given(seeds)
def test_weighted_bins_merge_to_rounding(seed):
    rng = np.random.default_rng(seed)
    colors = count_rows(rng.integers(0, 4096, (300, 3)).astype(np.uint16)).colors
    weights = rng.random(len(colors)) * 10.0 ** rng.integers(-6, 6)
    cuts = np.sort(rng.integers(1, len(colors), 2))
    parts = [
        bin_colors(CountedColors(c, w), np.full(3, 512.0))
        for c, w in zip(np.split(colors, cuts), np.split(weights, cuts), strict=True)
        if len(c)
    ]
    whole = bin_colors(CountedColors(colors, weights), np.full(3, 512.0))
    for order in permutations(parts):
        merged = merge_bins(order)
        np.testing.assert_allclose(merged.counts, whole.counts, rtol=1e-12)
        np.testing.assert_allclose(merged.means(), whole.means(), rtol=1e-12)
        np.testing.assert_allclose(merged.moments.second, whole.moments.second, rtol=1e-12)


def test_bins_are_widened_until_they_are_few_enough():
    colors = np.random.default_rng(0).integers(0, 4096, (5000, 3)).astype(np.uint16)
    binned = bin_colors(count_rows(colors), np.ones(3))
    few = widen_to(binned, 600)
    assert len(few) <= 600 < len(widen_bins(binned, few.width / 2))
    assert widen_to(few, 600) is few


def test_a_mean_never_leaves_its_bin():
    # Equal numbers whose sum is rounded up have a mean above them.
    value = np.nextafter(1.0, 0)
    counted = CountedColors(np.array([[value]]), np.array([3_000_000_007]))
    assert bin_colors(counted, np.array([1.0])).means()[0, 0] < 1


def test_huge_and_tiny_numbers_have_bins_that_64_bits_hold():
    colors = np.array([[-3e30], [1e-30], [0.1], [1e30]])
    width = bin_width_for(colors, 8)
    binned = bin_colors(count_rows(colors), width)
    np.testing.assert_allclose(binned.counts @ binned.means(), [-2e30], rtol=1e-9)
