"""Looks: images graded by lookup tables, as layers beside the image as it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
from napari.components import ViewerModel

from napari_colorkde import read_look
from napari_colorkde.app.layers.looks import Looks
from napari_colorkde.app.layers.overlay import Overlay
from napari_colorkde.app.session import Session
from napari_colorkde.app.session_file import load_look, load_state, save_state
from napari_colorkde.app.settings.saved_look import SavedLook

RGB = np.random.default_rng(0).integers(40, 90, (20, 30, 3)).astype(np.uint8)


class Setting:
    """A viewer without a window, and two looks."""

    def __init__(self, folder: Path) -> None:
        self.session = Session()
        self.viewer = ViewerModel()
        self.overlay = Overlay(self.viewer, self.session)
        self.looks = Looks(self.viewer, self.session, self.overlay)
        self.said: list[str] = []
        self.looks.failed.connect(self.said.append)
        self.warm, self.cold = folder / "warm.cube", folder / "cold.cube"
        self.warm.write_text('TITLE "Late sun"\nLUT_1D_SIZE 2\n0.1 0 0\n1 0.9 0.8\n')
        self.cold.write_text("LUT_1D_SIZE 2\n0 0 0.2\n0.7 0.8 1\n")

    def add(self, image: Any = RGB, **options: Any) -> Any:
        options = {"rgb": True, **options}
        layer = self.viewer.add_image(image, name="photo", scale=(2, 2), **options)
        self.overlay.attach(layer)
        return layer


@pytest.fixture
def setting(tmp_path: Path) -> Iterator[Setting]:
    setting = Setting(tmp_path)
    yield setting
    setting.overlay.close()
    setting.session.close()


def test_a_look_makes_a_layer_whose_difference_is_shown(setting: Setting) -> None:
    heard: list[str] = []
    setting.session.message.connect(heard.append)
    photo = setting.add()
    setting.looks.apply(setting.warm)
    layer = setting.overlay.image
    assert layer is not None
    assert layer.name == "photo warm"
    np.testing.assert_array_equal(layer.scale, (2, 2))
    np.testing.assert_array_equal(layer.data, read_look(setting.warm).apply(RGB))
    assert setting.looks.current is not None
    assert setting.looks.current.name == "warm.cube (Late sun)"
    assert setting.looks.original is photo
    assert setting.session.subtracted is not None
    assert setting.session.subtracted.array is photo.data
    assert setting.session.difference is not None
    assert "Look ▸ none goes back" in heard[-1]


def test_the_next_look_grades_the_image_as_it_was_and_there_is_a_way_back(setting: Setting) -> None:
    photo = setting.add()
    setting.looks.apply(setting.warm)
    warm = setting.overlay.image
    setting.looks.apply(setting.cold)
    cold = setting.overlay.image
    assert warm is not None
    assert cold is not None
    np.testing.assert_array_equal(cold.data, read_look(setting.cold).apply(RGB))
    assert [each.layer for each in setting.looks.graded()] == [warm, cold]
    assert not warm.visible
    setting.looks.show(warm)
    assert setting.overlay.image is warm
    assert (warm.visible, cold.visible) == (True, False)
    assert setting.session.difference is not None
    setting.looks.show(None)
    assert setting.overlay.image is photo
    assert setting.looks.current is None
    assert (photo.visible, warm.visible, cold.visible) == (True, False, False)
    assert setting.session.subtracted is None


def test_images_in_parts_are_graded_as_they_are_drawn(setting: Setting) -> None:
    fine = da.from_array(RGB, chunks=(8, 8, 1))
    setting.add([fine, fine[::2, ::2]], multiscale=True)
    setting.looks.apply(setting.warm)
    layer = setting.overlay.image
    assert layer is not None
    assert layer.name == "photo warm"
    assert isinstance(layer.data[0], da.Array)
    expected = read_look(setting.warm).apply(RGB)
    np.testing.assert_array_equal(layer.data[0].compute(), expected)
    np.testing.assert_array_equal(layer.data[1].compute(), expected[::2, ::2])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("nothing", "give 3 finite numbers"), ("LUT_1D_SIZE 3\n0 0 0\n", "cut short")],
)
def test_a_file_that_is_no_look_is_refused(setting: Setting, text: str, sentence: str) -> None:
    photo = setting.add()
    setting.warm.write_text(text)
    setting.looks.apply(setting.warm)
    assert sentence in setting.said[-1]
    setting.looks.apply(setting.warm.with_name("gone.cube"))
    assert "gone.cube" in setting.said[-1]
    assert "does not exist" in setting.said[-1]
    assert setting.overlay.image is photo
    assert len(setting.viewer.layers) == 2


def test_what_a_look_cannot_grade_is_refused(setting: Setting) -> None:
    setting.looks.apply(setting.warm)
    assert "choose an RGB image first" in setting.said[-1]
    setting.add(RGB[..., 0], rgb=False)
    setting.looks.apply(setting.warm)
    assert "choose an RGB image first" in setting.said[-1]
    assert setting.looks.graded() == []


def test_an_image_that_is_gone_is_not_gone_back_to(setting: Setting) -> None:
    photo = setting.add()
    setting.looks.apply(setting.warm)
    setting.viewer.layers.remove(photo)
    assert setting.looks.original is None
    assert len(setting.looks.graded()) == 1
    setting.looks.show(None)
    assert "no longer in the layer list" in setting.said[-1]


def test_the_look_of_an_earlier_session_is_on_again_if_its_file_is_as_it_was(
    setting: Setting, tmp_path: Path
) -> None:
    setting.add()
    setting.looks.apply(setting.warm)
    assert setting.looks.current is not None
    saved = setting.looks.current.saved
    path = tmp_path / "a.session.json"
    save_state(path, setting.session.state, look=saved)
    assert load_look(path) == saved
    assert load_state(path) == setting.session.state.replace(channels=None)
    setting.looks.show(None)
    setting.looks.apply_again(saved)
    layer = setting.overlay.image
    assert layer is not None
    np.testing.assert_array_equal(layer.data, read_look(setting.warm).apply(RGB))
    setting.looks.apply_again(saved)
    assert setting.overlay.image is layer
    assert setting.said == []
    setting.looks.show(None)
    setting.warm.write_text("LUT_1D_SIZE 2\n0 0 0\n1 1 1\n")
    setting.looks.apply_again(saved)
    assert "warm.cube has changed since the session was saved" in setting.said[-1]
    setting.warm.unlink()
    setting.looks.apply_again(saved)
    assert "The look warm.cube of the session cannot be read" in setting.said[-1]
    setting.viewer.layers.clear()
    setting.looks.apply_again(saved)
    assert "has the look warm.cube; open an image" in setting.said[-1]
    with pytest.raises(ValueError, match="not 64 hexadecimal digits"):
        SavedLook("/a.cube", "12")
    with pytest.raises(ValueError, match="not a file with a sha256"):
        SavedLook.from_json(["/a.cube"])
