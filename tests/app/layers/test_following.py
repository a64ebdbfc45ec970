"""Layers that come, go, change and are looked at from two docks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_colorkde.app.layers.overlay import Overlay
from napari_colorkde.app.layers.painted_layer import remove_orphans
from napari_colorkde.app.layers.shown_threshold import ThresholdMask
from napari_colorkde.app.session import Session
from napari_colorkde.core.kde.color_kde import ColorKDE

RNG = np.random.default_rng(0)
RGB = RNG.integers(40, 80, (20, 30, 3)).astype(np.uint8)
STACK = RNG.integers(0, 200, (3, 20, 30)).astype(np.uint8)
NAMES = ["DAPI", "GFP", "RFP"]


class Dock:
    """A session, its overlay and its mask, of a viewer without a window."""

    def __init__(self, viewer: ViewerModel) -> None:
        self.viewer = viewer
        self.session = Session()
        self.session.set(log=False)
        self.overlay = Overlay(viewer, self.session)
        self.mask = ThresholdMask(viewer, self.session, self.overlay)

    @property
    def choices(self) -> list[str]:
        assert self.session.source is not None
        return [choice.label for choice in self.session.source.choices]

    def choose(self, *names: str) -> None:
        assert self.session.source is not None
        (channels,) = [c for c in self.session.source.choices if c.names == names]
        self.session.channels = channels

    def check(self, *arrays: Any) -> None:
        """What is shown is the density of the colors of these arrays."""
        layer = self.overlay.layer
        assert layer is not None
        image = np.stack(arrays, axis=-1)
        np.testing.assert_allclose(np.asarray(layer.data), ColorKDE(image).density(image))

    def close(self) -> None:
        self.mask.close()
        self.overlay.close()
        self.session.close()


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()


@pytest.fixture
def dock(viewer: ViewerModel) -> Iterator[Dock]:
    dock = Dock(viewer)
    yield dock
    dock.close()


@pytest.fixture
def split(viewer: ViewerModel, dock: Dock) -> Dock:
    """The first of three layers is looked at before the others come."""
    dock.overlay.attach(viewer.add_image(STACK[0].copy(), name=NAMES[0]))
    for plane, name in zip(STACK[1:], NAMES[1:], strict=True):
        viewer.add_image(plane.copy(), name=name)
    return dock


def counts(dock: Dock) -> list[object]:
    heard: list[object] = []
    dock.session.counted_changed.connect(heard.append)
    return heard


def test_layers_that_come_later_are_channels(split: Dock) -> None:
    assert "DAPI, GFP, RFP" in split.choices
    split.choose(*NAMES)
    split.check(*STACK)


def test_a_layer_that_comes_is_offered_without_counting_again(viewer: ViewerModel) -> None:
    dock = Dock(viewer)
    dock.overlay.attach(viewer.add_image(STACK[0], name="DAPI"))
    counted, offered = counts(dock), []
    dock.session.choices_changed.connect(offered.append)
    viewer.add_image(STACK[1], name="GFP")
    viewer.add_labels(np.zeros((20, 30), int))
    assert counted == []
    assert [source.choices[-1].label for source in offered] == ["DAPI, GFP"]
    dock.close()


def test_other_data_of_the_second_channel_are_counted(split: Dock) -> None:
    split.choose("DAPI", "GFP")
    new = RNG.integers(0, 200, (20, 30)).astype(np.uint8)
    split.viewer.layers["GFP"].data = new
    split.check(STACK[0], new)
    counted = counts(split)
    split.viewer.layers["RFP"].data = new
    assert counted == [], "that channel is not among those chosen"


def test_a_new_name_of_the_second_channel_is_followed(split: Dock) -> None:
    split.choose("DAPI", "GFP")
    counted = counts(split)
    split.viewer.layers["GFP"].name = "actin"
    assert counted == []
    assert split.session.channels is not None
    assert split.session.channels.names == ("DAPI", "actin")
    assert split.session.channels.layers == ("actin",)
    split.viewer.layers["DAPI"].name = "nuclei"
    assert split.session.channels.names == ("nuclei", "actin")
    assert split.session.source is not None
    assert split.session.source.name == "nuclei"
    assert "nuclei, actin, RFP" in split.choices
    split.session.bandwidth = 9
    split.session.bandwidth = None
    split.check(*STACK[:2])


def test_a_channel_that_is_removed_is_given_up_with_a_sentence(split: Dock) -> None:
    split.choose("DAPI", "GFP")
    said: list[str] = []
    split.session.message.connect(said.append)
    del split.viewer.layers["RFP"]
    assert "DAPI, GFP, RFP" not in split.choices
    assert split.session.palette is not None
    assert (split.session.palette.n_channels, said) == (2, [])
    del split.viewer.layers["GFP"]
    assert split.session.state.channels is None
    split.check(STACK[0])
    assert said == ["A layer of the chosen channels is gone; the image has its own channels now."]


def test_pixels_that_are_changed_in_place_are_noticed_when_the_layer_is_refreshed(
    viewer: ViewerModel, dock: Dock
) -> None:
    image = viewer.add_image(RGB.copy(), name="photo", rgb=True)
    dock.overlay.attach(image)
    counted, said = counts(dock), []
    dock.session.message.connect(said.append)
    image.refresh()
    image.visible = False
    image.visible = True
    assert counted == []
    image.data[3, 4] = (7, 8, 9)
    image.refresh()
    dock.session.wait()
    assert len(counted) == 1
    assert said == ["The image's pixels were changed, and their colors are counted again."]
    dock.check(*np.moveaxis(image.data, -1, 0))


def test_pixels_of_another_channel_are_noticed_too(split: Dock) -> None:
    split.choose("DAPI", "GFP")
    other = split.viewer.layers["GFP"]
    other.data[...] = other.data[::-1].copy()
    other.refresh()
    split.check(STACK[0], STACK[1][::-1])


def test_another_slice_is_no_change_of_pixels(
    viewer: ViewerModel, dock: Dock, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = np.concatenate([STACK, STACK, STACK])
    image = viewer.add_image(stack, name="stack")
    dock.overlay.attach(image)
    looked: list[int] = []
    monkeypatch.setattr(dock.session.computation.counter, "check_pixels", lambda: looked.append(1))
    viewer.dims.set_point(0, 2)
    viewer.dims.set_point(0, 5)
    assert looked == []
    image.refresh()
    assert looked == [1]


def test_an_image_that_is_deleted_takes_its_density_and_mask_along(
    viewer: ViewerModel, dock: Dock
) -> None:
    removed: list[object] = []
    dock.overlay.image_removed.connect(lambda: removed.append(dock.session.source))
    image = viewer.add_image(RGB, name="photo", rgb=True)
    dock.overlay.attach(image)
    dock.session.set_classification(show_mask=True)
    assert len(viewer.layers) == 3
    viewer.layers.remove(image)
    remove_orphans(viewer)
    assert [layer.name for layer in viewer.layers] == []
    assert removed == [None]


@pytest.mark.parametrize("chosen", [("photo", "photo density"), ("photo", "photo mask")])
def test_layers_that_are_deleted_together(
    viewer: ViewerModel, dock: Dock, chosen: tuple[str, ...]
) -> None:
    dock.overlay.attach(viewer.add_image(RGB, name="photo", rgb=True))
    dock.session.set_classification(show_mask=True)
    viewer.layers.selection = {viewer.layers[name] for name in chosen}
    viewer.layers.remove_selected()
    remove_orphans(viewer)
    assert [layer.name for layer in viewer.layers] == []


def test_two_docks_on_one_image_have_overlays_of_their_own(viewer: ViewerModel) -> None:
    image = viewer.add_image(RGB, name="photo", rgb=True)
    docks = [Dock(viewer), Dock(viewer)]
    for dock in docks:
        dock.overlay.attach(image)
        dock.session.set_classification(show_mask=True)
    first, second = (dock.overlay.layer for dock in docks)
    assert first is not second
    assert second is not None
    limits = list(second.contrast_limits)
    docks[0].session.bandwidth = 30
    assert list(second.contrast_limits) == limits
    docks[1].check(*np.moveaxis(RGB, -1, 0))
    viewer.layers.remove(image)
    remove_orphans(viewer)
    assert [layer.name for layer in viewer.layers] == []
    assert [dock.session.source for dock in docks] == [None, None]
    for dock in docks:
        dock.close()


def test_a_dock_goes_on_with_the_overlay_that_another_one_has_left(viewer: ViewerModel) -> None:
    image = viewer.add_image(RGB, name="photo", rgb=True)
    first, second = Dock(viewer), Dock(viewer)
    first.overlay.attach(image)
    layer = first.overlay.layer
    first.close()
    second.overlay.attach(image)
    assert second.overlay.layer is layer
    assert len(viewer.layers) == 2
    second.close()
