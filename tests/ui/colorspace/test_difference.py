"""The difference from a second image, a layer of a viewer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_colorkde.app.layers.overlay import Overlay
from napari_colorkde.app.session import Session
from napari_colorkde.ui.colorspace.menus.difference import DifferenceChooser
from tests.app.stepping import SteppingExecutor

RNG = np.random.default_rng(0)
PHOTO, FIRST, SECOND = (
    RNG.integers(low, low + 40, (20, 30, 3)).astype(np.uint8) for low in (20, 80, 160)
)


class Setting:
    """A viewer without a window, in which the photo was counted and estimated."""

    def __init__(self) -> None:
        self.executor = SteppingExecutor()
        self.session = Session(self.executor)
        self.viewer = ViewerModel()
        self.overlay = Overlay(self.viewer, self.session)
        self.difference = DifferenceChooser(self.viewer, self.session, self.overlay)
        self.said: list[str] = []
        self.difference.failed.connect(self.said.append)
        self.session.failed.connect(self.said.append)
        photo, self.first, self.second = (
            self.viewer.add_image(image, rgb=True, name=name)
            for image, name in ((PHOTO, "photo"), (FIRST, "first"), (SECOND, "second"))
        )
        self.overlay.attach(photo)
        self.session.wait()

    def densest(self) -> Any:
        """The color of which the shown image has least in comparison."""
        difference = self.session.difference
        assert difference is not None
        estimate, values = difference.estimate, difference.values
        assert estimate.volume is self.session.estimate.volume  # type: ignore[union-attr]
        place = np.unravel_index(np.argmin(values), values.shape)
        return [axis[k] for axis, k in zip(estimate.volume.axes, place, strict=True)]


@pytest.fixture
def setting() -> Iterator[Setting]:
    setting = Setting()
    yield setting
    setting.difference.close()
    setting.overlay.close()
    setting.session.close()


def test_the_last_of_two_choices_is_shown(setting: Setting) -> None:
    setting.difference.choose(setting.first)
    while setting.executor.compute():
        pass
    setting.difference.choose(setting.second)
    # All of the first arrives only now, and the bandwidth changes before the second is counted.
    setting.executor.deliver()
    assert setting.session.difference is None
    assert setting.difference.subtracted is setting.second
    setting.session.bandwidth = 12
    setting.session.wait()
    assert min(setting.densest()) > 150
    # With another bandwidth the colors of the second image are taken again.
    setting.session.bandwidth = 9
    setting.session.wait()
    assert min(setting.densest()) > 150
    assert setting.said == []


def test_other_channels_are_counted_anew(setting: Setting) -> None:
    setting.difference.choose(setting.first)
    setting.session.wait()
    assert setting.session.source is not None
    setting.session.channels = next(
        c for c in setting.session.source.choices if c.names == ("red", "blue")
    )
    setting.session.wait()
    assert setting.said == []
    assert setting.session.difference is not None
    assert setting.session.difference.values.ndim == 2
    assert 80 < min(setting.densest()) < 120


def test_a_stopped_difference_leaves_the_density(setting: Setting) -> None:
    setting.difference.choose(setting.first)
    assert setting.session.subtracted is not None
    heard: list[object] = []
    setting.session.difference_changed.connect(heard.append)
    setting.session.stop()
    setting.session.wait()
    assert setting.session.subtracted is None
    assert setting.difference.subtracted is None
    assert setting.session.difference is None
    assert heard == [None]


def test_an_image_that_is_removed_is_subtracted_no_more(setting: Setting) -> None:
    setting.difference.choose(setting.first)
    setting.session.wait()
    assert setting.session.difference is not None
    setting.viewer.layers.remove(setting.first)
    assert setting.session.difference is None
    assert setting.session.subtracted is None
