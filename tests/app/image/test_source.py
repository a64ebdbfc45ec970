from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np
import pytest
import zarr
from napari.components import ViewerModel
from napari.layers import Image, Labels

from napari_colorkde.app.image.placement import Placement
from napari_colorkde.app.image.source import ImageSource, source_of, source_of_array

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (20, 30, 3)).astype(np.uint8)
STACK = RNG.integers(0, 4096, (5, 20, 30)).astype(np.uint16)


def everything(source: ImageSource, choice: int = 0) -> np.ndarray:
    channels = source.choices[choice]
    return source.read(channels, (slice(None),) * len(source.shape(channels)))


def test_an_rgb_layer_offers_red_green_and_blue_first() -> None:
    source = source_of(Image(RGB, rgb=True, name="photo"))
    assert source.choices[0].names == ("red", "green", "blue")
    assert {len(choice) for choice in source.choices} == {1, 2, 3}
    np.testing.assert_array_equal(everything(source), RGB)


def test_pairs_and_single_channels_of_rgb_are_read() -> None:
    source = source_of(Image(RGB, rgb=True))
    for choice in source.choices:
        box = (slice(2, 9, 2), slice(None))
        np.testing.assert_array_equal(
            source.read(choice, box), RGB[2:9:2][..., list(choice.indices)]
        )


def test_rgba_keeps_its_alpha_for_the_engine_to_leave_out() -> None:
    rgba = np.dstack([RGB, np.full((20, 30), 255, np.uint8)])
    source = source_of(Image(rgb_layer := rgba, rgb=True))
    np.testing.assert_array_equal(everything(source), rgb_layer)
    assert source.shape(source.choices[0]) == (20, 30)


def test_a_gray_layer_has_one_channel() -> None:
    source = source_of(Image(RGB[..., 0], rgb=False, name="gray"))
    assert [choice.names for choice in source.choices] == [("gray",)]
    np.testing.assert_array_equal(everything(source), RGB[..., :1])


def test_a_stack_of_slices_is_gray_unless_the_axis_is_chosen() -> None:
    source = source_of(Image(STACK, rgb=False))
    assert len(source.choices[0]) == 1
    assert source.shape(source.choices[0]) == (5, 20, 30)
    along = next(c for c in source.choices if c.indices == (0, 2, 4))
    assert source.shape(along) == (20, 30)
    np.testing.assert_array_equal(
        source.read(along, (slice(None), 7)), np.moveaxis(STACK, 0, -1)[:, 7][..., ::2]
    )


@pytest.mark.parametrize("axis_labels", [("c", "y", "x"), ("Channel", "y", "x")])
def test_an_axis_named_channel_is_taken_for_one(axis_labels: tuple[str, ...]) -> None:
    source = source_of(Image(STACK, rgb=False, axis_labels=axis_labels))
    assert source.choices[0].indices == (0, 1, 2)


def test_three_planes_stacked_first_are_taken_for_channels() -> None:
    source = source_of(Image(STACK[:3], rgb=False))
    assert source.choices[0].indices == (0, 1, 2)
    np.testing.assert_array_equal(everything(source), np.moveaxis(STACK[:3], 0, -1))


def test_a_channel_axis_between_others_is_read_in_order() -> None:
    data = RNG.random((4, 3, 6, 5)).astype(np.float32)
    source = source_of(Image(data, rgb=False, axis_labels=("t", "c", "y", "x")))
    channels = source.choices[0]
    assert channels.axis == 1
    assert source.shape(channels) == (4, 6, 5)
    np.testing.assert_array_equal(
        source.read(channels, (2, slice(None), slice(1, 3))), np.moveaxis(data[2], 0, -1)[:, 1:3]
    )


def test_layers_of_one_shape_serve_as_channels_together() -> None:
    viewer = ViewerModel()
    for i, name in enumerate(["dapi", "gfp", "rfp"]):
        viewer.add_image(STACK[i], name=name)
    viewer.add_image(STACK[0, :10], name="other shape")
    viewer.add_image(STACK[0].astype(float), name="other type")
    source = source_of(viewer.layers["gfp"], viewer.layers)
    three = next(c for c in source.choices if len(c) == 3)
    assert three.names == ("gfp", "dapi", "rfp")
    assert all(c.names[0] == "gfp" for c in source.choices)
    pixels = source.read(three, (slice(3, 9), slice(None)))
    np.testing.assert_array_equal(pixels, np.stack([STACK[i, 3:9] for i in (1, 0, 2)], -1))


def test_a_multiscale_layer_is_read_at_its_finest_level() -> None:
    source = source_of(Image([RGB, RGB[::2, ::2]], rgb=True, multiscale=True))
    np.testing.assert_array_equal(everything(source), RGB)
    np.testing.assert_array_equal(source.coarse, RGB[::2, ::2])


@pytest.mark.parametrize(
    "wrap",
    [
        lambda array: da.from_array(array, chunks=(4, 11, 3)),
        lambda array: zarr.array(array, chunks=(4, 11, 3)),
        lambda array: array,
    ],
)
def test_every_kind_of_array_gives_the_same_pixels(wrap: Any) -> None:
    source = source_of(Image(wrap(RGB), rgb=True))
    tiles = [(box, colors) for box, colors in source.tiles(source.choices[0], 128)]
    painted = np.zeros_like(RGB)
    for box, colors in tiles:
        assert isinstance(colors, np.ndarray)
        painted[box] = colors
    np.testing.assert_array_equal(painted, RGB)
    assert len(tiles) > 1


def test_a_sample_is_strided_in_memory_and_refused_where_all_would_be_read() -> None:
    source = source_of_array(RGB)
    stride, sample = source.sample(source.choices[0], 100)  # type: ignore[misc]
    assert stride == 4
    np.testing.assert_array_equal(sample, RGB[::4, ::4])
    lazy = source_of_array(da.from_array(RGB))
    assert lazy.sample(lazy.choices[0], 100) is None


def test_what_is_no_image_is_refused_with_a_sentence() -> None:
    with pytest.raises(TypeError, match="'cells' is a Labels layer; choose an image layer"):
        source_of(Labels(np.ones((3, 3), int), name="cells"))


def test_a_placement_puts_another_layer_where_the_first_one_lies() -> None:
    there = {
        "scale": (2.0, 3.0),
        "translate": (5.0, 7.0),
        "rotate": 30.0,
        "shear": [0.2],
        "affine": [[1, 0.1, 4], [0, 1.5, 2], [0, 0, 1]],
        "units": ("um", "mm"),
        "axis_labels": ("row", "column"),
    }
    first, second = Image(RGB, rgb=True, **there), Image(RGB[..., 0])
    made = Image(RGB[..., 0], **Placement.of(first).as_arguments())
    Placement.of(first).apply(second)
    corners = [[0, 0], [19, 0], [0, 29], [19, 29]]
    for layer in (made, second):
        for corner in corners:
            np.testing.assert_allclose(layer.data_to_world(corner), first.data_to_world(corner))
        assert layer.units == first.units
        assert layer.axis_labels == ("row", "column")


def test_a_plain_array_can_be_a_source() -> None:
    assert source_of_array(RGB[..., 0]).choices[0].axis is None
    assert source_of_array(np.moveaxis(RGB, -1, 0), channel_axis=0).choices[0].indices == (0, 1, 2)
    assert source_of_array([[1, 2], [3, 4]]).shape(source_of_array([[1]]).choices[0]) == (2, 2)


def test_all_of_many_channels_are_offered_after_the_first_choice() -> None:
    from napari_colorkde.app.image.channel_choices import axis_choices

    for n in (4, 6, 12, 32):
        choices = axis_choices(0, n, "axis 0:")
        assert (choices[0].indices, choices[1].indices) == ((0, 1, 2), tuple(range(n)))
    assert choices[1].label == "32 channels, axis 0: 0 to axis 0: 31"
    assert {len(choice) for choice in axis_choices(0, 40, "axis 0:")} == {1, 3}
    gray = [Image(np.zeros((8, 9), np.uint16), name=name) for name in "abcde"]
    everything = source_of(gray[0], gray[1:]).choices[-1]
    assert everything.label == "a, b, c, d, e"
    assert everything.layers == ("b", "c", "d", "e")
