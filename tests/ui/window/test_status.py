from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from napari_colorkde.app.background.error_sentences import ComputeError
from napari_colorkde.app.image.source import source_of_array
from napari_colorkde.app.session import Session
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.ui.window.delayed_indicator import BUSY_DELAY_MS
from napari_colorkde.ui.window.status import StatusLines, palette_facts
from tests.app.stepping import SteppingExecutor
from tests.ui.conftest import RGB

pytestmark = pytest.mark.window


class Setting:
    def __init__(self, qtbot: Any, delay_ms: int = BUSY_DELAY_MS) -> None:
        self.executor = SteppingExecutor()
        self.session = Session(self.executor)
        self.lines = StatusLines(self.session, delay_ms=delay_ms)
        qtbot.addWidget(self.lines)
        self.lines.show()

    def close(self) -> None:
        self.lines.close_session()
        self.session.close()


@pytest.fixture
def setting(qtbot: Any) -> Iterator[Setting]:
    setting = Setting(qtbot)
    yield setting
    setting.close()


@pytest.fixture
def eager(qtbot: Any) -> Iterator[Setting]:
    """Lines that show all work at once."""
    setting = Setting(qtbot, delay_ms=1)
    yield setting
    setting.close()


def test_without_an_image_it_says_what_to_do(setting: Setting) -> None:
    assert setting.lines.facts.text() == "Choose an image layer, or open an image."


def test_pixels_colors_bandwidth_device_and_time_are_told(setting: Setting) -> None:
    setting.session.open(source_of_array(RGB))
    setting.session.wait()
    assert setting.lines.facts.text().startswith("4\u202f800\u00a0pixels · ")
    assert setting.lines.facts.text().endswith("\u00a0colors · none left out")
    words = setting.lines.work.text().split(" · ")
    assert words[0] == "σ\u00a04"
    assert words[1].endswith("% of the mass inside the cube")
    assert words[2] == setting.session.device.name
    assert words[3].endswith("\u00a0s")


def test_walls_and_varying_kernels_are_told(setting: Setting) -> None:
    setting.session.open(source_of_array(RGB))
    setting.session.set(boundary="reflected")
    setting.session.wait()
    words = setting.lines.work.text().split(" · ")
    assert words[:2] == ["σ\u00a04, reflected at the boundary", "100% of the mass inside the cube"]
    setting.session.set(boundary="none", varying=True)
    setting.session.wait()
    assert setting.lines.work.text().startswith("σ\u00a04, wider where colors are rare · ")


def test_an_image_that_cannot_be_counted_is_not_said_to_be_counted(setting: Setting) -> None:
    setting.session.open(source_of_array(np.full((4, 4), np.nan, np.float32)))
    with pytest.raises(ComputeError):
        setting.session.wait()
    assert "no pixel counts" in setting.lines.problem.text()
    assert setting.lines.facts.text() == ""
    # Neither a change nor a file that was written makes it an image that can be.
    for change in (
        lambda: setting.session.set(log=False),
        lambda: setting.lines.show_message("Saved x."),
    ):
        change()
        assert "no pixel counts" in setting.lines.problem.text()
        assert setting.lines.problem.isVisible()


def test_every_pixel_that_is_left_out_is_told_with_its_reason() -> None:
    image = np.dstack([RGB / np.float32(255), np.ones((60, 80), np.float32)]).astype(np.float32)
    image[:2, :5, 3] = 0
    image[10, 10, 0] = np.nan
    mask = np.ones((60, 80), bool)
    mask[50:] = False
    text = palette_facts(Palette.from_image(image, mask), is_sample=False)
    assert "left out: 800 masked, 10 transparent, 1 not finite" in text


def test_binning_is_told() -> None:
    palette = Palette.from_image(np.random.default_rng(0).random((40, 40, 3)), max_colors=100)
    assert "binned to " in palette_facts(palette, is_sample=False)


def test_a_sample_is_told_from_the_whole() -> None:
    text = palette_facts(Palette.from_image(RGB), is_sample=True)
    assert text.startswith("A sample of the image, while the rest is being counted: ")


def test_the_sum_of_the_weights_is_told_and_not_rescaled(setting: Setting) -> None:
    setting.session.open(source_of_array(RGB))
    setting.session.kernels = KernelSet([Kernel([60, 60, 60], [90, 90, 90], 0.25)])
    setting.session.wait()
    assert setting.lines.work.text().startswith(
        "1\u00a0kernel, weights sum to 0.25 · cloud: σ\u00a04"
    )


def test_a_problem_stays_until_something_is_changed(setting: Setting) -> None:
    setting.session.open(source_of_array(RGB))
    setting.session.bandwidth = (1, 2)
    with pytest.raises(RuntimeError):
        setting.session.wait()
    assert "the image has 3 color channels" in setting.lines.problem.text()
    assert setting.lines.problem.isVisible()
    setting.session.bandwidth = 4
    assert not setting.lines.problem.isVisible()


def test_what_failed_and_is_not_tried_again_is_told_still(setting: Setting) -> None:
    setting.session.open(source_of_array(RGB))
    setting.session.bandwidth = (1, 2)
    with pytest.raises(RuntimeError):
        setting.session.wait()
    setting.session.colormap = "viridis"
    assert "the image has 3 color channels" in setting.lines.problem.text()


def test_what_went_well_takes_the_place_of_what_did_not(setting: Setting) -> None:
    setting.lines.show_error("x.jpg has the suffix '.jpg'.")
    setting.lines.show_message("Saved x.png.")
    assert not setting.lines.problem.isVisible()
    assert setting.lines.news.text() == "Saved x.png."
    assert setting.lines.news.isVisible()
    setting.session.log = False
    assert not setting.lines.news.isVisible()


def test_short_work_shows_no_stop_button(setting: Setting, qtbot: Any) -> None:
    setting.session.open(source_of_array(RGB))
    setting.session.wait()
    qtbot.wait(BUSY_DELAY_MS + 100)
    assert not setting.lines.stop_button.isVisible()


def test_long_work_tells_how_far_it_is_and_can_be_stopped(eager: Setting, qtbot: Any) -> None:
    eager.session.open(source_of_array(RGB))
    eager.executor.step()
    qtbot.waitUntil(eager.lines.stop_button.isVisible)
    eager.executor.step()
    assert eager.lines.work.text().startswith("Counting colors…")
    eager.lines.stop_button.click()
    eager.session.wait()
    assert not eager.lines.stop_button.isVisible()
    assert eager.lines.facts.text() == "Stopped before the colors were counted."


def test_after_a_stop_the_line_tells_again_what_is_shown(eager: Setting, qtbot: Any) -> None:
    eager.session.open(source_of_array(RGB))
    eager.session.wait()
    shown = eager.lines.work.text()
    eager.session.bandwidth = "loco"
    eager.executor.step()
    qtbot.waitUntil(eager.lines.stop_button.isVisible)
    assert eager.lines.work.text() != shown
    eager.lines.stop_button.click()
    eager.session.wait()
    assert eager.lines.work.text() == shown


@pytest.mark.parametrize("theme", ["dark", "light", "someone's own"])
def test_every_theme_has_a_color_for_problems(setting: Setting, theme: str) -> None:
    setting.lines.set_theme(theme)
    assert "color: #" in setting.lines.problem.styleSheet()
