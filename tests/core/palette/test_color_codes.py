import numpy as np
import pytest
from hypothesis import given

from napari_colorkde.core.palette.color_codes import (
    byte_codes,
    colors_of_byte_codes,
    ordered_byte_codes,
)
from tests.core.palette.rows import rows_of_bytes


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
def test_ordered_codes_have_the_order_of_the_colors(values):
    codes = ordered_byte_codes(values)
    order = np.argsort(codes, kind="stable")
    np.testing.assert_array_equal(order, np.lexsort(values.T[::-1]))
