import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_colorkde.core.palette.integer_levels import integer_range, level_bits, range_of_levels
from tests.core.drawn import seeds


@pytest.mark.parametrize(
    ("largest", "expected"), [(0, 2), (1, 2), (2, 4), (4095, 4096), (4096, 8192), (65535, 65536)]
)
def test_the_range_of_whole_numbers_is_a_power_of_two(largest, expected):
    assert integer_range(np.uint16(largest)) == expected


@given(seeds, st.integers(8, 16), st.sampled_from([np.float32, np.float64]), st.booleans())
def test_the_levels_of_integers_made_floats_are_found(seed, bits, dtype, by_inverse):
    rng = np.random.default_rng(seed)
    white = (1 << bits) - 1
    largest = int(rng.integers(200, white + 1))
    levels = rng.integers(0, largest + 1, (300, 3))
    # skimage multiplies by the inverse, others divide: they round differently.
    values = levels.astype(dtype) * dtype(1 / white) if by_inverse else levels.astype(dtype) / white
    found = level_bits(values.astype(dtype))
    assert found == bits or white % ((1 << found) - 1) == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_other_floats_have_no_levels(dtype):
    rng = np.random.default_rng(0)
    assert level_bits(rng.random((2000, 3)).astype(dtype)) is None
    values = (rng.integers(0, 4096, (2000, 3)) / 4095).astype(dtype)
    values[1234, 1] += dtype(1e-4)
    assert level_bits(values) is None
    assert level_bits(-values) is None
    assert level_bits(2 * np.ones((5, 1), dtype)) is None


def test_the_range_of_levels_is_that_of_the_integers():
    assert range_of_levels(np.dtype(np.uint8), None, 3) == 256
    assert range_of_levels(np.dtype(np.uint16), None, 4000) == 4096
    assert range_of_levels(np.dtype(np.float64), 16, 4000 / 65535) == 1 / 16
    assert range_of_levels(np.dtype(np.float64), 12, 4000 / 4095) == 1
    assert range_of_levels(np.dtype(np.float64), 8, 3 / 255) == 1
    assert range_of_levels(np.dtype(np.float64), None, 0.3) is None
