"""Rows of numbers that Hypothesis draws for the tests of palettes, and the textbook of counting."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

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
