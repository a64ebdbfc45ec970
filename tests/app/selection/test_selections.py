"""Which pixels clicks, rectangles, shapes and labels mean, on napari layers without a window."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_colorkde.app.image.counting_steps import count_colors
from napari_colorkde.app.image.pixels import pixel_index as index_module
from napari_colorkde.app.image.pixels.pixel_index import PixelIndex
from napari_colorkde.app.image.source import source_of
from napari_colorkde.app.selection import selections
from napari_colorkde.app.selection.from_layers import (
    labels_selection,
    pixel_positions,
    shapes_selection,
    view_of,
)
from napari_colorkde.app.selection.polygons import polygon_selection, rectangle
from napari_colorkde.app.selection.samples import Samples
from napari_colorkde.app.selection.selections import Selection, SlicePlane, collect_samples, disk

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (30, 40, 3)).astype(np.uint8)
STACK = RNG.integers(0, 256, (4, 30, 40)).astype(np.uint8)
CHANNELS_FIRST = np.moveaxis(IMAGE, -1, 0).copy()


class Opened:
    """An image layer in a viewer without a window, and its index."""

    def __init__(self, data: Any, **options: Any) -> None:
        self.viewer = ViewerModel()
        self.layer = self.viewer.add_image(data, **options)
        self.source = source_of(self.layer)
        self.channels = self.source.choices[0]
        self.index: PixelIndex = list(count_colors(self.source, self.channels))[-1].index  # type: ignore[union-attr]

    @property
    def view(self) -> SlicePlane:
        return view_of(self.layer, self.source, self.channels, self.viewer.dims)

    def at(self, *world: Any) -> np.ndarray:
        return pixel_positions(self.layer, self.channels, world)

    def shapes(self, shapes: Any, *, together: bool) -> Selection:
        return shapes_selection(shapes, self.layer, self.channels, self.view, together=together)

    def labels(self, labels: Any, which: Any) -> Selection:
        return labels_selection(labels, self.source, self.channels, self.view, which)

    def samples(self, selection: Selection) -> dict[int, Samples]:
        *_, found = collect_samples(selection, self.index)
        assert isinstance(found, dict)
        return found

    def pixels(self, selection: Selection) -> np.ndarray:
        """All colors of a selection of one group, sorted."""
        (samples,) = self.samples(selection).values()
        return np.repeat(samples.colors, samples.counts, axis=0)


def rows(pixels: np.ndarray) -> np.ndarray:
    flat = pixels.reshape(-1, pixels.shape[-1])
    return flat[np.lexsort(flat.T[::-1])]


# --- clicks and rectangles


def test_a_click_takes_a_disc_of_21_pixels() -> None:
    opened = Opened(IMAGE, rgb=True)
    got = opened.pixels(disk(opened.view, opened.at((10.3, 20.4))[0]))
    square = IMAGE[8:13, 18:23]
    corners = np.zeros((5, 5), bool)
    corners[::4, ::4] = True
    np.testing.assert_array_equal(got, rows(square[~corners]))


def test_a_click_at_the_border_takes_what_there_is() -> None:
    opened = Opened(IMAGE, rgb=True)
    assert len(opened.pixels(disk(opened.view, [0, 0]))) == 8
    assert len(opened.pixels(disk(opened.view, [29.4, 39.4]))) == 8
    with pytest.raises(ValueError, match="no pixel of the image is there"):
        disk(opened.view, [30, 5])


def test_a_rectangle_holds_the_pixels_it_touches() -> None:
    opened = Opened(IMAGE, rgb=True)
    corners = opened.at((3.2, 5.1), (3.2, 11.6), (8.9, 11.6), (8.9, 5.1))
    got = opened.pixels(rectangle(opened.view, corners))
    np.testing.assert_array_equal(got, rows(IMAGE[3:10, 5:13]))


def test_a_rectangle_is_cut_off_at_the_image() -> None:
    opened = Opened(IMAGE, rgb=True)
    corners = opened.at((-5, -5), (-5, 2), (1, 2), (1, -5))
    np.testing.assert_array_equal(
        opened.pixels(rectangle(opened.view, corners)), rows(IMAGE[:2, :3])
    )
    with pytest.raises(ValueError, match="drag over the image"):
        rectangle(opened.view, corners - 50)


def test_positions_follow_the_layers_place() -> None:
    opened = Opened(IMAGE, rgb=True, scale=(0.5, 2), translate=(100, -7))
    np.testing.assert_allclose(opened.at((105, 13)), [[10, 10]])


def test_a_turned_image_has_the_pixels_under_the_rectangle() -> None:
    opened = Opened(IMAGE, rgb=True, rotate=45)
    corners = np.array([(-8.0, 20.0), (-8.0, 29.0), (2.0, 29.0), (2.0, 20.0)])
    got = opened.pixels(rectangle(opened.view, opened.at(*corners)))
    world = np.array([[opened.layer.data_to_world((y, x)) for x in range(40)] for y in range(30)])
    inside = ((world > corners.min(axis=0)) & (world < corners.max(axis=0))).all(axis=-1)
    assert inside.sum() > 40
    np.testing.assert_array_equal(got, rows(IMAGE[inside]))


def test_a_stack_is_picked_from_in_the_slice_on_the_screen() -> None:
    opened = Opened(STACK, scale=(10, 1, 1))
    opened.viewer.dims.set_point(0, 20)
    corners = opened.at((20, 3, 5), (20, 3, 8), (20, 6, 8), (20, 6, 5))
    got = opened.pixels(rectangle(opened.view, corners))
    np.testing.assert_array_equal(got[:, 0], np.sort(STACK[2, 3:7, 5:9], axis=None))


def test_other_planes_of_a_stack_are_picked_from() -> None:
    opened = Opened(STACK)
    opened.viewer.dims.order = (1, 2, 0)
    opened.viewer.dims.set_point(1, 7)
    corners = opened.at((1, 7, 5), (1, 7, 8), (2, 7, 8), (2, 7, 5))
    got = opened.pixels(rectangle(opened.view, corners))
    np.testing.assert_array_equal(got[:, 0], np.sort(STACK[1:3, 7, 5:9], axis=None))


def test_channels_first_have_the_pixels_of_all_channels() -> None:
    opened = Opened(CHANNELS_FIRST)
    assert opened.channels.axis == 0
    got = opened.pixels(disk(opened.view, opened.at((1, 10, 20))[0], radius=0))
    np.testing.assert_array_equal(got, IMAGE[10:11, 20])


def test_a_multiscale_image_is_picked_from_at_its_finest_level() -> None:
    large = np.tile(IMAGE, (4, 4, 1))
    opened = Opened([large, large[::2, ::2]], rgb=True)
    got = opened.pixels(disk(opened.view, opened.at((71, 101))[0], radius=0))
    np.testing.assert_array_equal(got, large[71:72, 101])


def test_an_index_over_the_budget_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module.build_index, "__kwdefaults__", {"budget": 1000})
    opened = Opened(IMAGE, rgb=True)
    assert opened.index.cached_stride > 1
    corners = opened.at((3, 5), (3, 11), (8, 11), (8, 5))
    np.testing.assert_array_equal(
        opened.pixels(rectangle(opened.view, corners)), rows(IMAGE[3:9, 5:12])
    )


def test_what_is_no_plane_of_pixels_is_refused() -> None:
    opened = Opened(CHANNELS_FIRST)
    opened.viewer.dims.order = (1, 0, 2)
    with pytest.raises(ValueError, match="not both pixel axes of the image"):
        _ = opened.view
    opened.viewer.dims.ndisplay = 3
    with pytest.raises(ValueError, match="2-D view"):
        _ = opened.view


def test_a_slice_outside_the_image_is_refused() -> None:
    opened = Opened(STACK)
    opened.viewer.add_image(np.zeros((9, 5, 5)))
    opened.viewer.dims.set_point(0, 8)
    with pytest.raises(ValueError, match="outside the image"):
        _ = opened.view


# --- shapes


def test_shapes_have_the_pixels_of_their_masks() -> None:
    opened = Opened(IMAGE, rgb=True)
    shapes = opened.viewer.add_shapes(
        [
            np.array([[2.2, 3.3], [2.2, 12.6], [9.7, 12.6], [9.7, 3.3]]),
            np.array([[12.1, 20.2], [25.3, 30.4], [20.2, 8.8]]),
        ],
        shape_type=["rectangle", "polygon"],
    )
    found = opened.samples(opened.shapes(shapes, together=False))
    masks = shapes.to_masks((30, 40))
    for number, mask in enumerate(masks, start=1):
        samples = found[number]
        np.testing.assert_array_equal(
            np.repeat(samples.colors, samples.counts, axis=0), rows(IMAGE[mask])
        )
    together = opened.pixels(opened.shapes(shapes, together=True))
    np.testing.assert_array_equal(together, rows(IMAGE[masks.any(axis=0)]))


def test_pixels_under_two_shapes_count_once_together() -> None:
    opened = Opened(IMAGE, rgb=True)
    square = np.array([[2.5, 2.5], [2.5, 9.5], [9.5, 9.5], [9.5, 2.5]])
    shapes = opened.viewer.add_shapes([square, square + 2])
    together = opened.pixels(opened.shapes(shapes, together=True))
    assert len(together) == 49 + 49 - 25


def test_an_ellipse_is_round() -> None:
    opened = Opened(IMAGE, rgb=True)
    shapes = opened.viewer.add_shapes(
        [np.array([[5, 5], [5, 25], [25, 25], [25, 5]])], shape_type="ellipse"
    )
    y, x = np.ogrid[:30, :40]
    inside = (y - 15) ** 2 + (x - 15) ** 2 < 100
    got = opened.pixels(opened.shapes(shapes, together=True))
    assert abs(len(got) - inside.sum()) < 8


def test_shapes_of_another_scale_lie_where_they_are_seen() -> None:
    opened = Opened(IMAGE, rgb=True, scale=(0.5, 0.5))
    square = np.array([[0.9, 0.9], [0.9, 3.1], [2.1, 3.1], [2.1, 0.9]])
    shapes = opened.viewer.add_shapes([square])
    got = opened.pixels(opened.shapes(shapes, together=True))
    np.testing.assert_array_equal(got, rows(IMAGE[2:5, 2:7]))


def test_shapes_of_a_stack_lie_in_their_slices() -> None:
    opened = Opened(STACK)
    opened.viewer.dims.set_point(0, 1)
    square = np.array([[2.5, 2.5], [2.5, 5.5], [5.5, 5.5], [5.5, 2.5]])
    flat = opened.viewer.add_shapes([square])
    got = opened.pixels(opened.shapes(flat, together=True))
    np.testing.assert_array_equal(got[:, 0], np.sort(STACK[1, 3:6, 3:6], axis=None))
    deep = opened.viewer.add_shapes([np.insert(square, 0, 3, axis=1)])
    got = opened.pixels(opened.shapes(deep, together=True))
    np.testing.assert_array_equal(got[:, 0], np.sort(STACK[3, 3:6, 3:6], axis=None))


def test_shapes_that_enclose_nothing_are_refused() -> None:
    opened = Opened(IMAGE, rgb=True)
    line = opened.viewer.add_shapes([np.array([[1, 1], [9, 9]])], shape_type="line")
    with pytest.raises(ValueError, match="no shape that encloses pixels"):
        opened.shapes(line, together=True)
    with pytest.raises(ValueError, match="does not lie in the plane"):
        polygon_selection(
            SlicePlane((4, 30, 40), (1, 2), (0, 0, 0)), [np.eye(3) * 2], together=True
        )
    far = opened.viewer.add_shapes([np.array([[90, 90], [90, 99], [99, 99], [99, 90]])])
    with pytest.raises(ValueError, match="no pixel of the image is inside the shape"):
        opened.shapes(far, together=True)


# --- labels


def labeled(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 4, shape)


def test_labels_have_their_pixels() -> None:
    opened = Opened(IMAGE, rgb=True)
    marks = labeled((30, 40))
    layer = opened.viewer.add_labels(marks)
    found = opened.samples(opened.labels(layer, "each"))
    assert list(found) == [1, 2, 3]
    for label, samples in found.items():
        np.testing.assert_array_equal(
            np.repeat(samples.colors, samples.counts, axis=0), rows(IMAGE[marks == label])
        )
    layer.selected_label = 2
    selected = opened.pixels(opened.labels(layer, "selected"))
    np.testing.assert_array_equal(selected, rows(IMAGE[marks == 2]))
    together = opened.pixels(opened.labels(layer, "together"))
    np.testing.assert_array_equal(together, rows(IMAGE[marks != 0]))


def test_labels_that_mark_nothing_have_no_samples() -> None:
    opened = Opened(IMAGE, rgb=True)
    layer = opened.viewer.add_labels(np.zeros((30, 40), int))
    assert opened.samples(opened.labels(layer, "each")) == {}
    assert opened.samples(opened.labels(layer, "selected")) == {}


def test_transparent_pixels_are_left_out() -> None:
    alpha = np.full((30, 40, 1), 255, np.uint8)
    alpha[:, 20:] = 0
    opened = Opened(np.concatenate([IMAGE, alpha], axis=-1), rgb=True)
    layer = opened.viewer.add_labels(np.ones((30, 40), int))
    got = opened.pixels(opened.labels(layer, "each"))
    np.testing.assert_array_equal(got, rows(IMAGE[:, :20]))


def test_labels_of_a_plane_mark_the_slice_on_the_screen() -> None:
    opened = Opened(STACK)
    opened.viewer.dims.set_point(0, 2)
    marks = labeled((30, 40))
    layer = opened.viewer.add_labels(marks)
    got = opened.samples(opened.labels(layer, "each"))[3]
    assert got.n_pixels == (marks == 3).sum()
    np.testing.assert_array_equal(
        np.repeat(got.colors[:, 0], got.counts), np.sort(STACK[2][marks == 3])
    )


def test_labels_painted_on_any_channel_mark_the_pixel() -> None:
    opened = Opened(CHANNELS_FIRST)
    marks = np.zeros((3, 30, 40), int)
    marks[0, 5:9, 5:9] = marks[2, 7:11, 5:9] = 1
    layer = opened.viewer.add_labels(marks)
    got = opened.pixels(opened.labels(layer, "together"))
    np.testing.assert_array_equal(got, rows(IMAGE[5:11, 5:9]))


def test_labels_of_another_shape_are_refused() -> None:
    opened = Opened(IMAGE, rgb=True)
    layer = opened.viewer.add_labels(np.ones((30, 41), int), name="marks")
    with pytest.raises(ValueError, match="'marks' is 30 × 41 pixels, the image 30 × 40"):
        opened.labels(layer, "each")


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_ids_of_64_bits_are_told_apart(dtype: Any) -> None:
    opened = Opened(IMAGE, rgb=True)
    first, second, small = 720575940600000001, 720575940600000002, 7
    labels = np.zeros((30, 40), dtype)
    labels[:, :10], labels[5:, 20:30], labels[2, 15] = first, second, small
    selection = opened.labels(opened.viewer.add_labels(labels), "each")
    found = opened.samples(selection)
    assert list(found) == [small, first, second]
    for label, samples in found.items():
        wanted = IMAGE[labels == label].astype(float)
        assert samples.n_pixels == len(wanted)
        mean = np.average(samples.colors, axis=0, weights=samples.counts)
        np.testing.assert_allclose(mean, wanted.mean(axis=0))


def test_groups_are_the_same_whether_they_are_found_in_a_table_or_by_sorting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened = Opened(IMAGE, rgb=True)
    labels = opened.viewer.add_labels(RNG.integers(0, 9, (30, 40)))
    by_table = opened.samples(opened.labels(labels, "each"))
    monkeypatch.setattr(selections, "FEW_GROUPS", 0)
    by_sorting = opened.samples(opened.labels(labels, "each"))
    assert list(by_table) == list(by_sorting) == list(range(1, 9))
    for group in by_table:
        np.testing.assert_array_equal(by_table[group].colors, by_sorting[group].colors)
        np.testing.assert_array_equal(by_table[group].counts, by_sorting[group].counts)
