"""Regions of the color space, with a canvas that only remembers what it was told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn
from unittest.mock import create_autospec

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels

from napari_colorkde.app.image import counting_steps
from napari_colorkde.app.kernels.picking import Picker
from napari_colorkde.app.layers.overlay import Overlay
from napari_colorkde.app.session import Session
from napari_colorkde.ui.colorspace import region_selection
from napari_colorkde.ui.colorspace.region_bar import RegionBar
from napari_colorkde.ui.colorspace.region_selection import RegionSelection
from tests.app.stepping import SteppingExecutor
from tests.scene.remembering import make_canvas

RNG = np.random.default_rng(0)
RGB = RNG.integers(40, 60, (20, 30, 3)).astype(np.uint8)


class Red:
    """The colors that are red enough."""

    def __init__(self, level: int = 50) -> None:
        self.level = level

    def contains(self, colors: Any) -> Any:
        return colors[:, 0] >= self.level


class Setting:
    """A viewer without a window, in which a region was drawn."""

    def __init__(self) -> None:
        self.executor = SteppingExecutor()
        self.session = Session(self.executor)
        self.viewer = ViewerModel()
        self.overlay = Overlay(self.viewer, self.session)
        self.canvas = make_canvas()
        self.bar = RegionBar()
        self.picker = create_autospec(Picker, instance=True)
        self.regions = RegionSelection(
            self.viewer, self.session, self.overlay, self.canvas, self.bar, self.picker
        )
        self.said: list[str] = []
        self.regions.failed.connect(self.said.append)
        self.overlay.attach(self.viewer.add_image(RGB, rgb=True, name="photo"))
        while self.session.estimate is None:
            self.executor.step()

    @property
    def enabled(self) -> set[bool]:
        bar = self.bar
        return {b.isEnabled() for b in (bar.labels_button, bar.kernel_button, bar.clear_button)}


@pytest.fixture
def make(qtbot: Any) -> Iterator[Any]:
    made: list[Setting] = []

    def actual() -> Setting:
        made.append(Setting())
        qtbot.addWidget(made[0].bar)
        return made[0]

    yield actual
    for setting in made:
        setting.regions.close()
        setting.overlay.close()
        setting.session.close()


def test_of_a_sample_nothing_is_kept(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting_steps, "LARGE", 100)
    monkeypatch.setattr(counting_steps, "SAMPLE_PIXELS", 150)
    setting = make()
    assert setting.session.index.is_preview
    setting.canvas.region_drawn.emit(Red())
    setting.bar.labels_button.click()
    setting.bar.kernel_button.click()
    assert len(setting.said) == 2
    assert set(setting.said) == {
        "the image's colors are still being counted; keep the selection when that is done."
    }
    setting.picker.add.assert_not_called()
    assert setting.enabled == {True}
    setting.session.wait()
    assert not any(isinstance(layer, Labels) for layer in setting.viewer.layers)
    setting.canvas.region_drawn.emit(Red())
    setting.bar.labels_button.click()
    setting.session.wait()
    np.testing.assert_array_equal(setting.viewer.layers["photo selection"].data, RGB[..., 0] >= 50)


def lit(setting: Setting) -> Any:
    """The pixels that are lit up; None without a layer."""
    found = [layer for layer in setting.viewer.layers if layer.name == "photo selected"]
    return np.asarray(found[0].data) if found else None


def test_a_layer_waits_for_the_first_region_while_a_tool_is_chosen(make: Any) -> None:
    setting = make()
    setting.regions.set_tool("lasso")
    layer = setting.viewer.layers["photo selected"]
    setting.session.wait()
    assert not lit(setting).any()
    assert setting.enabled == {False}
    setting.canvas.region_drawn.emit(Red())
    assert setting.viewer.layers["photo selected"] is layer
    np.testing.assert_array_equal(lit(setting), RGB[..., 0] >= 50)
    setting.regions.set_tool("rotate")
    assert lit(setting).any()  # put away, the tool leaves what it has selected
    setting.bar.clear_button.click()
    assert lit(setting) is None
    assert setting.bar.isHidden()


def test_a_kept_selection_has_its_name_and_the_tool_goes_on(make: Any) -> None:
    setting = make()
    setting.session.wait()
    setting.regions.set_tool("ball")
    for name in ("photo selection", "photo selection [1]"):
        setting.canvas.region_drawn.emit(Red())
        setting.bar.labels_button.click()
        setting.session.wait()
        assert isinstance(setting.viewer.layers[name], Labels)
        assert not lit(setting).any()


def test_the_layer_waits_for_the_next_image_too(make: Any) -> None:
    setting = make()
    setting.session.wait()
    setting.regions.set_tool("ball")
    setting.viewer.layers.remove("photo")
    assert lit(setting) is None
    setting.overlay.attach(setting.viewer.add_image(RGB[:10], rgb=True, name="photo"))
    setting.session.wait()
    assert lit(setting).shape == (10, 30)


@pytest.mark.parametrize("tool", ["rotate", "ball"])
def test_a_layer_that_is_deleted_takes_the_selection_along(make: Any, tool: str) -> None:
    setting = make()
    setting.session.wait()
    setting.regions.set_tool(tool)
    setting.canvas.region_drawn.emit(Red())
    setting.viewer.layers.remove("photo selected")
    assert setting.regions.chosen is None
    assert setting.bar.isHidden() == (tool == "rotate")
    assert setting.enabled == {False} or tool == "rotate"
    assert lit(setting) is None
    setting.canvas.region_changed.emit(Red())
    assert lit(setting).any()


def test_after_stop_the_selection_is_offered_again(make: Any) -> None:
    setting = make()
    setting.session.wait()
    setting.canvas.region_drawn.emit(Red())
    setting.bar.labels_button.click()
    assert setting.enabled == {False}
    setting.session.stop()
    setting.session.wait()
    assert setting.enabled == {True}
    assert setting.regions.chosen is not None


def test_after_an_error_the_selection_is_offered_again(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> NoReturn:
        raise OSError("the disk is gone.")

    monkeypatch.setattr(region_selection, "paint_labels", fail)
    setting = make()
    setting.session.wait()
    setting.canvas.region_drawn.emit(Red())
    setting.bar.labels_button.click()
    setting.session.wait()
    assert setting.said == ["the disk is gone."]
    assert setting.enabled == {True}


def test_a_region_drawn_meanwhile_stays_when_the_labels_come(make: Any) -> None:
    setting = make()
    setting.session.wait()
    setting.canvas.region_drawn.emit(Red())
    setting.bar.labels_button.click()
    setting.canvas.region_changed.emit(Red(55))
    while setting.executor.compute():
        pass
    setting.executor.deliver()
    assert setting.enabled == {False}  # still being drawn
    assert setting.regions.chosen.sum() == np.sum(setting.session.palette.colors[:, 0] >= 55)
    assert any(isinstance(layer, Labels) for layer in setting.viewer.layers)


def test_a_selection_lies_above_what_was_kept(make: Any) -> None:
    setting = make()
    setting.session.wait()
    setting.regions.set_tool("lasso")
    setting.canvas.region_drawn.emit(Red())
    setting.bar.labels_button.click()
    setting.session.wait()
    layers = setting.viewer.layers
    layers.selection.active = layers["photo"]
    assert layers[-1].name == "photo selection"
    setting.canvas.region_changed.emit(Red(55))
    assert layers[-1].name == "photo selected"
    assert layers.selection.active is layers["photo"]
    assert set(layers.selection) == {layers["photo"]}


def marked(setting: Setting) -> Any:
    """The colors that are lit up in the view."""
    return setting.canvas.set_selected.call_args.args[0]


def test_a_region_that_is_drawn_is_marked_in_the_view_until_it_is_cleared(make: Any) -> None:
    setting = make()
    setting.session.wait()
    setting.canvas.region_changed.emit(Red(55))
    setting.canvas.set_selected.assert_not_called()
    setting.canvas.region_drawn.emit(Red(55))
    colors = setting.session.palette.colors
    red = colors[:, 0] >= 55
    np.testing.assert_array_equal(marked(setting), colors[red])
    setting.session.bandwidth = 9
    setting.session.wait()
    assert setting.canvas.set_selected.call_count == 1
    # Seen in another space, they are the same colors.
    setting.session.space = "lab"
    setting.session.wait()
    points = setting.session.estimate.coordinates.points.colors
    np.testing.assert_array_equal(marked(setting), points[red])
    setting.canvas.region_changed.emit(Red(20))
    assert len(marked(setting)) == 0
    setting.canvas.region_drawn.emit(Red(20))
    assert len(marked(setting)) > 0
    setting.bar.clear_button.click()
    assert len(marked(setting)) == 0
