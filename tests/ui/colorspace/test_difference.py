"""The difference from a second image, with a view that only remembers what it was told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import create_autospec

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_colorkde.app.layers.overlay import Overlay
from napari_colorkde.app.session import Session
from napari_colorkde.ui.colorspace.difference import DifferenceChooser
from napari_colorkde.ui.colorspace.view import ColorSpaceView
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
        self.view = create_autospec(ColorSpaceView, instance=True)
        self.view.menu = self.view.difference = None
        self.view.awaits_difference = False
        self.difference = DifferenceChooser(self.viewer, self.session, self.overlay, self.view)
        self.said: list[str] = []
        self.difference.failed.connect(self.said.append)
        photo, self.first, self.second = (
            self.viewer.add_image(image, rgb=True, name=name)
            for image, name in ((PHOTO, "photo"), (FIRST, "first"), (SECOND, "second"))
        )
        self.overlay.attach(photo)
        self.session.wait()

    def densest(self) -> Any:
        """The color of which the shown image has least in comparison."""
        estimate, values = self.session.estimate, self.view.difference
        assert estimate is not None
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
    assert setting.view.difference is None
    assert setting.view.awaits_difference
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
    assert setting.view.difference.ndim == 2
    assert 80 < min(setting.densest()) < 120


def test_a_stopped_difference_leaves_the_density(setting: Setting) -> None:
    setting.difference.choose(setting.first)
    assert setting.view.awaits_difference
    setting.session.stop()
    setting.session.wait()
    assert not setting.view.awaits_difference
    assert setting.view.difference is None
    setting.view.show_estimate.assert_called_with(setting.session.estimate)
