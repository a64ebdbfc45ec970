import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_colorkde.core.palette.bins.binning import bin_colors
from napari_colorkde.core.palette.lookup import color_lookup as lookup_module
from napari_colorkde.core.palette.lookup.color_lookup import ColorLookup
from napari_colorkde.core.palette.sorted_rows.distinct_rows import count_rows
from tests.core.drawn import seeds
from tests.core.palette.rows import rows_of_bytes, rows_of_floats


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
    found = ColorLookup(binned.means(), width)(values)
    np.testing.assert_array_equal(ColorLookup(binned.moments.bins, width)(values), found)
    np.testing.assert_array_equal(np.bincount(found, minlength=len(binned)), binned.counts)
    assert ColorLookup(binned.means(), width)(np.full((1, 3), 99.0))[0] == -1


@given(seeds, st.sampled_from([np.float32, np.float64]))
def test_colors_of_more_than_64_bits_are_found_by_their_hash(seed, dtype):
    rng = np.random.default_rng(seed)
    rows = (rng.normal(size=(400, 3)) * 10.0 ** rng.integers(-20, 20, (400, 1))).astype(dtype)
    lookup = ColorLookup(count_rows(rows[:300]).colors, np.zeros(3))
    found = lookup(rows)
    np.testing.assert_array_equal(count_rows(rows[:300]).colors[found[:300]], rows[:300])
    assert (found[300:] == -1).all()


def test_colors_that_share_a_hash_are_told_apart(monkeypatch):
    monkeypatch.setattr(lookup_module, "hashed_rows", lambda rows: np.full(len(rows), 7, np.uint64))
    rows = np.random.default_rng(0).normal(size=(30, 3))
    colors = count_rows(rows[:20]).colors
    found = ColorLookup(colors, np.zeros(3))(rows)
    np.testing.assert_array_equal(colors[found[:20]], rows[:20])
    assert (found[20:] == -1).all()
