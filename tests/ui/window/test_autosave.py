from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtCore import QTimer

from napari_colorkde.app.image.source import source_of_array
from napari_colorkde.app.results.results_table import ResultsTable
from napari_colorkde.app.session import Session
from napari_colorkde.app.session_file import (
    DAMAGED,
    SUFFIX,
    load_state,
    load_view,
    save_state,
    session_files,
)
from napari_colorkde.app.settings.view_settings import ViewSettings
from napari_colorkde.app.settings.voxel_settings import VoxelSettings
from napari_colorkde.app.state import State
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.ui.window.autosave import SAVE_INTERVAL_MS, Autosave
from napari_colorkde.ui.window.restore_offer import RestoreOffer
from tests.ui.conftest import RGB, Dock, close_dock

if TYPE_CHECKING:
    from napari import Viewer

pytestmark = [pytest.mark.window, pytest.mark.usefixtures("flat_color_space")]

KERNELS = KernelSet([Kernel([60, 60, 60], [90, 90, 90], 1.0)], "mine")


@pytest.fixture
def session(qapp: Any) -> Iterator[Session]:
    session = Session()
    yield session
    session.close()


def saved(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{SUFFIX}"))


def leave(folder: Path) -> None:
    """Leave a session as one that was closed."""
    session = Session()
    autosave = Autosave(session, folder)
    session.kernels = KERNELS
    autosave.close()


def leave_judged(folder: Path) -> State:
    """Leave one in which everything was chosen."""
    session = Session()
    classes = [replace(KERNELS[0], cls="a"), replace(KERNELS[0], cls="b")]
    session.kernels = KernelSet(classes, "mine")
    autosave = Autosave(session, folder)
    session.set_classification(
        show="posterior",
        cls="b",
        priors={"a": 0.8, "b": 0.2},
        threshold=0.7,
        show_mask=True,
        keep_mass=0.9,
    )
    session.set(space="lab", bandwidth=(2.5, 3, 4), log=False, colormap="viridis")
    autosave.close()
    return session.state


def test_a_session_is_written_once_nothing_changes_any_more(
    session: Session, tmp_path: Path, qtbot: Any
) -> None:
    autosave = Autosave(session, tmp_path)
    session.kernels = KERNELS
    session.bandwidth = 7
    assert saved(tmp_path) == []
    qtbot.waitUntil(lambda: len(saved(tmp_path)) == 1, timeout=SAVE_INTERVAL_MS * 20)
    assert load_state(saved(tmp_path)[0]) == session.state
    session.bandwidth = 8
    autosave.close()
    assert load_state(saved(tmp_path)[0]).bandwidth == (8.0,)


def test_changes_that_follow_each_other_quickly_are_written_meanwhile(
    session: Session, tmp_path: Path, qtbot: Any
) -> None:
    autosave = Autosave(session, tmp_path)
    session.kernels = KERNELS
    ticks = QTimer()
    ticks.timeout.connect(lambda: session.set(log=not session.state.log))
    ticks.start(SAVE_INTERVAL_MS // 10)
    qtbot.waitUntil(lambda: len(saved(tmp_path)) == 1, timeout=SAVE_INTERVAL_MS * 20)
    assert ticks.isActive()
    ticks.stop()
    autosave.close()


def test_a_session_that_was_not_touched_leaves_nothing(session: Session, tmp_path: Path) -> None:
    Autosave(session, tmp_path).close()
    assert list(tmp_path.iterdir()) == []


def test_what_was_left_is_offered_and_restored(
    session: Session, tmp_path: Path, qtbot: Any
) -> None:
    leave(tmp_path)
    autosave = Autosave(session, tmp_path)
    offer = RestoreOffer(session, autosave)
    qtbot.addWidget(offer)
    assert not offer.isHidden()
    assert "1 kernel (mine)" in offer.text.text()
    offer.restore_button.click()
    assert session.kernels == KERNELS
    assert offer.isHidden()
    session.undo()
    assert session.kernels is None
    autosave.close()


def test_everything_but_the_image_is_restored(session: Session, tmp_path: Path, qtbot: Any) -> None:
    wanted = leave_judged(tmp_path)
    autosave = Autosave(session, tmp_path)
    session.open(source_of_array(RGB))
    offer = RestoreOffer(session, autosave)
    qtbot.addWidget(offer)
    offer.restore()
    assert session.state == wanted
    assert (wanted.space, wanted.classification.threshold) == ("lab", 0.7)
    autosave.close()


def test_voxels_are_restored_where_the_image_is_a_stack(
    session: Session, tmp_path: Path, qtbot: Any
) -> None:
    other = Session()
    autosave = Autosave(other, tmp_path)
    other.kernels = KERNELS
    other.set_voxels(show=True, opacity=(-9.0, -5.0))
    autosave.save()
    autosave.close()
    path = saved(tmp_path)[0]
    autosave = Autosave(session, tmp_path)
    offer = RestoreOffer(session, autosave)
    qtbot.addWidget(offer)
    for shape in ((6, 7, 3), (4, 6, 7, 3)):
        session.open(source_of_array(np.zeros(shape, np.uint8)))
        offer.open_file(path)
        assert session.kernels == KERNELS
        assert session.state.voxels == VoxelSettings(len(shape) == 4, (-9.0, -5.0))
    autosave.close()


def test_the_view_of_the_color_space_is_written_along_and_restored(
    session: Session, tmp_path: Path, qtbot: Any
) -> None:
    view = ViewSettings(mode="shells", marginals=True, viewpoint=(10.0, 20.0, 1.5, 0.5, 0.5, 0.5))
    other = Session()
    autosave = Autosave(other, tmp_path)
    other.view = ViewSettings(marginals=True)
    autosave.close()
    assert saved(tmp_path) == []  # a view alone is nothing to come back to
    autosave = Autosave(other, tmp_path)
    other.kernels = KERNELS
    autosave.save()
    other.view = view
    autosave.close()
    assert load_view(saved(tmp_path)[0]) == view
    autosave = Autosave(session, tmp_path)
    offer = RestoreOffer(session, autosave)
    qtbot.addWidget(offer)
    offer.restore()
    assert session.view == view
    autosave.close()


def test_a_damaged_view_is_said_and_all_else_restored(
    session: Session, tmp_path: Path, qtbot: Any
) -> None:
    leave(tmp_path)
    (path,) = saved(tmp_path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "view": {"mode": "fog"}}))
    autosave = Autosave(session, tmp_path)
    offer = RestoreOffer(session, autosave)
    qtbot.addWidget(offer)
    said: list[str] = []
    session.message.connect(said.append)
    offer.restore()
    assert "fog" in said[0]
    assert session.view == ViewSettings()
    assert session.kernels == KERNELS
    autosave.close()


def test_without_the_space_its_sigmas_are_let_go_and_that_is_said(
    session: Session, tmp_path: Path, qtbot: Any
) -> None:
    wanted = leave_judged(tmp_path)
    autosave = Autosave(session, tmp_path)
    session.open(source_of_array(np.moveaxis(RGB, -1, 0), "planes", channel_axis=0))
    said: list[str] = []
    session.message.connect(said.append)
    offer = RestoreOffer(session, autosave)
    qtbot.addWidget(offer)
    offer.restore()
    assert session.state == replace(wanted, space="rgb", bandwidth=None)
    assert said == [
        "Restored in the image's own channels. Other color spaces need sRGB; "
        "'planes' is not an RGB layer."
    ]
    autosave.close()


def test_what_cannot_be_restored_stays_on_disk_and_is_said(
    session: Session, tmp_path: Path, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(tmp_path)
    autosave = Autosave(session, tmp_path)
    offer = RestoreOffer(session, autosave)
    qtbot.addWidget(offer)
    said: list[str] = []
    session.message.connect(said.append)

    def refuse(**fields: Any) -> None:
        raise ValueError("these kernels are refused.")

    monkeypatch.setattr(session, "set", refuse)
    offer.restore()
    assert said == ["The session cannot be restored: these kernels are refused."]
    assert len(saved(tmp_path)) == 1
    assert not offer.isHidden()
    autosave.close()


def test_kernels_that_the_image_has_no_channels_for_stay_on_offer(
    session: Session, tmp_path: Path, qtbot: Any
) -> None:
    leave(tmp_path)
    session.open(source_of_array(RGB[..., 0], "gray"))
    said: list[str] = []
    session.message.connect(said.append)
    offer = RestoreOffer(session, Autosave(session, tmp_path))
    qtbot.addWidget(offer)
    before = session.state
    offer.restore()
    assert session.state is before
    assert said == [
        "The session cannot be restored: its kernels are for 3 channels, and 'gray' has 1; "
        "choose another image first."
    ]
    assert offer.restore_button.isVisibleTo(offer)
    session.open(source_of_array(RGB, "photo"))
    session.channels = next(c for c in session.source.choices if len(c) == 1)  # type: ignore[union-attr]
    offer.restore()
    session.wait()
    assert session.kernels == KERNELS
    assert session.palette is not None
    assert session.palette.n_channels == 3


def test_what_is_dismissed_is_not_offered_again(
    session: Session, tmp_path: Path, qtbot: Any
) -> None:
    leave(tmp_path)
    autosave = Autosave(session, tmp_path)
    offer = RestoreOffer(session, autosave)
    qtbot.addWidget(offer)
    offer.dismiss_button.click()
    assert autosave.find_abandoned() is None
    autosave.close()


def test_the_session_of_a_living_program_is_not_offered(session: Session, tmp_path: Path) -> None:
    other = Session()
    living = Autosave(other, tmp_path)
    other.kernels = KERNELS
    living.save()
    autosave = Autosave(session, tmp_path)
    assert len(session_files(tmp_path)) == 1
    assert autosave.find_abandoned() is None
    living.close()
    left = autosave.find_abandoned()
    assert left is not None
    assert left[0].kernels == KERNELS
    autosave.close()


DAMAGES = {
    "cut short": ("{", "the session is not JSON"),
    "not text": (b"\xff\xfe", "the session is not UTF-8 text."),
    "deep": ("[" * 100_000, "the session is nested too deeply."),
    "bandwidth": ({"bandwidth": [None]}, "the session: bandwidth: "),
    "colormap": ({"colormap": "fog"}, "the session: colormap='fog' is not known"),
    "log": ({"log": "no"}, "the session: log: "),
}


def damage(path: Path, how: Any) -> None:
    if isinstance(how, dict):
        how = json.dumps({**json.loads(path.read_text()), **how})
    path.write_bytes(how if isinstance(how, bytes) else how.encode())


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_file_is_set_aside_and_a_good_one_offered(
    session: Session, tmp_path: Path, qtbot: Any, name: str
) -> None:
    how, reason = DAMAGES[name]
    leave(tmp_path)
    (good,) = saved(tmp_path)
    bad = tmp_path / f"bad{SUFFIX}"
    bad.write_bytes(good.read_bytes())
    damage(bad, how)
    os.utime(good, (1000, 1000))
    autosave = Autosave(session, tmp_path)
    offer = RestoreOffer(session, autosave)
    qtbot.addWidget(offer)
    kept = tmp_path / f"bad{SUFFIX}{DAMAGED}"
    assert kept.exists()
    assert saved(tmp_path) == [good]
    assert f"A session file is damaged and was set aside: {reason}" in offer.text.text()
    assert offer.text.toolTip() == f"Kept as {kept}"
    offer.restore_button.click()
    assert session.kernels == KERNELS
    assert autosave.find_abandoned() is None
    assert autosave.damaged == []  # said once
    autosave.close()


def test_a_damaged_file_alone_is_said_until_it_is_dismissed(
    session: Session, tmp_path: Path, qtbot: Any
) -> None:
    (tmp_path / f"bad{SUFFIX}").write_text("{")
    autosave = Autosave(session, tmp_path)
    offer = RestoreOffer(session, autosave)
    qtbot.addWidget(offer)
    assert not offer.isHidden()
    assert offer.restore_button.isHidden()
    offer.dismiss_button.click()
    assert offer.isHidden()
    autosave.close()


def test_a_file_that_cannot_be_renamed_is_said_and_passed_over(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(tmp_path)
    bad = tmp_path / f"bad{SUFFIX}"
    bad.write_text("{")

    def refuse(path: Path) -> Path:
        raise PermissionError(f"{path} is in use")

    monkeypatch.setattr("napari_colorkde.ui.window.autosave.set_aside", refuse)
    autosave = Autosave(session, tmp_path)
    assert autosave.find_abandoned() is not None
    assert [path for _, path in autosave.damaged] == [bad]
    autosave.close()


def test_the_file_of_another_version_is_left_to_it(session: Session, tmp_path: Path) -> None:
    leave(tmp_path)
    (path,) = saved(tmp_path)
    damage(path, {"version": 2})
    autosave = Autosave(session, tmp_path)
    assert autosave.find_abandoned() is None
    assert autosave.damaged == []
    assert saved(tmp_path) == [path]
    autosave.close()


def test_the_window_opens_beside_damaged_files(dock: Dock, own_sessions: Path) -> None:
    (own_sessions / f"bad{SUFFIX}").write_text("[" * 100_000)
    widget = dock(RGB)
    assert widget.offer.isVisible()
    assert "nested too deeply" in widget.offer.text.text()
    assert widget.session.densities is not None


def test_a_folder_that_cannot_be_written_to_is_said(session: Session, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    autosave = Autosave(session, tmp_path / "file")
    problems: list[str] = []
    autosave.failed.connect(problems.append)
    session.kernels = KERNELS
    autosave.close()
    assert "The session cannot be saved" in problems[0]


def test_a_closed_dock_offers_its_kernels_when_it_is_opened_again(
    viewer: Viewer, dock: Dock, qtbot: Any
) -> None:
    widget = dock(RGB)
    assert widget.offer.isHidden()
    widget.session.kernels = KERNELS
    close_dock(widget, qtbot)
    again = dock()
    assert again.offer.isVisible()
    again.offer.restore_button.click()
    again.session.wait()
    assert again.session.kernels == KERNELS


def test_results_come_back_after_a_crash(session: Session, tmp_path: Path) -> None:
    before = ResultsTable()
    earlier = Autosave(Session(), tmp_path, results=before)
    before.put([{"image": "a.png", "region": "", "class": "sky", "pixels": 12}])
    earlier.close()
    autosave = Autosave(session, tmp_path)
    offer = RestoreOffer(session, autosave)
    assert offer.text.text().startswith("Last session: 1 result, ")
    offer.restore()
    assert autosave.results.rows == before.rows
    assert autosave.find_abandoned() is None
    autosave.close()


def test_settings_that_were_exported_are_opened(session: Session, tmp_path: Path) -> None:
    said: list[str] = []
    session.message.connect(said.append)
    path = tmp_path / f"photo_settings{SUFFIX}"
    state = State().replace(kernel_sets={"mine": KERNELS}, bandwidth=3, show="kernels")
    save_state(path, state, results=[{"image": "a.png", "pixels": 12}])
    autosave = Autosave(session, tmp_path / "none")
    offer = RestoreOffer(session, autosave)
    offer.open_file(path)
    assert session.state == state
    assert len(autosave.results.rows) == 1
    assert path.exists()
    session.undo()
    assert session.kernels is None
    path.write_text("{}")
    offer.open_file(path)
    assert said[-1].startswith("The settings cannot be opened: the session does not have the")
    autosave.close()
