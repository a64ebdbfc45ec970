from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from napari.layers import Labels
from scipy.ndimage import binary_dilation, binary_erosion

from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.layers.layer_watch import image_layers
from napari_colorkde.app.layers.mask_drawing import (
    FILLED,
    INSIDE,
    NOTHING,
    OUTSIDE,
    WITHIN,
    outline,
)
from napari_colorkde.app.layers.mask_layer import MaskLayer, add_labels, paint_labels
from tests.app.layers.test_overlay import LARGE, RGB, THERE, Setting

RNG = np.random.default_rng(0)


class Masked(Setting):
    """A viewer without a window and a mask of the pixels that are red enough."""

    def __init__(self) -> None:
        super().__init__()
        self.mask = MaskLayer(self.viewer, self.overlay, "mask")

    def chosen(self, level: int) -> np.ndarray:
        palette = self.session.palette
        assert palette is not None
        return palette.colors[:, 0] >= level

    def labels(self, values: np.ndarray) -> Labels:
        index = self.session.index
        assert index is not None
        *parts, painted = paint_labels(index, values)
        assert isinstance(painted, np.ndarray)
        assert parts[-1] == Progress("painting the labels", 1.0)
        return add_labels(self.viewer, self.overlay, painted, "red")

    @property
    def pixels(self) -> np.ndarray:
        assert self.mask.layer is not None
        data = self.mask.layer.data
        return np.asarray(data[0] if self.mask.layer.multiscale else data)


@pytest.fixture
def masked() -> Iterator[Masked]:
    masked = Masked()
    yield masked
    masked.mask.close()
    masked.overlay.close()
    masked.session.close()


def test_the_pixels_of_chosen_colors_are_filled(masked: Masked) -> None:
    masked.show()
    masked.mask.show(masked.chosen(60))
    np.testing.assert_array_equal(masked.pixels, np.where(RGB[..., 0] >= 60, FILLED, NOTHING))
    assert masked.names == ["photo", "photo density", "photo mask"]


def test_every_value_has_its_color(masked: Masked) -> None:
    masked.show()
    masked.mask.show(masked.chosen(60))
    layer = masked.mask.layer
    assert layer is not None
    low, high = layer.contrast_limits
    values = (np.arange(5) - low) / (high - low)
    np.testing.assert_array_equal(layer.colormap.map(values), layer.colormap.colors)
    assert layer.colormap.colors[NOTHING, 3] == 0
    # Which side of an outline was chosen is seen, and the image beneath it.
    assert 0.1 < layer.colormap.colors[WITHIN, 3] < 0.3


@pytest.mark.parametrize("shape", [(9, 11), (2, 2), (3, 7, 5)])
def test_an_outline_is_the_pixels_beside_others(shape: tuple[int, ...]) -> None:
    mask = RNG.random(shape) > 0.6
    plus = np.zeros((3,) * len(shape), bool)
    center = (1,) * (len(shape) - 2)
    plus[(*center, 1, slice(None))] = plus[(*center, slice(None), 1)] = True
    inner = mask & ~binary_erosion(mask, plus, border_value=True)
    outer = ~mask & binary_dilation(mask, plus)
    wanted = np.select([inner, outer, mask], [INSIDE, OUTSIDE, WITHIN], NOTHING)
    np.testing.assert_array_equal(outline(mask.astype(np.uint8)), wanted)


@pytest.mark.parametrize("image", [RGB, LARGE])
def test_an_outline_is_drawn_and_filled_again(masked: Masked, image: np.ndarray) -> None:
    masked.show(image)
    chosen = image[..., 0] >= 55
    masked.mask.show(masked.chosen(55), outlined=True)
    np.testing.assert_array_equal(masked.pixels, outline(chosen.astype(np.uint8)))
    masked.mask.show(masked.chosen(55))
    np.testing.assert_array_equal(masked.pixels, chosen)


def test_all_levels_show_the_mask_and_change_in_place(masked: Masked) -> None:
    masked.show(LARGE)
    masked.mask.show(masked.chosen(50))
    layer = masked.mask.layer
    assert layer is not None
    data = list(layer.data)
    masked.mask.show(masked.chosen(55), outlined=True)
    assert masked.mask.layer is layer
    for level, before, stride in zip(layer.data, data, (1, 2), strict=True):
        assert level is before
        wanted = outline((LARGE[::stride, ::stride, 0] >= 55).astype(np.uint8))
        np.testing.assert_array_equal(np.asarray(level), wanted)
        assert level.dtype == np.uint8


def test_the_value_under_the_cursor_is_whether_it_is_chosen(masked: Masked) -> None:
    masked.show(LARGE)
    masked.mask.show(masked.chosen(55), outlined=True)
    layer = masked.mask.layer
    assert layer is not None
    assert np.asarray(layer.data[0][20, 30]) == (LARGE[20, 30, 0] >= 55)


def test_it_lies_where_the_image_lies_and_follows_it(masked: Masked) -> None:
    image = masked.show()
    masked.mask.show(masked.chosen(60))
    for name, value in THERE.items():
        setattr(image, name, value)
    layer = masked.mask.layer
    assert layer is not None
    np.testing.assert_allclose(layer.data_to_world([3, 4]), image.data_to_world([3, 4]))
    assert layer.units == image.units


def test_what_was_selected_stays_selected(masked: Masked) -> None:
    image = masked.show()
    masked.viewer.layers.selection.active = image
    masked.mask.show(masked.chosen(60))
    assert masked.viewer.layers.selection.active is image


def test_it_is_not_offered_as_an_image(masked: Masked) -> None:
    image = masked.show()
    masked.mask.show(masked.chosen(60))
    assert image_layers(masked.viewer) == [image]


def test_it_is_hidden_and_comes_back(masked: Masked) -> None:
    masked.show()
    masked.mask.show(masked.chosen(60))
    masked.mask.hide()
    assert not masked.mask.shown
    assert masked.names == ["photo", "photo density"]
    masked.mask.hide()
    masked.mask.show(masked.chosen(60))
    assert masked.mask.shown


def test_deleted_by_hand_it_comes_back_with_the_next_change(masked: Masked) -> None:
    masked.show()
    masked.mask.show(masked.chosen(60))
    masked.viewer.layers.remove("photo mask")
    assert masked.mask.layer is None
    masked.mask.show(masked.chosen(70))
    np.testing.assert_array_equal(masked.pixels, RGB[..., 0] >= 70)


def test_only_a_layer_deleted_by_hand_is_told(masked: Masked) -> None:
    image = masked.show()
    told: list[int] = []
    masked.mask.removed.connect(lambda: told.append(1))
    masked.mask.show(masked.chosen(60))
    masked.mask.hide()
    masked.mask.show(masked.chosen(60))
    masked.viewer.layers.remove(image)
    assert not told
    masked.show()
    masked.mask.show(masked.chosen(60))
    masked.viewer.layers.remove("photo mask")
    assert told == [1]


def test_it_follows_its_own_image_when_another_is_looked_at(masked: Masked) -> None:
    image = masked.show()
    masked.mask.show(masked.chosen(60))
    layer = masked.mask.layer
    assert layer is not None
    masked.show(RGB[::-1], name="second", translate=(100, 100))
    image.translate = (5, 7)
    assert tuple(layer.translate) == (5, 7)


def test_it_goes_with_its_image(masked: Masked) -> None:
    image = masked.show()
    masked.mask.show(masked.chosen(60))
    masked.viewer.layers.remove(image)
    assert masked.names == ["photo density"]


def test_hidden_while_it_is_deleted_with_others_it_waits_for_its_turn(masked: Masked) -> None:
    masked.show()
    masked.mask.show(masked.chosen(50))
    layer, layers = masked.mask.layer, masked.viewer.layers
    others = [masked.viewer.add_points()]
    layers.selection = {layer, *others}
    while next(iter(layers.selection)) is layer:  # the order is that of a set
        others.append(masked.viewer.add_points())
        layers.selection = {layer, *others}
    layers.events.removed.connect(lambda event: masked.mask.hide())
    layers.remove_selected()
    assert layer not in layers
    assert not set(others) & set(layers)


def test_another_image_has_another_mask(masked: Masked) -> None:
    masked.show()
    masked.mask.show(masked.chosen(60))
    masked.show(LARGE, name="second")
    masked.mask.show(masked.chosen(50))
    assert "photo mask" not in masked.names
    np.testing.assert_array_equal(masked.pixels, LARGE[..., 0] >= 50)


def test_other_pixels_of_the_same_image_are_painted_anew(masked: Masked) -> None:
    image = masked.show()
    masked.mask.show(masked.chosen(60))
    for pixels in (RGB[::-1] + 1, LARGE):
        image.data = pixels
        masked.mask.show(masked.chosen(50))
        np.testing.assert_array_equal(masked.pixels, pixels[..., 0] >= 50)
    assert masked.names.count("photo mask") == 1


def test_without_an_image_nothing_happens(masked: Masked) -> None:
    masked.mask.show(np.ones(3, bool))
    assert masked.names == []


def test_colors_of_another_palette_are_refused(masked: Masked) -> None:
    masked.show()
    with pytest.raises(ValueError, match=r"chosen has shape \(3,\); give one bool for each of"):
        masked.mask.show(np.ones(3, bool))


@pytest.mark.parametrize("image", [RGB, LARGE])
def test_labels_are_made_of_it(masked: Masked, image: np.ndarray) -> None:
    source = masked.show(image, **THERE)
    labels = masked.labels(masked.chosen(55))
    assert isinstance(labels, Labels)
    assert labels is masked.viewer.layers["red"]
    np.testing.assert_array_equal(labels.data, image[..., 0] >= 55)
    np.testing.assert_allclose(labels.data_to_world([3, 4]), source.data_to_world([3, 4]))
    labels.data[0, 0] = 7  # theirs to paint on


def test_labels_of_channels_along_an_axis_lie_on_all_of_them(masked: Masked) -> None:
    planes = RNG.integers(40, 60, (3, 20, 30)).astype(np.uint8)
    masked.show(planes, rgb=False)
    labels = masked.labels(masked.chosen(50))
    for plane in labels.data:
        np.testing.assert_array_equal(plane, planes[0] >= 50)


def test_channels_chosen_anew_change_nothing_until_they_are_counted(masked: Masked) -> None:
    planes = RNG.integers(40, 60, (3, 20, 30)).astype(np.uint8)
    masked.show(planes, rgb=False)
    source = masked.session.source
    assert source is not None
    shapes: list[tuple[int, ...]] = []

    def show(*states: object) -> None:
        masked.mask.show_nothing()  # of the pixels that were counted
        assert masked.mask.layer is not None
        shapes.append(masked.mask.layer.data.shape)

    masked.session.state_changed.connect(show)
    for choice in (*source.choices, *reversed(source.choices)):
        masked.mask.hide()
        masked.session.channels = choice
    assert set(shapes) == {(3, 20, 30)}


def test_excluded_pixels_are_not_chosen(masked: Masked) -> None:
    rgba = np.dstack([RGB, np.full((20, 30), 255, np.uint8)])
    rgba[3, 4, 3] = 0
    masked.show(rgba)
    palette = masked.session.palette
    assert palette is not None
    masked.mask.show(np.ones(len(palette), bool))
    assert masked.pixels[3, 4] == NOTHING
    assert masked.pixels.sum() == 20 * 30 - 1


def test_closing_leaves_neither_layer_nor_callback(masked: Masked) -> None:
    image = masked.show()
    events = [*image.events.emitters.values(), *masked.viewer.layers.events.emitters.values()]
    before = [len(event.callbacks) for event in events]
    mask = MaskLayer(masked.viewer, masked.overlay, "other")
    mask.show(masked.chosen(60))
    mask.close()
    assert [len(event.callbacks) for event in events] == before
    assert masked.names == ["photo", "photo density"]
