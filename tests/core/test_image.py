import dask.array as da
import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st

from napari_colorkde.core.checks.channels import channels_last, has_channel_axis, pixel_shape
from napari_colorkde.core.image import as_pixels
from napari_colorkde.core.palette.image_tiles import chunks_of, read_tiles, tile_slices

RGB = np.random.default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("uint8", "uint8"),
        ("uint16", "uint16"),
        (">u2", "uint16"),
        ("int8", "float64"),
        ("int16", "float64"),
        ("uint32", "float64"),
        ("int64", "float64"),
        ("float16", "float32"),
        ("float32", "float32"),
        (">f4", "float32"),
        ("float64", "float64"),
        (">f8", "float64"),
        ("longdouble", "float64"),
        ("bool", "float32"),
    ],
)
def test_every_real_dtype_keeps_its_numbers(given, kept):
    image = (np.arange(24).reshape(2, 4, 3) % 2 + 1).astype(given)
    pixels = as_pixels(image)
    assert pixels.values.dtype == np.dtype(kept)
    np.testing.assert_array_equal(pixels.values, image.astype(np.float64))


@pytest.mark.parametrize("dtype", [complex, object, "U1", "datetime64[s]"])
def test_what_is_no_real_number_is_refused(dtype):
    with pytest.raises(TypeError, match=r"picture holds .*give real numbers"):
        as_pixels(np.zeros((2, 2), dtype), name="picture")


def test_an_image_of_fitting_dtype_is_not_copied():
    assert np.shares_memory(as_pixels(RGB).values, RGB)
    assert np.shares_memory(as_pixels(RGB.transpose(2, 0, 1), channel_axis=0).values, RGB)


def test_two_axes_are_gray_and_three_have_channels():
    assert as_pixels(RGB[..., 0]).values.shape == (4, 5, 1)
    assert as_pixels(RGB[..., :2]).n_channels == 2
    assert as_pixels(RGB[..., :2]).shape == (4, 5)
    assert as_pixels(RGB[0, :, 0]).values.shape == (5, 1)


def test_two_axes_have_channels_where_they_are_named():
    assert as_pixels(RGB[0], channel_axis=1).values.shape == (5, 3)
    assert as_pixels(RGB[0].T, channel_axis=0).values.shape == (5, 3)


def test_no_channel_axis_makes_a_gray_stack():
    assert as_pixels(RGB, channel_axis=None).values.shape == (4, 5, 3, 1)


@pytest.mark.parametrize("axis", [0, 1, 2, 3, -1, -2, -3, -4])
def test_channels_may_be_on_any_axis(axis):
    stack = np.random.default_rng(1).integers(0, 256, (2, 4, 5, 3), dtype=np.uint8)
    pixels = as_pixels(np.moveaxis(stack, -1, axis), channel_axis=axis)
    np.testing.assert_array_equal(pixels.values, stack)


@pytest.mark.parametrize(
    ("image", "axis", "error", "words"),
    [
        (np.uint8(3), -1, ValueError, r"picture is a single number; give an array"),
        (np.zeros((0, 3, 3)), -1, ValueError, r"picture of shape \(0, 3, 3\) is empty"),
        (np.zeros((2, 3, 0)), -1, ValueError, r"is empty; give at least one pixel"),
        (np.zeros((2, 2, 5)), -1, ValueError, r"picture has 5 values.*channel_axis=None"),
        (np.zeros((2, 2, 3)), 3, ValueError, r"channel_axis=3 does not exist.*from -3 to 2"),
        (np.zeros((2, 2, 3)), -4, ValueError, r"channel_axis=-4 does not exist"),
        (np.zeros((2, 2)), 2, ValueError, r"channel_axis=2 does not exist"),
        (np.zeros((2, 2, 3)), 1.5, TypeError, r"channel_axis=1.5; give a whole number"),
        (np.zeros((2, 2, 3)), "last", TypeError, r"channel_axis='last'; give a whole number"),
    ],
)
def test_what_is_no_image_is_refused(image, axis, error, words):
    with pytest.raises(error, match=words):
        as_pixels(image, channel_axis=axis, name="picture")


@pytest.mark.parametrize(
    ("given", "wanted", "words"),
    [(3, 1, "3 channels, but 1 channel is"), (1, 3, "1 channel, but 3"), (5, 4, "5 channels")],
)
def test_other_channels_than_wanted_are_refused(given, wanted, words):
    with pytest.raises(ValueError, match=words):
        as_pixels(np.zeros((2, 2, given)), n_channels=wanted)


def test_four_channels_may_be_four_colors():
    pixels = as_pixels(np.zeros((2, 2, 4)), n_channels=4)
    assert (pixels.n_channels, pixels.n_excluded, pixels.excluded) == (4, 0, None)


def test_transparent_pixels_do_not_count():
    rgba = np.dstack([RGB, np.full((4, 5), 7, np.uint8)])
    rgba[1, 2:4, 3] = 0
    pixels = as_pixels(rgba)
    assert (pixels.n_channels, pixels.n_transparent, pixels.n_excluded) == (3, 2, 2)
    np.testing.assert_array_equal(pixels.values, RGB)
    assert pixels.excluded.nonzero()[0].tolist() == [1, 1]
    assert len(pixels.included()) == 18


def test_masked_pixels_do_not_count():
    mask = np.ones((4, 5), np.uint16)
    mask[0] = 0
    pixels = as_pixels(RGB, mask=mask * 300)
    assert (pixels.n_masked, pixels.n_excluded) == (5, 5)
    np.testing.assert_array_equal(pixels.included(), RGB[1:].reshape(-1, 3))


def test_what_a_masked_array_hides_does_not_count():
    image = np.ma.masked_equal(np.array([[1, 2, 9], [9, 3, 4]], np.uint8), 9)
    pixels = as_pixels(image, mask=[[0, 1, 1], [1, 1, 1]])
    assert pixels.n_masked == 3
    assert pixels.included().ravel().tolist() == [2, 3, 4]
    channels = np.ma.masked_equal(np.arange(6, dtype=np.uint8).reshape(3, 1, 2), 5)
    pixels = as_pixels(channels, channel_axis=0)
    assert pixels.excluded.tolist() == [[False, True]]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("channel", [0, 1, 2, 3])
def test_pixels_that_are_not_finite_in_any_channel_do_not_count(bad, channel):
    image = np.ones((2, 2, 4), np.float32)
    image[1, 0, channel] = bad
    pixels = as_pixels(image)
    assert (pixels.n_not_finite, pixels.n_excluded) == (1, 1)
    assert pixels.excluded.tolist() == [[False, False], [True, False]]


def test_a_pixel_is_counted_under_its_first_reason_only():
    image = np.ones((1, 4, 4))
    image[0, :3, 0] = np.nan
    image[0, :2, 3] = 0
    pixels = as_pixels(image, mask=np.array([[0, 1, 1, 1]]))
    assert (pixels.n_masked, pixels.n_transparent, pixels.n_not_finite) == (1, 1, 1)
    assert pixels.n_excluded == np.count_nonzero(pixels.excluded) == 3


@pytest.mark.parametrize("mark", [0.5, 1e-9, np.nan])
def test_a_mask_of_fractions_is_refused(mark):
    with pytest.raises(ValueError, match="mask holds fractions or NaN"):
        as_pixels(np.ones((2, 2)), mask=np.array([[1, 0], [mark, 0]]))


def test_a_mask_of_whole_floats_counts_where_it_is_not_zero():
    found = as_pixels(np.ones((2, 2)), mask=np.array([[1.0, 0.0], [255.0, -1.0]]))
    assert found.n_masked == 1


def test_a_mask_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"mask has shape \(4, 5, 3\).*picture have \(4, 5\)"):
        as_pixels(RGB, mask=RGB, name="picture")


def test_the_input_is_never_changed():
    image = np.array([[np.nan, 1.0], [np.inf, 0.0]])
    mask = np.array([[1, 0], [1, 1]])
    before = image.copy(), mask.copy()
    image.flags.writeable = mask.flags.writeable = False
    as_pixels(image, mask=mask)
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(mask, before[1])


@pytest.mark.parametrize(
    ("shape", "axis", "pixels"),
    [
        ((7, 5), -1, 10),
        ((7, 5, 3), -1, 10),
        ((3, 7, 5), 0, 10),
        ((7, 3, 5), 1, 4),
        ((2, 7, 5, 3), -1, 1),
        ((2, 7, 5), None, 1000),
        ((11,), -1, 4),
        ((11, 3), 1, 4),
    ],
)
def test_tiles_cover_every_pixel_once_and_are_small(shape, axis, pixels):
    seen = np.zeros(shape, int)
    for tile in tile_slices(shape, axis, pixels):
        assert len(tile) == len(shape)
        seen[tile] += 1
        n_pixels = np.prod(pixel_shape(seen[tile].shape, axis))
        assert n_pixels <= pixels
        if has_channel_axis(len(shape), axis):
            assert seen[tile].shape[axis] == shape[axis]
    assert (seen == 1).all()


def test_shapes_of_any_size_are_understood_without_memory():
    assert pixel_shape((100_000, 200_000, 3), -1) == (100_000, 200_000)
    assert pixel_shape((3, 100_000, 200_000), 0) == (100_000, 200_000)
    assert len(list(tile_slices((100_000, 200_000, 3), -1, 1 << 30))) == 19


def test_channels_last_gives_a_view():
    assert np.shares_memory(channels_last(RGB, 0), RGB)


@given(
    st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=5), min_size=1, max_size=4),
    st.integers(1, 300),
    st.booleans(),
)
def test_tiles_of_whole_chunks_cover_the_image_once(chunks, pixels, has_channels):
    shape = tuple(map(sum, chunks))
    axis = 0 if has_channels and len(shape) > 2 else None
    seen = np.zeros(shape, int)
    edges = [set(np.cumsum([0, *sizes]).tolist()) for sizes in chunks]
    largest = np.prod([max(c) for a, c in enumerate(chunks) if a != axis])
    for tile in tile_slices(shape, axis, pixels, tuple(map(tuple, chunks))):
        seen[tile] += 1
        size = 1
        for a, (part, n) in enumerate(zip(tile, shape, strict=True)):
            start, stop, _ = part.indices(n)
            assert a == axis or {start, stop} <= edges[a]
            size *= 1 if a == axis else stop - start
        assert size <= max(pixels, largest)
    assert (seen == 1).all()


def test_the_chunks_of_lazy_arrays_are_known():
    array = np.zeros((5, 7), np.uint8)
    assert chunks_of(array) is None
    assert chunks_of(da.from_array(array, chunks=((2, 3), (7,)))) == ((2, 3), (7,))
    assert chunks_of(zarr.array(array, chunks=(2, 4))) == ((2, 2, 1), (4, 3))
    unknown = da.from_array(array, chunks=5)[da.from_array(np.arange(5) > 2, chunks=5)]
    assert chunks_of(unknown) is None


def test_no_chunk_of_a_lazy_array_is_made_twice():
    made = []

    def make(block_id):
        made.append(block_id)
        return np.full((70, 300), sum(block_id), np.uint16)

    chunks, meta = ((70,) * 4, (300,) * 5), np.empty((0, 0), np.uint16)
    lazy = da.map_blocks(make, chunks=chunks, dtype=np.uint16, meta=meta)
    values = {}
    for tile, part in read_tiles(lazy, None, 50_000):
        values[tile[0].start, tile[1].start] = part.sum()
    assert sorted(made) == [(i, j) for i in range(4) for j in range(5)]
    assert sum(map(int, values.values())) == sum(70 * 300 * (i + j) for i, j in made)
