from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from qtpy.QtWidgets import QFileDialog

from napari_colorkde.app.image.source import source_of_array
from napari_colorkde.app.session import Session
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.io.kernels.kernel_files import load_kernels, save_kernels
from napari_colorkde.io.sample_data import PRESET_FILE, sample_path
from napari_colorkde.ui.kernels.set_chooser import KernelSetChooser
from napari_colorkde.ui.window import open_files
from tests.ui.conftest import RGB, Dock

pytestmark = [pytest.mark.window, pytest.mark.usefixtures("flat_color_space")]

KERNELS = KernelSet([Kernel([60, 60, 60], [90, 90, 90], 1.0)], "mine")


@pytest.fixture
def chooser(qtbot: Any) -> Iterator[KernelSetChooser]:
    session = Session()
    session.open(source_of_array(RGB))
    chooser = KernelSetChooser(session)
    qtbot.addWidget(chooser)
    yield chooser
    chooser.close_session()
    session.close()


def session_of(chooser: KernelSetChooser) -> Session:
    return chooser.session


def answer(monkeypatch: pytest.MonkeyPatch, path: Path | str, kind: str = "") -> None:
    for name in ("getOpenFileName", "getSaveFileName"):
        monkeypatch.setattr(QFileDialog, name, lambda *args: (str(path), kind))


def test_choosing_a_preset_shows_it(chooser: KernelSetChooser) -> None:
    chooser.kernel_set.value = "nonskin"
    session = session_of(chooser)
    assert (session.show, session.state.kernel_set) == ("kernels", "nonskin")
    chooser.kernel_set.value = "skin"
    assert session.state.kernel_set == "skin"


def test_a_kernel_file_is_opened(
    chooser: KernelSetChooser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_kernels(tmp_path / "mine.json", KERNELS)
    answer(monkeypatch, tmp_path / "mine.json")
    chooser.open_button.native.click()
    assert session_of(chooser).kernels == KERNELS
    assert chooser.kernel_set.value == "mine"
    assert set(chooser.kernel_set.choices) == {"mine", "skin", "nonskin"}


def test_a_dialog_that_is_canceled_changes_nothing(
    chooser: KernelSetChooser, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, "")
    state = session_of(chooser).state
    chooser.open_button.native.click()
    chooser.save_button.native.click()
    assert session_of(chooser).state is state


def test_a_file_that_holds_no_kernels_says_so_and_loses_nothing(
    chooser: KernelSetChooser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.json").write_text("{")
    answer(monkeypatch, tmp_path / "bad.json")
    problems: list[str] = []
    chooser.failed.connect(problems.append)
    state = session_of(chooser).state
    chooser.open_button.native.click()
    assert len(problems) == 1
    assert "bad.json" in problems[0]
    assert session_of(chooser).state is state


@pytest.mark.parametrize("kind", ["JSON (*.json)", "CSV (*.csv)"])
def test_the_dialog_gives_the_suffix(
    chooser: KernelSetChooser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    session_of(chooser).kernels = KERNELS
    answer(monkeypatch, tmp_path / "saved", kind)
    chooser.save_button.native.click()
    (path,) = tmp_path.iterdir()
    assert load_kernels(path)["mine"].kernels == KERNELS.kernels


def test_there_is_nothing_to_save_without_kernels(
    chooser: KernelSetChooser, tmp_path: Path
) -> None:
    assert not chooser.save_button.enabled
    problems: list[str] = []
    chooser.failed.connect(problems.append)
    saved: list[Path] = []
    chooser.saved.connect(saved.append)
    chooser.save_file(tmp_path / "none.json")
    assert "no kernels to save" in problems[0]
    assert saved == []


def test_a_file_that_was_written_is_told(chooser: KernelSetChooser, tmp_path: Path) -> None:
    saved: list[Path] = []
    chooser.saved.connect(saved.append)
    session_of(chooser).kernels = KERNELS
    chooser.save_file(tmp_path / "some.json")
    assert saved == [tmp_path / "some.json"]
    assert saved[0].exists()


def test_every_setting_says_what_it_does(chooser: KernelSetChooser) -> None:
    for widget in (chooser.kernel_set, chooser.open_button, chooser.save_button):
        assert len(widget.tooltip) > 20


def test_a_file_that_is_open_is_not_written_over(
    dock: Dock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photograph = tmp_path / "photo.json"
    photograph.write_text("a photograph")
    widget = dock(RGB)
    widget.session.load_kernels(sample_path(PRESET_FILE), "skin")
    widget.session.wait()
    monkeypatch.setattr(open_files, "file_of", lambda layer: photograph)
    said: list[str] = []
    chooser, menu = widget.kernels.chooser, widget.panel.script_menu
    chooser.failed.connect(said.append)
    menu.failed.connect(said.append)
    answer = (str(photograph), "JSON (*.json)")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *args, **options: answer)
    chooser.save_button.native.click()
    menu.copy("python")
    assert len(said) == 2
    assert all("is open as the layer" in sentence for sentence in said)
    assert photograph.read_text() == "a photograph"
