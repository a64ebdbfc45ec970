import numpy as np
import pytest

from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.palette.ranges import channel_ranges, rounding_variances

LEVELS = np.random.default_rng(5).integers(0, 200, (30, 40, 3))
ROUNDED = [
    (LEVELS.astype(np.uint8), 1),
    (LEVELS.astype(np.uint16) * 300, 1),
    (LEVELS / 255, 1 / 255),
    ((LEVELS / 255).astype(np.float32), 1 / 255),
    (LEVELS.astype(np.float32), 1),
    (LEVELS - 100.0, 1),
]


def test_a_constant_float_channel_takes_the_range_of_the_widest():
    image = np.array([[[-5.0, 0.0, 3.0], [5.0, 2.0, 3.0]]])
    np.testing.assert_allclose(channel_ranges(Palette.from_image(image)), [10, 2, 10])


@pytest.mark.parametrize(("image", "level"), ROUNDED)
def test_the_variance_of_rounding_is_that_of_the_levels(image, level):
    variances = rounding_variances(Palette.from_image(image))
    np.testing.assert_allclose(variances, np.full(3, level**2 / 12))


@pytest.mark.parametrize("image", [LEVELS * 3.7, LEVELS / 50 - 2])
def test_other_floats_are_rounded_to_a_part_of_what_they_span(image):
    span = np.ptp(image.reshape(-1, 3), axis=0)
    variances = rounding_variances(Palette.from_image(image))
    np.testing.assert_allclose(variances, (span / 255) ** 2 / 12)


def test_the_variance_of_rounding_of_bins_is_theirs():
    palette = Palette.from_image(np.random.default_rng(0).random((40, 50, 3)), max_colors=64)
    assert palette.bin_width.all()
    np.testing.assert_allclose(rounding_variances(palette), palette.bin_width**2 / 12)


@pytest.mark.parametrize("bits", [8, 9, 10, 12, 14, 16])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("white_bits", [None, 16])
def test_floats_made_of_integers_have_their_range_and_rounding(bits, dtype, white_bits):
    levels = np.random.default_rng(0).integers(0, 1 << bits, (40, 50, 3)).astype(np.uint16)
    white = (1 << (white_bits or bits)) - 1
    whole = Palette.from_image(levels)
    part = Palette.from_image((levels / white).astype(dtype))
    ranges = channel_ranges(part) * white
    if white_bits is None or bits > 8:
        np.testing.assert_allclose(ranges, channel_ranges(whole), rtol=0.02)
    variances = rounding_variances(part) * white**2
    np.testing.assert_allclose(variances, rounding_variances(whole), rtol=0.02)
