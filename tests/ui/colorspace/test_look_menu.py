"""The menu "Look", with a viewer without a window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtWidgets import QFileDialog

from napari_colorkde.app.layers.looks import Looks
from napari_colorkde.app.layers.overlay import Overlay
from napari_colorkde.app.session import Session
from napari_colorkde.ui.colorspace.menus.difference import DifferenceChooser
from napari_colorkde.ui.colorspace.menus.look_menu import LookMenu

pytestmark = pytest.mark.window

RGB = np.random.default_rng(0).integers(40, 90, (20, 30, 3)).astype(np.uint8)


class Setting:
    def __init__(self) -> None:
        self.session = Session()
        self.viewer = ViewerModel()
        self.overlay = Overlay(self.viewer, self.session)
        self.difference = DifferenceChooser(self.viewer, self.session, self.overlay)
        self.menu = LookMenu()
        self.menu.source = Looks(self.viewer, self.session, self.overlay)

    def entries(self) -> dict[str, Any]:
        self.menu.aboutToShow.emit()
        return {action.text(): action for action in self.menu.actions() if action.text()}


@pytest.fixture
def setting(qapp: Any) -> Iterator[Setting]:
    setting = Setting()
    yield setting
    setting.menu.close_menu()
    setting.menu.deleteLater()
    setting.difference.close()
    setting.overlay.close()
    setting.session.close()


def test_looks_are_opened_chosen_and_left(
    setting: Setting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "warm.cube"
    path.write_text("LUT_1D_SIZE 2\n0.1 0 0\n1 0.9 0.8\n")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *args: (str(path), ""))
    photo = setting.viewer.add_image(RGB, rgb=True, name="photo")
    setting.overlay.attach(photo)
    assert setting.entries()["none"].isChecked()
    setting.entries()["Open look…"].trigger()
    entries = setting.entries()
    assert entries["warm.cube"].isChecked()
    assert not entries["none"].isChecked()
    setting.menu.name_current()
    assert setting.menu.title() == "Look: warm.cube"
    assert setting.difference.subtracted is photo
    entries["none"].trigger()
    assert setting.overlay.image is photo
    assert setting.difference.subtracted is None
    setting.menu.name_current()
    assert setting.menu.title() == "Look"
    setting.entries()["warm.cube"].trigger()
    assert setting.overlay.image is setting.viewer.layers["photo warm"]
    setting.viewer.layers.remove(photo)
    assert setting.session.subtracted is None
    assert not setting.entries()["none"].isEnabled()


def test_no_look_is_offered_for_a_gray_image(setting: Setting) -> None:
    assert not setting.entries()["Open look…"].isEnabled()
    setting.overlay.attach(setting.viewer.add_image(RGB[..., 0], name="gray"))
    asks = setting.entries()["Open look…"]
    assert not asks.isEnabled()
    assert "choose an RGB image first" in asks.toolTip()
