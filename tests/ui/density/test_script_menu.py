"""Copy as script: what is on the clipboard computes what is shown."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_colorkde.app.density.script import FEW_KERNELS
from napari_colorkde.app.image.source import ImageSource, source_of_array
from napari_colorkde.app.session import Session
from napari_colorkde.cli import main
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.ui.density.panel import DensityPanel
from tests.ui.conftest import RGB

# The display has one clipboard for all processes.
pytestmark = [pytest.mark.window, pytest.mark.xdist_group("clipboard")]

KERNELS = KernelSet([Kernel([60, 60, 60], [90, 90, 90], 1)], "gray")


class Said:
    """What the panel complained of, and what the session noticed."""

    def __init__(self, panel: DensityPanel, session: Session) -> None:
        self.failures: list[str] = []
        self.notices: list[str] = []
        panel.failed.connect(self.failures.append)
        session.message.connect(self.notices.append)


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.chdir(tmp_path)
    np.save(tmp_path / "photo.npy", RGB)
    plain = source_of_array(RGB, "photo")
    path = str(tmp_path / "photo.npy")
    session = Session()
    session.open(ImageSource("photo", plain.arrays, plain.rgb, plain.choices, path=path))
    yield session
    session.close()


@pytest.fixture
def panel(qtbot: Any, session: Session) -> Iterator[DensityPanel]:
    panel = DensityPanel(session)
    qtbot.addWidget(panel)
    QApplication.clipboard().setText("before")
    yield panel
    panel.close_session()


def copied() -> str:
    return QApplication.clipboard().text()


def shown(session: Session) -> Any:
    index, densities = session.index, session.densities
    assert index is not None
    assert densities is not None
    return densities.values[index.codes(0, tuple(map(range, index.shape))) - 1]


def choose_file(monkeypatch: pytest.MonkeyPatch, path: str) -> list[str]:
    """Answer file dialogs with a path; return the names they offer."""
    offered: list[str] = []

    def answer(parent: Any, title: str, name: str, filters: str) -> tuple[str, str]:
        offered.append(name)
        return path, filters

    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    return offered


def test_python_computes_what_is_shown(panel: DensityPanel, session: Session) -> None:
    said = Said(panel, session)
    session.bandwidth = 7
    panel.script_menu.python_action.trigger()
    names: dict[str, Any] = {}
    exec(copied(), names)
    np.testing.assert_allclose(names["density"], shown(session), rtol=2e-6)
    assert said.notices == ["The Python script is on the clipboard."]


def test_command_line_computes_what_is_shown(panel: DensityPanel, session: Session) -> None:
    session.bandwidth = 7
    panel.script_menu.command_action.trigger()
    program, *words = shlex.split(copied())
    assert (program, main(words)) == ("napari-colorkde", 0)
    np.testing.assert_allclose(tifffile.imread("photo-density.tif"), shown(session), rtol=2e-6)


def test_few_kernels_stand_in_the_script(panel: DensityPanel, session: Session) -> None:
    session.kernels = KERNELS
    panel.script_menu.python_action.trigger()
    assert "Kernel([60.0, 60.0, 60.0]" in copied()


@pytest.mark.parametrize("form", ["python", "command"])
def test_other_kernels_are_saved_where_the_user_says(
    panel: DensityPanel,
    session: Session,
    form: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    said = Said(panel, session)
    offered = choose_file(monkeypatch, str(tmp_path / "mine"))
    session.kernels = KernelSet(list(KERNELS) * (FEW_KERNELS + 1), "many")
    panel.script_menu.copy(form)  # type: ignore[arg-type]
    assert offered == [str(tmp_path / "many.json")]
    assert (tmp_path / "mine.json").exists()
    assert str(tmp_path / "mine.json") in copied()
    assert "reads the kernels from mine.json" in said.notices[-1]


def test_nothing_is_copied_if_the_file_dialog_is_left(
    panel: DensityPanel, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose_file(monkeypatch, "")
    session.kernels = KERNELS
    panel.script_menu.command_action.trigger()
    assert copied() == "before"


def test_a_file_that_cannot_be_written_is_said(
    panel: DensityPanel, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = Said(panel, session)
    choose_file(monkeypatch, "missing/k.json")
    session.kernels = KERNELS
    panel.script_menu.command_action.trigger()
    assert copied() == "before"
    assert "does not exist" in said.failures[0]


def test_what_cannot_be_asked_is_said_before_a_file_is_asked_for(
    panel: DensityPanel, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = Said(panel, session)
    offered = choose_file(monkeypatch, "k.json")
    session.set(kernel_sets={"gray": KERNELS}, show="kernels")
    session.set(classification=session.state.classification.replace(show="posterior"))
    panel.script_menu.command_action.trigger()
    assert offered == []
    assert copied() == "before"
    assert "two classes" in said.failures[-1]


def test_an_image_without_a_file_is_saved_beside_the_script(
    panel: DensityPanel, session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = Said(panel, session)
    offered = choose_file(monkeypatch, "")
    session.open(source_of_array(RGB, "camera"))
    panel.script_menu.python_action.trigger()
    assert copied() == "before"
    assert offered == ["camera.npy"]
    choose_file(monkeypatch, str(tmp_path / "camera"))
    panel.script_menu.python_action.trigger()
    names: dict[str, Any] = {}
    exec(copied(), names)
    np.testing.assert_allclose(names["density"], shown(session), rtol=2e-6)
    assert "It reads the image from camera.npy." in said.notices[-1]


@pytest.mark.parametrize("form", ["python", "command"])
def test_a_layer_whose_data_was_replaced_is_saved_beside_the_script(
    panel: DensityPanel,
    session: Session,
    form: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    source = session.source
    assert source is not None
    others = source_of_array(255 - RGB[..., 1:], "photo")
    offered = choose_file(monkeypatch, str(tmp_path / "new.npy"))
    session.open(replace(others, path=source.path))
    session.set(channels=others.choices[0], log=False)
    panel.script_menu.copy(form)  # type: ignore[arg-type]
    assert offered == [str(tmp_path / "photo.npy")]
    if form == "python":
        names: dict[str, Any] = {}
        exec(copied(), names)
        found = names["density"]
    else:
        assert main(shlex.split(copied())[1:]) == 0
        found = tifffile.imread("new-density.tif")
    np.testing.assert_allclose(found, shown(session), rtol=2e-6)


def test_a_batch_does_the_same_for_the_folder(
    panel: DensityPanel, session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    session.set(bandwidth=7, log=False)
    panel.script_menu.batch_action.trigger()
    for line in copied().splitlines():
        program, *words = shlex.split(line)
        assert (program, main(words)) == ("napari-colorkde", 0)
    np.testing.assert_allclose(tifffile.imread("photo_density.tif"), shown(session), rtol=2e-6)
    assert (tmp_path / "results.csv").read_text().count("\n") == 2
    # Of a stack that is looked at frame by frame.
    assert session.source is not None
    stack = source_of_array(np.stack([RGB, RGB]), "photo")
    session.open(replace(stack, path=session.source.path, at=(1, 0, 0)))
    panel.script_menu.batch_action.trigger()
    assert [line.count("--per-frame") for line in copied().splitlines()] == [1, 1]


def test_without_an_image_there_is_nothing_to_copy(panel: DensityPanel, session: Session) -> None:
    said = Said(panel, session)
    session.open(None)
    panel.script_menu.python_action.trigger()
    assert copied() == "before"
    assert said.failures == ["There is no image to write a script for; open one first."]
