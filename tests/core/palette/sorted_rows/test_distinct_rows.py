import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_colorkde.core.palette.sorted_rows.distinct_rows import count_rows, merge_counted
from tests.core.drawn import seeds
from tests.core.palette.rows import as_pairs, rows_of_bytes, rows_of_floats, unique_rows


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


@given(seeds, st.sampled_from([np.float32, np.float64]), st.booleans())
def test_rows_of_more_than_64_bits_are_counted_and_sorted(seed, dtype, repeat):
    rng = np.random.default_rng(seed)
    n = 40 if repeat else 4000
    pool = (rng.normal(size=(n, 3)) * 10.0 ** rng.integers(-20, 20, (n, 1))).astype(dtype)
    # Ties in the leading channels, which further passes resolve.
    pool[:, 0] = rng.choice(pool[:5, 0], n)
    pool[::2, 1] = pool[0, 1]
    values = pool[rng.integers(0, n, 4000)]
    assert as_pairs(count_rows(values)) == unique_rows(values)
    weights = rng.integers(1, 5, len(values))
    weighted = count_rows(values, weights)
    assert as_pairs(weighted) == unique_rows(np.repeat(values, weights, axis=0))


@given(seeds, st.integers(8, 16), st.sampled_from([np.float32, np.float64]))
def test_floats_on_levels_are_counted_as_the_floats_they_are(seed, bits, dtype):
    white = (1 << bits) - 1
    levels = np.random.default_rng(seed).integers(0, white + 1, (500, 3))
    values = (levels / white).astype(dtype)
    values[::7] = values[0]
    assert as_pairs(count_rows(values)) == unique_rows(values)


def test_two_floats_on_one_level_are_two_colors():
    values = np.array([[0.2], [np.nextafter(0.2, 1)], [0.4], [0.2]])
    assert as_pairs(count_rows(values)) == unique_rows(values)


def test_float_weights_add_up():
    values = np.array([[3], [1], [3], [2]], np.uint16)
    counted = count_rows(values, np.array([0.5, 0.25, 1.5, 4.0]))
    assert as_pairs(counted) == [((1,), 0.25), ((2,), 4.0), ((3,), 2.0)]
