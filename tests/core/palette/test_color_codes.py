import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_colorkde.core.palette.color_codes import (
    ColorLookup,
    CountedColors,
    bin_colors,
    bin_width_for,
    byte_codes,
    colors_of_byte_codes,
    count_rows,
    count_table,
    integer_range,
    merge_counted,
)

rows_of_bytes = st.integers(1, 3).flatmap(
    lambda channels: hnp.arrays(np.uint8, st.tuples(st.integers(1, 30), st.just(channels)))
)
rows_of_floats = st.integers(1, 3).flatmap(
    lambda channels: hnp.arrays(
        st.sampled_from([np.float32, np.float64]),
        st.tuples(st.integers(1, 30), st.just(channels)),
        elements=st.sampled_from([-3.5, -0.0, 0.0, 1e-30, 0.1, 1.0, 255.0, 1e30]),
    )
)


def unique_rows(values):
    """The textbook: sorted distinct rows and their counts."""
    counted = {}
    for row in values.tolist():
        counted[tuple(row)] = counted.get(tuple(row), 0) + 1
    return sorted(counted.items())


def as_pairs(counted):
    colors = map(tuple, counted.colors.tolist())
    return list(zip(colors, counted.counts.tolist(), strict=True))


@given(rows_of_bytes)
def test_byte_codes_come_back(values):
    codes = byte_codes(values)
    np.testing.assert_array_equal(colors_of_byte_codes(codes, values.shape[1]), values)


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_byte_codes_take_any_layout(channels):
    block = np.random.default_rng(0).integers(0, 256, (50, 7), dtype=np.uint8)
    values = block[::2, 1 : 2 * channels + 1 : 2]
    np.testing.assert_array_equal(byte_codes(values), byte_codes(values.copy()))
    read_only = values.copy()
    read_only.flags.writeable = False
    np.testing.assert_array_equal(byte_codes(read_only), byte_codes(values.copy()))
    assert len(byte_codes(values[:0])) == 0


@given(rows_of_bytes)
def test_a_table_of_counts_is_read_in_order(values):
    channels = values.shape[1]
    table = np.bincount(byte_codes(values), minlength=256**channels)
    assert as_pairs(count_table(table, channels)) == unique_rows(values)


@given(st.one_of(rows_of_bytes, rows_of_floats))
def test_rows_are_counted_as_by_hand(values):
    counted = count_rows(values)
    assert counted.colors.dtype == values.dtype
    assert as_pairs(counted) == unique_rows(values)


def test_minus_zero_and_zero_are_one_color():
    counted = count_rows(np.array([[-0.0], [0.0], [-0.0]]))
    assert as_pairs(counted) == [((0.0,), 3)]
    assert not np.signbit(counted.colors).any()


def test_codes_that_would_overflow_are_renumbered():
    # More levels in each of 5 columns than 64 bits hold together.
    values = np.random.default_rng(0).random((9000, 5))
    counted = count_rows(np.concatenate([values, values[:100]]))
    assert len(counted) == 9000
    assert counted.counts.sum() == 9100
    assert (np.diff(counted.colors[:, 0]) > 0).all()


@given(st.lists(rows_of_bytes.filter(lambda v: v.shape[1] == 2), min_size=1, max_size=4))
def test_merging_counts_is_counting_together(parts):
    merged = merge_counted([count_rows(part) for part in parts])
    assert as_pairs(merged) == unique_rows(np.concatenate(parts))


@pytest.mark.parametrize(
    ("largest", "expected"), [(0, 2), (1, 2), (2, 4), (4095, 4096), (4096, 8192), (65535, 65536)]
)
def test_the_range_of_whole_numbers_is_a_power_of_two(largest, expected):
    assert integer_range(np.array([0, largest], np.uint16)) == expected


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


def test_bins_of_a_constant_channel_are_sane():
    colors = np.stack([np.linspace(-1, 1, 500), np.full(500, 3.0)], axis=1)
    binned = bin_colors(count_rows(colors), bin_width_for(colors, 50))
    assert 25 < len(binned) <= 50
    assert (binned.colors[:, 1] == 3).all()


@given(rows_of_floats, st.sampled_from([2.0**-20, 0.25, 8.0, 2.0**60]))
def test_binning_keeps_counts_means_and_bins(values, width):
    counted = count_rows(values)
    widths = np.full(values.shape[1], width)
    binned = bin_colors(counted, widths)
    assert binned.counts.sum() == len(values)
    sums = (binned.counts[:, None] * binned.colors).sum(axis=0)
    np.testing.assert_allclose(sums, values.astype(float).sum(axis=0), rtol=1e-12, atol=1e-12)
    cells = {tuple(row) for row in np.floor(values.astype(float) / width).tolist()}
    assert {tuple(row) for row in np.floor(binned.colors / width).tolist()} == cells
    assert as_pairs(binned) == sorted(as_pairs(binned))


def test_a_mean_never_leaves_its_bin():
    # Equal numbers whose sum is rounded up have a mean above them.
    value = np.nextafter(1.0, 0)
    counted = CountedColors(np.array([[value]]), np.array([3_000_000_007]))
    assert bin_colors(counted, np.array([1.0])).colors[0, 0] < 1


@given(st.one_of(rows_of_bytes, rows_of_floats), st.integers(0, 29))
def test_looking_up_finds_each_color_and_no_other(values, missing):
    palette = count_rows(values).colors
    lookup = ColorLookup(palette, np.zeros(values.shape[1]))
    found = lookup(values)
    np.testing.assert_array_equal(palette[found], values)
    missing = missing % len(palette)
    if len(palette) > 1:
        rest = ColorLookup(np.delete(palette, missing, axis=0), np.zeros(values.shape[1]))
        np.testing.assert_array_equal(rest(values) == -1, found == missing)


@given(rows_of_bytes, st.sampled_from([np.uint16, np.float32, np.float64]))
def test_colors_are_equal_as_numbers_whatever_their_dtype(values, dtype):
    palette = count_rows(values).colors
    zeros = np.zeros(values.shape[1])
    expected = ColorLookup(palette, zeros)(values)
    np.testing.assert_array_equal(ColorLookup(palette, zeros)(values.astype(dtype)), expected)
    np.testing.assert_array_equal(ColorLookup(palette.astype(dtype), zeros)(values), expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_numbers_between_or_beyond_the_colors_are_not_found(dtype):
    lookup = ColorLookup(np.arange(256).astype(dtype)[:, None], np.zeros(1))
    strange = np.array([0.5, -1, 256, 1e30, np.nan, np.inf, -np.inf])[:, None]
    assert (lookup(strange) == -1).all()


def test_binned_colors_are_found_by_their_bin():
    values = np.random.default_rng(0).normal(size=(500, 3))
    width = np.full(3, 0.5)
    binned = bin_colors(count_rows(values), width)
    found = ColorLookup(binned.colors, width)(values)
    np.testing.assert_array_equal(np.bincount(found, minlength=len(binned)), binned.counts)
    assert ColorLookup(binned.colors, width)(np.full((1, 3), 99.0))[0] == -1
