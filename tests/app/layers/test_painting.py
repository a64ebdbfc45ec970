from __future__ import annotations

from copy import deepcopy
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp
from napari.layers import Image

from napari_colorkde.app.image.pixels.pixel_index import PixelIndex, build_index, preview_index
from napari_colorkde.app.image.pixels.pyramid_strides import level_strides
from napari_colorkde.app.image.source import ImageSource, source_of, source_of_array
from napari_colorkde.app.layers.painting import LazyLevel, PaletteImage
from napari_colorkde.core.palette.palette import Palette

RNG = np.random.default_rng(0)


def index_of(source: ImageSource, **options: Any) -> PixelIndex:
    channels = source.choices[0]
    pixels = source.read(channels, (slice(None),) * len(source.shape(channels)))
    palette = Palette.from_image(pixels, channel_axis=pixels.ndim - 1)
    *parts, index = build_index(source, channels, palette, **options)
    assert isinstance(index, PixelIndex)
    assert parts[-1] == 1.0
    return index


def red_of(index: PixelIndex) -> np.ndarray:
    """A value per color that is known at every pixel: its first channel."""
    return index.palette.colors[:, 0].astype(np.float32)


def painted(image: np.ndarray, **options: Any) -> PaletteImage:
    painting = PaletteImage(index_of(source_of_array(image), **options))
    painting.write(red_of(painting.index))
    return painting


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_every_pixel_gets_the_value_of_its_color(dtype: Any) -> None:
    image = RNG.integers(0, 9, (13, 17, 3)).astype(dtype)
    np.testing.assert_array_equal(painted(image).levels[0], image[..., 0])


def test_excluded_pixels_are_nan() -> None:
    image = RNG.integers(0, 9, (13, 17, 4)).astype(np.uint8)
    image[..., 3] = 255
    image[2:5, 3:4, 3] = 0
    level = painted(image).levels[0]
    transparent = image[..., 3] == 0
    assert np.isnan(level[transparent]).all()
    np.testing.assert_array_equal(level[~transparent], image[..., 0][~transparent])


def test_small_images_need_no_levels_and_large_ones_end_at_about_a_screen() -> None:
    assert level_strides((2047, 2047)) == (1,)
    assert level_strides((3172, 5640)) == (1, 2, 4)
    assert level_strides((7, 3172, 5640)) == (1, 2, 4)
    assert level_strides((3, 100_000)) == (1,)


def large(shape: tuple[int, ...] = (2100, 40)) -> np.ndarray:
    return RNG.integers(0, 30, (*shape, 3)).astype(np.uint8)


@pytest.mark.parametrize("budget", [1 << 30, 200_000, 10_000])
def test_levels_agree_with_the_strided_image_within_any_budget(budget: int) -> None:
    image = large((2100, 200))
    painting = painted(image, budget=budget)
    assert painting.index.cached.nbytes <= budget
    for stride, level in zip(painting.index.strides, painting.levels, strict=True):
        wanted = image[::stride, ::stride, 0]
        assert level.shape == wanted.shape
        np.testing.assert_array_equal(np.asarray(level), wanted)
        np.testing.assert_array_equal(np.asarray(level[5:9, -7:]), wanted[5:9, -7:])


def test_the_coarsest_level_is_one_array_that_is_written_in_place() -> None:
    painting = painted(large((2100, 200)))
    coarsest = painting.levels[-1]
    assert isinstance(coarsest, np.ndarray)
    before = coarsest.copy()
    painting.write(2 * red_of(painting.index))
    assert painting.levels[-1] is coarsest
    np.testing.assert_array_equal(coarsest, 2 * before)


def test_new_values_show_in_parts_that_were_taken_before() -> None:
    painting = painted(large((2100, 200)))
    part = painting.levels[0][10:20, 30:40]
    before = np.asarray(part)
    painting.write(2 * red_of(painting.index))
    np.testing.assert_array_equal(np.asarray(part), 2 * before)


LARGE = large((2100, 6))
LEVELS = painted(np.repeat(LARGE, 40, axis=1)[:, ::40], budget=10_000)


@given(first=hnp.basic_indices((2100, 6)), second=st.slices(5))
def test_slicing_is_numpys(first: Any, second: slice) -> None:
    level = LazyLevel(LEVELS, 0, (range(2100), range(6)))
    wanted = LARGE[..., 0].astype(np.float32)
    given_part, wanted_part = level[first], wanted[first]
    assert given_part.shape == wanted_part.shape
    np.testing.assert_array_equal(np.asarray(given_part), wanted_part)
    if wanted_part.ndim:
        np.testing.assert_array_equal(np.asarray(given_part[second]), wanted_part[second])


def test_arrays_and_masks_as_index_give_numbers() -> None:
    level = LazyLevel(LEVELS, 0, (range(2100), range(6)))
    rows = np.array([3, 1999])
    np.testing.assert_array_equal(level[rows], LARGE[rows, :, 0])


def test_too_many_indices_are_an_index_error() -> None:
    with pytest.raises(IndexError, match="3 indices were given for 2 axes"):
        LazyLevel(LEVELS, 0, (range(2100), range(6)))[1, 2, 3]


def test_a_copy_keeps_its_values_and_shares_the_index() -> None:
    painting = painted(large((2100, 4200)))
    copies = deepcopy(painting.levels)
    before = [np.asarray(level).copy() for level in painting.levels]
    painting.write(2 * red_of(painting.index))
    for copy, level in zip(copies, before, strict=True):
        np.testing.assert_array_equal(np.asarray(copy), level)
    assert copies[0].painting is copies[1].painting
    assert copies[0].painting.index is painting.index


def test_a_stack_is_painted_plane_by_plane() -> None:
    image = RNG.integers(0, 9, (3, 2100, 150, 3)).astype(np.uint8)
    painting = painted(image)
    assert [type(level) for level in painting.levels] == [LazyLevel] * 2
    np.testing.assert_array_equal(
        np.asarray(painting.levels[1][:, 4:9, 2:5][1]), image[1, ::2, ::2, 0][4:9, 2:5]
    )


def test_along_an_axis_of_channels_the_painting_is_repeated() -> None:
    data = RNG.integers(0, 9, (4, 3, 6, 5)).astype(np.uint8)
    source = source_of(Image(data, rgb=False, axis_labels=("t", "c", "y", "x")))
    painting = PaletteImage(index_of(source), channel_axis=1, n_channels=3)
    painting.write(red_of(painting.index))
    (level,) = painting.levels
    assert level.shape == data.shape
    for c in range(3):
        np.testing.assert_array_equal(np.asarray(level)[:, c], data[:, 0])


def test_a_lazy_painting_is_repeated_along_channels_too() -> None:
    data = RNG.integers(0, 9, (2, 2100, 60)).astype(np.uint8)
    source = source_of(Image(data, rgb=False))
    painting = PaletteImage(index_of(source), channel_axis=0, n_channels=2)
    painting.write(red_of(painting.index))
    part = painting.levels[0][:, 7:12]
    assert part.shape == (2, 5, 60)
    np.testing.assert_array_equal(np.asarray(part)[1], data[0, 7:12])
    np.testing.assert_array_equal(np.asarray(part[1, 2]), data[0, 9])


@pytest.mark.parametrize("stride", [3, 0])
def test_a_preview_repeats_the_pixels_of_the_sample(stride: int) -> None:
    image = RNG.integers(0, 9, (2100, 90, 3)).astype(np.uint8)
    sample = image[::3, ::3]
    source = source_of_array(image)
    palette = Palette.from_image(sample)
    index = preview_index(source, source.choices[0], palette, sample, stride)
    painting = PaletteImage(index)
    painting.write(red_of(index))
    wanted = np.repeat(np.repeat(sample[..., 0], 3, 0), 3, 1)
    np.testing.assert_array_equal(np.asarray(painting.levels[0]), wanted)
    np.testing.assert_array_equal(np.asarray(painting.levels[-1]), wanted[::2, ::2])
    np.testing.assert_array_equal(np.asarray(painting.levels[0][100, 3:8]), wanted[100, 3:8])


def test_the_tiles_of_an_index_cover_the_image() -> None:
    index = index_of(source_of_array(large((2100, 40))))
    covered = np.zeros(index.shape, int)
    for box in index.boxes():
        covered[box] += 1
        np.testing.assert_array_equal(index.tile_codes(box), index.cached[box])
    assert (covered == 1).all()
