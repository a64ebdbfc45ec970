import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_colorkde.core.palette.sorted_rows.sorting import sorted_order
from tests.core.drawn import seeds


@given(seeds, st.lists(st.sampled_from([0, 1, 3, 17, 40, 64]), min_size=1, max_size=4))
def test_rows_are_sorted_lexicographically_however_many_bits_they_have(seed, bits):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 200))
    columns = []
    for b in bits:
        pool = rng.integers(0, (1 << b) - 1, 5, np.uint64, endpoint=True)
        columns.append(rng.choice(pool, n) if rng.random() < 0.7 else np.resize(pool, n))
    order, is_first = sorted_order(list(zip(columns, bits, strict=True)))
    np.testing.assert_array_equal(order, np.lexsort(columns[::-1]))
    rows = np.stack(columns, axis=1)[order]
    np.testing.assert_array_equal(is_first[1:], (rows[1:] != rows[:-1]).any(axis=1))
    assert is_first[0]
